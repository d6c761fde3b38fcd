"""From a stack's plan to its rows: shaped, patched, linked and put in order."""
