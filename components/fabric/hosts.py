"""What the hosts of a fabric need beside what operators set: locked memory, ARP, MTU."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric import machines
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import HostFile
from aifactory.components.fabric.pools import Pool
from aifactory.components.fabric.spec import FabricSpec

ARP: tuple[tuple[str, str], ...] = (
    ("net.ipv4.conf.all.arp_ignore", "1"),
    ("net.ipv4.conf.all.arp_announce", "2"),
)
"""With several NICs in reach of each other, an interface speaks for its own addresses alone."""
ARP_WHY = "With several rails, an interface answers for its own addresses alone; else a rail answers for another."
LOCK_WHY = "RDMA pins memory: pods may lock what they register."


class MemoryLock(Struct, frozen=True):
    """Where a distribution's container runtime takes the limit of locked memory from."""

    path: str
    content: str
    service: str


_UNIT = "[Service]\nLimitMEMLOCK=infinity\n"
_CRIO = '[crio.runtime]\ndefault_ulimits = ["memlock=-1:-1"]\n'
MEMORY_LOCKS: dict[str, MemoryLock] = {
    "kubeadm": MemoryLock("/etc/systemd/system/containerd.service.d/{name}.conf", _UNIT, "containerd"),
    "rke2": MemoryLock("/etc/systemd/system/rke2-agent.service.d/{name}.conf", _UNIT, "rke2-agent"),
    "k3s": MemoryLock("/etc/systemd/system/k3s-agent.service.d/{name}.conf", _UNIT, "k3s-agent"),
    "openshift": MemoryLock("/etc/crio/crio.conf.d/{name}.conf", _CRIO, "crio"),
}
"""By distribution. Containers inherit the limits of the service that starts them; CRI-O has a setting, and so
has the machine configuration of Talos."""


def files(pools: list[Pool], spec: FabricSpec, ground: Ground, identity: str, ctx: PlanContext) -> tuple[HostFile, ...]:
    """All files of the fabric on its nodes, in the form that their operating system takes."""
    distribution = ctx.place.cluster.distribution
    locks = spec.memory_lock == "host"
    _decide_memory_lock(distribution, spec, ctx)
    arp = ground.rails > 1
    if distribution == "talos":
        return machines.talos(pools, ground, identity, locks=locks, sysctls=ARP if arp else ())
    if distribution == "openshift":
        found = [(pool, tuple(_plain([pool], ground, identity, distribution, locks=locks))) for pool in pools]
        return machines.openshift(found, identity)
    return tuple(_plain(pools, ground, identity, distribution, locks=locks))


def _plain(pools: list[Pool], ground: Ground, identity: str, distribution: str, *, locks: bool) -> Iterator[HostFile]:
    """Files as they lie on the hosts."""
    hosts = tuple(node for pool in pools for node in pool.nodes)
    if locks:
        lock = MEMORY_LOCKS[distribution]
        path = lock.path.format(name=f"90-{identity}-memlock")
        why = f"{LOCK_WHY} Restart {lock.service} after it is written."
        yield HostFile(f"{identity}-memlock", hosts, path, lock.content, why, False)
    if ground.rails > 1:
        content = "".join(f"{name} = {value}\n" for name, value in ARP)
        yield HostFile(f"{identity}-arp", hosts, f"/etc/sysctl.d/90-{identity}-arp.conf", content, ARP_WHY, False)
    if not ground.mode.operator_sets_mtu:
        yield from (_mtu(pool, ground, identity) for pool in pools)


def _mtu(pool: Pool, ground: Ground, identity: str) -> HostFile:
    paths = " ".join(f"pci-{nic.pci}" for nic in pool.nics)
    # A .link file replaces the default one for its NICs, so the default's naming stands here again.
    content = (
        f"[Match]\nPath={paths}\n\n[Link]\nMTUBytes={ground.mtu}\n"
        "NamePolicy=keep kernel database onboard slot path\n"
        "AlternativeNamesPolicy=database onboard slot path\nMACAddressPolicy=persistent\n"
    )
    return HostFile(
        f"{identity}-{pool.label}-mtu",
        pool.nodes,
        f"/etc/systemd/network/10-{identity}-{pool.label}.link",
        content,
        f"No operator sets the MTU of the NICs in mode {ground.mode.mode}; pods inherit {ground.mtu} from the host.",
        True,
    )


def _decide_memory_lock(distribution: str, spec: FabricSpec, ctx: PlanContext) -> None:
    if spec.memory_lock == "capability":
        ctx.decide(
            "memory_lock",
            "capability",
            "pods get IPC_LOCK, so their namespaces are privileged and their processes run as root: "
            "without root the capability has no effect (NVIDIA/nvidia-container-toolkit#2037)",
            rejected=[Rejected("host", "the part says otherwise")],
            source=("memory_lock",),
        )
        return
    lock = MEMORY_LOCKS.get(distribution)
    who = f"{lock.service} starts containers" if lock else "Talos starts containers by a base specification"
    ctx.decide(
        "memory_lock",
        "host",
        f"{who} without a limit of locked memory, so pods that register memory for RDMA need no capability "
        "and tenants' namespaces stay baseline",
        rejected=[Rejected("capability", "IPC_LOCK is refused by Pod Security baseline, and only works for root")],
        source=("memory_lock",),
    )
