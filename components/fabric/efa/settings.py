"""Settings of NCCL and libfabric that fit EFA, each with its reason: as few as there can be."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric.nccl import Setting
from aifactory.components.fabric.spec import FabricSpec, NcclOverrides

LEFT_OUT = ("FI_EFA_USE_DEVICE_RDMA", "FI_PROVIDER", "NCCL_ALGO", "NCCL_NET", "NCCL_PROTO", "NCCL_TUNER_PLUGIN")
OWN = "socket_interface"
"""The one override that isn't about InfiniBand verbs."""


def decided(spec: FabricSpec, ctx: PlanContext) -> tuple[tuple[str, str], ...]:
    """Every setting, sorted by name, each recorded as a decision."""
    found = sorted(_settings(spec), key=lambda setting: setting.name)
    for each in found:
        ctx.decide(f"nccl.{each.name}", each.value, each.reason, rejected=each.rejected, source=each.source)
    ctx.decide(
        "nccl.left_out",
        list(LEFT_OUT),
        "libfabric finds EFA by itself since 1.18, and the plugin sets NCCL up for each platform since 1.21.1: a value "
        "from here would be that of an older one. The network's name has changed with releases of the plugin",
    )
    return tuple((each.name, each.value) for each in found)


def misplaced(spec: FabricSpec) -> list[str]:
    """Fields of the specification that mean nothing on EFA."""
    verbs = [name for name in NcclOverrides.model_fields if name != OWN and getattr(spec.nccl, name) is not None]
    return [*(f"nccl.{name}" for name in verbs), *(["firmware"] if spec.firmware else [])]


def _settings(spec: FabricSpec) -> Iterator[Setting]:
    yield Setting(
        "NCCL_NET_PLUGIN",
        "ofi",
        "the EFA installer brings libnccl-net-ofi.so, and NCCL looks for libnccl-net.so: without the name it falls "
        "back to sockets, a hundredth of the bandwidth, and says nothing (SemiAnalysisAI/InferenceX PR#2979)",
        (Rejected("unset", "an image that has the plugin under its own name alone would use sockets"),),
    )
    yield Setting(
        "NCCL_SOCKET_IFNAME",
        spec.nccl.socket_interface,
        "bootstrap goes over the pod's interface with an address; EFA has none",
        source=("nccl", "socket_interface"),
    )
