"""The releases of ours, by the capability they provide."""

from __future__ import annotations

from aifactory.components.cluster.hardware import (
    DRA_DRIVER_NVIDIA_GPU,
    GPU_OPERATOR,
    NETWORK_OPERATOR,
    NODE_FEATURE_DISCOVERY,
)
from aifactory.components.cluster.recipe import Recipe
from aifactory.components.cluster.scheduling import JOBSET, KUEUE
from aifactory.components.cluster.telemetry import GATEWAY_API, METRICS
from aifactory.components.cluster.trust import CERT_MANAGER, EXTERNAL_SECRETS

RECIPES: dict[str, Recipe] = {
    "gateway-api": GATEWAY_API,
    "cert-manager": CERT_MANAGER,
    "external-secrets": EXTERNAL_SECRETS,
    "metrics": METRICS,
    "node-feature-discovery": NODE_FEATURE_DISCOVERY,
    "network-operator": NETWORK_OPERATOR,
    "gpu-operator": GPU_OPERATOR,
    "dra-driver-nvidia-gpu": DRA_DRIVER_NVIDIA_GPU,
    "jobset": JOBSET,
    "kueue": KUEUE,
}
"""In the order in which they are installed: a release waits for earlier ones alone."""
