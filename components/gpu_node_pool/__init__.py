"""NVIDIA GPU nodes of one model: drivers, devices, labels, health and host settings, through the GPU Operator."""
