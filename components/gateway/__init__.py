"""One governed door to the models of a site and, where that is allowed, to those of others."""
