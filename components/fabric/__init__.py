"""The network between GPUs of different nodes: drivers, rails, addresses, NCCL settings, switches."""
