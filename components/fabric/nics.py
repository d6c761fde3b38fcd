"""Settings of NICs: firmware settings, names, virtual functions, devices for pods."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Literal

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric import ethernet
from aifactory.components.fabric.driver import image, owner
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import (
    DeviceList,
    FirmwareCheck,
    FirmwareSource,
    FirmwareStorage,
    FunctionPolicy,
    FunctionPool,
    InterfaceNames,
    NicTemplate,
    NodePolicy,
)
from aifactory.components.fabric.modes import resource_of
from aifactory.components.fabric.pools import Pool
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.offers import StorageUse

POLICY_NAME_LENGTH = 30
"""Longest name of a NicNodePolicy. Source: Network Operator 26.4 documentation, NicNodePolicy, naming
requirements."""

RDMA_PREFIX = "rdma_rail"
"""Start of the names of RDMA devices, where an operator names them."""

_PLUGIN_IMAGES: dict[str, str] = {
    "sriov": "sriov-network-device-plugin",
    "rdma-shared": "k8s-rdma-shared-dev-plugin",
}


def functions(spec: FabricSpec, ground: Ground) -> int:
    """Virtual functions of each NIC."""
    return spec.virtual_functions if ground.mode.virtual else 0


def node_policies(pools: list[Pool], spec: FabricSpec, ground: Ground, ctx: PlanContext) -> tuple[NodePolicy, ...]:
    """Driver and device plugin of each pool that needs one of them from us."""
    given = "network-operator" in ctx.place.cluster.provides
    found = []
    for pool in pools:
        driver = None if given else owner(pool, spec, ctx)
        devices = _devices(pool, ground, ctx)
        if driver or devices:
            name = policy_name(pool.label)
            found.append(NodePolicy(name, pool.node_labels, pool.taints, driver, devices))
    if not given:
        ctx.decide(
            "policy_resource",
            "NicNodePolicy",
            "one for each pool, recommended for new sites: a pool may get another driver later, and there "
            "is no way back from NicClusterPolicy without taking the driver away",
            rejected=[Rejected("NicClusterPolicy", "one driver for all nodes; a section may stand in one of them")],
        )
    return tuple(found)


def policy_name(label: str) -> str:
    """The pool's label, shortened to what a NicNodePolicy may be called; different labels stay different."""
    if len(label) <= POLICY_NAME_LENGTH:
        return label
    digest = hashlib.sha256(label.encode()).hexdigest()[:6]
    return f"{label[: POLICY_NAME_LENGTH - 7].rstrip('-')}-{digest}"


def _devices(pool: Pool, ground: Ground, ctx: PlanContext) -> DeviceList | None:
    plugin = ground.mode.plugin
    if not plugin:
        return None
    resources = tuple((resource_of(ground.kind, nic.rail), nic) for nic in pool.nics)
    return DeviceList(image(ctx, _PLUGIN_IMAGES[plugin]), plugin, resources)


def templates(
    pools: list[Pool], spec: FabricSpec, ground: Ground, identity: str, ctx: PlanContext
) -> tuple[NicTemplate, ...]:
    """Settings of the NICs of each pool."""
    link: Literal["Ethernet", "Infiniband"] = "Ethernet" if ground.roce else "Infiniband"
    count = functions(spec, ground)
    if not spec.nic_configuration:
        ctx.decide(
            "nic_configuration",
            False,
            f"whoever sets the hosts up keeps the NICs at: link type {link}, {count} virtual functions, "
            "PCIe reads of 4096 bytes, ATS off"
            + (f", trust DSCP, PFC {ethernet.tuning(ground.roce).pfc}" if ground.roce else ""),
            source=("nic_configuration",),
        )
        return ()
    ctx.decide(
        "nic_configuration",
        True,
        "an operator compares firmware and runtime settings at each boot: a NIC that was replaced gets "
        "them, and PFC and trust are not kept by the NIC itself",
        source=("nic_configuration",),
        facts=sorted({f"nics/{pool.group.nic_model}" for pool in pools}),
    )
    roce = ethernet.tuning(ground.roce) if ground.roce else None
    return tuple(
        NicTemplate(
            name=f"{identity}-{pool.label}",
            node_labels=pool.node_labels,
            nic_type=pool.nic_type,
            pci=tuple(nic.pci for nic in pool.nics),
            virtual_functions=count,
            link_type=link,
            roce=roce,
        )
        for pool in pools
    )


def interface_names(pools: list[Pool], ground: Ground, identity: str, ctx: PlanContext) -> tuple[InterfaceNames, ...]:
    """Names that an operator keeps, in modes that find NICs by name."""
    if ground.mode.virtual:
        return ()
    if not ground.net_prefix:
        ctx.decide(
            "interface_names",
            "host",
            "the host keeps the names in the site file; to let an operator keep them, let all end in their "
            "rail: eth_rail0",
        )
        return ()
    ctx.decide(
        "interface_names",
        f"{ground.net_prefix}N, {RDMA_PREFIX}N",
        "an operator keeps the names of the site file, so that a kernel or driver update doesn't rename a rail",
    )
    return tuple(
        InterfaceNames(f"{identity}-{pool.label}", pool.node_labels, ground.net_prefix, RDMA_PREFIX, pool.nics)
        for pool in pools
    )


