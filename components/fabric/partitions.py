"""InfiniBand: who runs the subnet, and the partitions that keep tenants apart."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import Network, NetworkGuard, Partition

PKEYS_PER_NODE = 128
"""Partition keys that a node can hold. Source: Mellanox/ib-kubernetes README.md."""


def per_tenant(ground: Ground) -> bool:
    """Whether each tenant has a partition, and so networks of its own."""
    return ground.infiniband is not None and ground.infiniband.pkey_policy == "per-tenant"


def check_infiniband(ground: Ground, ctx: PlanContext) -> None:
    """The rules of an InfiniBand fabric that need no nodes, and its decisions."""
    given = ground.infiniband
    if given is None:
        return
    ctx.check(
        "FAB-016",
        given.pkey_policy == "default-only" or ground.mode.virtual,
        f"pkey_policy per-tenant with mode {given.mode}: only virtual functions have GUIDs that a partition can hold",
        (*ground.at, "pkey_policy"),
        "set network.infiniband.mode to sriov, or pkey_policy to default-only",
        document="site",
    )
    ctx.check(
        "FAB-017",
        not given.sharp or given.subnet_manager == "ufm",
        f"sharp with subnet_manager {given.subnet_manager}",
        (*ground.at, "sharp"),
        "set network.infiniband.sharp to false, or run UFM",
        document="site",
    )
    ctx.decide(
        "subnet_manager",
        given.subnet_manager,
        "runs outside the cluster and must be there first: without it no port becomes active"
        + (
            ". Ports of virtual functions become active only where its virtualization is on (virt_enabled 2 of OpenSM)"
            if ground.mode.virtual
            else ""
        ),
        source=(*ground.at, "subnet_manager"),
        document="site",
    )
    ctx.decide(
        "partitions",
        given.pkey_policy,
        "UFM gives each tenant's virtual functions its own key, because RDMA bypasses network policies"
        if given.pkey_policy == "per-tenant"
        else "all tenants share the default partition: RDMA between them is not kept apart",
        source=(*ground.at, "pkey_policy"),
        document="site",
    )


def partitions(networks: tuple[Network, ...], ground: Ground, ctx: PlanContext) -> tuple[Partition, ...]:
    """The rails of each tenant that uses the fabric, in its namespace."""
    ufm = ground.infiniband.ufm if ground.infiniband else None
    if not per_tenant(ground) or ufm is None:
        return ()
    tenants = {request.name: request.tenant for request in ctx.site_plan.namespaces}
    found: list[Partition] = []
    for namespace in ctx.site_plan.settings_readers.get(ctx.part, []):
        tenant = tenants.get(namespace, "")
        if ctx.check(
            "FAB-016",
            tenant in ufm.pkeys,
            f"namespace {namespace} uses the fabric, and its tenant {tenant or '(none)'} has no PKey",
            (*ground.at, "ufm", "pkeys"),
            f"add the key that UFM has for it to network.infiniband.ufm.pkeys ({', '.join(ufm.pkeys) or 'empty'})",
            document="site",
        ):
            found += [Partition(namespace, tenant, ufm.pkeys[tenant], network) for network in networks]
    keys = len({partition.pkey for partition in found})
    ctx.check(
        "FAB-016",
        keys <= PKEYS_PER_NODE,
        f"{keys} partitions on the same nodes; a node holds {PKEYS_PER_NODE}",
        (),
        "give tenants pools of their own, or let some share a partition",
    )
    return tuple(found)


def guard(found: tuple[Partition, ...], identity: str, ctx: PlanContext) -> NetworkGuard | None:
    """Keeps pods of a tenant from naming the network of another one."""
    if not found:
        return None
    ctx.decide(
        "network_guard",
        True,
        "Multus lets a pod name a network of any namespace, and with it the partition of another tenant; "
        "the API server refuses such pods",
    )
    namespaces = tuple(dict.fromkeys(partition.namespace for partition in found))
    return NetworkGuard(f"{identity}-own-networks", namespaces)
