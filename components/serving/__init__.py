"""A model that answers requests: engine, cut, precision, replicas, weights, growth and replacement."""
