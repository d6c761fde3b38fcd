"""The objects of a gateway, a module for each concern."""
