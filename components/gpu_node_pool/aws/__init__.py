"""Pools at AWS: node groups of the base in place of nodes in racks."""
