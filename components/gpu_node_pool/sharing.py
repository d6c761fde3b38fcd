"""How pods share GPUs: what the site's device plugin offers in their place."""

from __future__ import annotations

from collections.abc import Mapping

from aifactory.components.gpu_node_pool import mig
from aifactory.components.gpu_node_pool.model import SharingPlan
from aifactory.components.gpu_node_pool.spec import Mig, TimeSlicing, WholeGpus

GPU_RESOURCE = "nvidia.com/gpu"
SHARED_RESOURCE = "nvidia.com/gpu.shared"
"""What the device plugin calls a turn on a GPU under renameByDefault."""


def shared(sharing: WholeGpus | Mig | TimeSlicing, gpus_per_node: int) -> SharingPlan:
    """The resources of one node."""
    if isinstance(sharing, Mig):
        profiles = tuple(sorted(sharing.profiles.items()))
        slices = _instances(sharing.profiles, sharing.strategy, gpus_per_node)
        return SharingPlan("mig", sharing.strategy, profiles, 1, slices)
    if isinstance(sharing, TimeSlicing):
        slices = ((SHARED_RESOURCE, gpus_per_node * sharing.replicas),)
        return SharingPlan("time-slicing", "", (), sharing.replicas, slices)
    return SharingPlan("none", "", (), 1, ())


def turns_text(replicas: int) -> str:
    """The device plugin's configuration of nodes whose GPUs are shared by turns."""
    return (
        "version: v1\n"
        "sharing:\n"
        "  timeSlicing:\n"
        "    renameByDefault: true\n"
        "    failRequestsGreaterThanOne: true\n"
        "    resources:\n"
        f"      - name: {GPU_RESOURCE}\n"
        f"        replicas: {replicas}\n"
    )


WHOLE_TEXT = "version: v1\n"
"""The device plugin's configuration of all other nodes: its own defaults."""


def _instances(profiles: Mapping[str, int], strategy: str, gpus_per_node: int) -> tuple[tuple[str, int], ...]:
    if strategy == "single":
        return ((GPU_RESOURCE, gpus_per_node * sum(profiles.values())),)
    return tuple((mig.resource(profile), gpus_per_node * count) for profile, count in sorted(profiles.items()))
