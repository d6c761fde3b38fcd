"""NCCL, UCX and NVSHMEM settings that fit the fabric, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.nics import RDMA_PREFIX
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.given_network import RoceGiven
from aifactory.components.problems import Path


class Setting(Struct, frozen=True):
    """A variable of the environment."""

    name: str
    value: str
    reason: str
    rejected: tuple[Rejected, ...] = ()
    source: Path = ()
    site: bool = False
    """Whether `source` is a place in the site file."""


def decided(spec: FabricSpec, ground: Ground, ctx: PlanContext) -> tuple[tuple[str, str], ...]:
    """Every setting, sorted by name, each recorded as a decision."""
    found = sorted(_settings(spec, ground), key=lambda setting: setting.name)
    for setting in found:
        ctx.decide(
            f"nccl.{setting.name}",
            setting.value,
            setting.reason,
            rejected=setting.rejected,
            source=setting.source,
            document="site" if setting.site else "blueprint",
        )
    ctx.decide(
        "nccl.left_out",
        ["NCCL_DEBUG", "NCCL_IB_SL"],
        "NCCL_DEBUG=INFO is for debugging and slows each job's start; the service level is the subnet "
        "manager's, and RoCE is marked by traffic class",
    )
    return tuple((setting.name, setting.value) for setting in found)


def _settings(spec: FabricSpec, ground: Ground) -> Iterator[Setting]:
    yield from _transport(ground)
    yield from _devices(ground)
    yield Setting(
        "NCCL_SOCKET_IFNAME",
        spec.nccl.socket_interface,
        "bootstrap goes over the pod's first interface; a rail reaches only its own rail",
        source=("nccl", "socket_interface"),
    )
    if ground.rails > 1:
        yield Setting(
            "NCCL_CROSS_NIC",
            "0",
            "a ring keeps to the same NIC on all nodes, so that its traffic stays on one leaf and off the spine",
            (Rejected("2", "NCCL's own: it may mix rails, and flat rails don't reach each other"),),
        )
    if ground.roce:
        yield from _markings(ground.roce, ground)
    if ground.infiniband and ground.infiniband.sharp:
        yield Setting(
            "NCCL_COLLNET_ENABLE",
            "1",
            "switches reduce for NCCL by SHARP; the image needs the NCCL-RDMA-SHARP plugin",
            source=(*ground.at, "sharp"),
            site=True,
        )
    yield from _overrides(spec)


def _transport(ground: Ground) -> Iterator[Setting]:
    if ground.infiniband and ground.infiniband.sharp:
        return  # the SHARP plugin brings a transport of another name
    yield Setting(
        "NCCL_NET",
        "IB",
        "a pod without RDMA fails at once; else NCCL goes on over sockets, at a hundredth of the bandwidth "
        "and without an error",
        (Rejected("(unset)", "falls back to sockets: NVIDIA/nccl#489"),),
    )


def _devices(ground: Ground) -> Iterator[Setting]:
    if not ground.net_prefix:
        yield Setting(
            "NCCL_IB_HCA",
            "mlx5",
            "all NVIDIA NICs that the pod was given, in whichever order; RDMA of a management NIC must not "
            "become a rail",
            (Rejected("(a list)", "the numbers of devices differ from pod to pod"),),
        )
        return
    devices = [f"{RDMA_PREFIX}{rail}" for rail in range(ground.rails)]
    reason = "the rails in order, by the names that an operator keeps"
    yield Setting("NCCL_IB_HCA", f"={','.join(devices)}", reason)
    yield Setting("UCX_NET_DEVICES", ",".join(f"{device}:1" for device in devices), reason)


def _markings(roce: RoceGiven, ground: Ground) -> Iterator[Setting]:
    source: Path = (*ground.at, "traffic_class")
    value = str(roce.traffic_class)
    reason = f"DSCP {roce.traffic_class >> 2}, which leafs map to lossless priority {roce.priority}"
    yield Setting("NCCL_IB_TC", value, reason, source=source, site=True)
    yield Setting(
        "UCX_IB_TRAFFIC_CLASS",
        value,
        f"the same for UCX and NIXL: {reason}",
        (Rejected("auto", "is 106 on each RoCE fabric"),),
        source=source,
        site=True,
    )
    yield Setting("NVSHMEM_IB_TRAFFIC_CLASS", value, f"the same for NVSHMEM and DeepEP: {reason}", (), source, True)
    if not ground.mode.stable_gids:
        for name, chosen in (("NCCL_IB_ROCE_VERSION_NUM", "2"), ("NCCL_IB_ADDR_FAMILY", "AF_INET")):
            yield Setting(
                name,
                chosen,
                "pods that share a device have GIDs at different places, so NCCL looks for RoCEv2 over IPv4 itself",
                (Rejected("NCCL_IB_GID_INDEX", "one index is the address of another pod"),),
            )
        return
    index = str(roce.gid_index)
    for name in ("NCCL_IB_GID_INDEX", "NVSHMEM_IB_GID_INDEX", "UCX_IB_GID_INDEX"):
        yield Setting(
            name,
            index,
            "RoCEv2 over IPv4 in the pod's GID table: link-local and IPv4 addresses, each as RoCEv1 and v2",
            (Rejected("0", "RoCEv1, which no leaf routes"),),
            (*ground.at, "gid_index"),
            True,
        )


def _overrides(spec: FabricSpec) -> Iterator[Setting]:
    nccl = spec.nccl
    written = {
        "NCCL_IB_TIMEOUT": ("ib_timeout", nccl.ib_timeout),
        "NCCL_IB_RETRY_CNT": ("ib_retry_count", nccl.ib_retry_count),
        "NCCL_IB_QPS_PER_CONNECTION": ("ib_qps_per_connection", nccl.ib_qps_per_connection),
        "NCCL_IB_SPLIT_DATA_ON_QPS": ("ib_split_data_on_qps", nccl.ib_split_data_on_qps),
    }
    for name, (field, value) in written.items():
        if value is not None:
            yield Setting(name, str(int(value)), "the blueprint says so", source=("nccl", field))
