"""The `spec` of each object of a fabric."""
