"""One door with TLS to the models of a site."""
