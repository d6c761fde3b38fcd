"""NVIDIA GPU nodes of one model: driver, devices, labels, health and host settings, by the GPU Operator."""
