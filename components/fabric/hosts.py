"""Files on the nodes that no operator writes: locked memory, ARP, MTU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import HostFile
from aifactory.components.fabric.pools import Pool
from aifactory.components.fabric.spec import FabricSpec


@dataclass(frozen=True, slots=True)
class MemoryLock:
    """Where a distribution's container runtime takes the limit of locked memory from."""

    path: str
    content: str
    service: str


_UNIT = "[Service]\nLimitMEMLOCK=infinity\n"
MEMORY_LOCKS: dict[str, MemoryLock] = {
    "kubeadm": MemoryLock("/etc/systemd/system/containerd.service.d/{name}.conf", _UNIT, "containerd"),
    "rke2": MemoryLock("/etc/systemd/system/rke2-agent.service.d/{name}.conf", _UNIT, "rke2-agent"),
    "k3s": MemoryLock("/etc/systemd/system/k3s-agent.service.d/{name}.conf", _UNIT, "k3s-agent"),
    "openshift": MemoryLock(
        "/etc/crio/crio.conf.d/{name}.conf", '[crio.runtime]\ndefault_ulimits = ["memlock=-1:-1"]\n', "crio"
    ),
}
"""By distribution. Containers inherit the limits of the service that starts them; CRI-O has a setting."""


def files(
    pools: list[Pool], spec: FabricSpec, ground: Ground, identity: str, ctx: PlanContext
) -> tuple[HostFile, ...]:
    """All files of the fabric on its nodes."""
    hosts = tuple(node for pool in pools for node in pool.nodes)
    found = [*_memory_lock(hosts, spec, identity, ctx), *_arp(hosts, ground, identity)]
    for pool in pools:
        found += _mtu(pool, ground, identity)
    return tuple(found)


def _memory_lock(
    hosts: tuple[str, ...], spec: FabricSpec, identity: str, ctx: PlanContext
) -> Iterator[HostFile]:
    distribution = ctx.place.cluster.distribution
    by_host = spec.memory_lock == "host"
    lock = MEMORY_LOCKS.get(distribution) if by_host else None
    ctx.check(
        "FAB-025",
        lock is not None or not by_host,
        f"memory_lock host on {distribution}, where no file sets the limit",
        ("memory_lock",),
        f"set memory_lock to capability; host works on {', '.join(MEMORY_LOCKS)}",
    )
    _decide_memory_lock(lock, ctx)
    if lock is None:
        return
    yield HostFile(
        f"{identity}-memlock",
        hosts,
        lock.path.format(name=f"90-{identity}-memlock"),
        lock.content,
        f"RDMA pins memory: pods may lock what they register. Restart {lock.service} after it is written.",
        False,
    )


def _decide_memory_lock(lock: MemoryLock | None, ctx: PlanContext) -> None:
    if lock is None:
        ctx.decide(
            "memory_lock",
            "capability",
            "pods get IPC_LOCK, so their namespaces are privileged and their processes run as root",
            rejected=[Rejected("host", "the part says otherwise")],
            source=("memory_lock",),
        )
        return
    ctx.decide(
        "memory_lock",
        "host",
        f"{lock.service} starts containers without a limit of locked memory, so pods that register memory "
        "for "
        "RDMA need no capability and tenants' namespaces stay baseline",
        rejected=[Rejected("capability", "IPC_LOCK is refused by Pod Security baseline")],
        source=("memory_lock",),
    )


def _arp(hosts: tuple[str, ...], ground: Ground, identity: str) -> Iterator[HostFile]:
    if ground.rails == 1:
        return
    lines = ("net.ipv4.conf.all.arp_ignore = 1", "net.ipv4.conf.all.arp_announce = 2")
    yield HostFile(
        f"{identity}-arp",
        hosts,
        f"/etc/sysctl.d/90-{identity}-arp.conf",
        "".join(f"{line}\n" for line in lines),
        "With several rails, an interface answers for its own addresses alone; else a rail answers for "
        "another.",
        False,
    )


def _mtu(pool: Pool, ground: Ground, identity: str) -> Iterator[HostFile]:
    if ground.mode.operator_sets_mtu:
        return
    paths = " ".join(f"pci-{nic.pci}" for nic in pool.nics)
    # A .link file replaces the default one for its NICs, so the default's naming stands here again.
    content = (
        f"[Match]\nPath={paths}\n\n[Link]\nMTUBytes={ground.mtu}\n"
        "NamePolicy=keep kernel database onboard slot path\n"
        "AlternativeNamesPolicy=database onboard slot path\nMACAddressPolicy=persistent\n"
    )
    yield HostFile(
        f"{identity}-{pool.label}-mtu",
        pool.nodes,
        f"/etc/systemd/network/10-{identity}-{pool.label}.link",
        content,
        f"No operator sets the MTU of the NICs in mode {ground.mode.mode}; pods inherit {ground.mtu} from "
        "the host.",
        True,
    )
