"""The renderer: rows become the files of a generated folder."""
