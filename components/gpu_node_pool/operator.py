"""Chart values of the site's one GPU Operator, from the needs of all its pools, and of the DRA driver."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from aifactory.components.base import Place
from aifactory.components.gpu_node_pool import health, labels, mig, sharing
from aifactory.components.gpu_node_pool.accelerators import version
from aifactory.components.gpu_node_pool.needs import PoolNeeds

Tree = dict[str, object]

DRIVER_ROOT = "/run/nvidia/driver"
"""Where operands find a driver of the operator. Never "/": the validator would mount over its own root."""

NRI_FROM = (1, 34)
"""Kubernetes release whose k3s and RKE2 bring containerd 2.1 or newer, which the NRI plugin needs."""

MIG_CONFIG = "aifactory-mig"
DEVICE_PLUGIN_CONFIG = "aifactory-device-plugin"
METRICS_CONFIG = "aifactory-dcgm-metrics"
WHOLE = "whole"
"""Configuration of nodes without turns. It is the default: with one configuration and no default, the device
plugin applies that one to every node."""

IMAGE_OWNED = ("talos", "eks")
"""Distributions whose image has the toolkit. Source: NVIDIA/aicr, driver and toolkit off where the image owns both."""

_NRI = ("nri", "the NRI plugin leaves the containerd configuration alone, which the distribution rewrites")
_SOCKET = (
    "containerd",
    "its containerd is older than the NRI plugin needs, so the toolkit uses its own socket",
)
TOOLKITS: dict[str, tuple[str, str]] = {
    "kubeadm": (
        "containerd",
        "the toolkit writes its drop-in for containerd, at the operator's default paths",
    ),
    "eks": ("off", "the accelerated AMI of EKS brings driver and toolkit, and has set containerd up for both"),
    "rke2": _NRI,
    "k3s": _NRI,
    "talos": ("off", "driver and toolkit are extensions of the Talos image, and its root is read-only"),
    "openshift": (
        "cri-o",
        "CRI-O reads CDI files, and drivers are built with the driver toolkit of the release",
    ),
}
"""How GPUs get into containers, and why, by distribution."""


def toolkit(place: Place) -> tuple[str, str]:
    """How GPUs get into containers at a site, and why."""
    found = TOOLKITS[place.cluster.distribution]
    return _SOCKET if found is _NRI and not uses_nri(place) else found


def uses_nri(place: Place) -> bool:
    """Whether GPUs are injected by the NRI plugin."""
    cluster = place.cluster
    return cluster.distribution in ("rke2", "k3s") and version(cluster.version)[:2] >= NRI_FROM


def operator_values(pools: Sequence[PoolNeeds], place: Place) -> Tree:
    """What the pools need of the chart; what every GPU Operator of ours has is the release's own."""
    crd = any(pool.owner == "operator" for pool in pools)
    return {
        "hostPaths": {"driverInstallDir": DRIVER_ROOT},
        "driver": {"enabled": crd, "nvidiaDriverCRD": {"enabled": crd, "deployDefaultCR": False}},
        "gdrcopy": {"enabled": any(pool.gdrcopy for pool in pools)},
        "gds": {"enabled": any(pool.gds for pool in pools)},
        **_runtime(place),
        **_devices(pools),
        **_exporter(pools),
    }


def dra_values(pools: Sequence[PoolNeeds]) -> Tree:
    """The DRA driver's values: whole GPUs, and a restart with each driver, whose library it holds open."""
    by_operator = pools[0].owner == "operator"
    return {
        "nvidiaDriverRoot": DRIVER_ROOT if by_operator else "/",
        "gpuResourcesEnabledOverride": True,
        "resources": {"gpus": {"enabled": True}, "computeDomains": {"enabled": False}},
        "kubeletPlugin": {
            "nodeSelector": {labels.DRA_LABEL: "true"},
            "podAnnotations": {"aifactory.io/driver": "-".join(sorted({pool.driver_version for pool in pools}))},
        },
    }


def _runtime(place: Place) -> Tree:
    """Container toolkit and CDI, by distribution."""
    distribution = place.cluster.distribution
    toolkit: Tree = {"enabled": distribution not in IMAGE_OWNED}
    if distribution in ("rke2", "k3s") and not uses_nri(place):
        socket = {"name": "CONTAINERD_SOCKET", "value": "/run/k3s/containerd/containerd.sock"}
        toolkit["env"] = [socket]
    values: Tree = {"cdi": {"enabled": True, "nriPluginEnabled": uses_nri(place)}, "toolkit": toolkit}
    if distribution == "openshift":
        values["operator"] = {"use_ocp_driver_toolkit": True}
    return values


def _devices(pools: Sequence[PoolNeeds]) -> Tree:
    """Device plugin and MIG manager."""
    cut = [pool for pool in pools if pool.sharing == "mig"]
    turns = [pool for pool in pools if pool.sharing == "time-slicing"]
    plugin: Tree = {"enabled": pools[0].device_management == "device-plugin"}
    environment = [{"name": "DP_DISABLE_HEALTHCHECKS", "value": "109"}]
    manager: Tree = {}
    if turns:
        data = {pool.identity: sharing.turns_text(pool.replicas) for pool in turns}
        data[WHOLE] = sharing.WHOLE_TEXT
        plugin["config"] = {"create": True, "name": DEVICE_PLUGIN_CONFIG, "default": WHOLE, "data": data}
        environment.append(_restart_with("".join(data.values())))
    if cut:
        text = mig.config_text((pool.identity, dict(pool.profiles)) for pool in cut)
        manager["config"] = {
            "create": True,
            "name": MIG_CONFIG,
            "default": "all-disabled",
            "data": {"config.yaml": text},
        }
        manager["env"] = [_restart_with(text)]
    return {
        "devicePlugin": {**plugin, "env": environment},
        "mig": {"strategy": cut[0].strategy if cut else "single"},
        **({"migManager": manager} if manager else {}),
    }


def _exporter(pools: Sequence[PoolNeeds]) -> Tree:
    text = health.metrics_text(
        nvlink=any(pool.nvlink for pool in pools), profiling=any(pool.profiling for pool in pools)
    )
    return {
        "dcgm": {"enabled": False},
        "dcgmExporter": {
            "enabled": True,
            "config": {"create": True, "name": METRICS_CONFIG, "data": text},
            "env": [_restart_with(text)],
            "serviceMonitor": {
                "interval": f"{min(pool.interval_s for pool in pools)}s",
                "honorLabels": True,
            },
        },
    }


def _restart_with(text: str) -> dict[str, str]:
    """A variable that changes with a configuration: a pod reads its ConfigMap once, when it starts."""
    return {"name": "AIFACTORY_CONFIG", "value": sha256(text.encode()).hexdigest()[:12]}