def firmware(
    pools: list[Pool], spec: FabricSpec, identity: str
) -> tuple[tuple[FirmwareSource, ...], tuple[FirmwareCheck, ...]]:
    """Archives by model, and the pools that are compared with them."""
    sources = {entry.nic_model: f"{identity}-{entry.nic_model}" for entry in spec.firmware}
    checks = tuple(
        FirmwareCheck(f"{identity}-{pool.label}", pool.node_labels, pool.nic_type, sources[pool.group.nic_model])
        for pool in pools
        if pool.group.nic_model in sources
    )
    return tuple(FirmwareSource(sources[e.nic_model], tuple(e.archives)) for e in spec.firmware), checks


def _shared_classes(ctx: PlanContext) -> list[str]:
    return [given.name for given in ctx.place.cluster.storage_classes if "ReadWriteMany" in given.access]


def firmware_use(spec: FabricSpec, ctx: PlanContext) -> Iterator[StorageUse]:
    """The volume that `firmware_storage` settles on, for whoever has its class. All fabrics of a site share one."""
    wanted = spec.firmware_storage_class or next(iter(_shared_classes(ctx)), "")
    told = any(use.keeps == "firmware" for use in ctx.offers(StorageUse))
    if spec.firmware and wanted and not told:
        yield StorageUse(ctx.part, 0, wanted, "firmware", len(spec.firmware))


def firmware_storage(spec: FabricSpec, ctx: PlanContext) -> FirmwareStorage | None:
    """The volume of the archives; None when no firmware is compared, or with a problem."""
    if not spec.firmware:
        return None
    shared = _shared_classes(ctx)
    wanted = spec.firmware_storage_class or next(iter(shared), "")
    if not ctx.check(
        "FAB-024",
        wanted in shared,
        f'StorageClass "{wanted}" doesn\'t serve ReadWriteMany at {ctx.place.site}'
        if wanted
        else f"{ctx.place.site} has no StorageClass that serves ReadWriteMany",
        ("firmware_storage_class",),
        f"use one of {', '.join(shared)}" if shared else "drop firmware, or give the site such a class",
    ):
        return None
    ctx.decide("firmware.storage_class", wanted, "each node reads the archives", source=("firmware",))
    return FirmwareStorage(wanted, "nic-fw-storage-pvc", len(spec.firmware))


def function_pools(
    pools: list[Pool], spec: FabricSpec, ground: Ground, identity: str, ctx: PlanContext
) -> tuple[FunctionPool, ...]:
    """How the nodes of each pool get virtual functions."""
    count = functions(spec, ground)
    if not ground.mode.virtual:
        ctx.decide("virtual_functions", 0, f"{ground.mode.mode} hands out no virtual functions")
        return ()
    ctx.decide(
        "virtual_functions",
        count,
        f"so many pods of a node can use a rail at once; the firmware reserves {count} for each NIC",
        source=("virtual_functions",),
    )
    rdma: Literal["exclusive", "shared"] = "exclusive" if ground.roce else "shared"
    ctx.decide("rdma_namespaces", rdma, _rdma_reason(rdma))
    return tuple(
        FunctionPool(f"{identity}-{pool.label}", pool.node_labels, spec.nodes_at_a_time, rdma) for pool in pools
    )


def _rdma_reason(rdma: str) -> str:
    if rdma == "exclusive":
        return (
            "a pod sees its own RDMA devices and GIDs alone; nodes restart once, because ib_core reads the "
            "mode when it is loaded"
        )
    return (
        "the network that the SR-IOV operator makes for InfiniBand doesn't move the RDMA device into the "
        "pod, so with exclusive the device would stay on the host; the device plugin still mounts only the "
        "pod's own"
    )


def function_policies(pools: list[Pool], spec: FabricSpec, ground: Ground, identity: str) -> tuple[FunctionPolicy, ...]:
    """Virtual functions of each rail, for each pool: PCI addresses differ between node groups."""
    if not ground.mode.virtual:
        return ()
    link: Literal["ETH", "IB"] = "ETH" if ground.roce else "IB"
    return tuple(
        FunctionPolicy(
            name=f"{identity}-{pool.label}-rail-{nic.rail}",
            node_labels=pool.node_labels,
            resource=resource_of(ground.kind, nic.rail),
            pci=nic.pci,
            functions=spec.virtual_functions,
            mtu=ground.mtu,
            link_type=link,
        )
        for pool in pools
        for nic in pool.nics
    )
