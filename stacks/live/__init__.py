"""The live cluster: what is there, what differs from the plan, what stands in its way, and what remains of it."""
