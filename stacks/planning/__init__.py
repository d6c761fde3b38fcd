"""From a blueprint and its sites to a plan in which nothing is left unset."""
