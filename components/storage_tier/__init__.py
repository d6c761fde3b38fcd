"""A tier of storage: what it holds and carries, what survives, and which GPUs wait for it."""
