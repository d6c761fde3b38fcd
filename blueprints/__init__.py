"""The language: what a blueprint and a site may say, and how it is read."""
