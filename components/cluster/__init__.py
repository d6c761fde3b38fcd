"""The cluster of a site: what it must be, what it already runs, and what every part stands on."""
