"""The cluster by EKS: the network, keys, roles, control plane and system nodes that a base layer makes at AWS."""
