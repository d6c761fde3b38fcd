"""A gang of pods that trains one model: admitted whole, placed together, restarted together."""
