"""The ways in which pods get at the NICs: what each needs and what it gives."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.fabric.model import Kind, Mode

SHARED_PODS = 63
"""Pods of a node that may share an RDMA device. Source: NVIDIA/k8s-launch-kit l8k-config.yaml,
rdmaShared.hcaMax."""


_SRIOV_NOT = "virtual functions need firmware settings, and each node is drained and restarted for them"
_SHARED_NOT = "tenants would share one device, without limits or counters of their own"


class ModeFacts(Struct, frozen=True):
    """One way to hand NICs to pods."""

    mode: Mode
    written: Literal["sriov", "host-device", "macvlan-shared", "ipoib-shared"]
    """As the site file names it."""
    virtual: bool
    """Whether pods get virtual functions, through the SR-IOV operator."""
    shared: bool
    """Whether pods share the device of the host."""
    plugin: Literal["", "sriov", "rdma-shared"]
    """Device plugin of the Network Operator that it needs."""
    prefix: str
    """Prefix of its extended resources."""
    chained: bool
    """Whether its network may chain further CNI plugins. Source: CRDs of Network Operator 26.4.1."""
    operator_sets_mtu: bool
    """Whether an operator sets the MTU of the physical function."""
    stable_gids: bool
    """Whether the GID index is the same in each pod."""
    pods_per_node: int
    """Pods of a node that may use a rail at once; 0 where virtual functions decide it."""
    reason: str
    against: str
    """Why another mode is preferred to it, where another one is chosen."""


MODES: tuple[ModeFacts, ...] = (
    ModeFacts(
        mode="sriov-ethernet",
        written="sriov",
        virtual=True,
        shared=False,
        plugin="",
        prefix="nvidia.com",
        chained=True,
        operator_sets_mtu=True,
        stable_gids=True,
        pods_per_node=0,
        reason=("a virtual function for each pod: several pods and tenants of a node, each with counters of its own"),
        against=_SRIOV_NOT,
    ),
    ModeFacts(
        mode="sriov-ib",
        written="sriov",
        virtual=True,
        shared=False,
        plugin="",
        prefix="nvidia.com",
        chained=True,
        operator_sets_mtu=True,
        stable_gids=True,
        pods_per_node=0,
        reason=("a virtual function for each pod: several pods of a node, each with a GUID that a partition can hold"),
        against=_SRIOV_NOT,
    ),
    ModeFacts(
        mode="host-device",
        written="host-device",
        virtual=False,
        shared=False,
        plugin="sriov",
        prefix="nvidia.com",
        chained=False,
        operator_sets_mtu=False,
        stable_gids=True,
        pods_per_node=1,
        reason="the whole device for one pod of a node: nothing between the pod and the NIC",
        against="one pod of a node would hold its NICs, and no second tenant could use the node",
    ),
    ModeFacts(
        mode="macvlan-rdma-shared",
        written="macvlan-shared",
        virtual=False,
        shared=True,
        plugin="rdma-shared",
        prefix="rdma",
        chained=False,
        operator_sets_mtu=False,
        stable_gids=False,
        pods_per_node=SHARED_PODS,
        reason="pods share the RDMA device of the host, each with an interface of its own: many small pods",
        against=_SHARED_NOT,
    ),
    ModeFacts(
        mode="ipoib-rdma-shared",
        written="ipoib-shared",
        virtual=False,
        shared=True,
        plugin="rdma-shared",
        prefix="rdma",
        chained=False,
        operator_sets_mtu=False,
        stable_gids=True,
        pods_per_node=SHARED_PODS,
        reason="pods share the HCA of the host, each with an IPoIB interface of its own: many small pods",
        against=_SHARED_NOT,
    ),
)

_BY_SITE: dict[tuple[Kind, str], Mode] = {
    ("roce", "sriov"): "sriov-ethernet",
    ("roce", "host-device"): "host-device",
    ("roce", "macvlan-shared"): "macvlan-rdma-shared",
    ("infiniband", "sriov"): "sriov-ib",
    ("infiniband", "host-device"): "host-device",
    ("infiniband", "ipoib-shared"): "ipoib-rdma-shared",
}
_FACTS = {facts.mode: facts for facts in MODES}

RESOURCE_STEMS: dict[Kind, str] = {"roce": "rail", "infiniband": "ib_rail"}
"""Start of the resource of each rail: `rail_0`. A site has at most one fabric of a kind, so they never
collide."""


def others(kind: Kind, chosen: Mode) -> list[ModeFacts]:
    """The other modes of a fabric."""
    return [_FACTS[mode] for (of, _), mode in _BY_SITE.items() if of == kind and mode != chosen]


def mode_of(kind: Kind, written: str) -> ModeFacts:
    """The mode that a site's word means on its fabric."""
    return _FACTS[_BY_SITE[kind, written]]


def resource_of(kind: Kind, rail: int) -> str:
    """Name of a rail's extended resource, without its prefix."""
    return f"{RESOURCE_STEMS[kind]}_{rail}"
