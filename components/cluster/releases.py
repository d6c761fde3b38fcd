"""The releases of ours, by the capability they provide."""

from __future__ import annotations

from aifactory.components.cluster.aws.balancer import AWS_LOAD_BALANCER_CONTROLLER
from aifactory.components.cluster.aws.karpenter import KARPENTER
from aifactory.components.cluster.hardware import (
    DRA_DRIVER_NVIDIA_GPU,
    EFA_DEVICE_PLUGIN,
    GPU_OPERATOR,
    NETWORK_OPERATOR,
    NEURON_DEVICE_PLUGIN,
    NODE_FEATURE_DISCOVERY,
)
from aifactory.components.cluster.observing import LOKI, OPENTELEMETRY_OPERATOR, TEMPO
from aifactory.components.cluster.recipe import Recipe
from aifactory.components.cluster.scheduling import JOBSET, KUEUE, LWS
from aifactory.components.cluster.serving import (
    AI_GATEWAY,
    AI_GATEWAY_CRDS,
    ENVOY_GATEWAY,
    ENVOY_GATEWAY_CRDS,
    KEDA,
    KSERVE,
    KSERVE_CRDS,
)
from aifactory.components.cluster.storage import CLOUDNATIVE_PG, CSI_DRIVER_NFS, ROOK_CEPH, TOPOLVM
from aifactory.components.cluster.telemetry import GATEWAY_API, METRICS
from aifactory.components.cluster.trust import CERT_MANAGER, EXTERNAL_SECRETS

RECIPES: dict[str, Recipe] = {
    "gateway-api": GATEWAY_API,
    "envoy-gateway-crds": ENVOY_GATEWAY_CRDS,
    "ai-gateway-crds": AI_GATEWAY_CRDS,
    "kserve-crds": KSERVE_CRDS,
    "cert-manager": CERT_MANAGER,
    "external-secrets": EXTERNAL_SECRETS,
    "aws-load-balancer-controller": AWS_LOAD_BALANCER_CONTROLLER,
    "metrics": METRICS,
    "rook-ceph": ROOK_CEPH,
    "topolvm": TOPOLVM,
    "cnpg": CLOUDNATIVE_PG,
    "opentelemetry-operator": OPENTELEMETRY_OPERATOR,
    "loki": LOKI,
    "tempo": TEMPO,
    "node-feature-discovery": NODE_FEATURE_DISCOVERY,
    "network-operator": NETWORK_OPERATOR,
    "efa-device-plugin": EFA_DEVICE_PLUGIN,
    "neuron-device-plugin": NEURON_DEVICE_PLUGIN,
    "karpenter": KARPENTER,
    "csi-driver-nfs": CSI_DRIVER_NFS,
    "gpu-operator": GPU_OPERATOR,
    "dra-driver-nvidia-gpu": DRA_DRIVER_NVIDIA_GPU,
    "jobset": JOBSET,
    "lws": LWS,
    "kueue": KUEUE,
    "keda": KEDA,
    "envoy-gateway": ENVOY_GATEWAY,
    "ai-gateway": AI_GATEWAY,
    "kserve": KSERVE,
}
"""In the order in which they are installed: a release waits for earlier ones alone."""
