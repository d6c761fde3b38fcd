"""EFA, the network between GPUs of different nodes at AWS."""
