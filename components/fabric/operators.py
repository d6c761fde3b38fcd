"""What fabrics need of the Network Operator and its singletons."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog import trains
from aifactory.components.fabric.driver import image
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import (
    FirmwareStorage,
    IbKubernetes,
    Labels,
    NicOperator,
    Operators,
    SriovOperator,
)
from aifactory.components.fabric.nics import firmware_storage
from aifactory.components.fabric.partitions import per_tenant
from aifactory.components.fabric.pools import Pool
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.offers import Taint
from aifactory.components.rows import Tree

DRIVER_LOADED = ("network.nvidia.com/operator.mofed.wait", "false")
NICS_CONFIGURED = ("network.nvidia.com/operator.nic-configuration.wait", "false")
"""Node labels that say when the next daemon may start. Source: values of the network-operator chart."""

NIC_CLASSES = ("0200", "0207")
"""PCI classes of Ethernet and InfiniBand NICs. Source: Mellanox/network-operator PR#557."""

K3S_BINARIES = "/var/lib/rancher/k3s/data/cni"
K3S_NETWORKS = "/var/lib/rancher/k3s/agent/etc/cni/net.d"
"""Where K3s looks for CNI plugins. Source: docs.k3s.io, Multus and IPAM plugins."""


class Needs(Struct, frozen=True):
    """What one fabric needs of the cluster's singletons. Fabrics of a site offer it to each other."""

    part: str
    pools: tuple[str, ...]
    taints: tuple[Taint, ...]
    nodes_at_a_time: int
    sriov: bool
    ipoib: bool
    nic_operator: bool
    resets_firmware: bool
    storage: FirmwareStorage | None
    ib_kubernetes: IbKubernetes | None


def namespace(ctx: PlanContext) -> str:
    """Namespace of the Network Operator: the one that the release train names, for a given one too."""
    return trains.release(ctx.catalog, ctx.place.train, "network-operator").namespace


def given(ctx: PlanContext) -> bool:
    """Whether the site runs the Network Operator, and so owns its singletons."""
    return "network-operator" in ctx.place.cluster.provides


def check_distribution(ground: Ground, ctx: PlanContext) -> None:
    """The rules on who else manages NICs in the cluster."""
    cluster = ctx.place.cluster
    ctx.check(
        "FAB-025",
        cluster.distribution != "openshift" or given(ctx),
        "OpenShift installs the Network Operator from its catalog, beside its own Multus",
        ("cluster", "distribution"),
        "install it there, and say so: cluster.provides.network-operator in the site file",
        document="site",
    )
    other = "OpenShift's own" if cluster.distribution == "openshift" else "the one in cluster.provides"
    ctx.check(
        "FAB-020",
        not ground.mode.virtual
        or (cluster.distribution != "openshift" and "sriov-network-operator" not in cluster.provides),
        f"{ground.mode.mode} brings the SR-IOV operator of the Network Operator, beside {other}",
        (*ground.at, "mode"),
        f"set network.{ground.kind}.mode to host-device, or take the other SR-IOV operator away",
        document="site",
    )


def needs(pools: list[Pool], spec: FabricSpec, ground: Ground, ctx: PlanContext) -> Needs:
    """What this fabric needs of the singletons."""
    return Needs(
        part=ctx.part,
        pools=tuple(pool.label for pool in pools),
        taints=tuple(dict.fromkeys(taint for pool in pools for taint in pool.taints)),
        nodes_at_a_time=spec.nodes_at_a_time,
        sriov=ground.mode.virtual,
        ipoib=ground.mode.mode == "ipoib-rdma-shared",
        nic_operator=spec.nic_configuration,
        resets_firmware=_resets(pools, spec, ctx),
        storage=firmware_storage(spec, ctx),
        ib_kubernetes=_ib_kubernetes(ground, ctx),
    )


def _resets(pools: list[Pool], spec: FabricSpec, ctx: PlanContext) -> bool:
    rows = [ctx.catalog.row("accelerators", name) for name in sorted({pool.accelerator for pool in pools})]
    external = [row for row in rows if row.value("external_bmc_reset") is True]
    if external and spec.nic_configuration:
        ctx.decide(
            "nic_firmware_reset",
            True,
            f"nodes with {' and '.join(row.key for row in external)} have an external BMC: a NIC takes new "
            "firmware settings only when its firmware is reset before the restart, else the node restarts "
            "over and over",
            facts=[row.ref for row in external],
        )
    return bool(external) and spec.nic_configuration


def _ib_kubernetes(ground: Ground, ctx: PlanContext) -> IbKubernetes | None:
    ufm = ground.infiniband.ufm if ground.infiniband else None
    if not per_tenant(ground) or ufm is None:
        return None
    first, last = ufm.guid_pool
    ctx.decide(
        "ib_kubernetes",
        True,
        f"it adds the GUIDs of virtual functions, {first} to {last}, to the tenants' partitions through UFM",
        facts=["images/network-operator:ib-kubernetes"],
        source=("network", "infiniband", "ufm"),
        document="site",
    )
    return IbKubernetes(image(ctx, "ib-kubernetes"), first, last, ufm.secret)


def singletons(all_needs: Sequence[Needs], ctx: PlanContext) -> Operators | None:
    """The singletons that serve all fabrics; None when the site has them, or no fabric joins a pool."""
    if given(ctx):
        ctx.decide(
            "singletons",
            "site",
            "the site runs the Network Operator, so NicClusterPolicy and SriovOperatorConfig are its own "
            "and stay as they are",
        )
        return None
    if not all_needs:
        return None
    labels = tuple(dict.fromkeys(label for need in all_needs for label in need.pools))
    at_a_time = min(need.nodes_at_a_time for need in all_needs)
    ctx.decide(
        "singletons",
        ctx.part,
        "NicClusterPolicy, SriovOperatorConfig and MaintenanceOperatorConfig exist once a cluster; the "
        "first fabric makes them for all",
    )
    ctx.decide(
        "maintenance",
        at_a_time,
        "drains for drivers, firmware settings and virtual functions share one budget of nodes, kept by the "
        "maintenance operator",
        source=("nodes_at_a_time",),
    )
    return Operators(
        pools=labels,
        tolerations=tuple(dict.fromkeys(taint for need in all_needs for taint in need.taints)),
        nv_ipam=image(ctx, "nvidia-k8s-ipam"),
        multus=image(ctx, "multus-cni"),
        cni_plugins=image(ctx, "plugins"),
        ipoib_cni=image(ctx, "ipoib-cni") if any(need.ipoib for need in all_needs) else None,
        nic_operator=_nic_operator(all_needs, ctx),
        ib_kubernetes=next((need.ib_kubernetes for need in all_needs if need.ib_kubernetes), None),
        sriov=_sriov(all_needs, ctx),
        nodes_at_a_time=at_a_time,
    )


def _nic_operator(all_needs: Sequence[Needs], ctx: PlanContext) -> NicOperator | None:
    if not any(need.nic_operator for need in all_needs):
        return None
    return NicOperator(
        operator=image(ctx, "nic-configuration-operator"),
        daemon=image(ctx, "nic-configuration-operator-daemon"),
        reset_after_update=any(need.resets_firmware for need in all_needs),
        storage=next((need.storage for need in all_needs if need.storage), None),
    )


def _sriov(all_needs: Sequence[Needs], ctx: PlanContext) -> SriovOperator | None:
    if not any(need.sriov for need in all_needs):
        return None
    nic_operator = any(need.nic_operator for need in all_needs)
    selector: Labels = (DRIVER_LOADED, NICS_CONFIGURED) if nic_operator else (DRIVER_LOADED,)
    ctx.decide(
        "sriov_operator",
        {"injector": False, "webhook": False},
        "workloads ask for their devices themselves, where Kueue counts them; the injector would add to "
        "pods that are admitted already. The webhook checks what is checked here, and needs certificates",
        rejected=[Rejected({"injector": True, "webhook": True}, "two webhooks whose outage stops pods")],
    )
    return SriovOperator(selector, nic_operator, any(need.resets_firmware for need in all_needs))


def require(need: Needs, ground: Ground, ctx: PlanContext) -> None:
    """Ask for the releases, with the chart values that this fabric relies on."""
    ctx.require(
        "node-feature-discovery",
        "finds NICs by vendor, and labels their nodes",
        {
            "worker": {
                "config": {
                    "sources": {"pci": {"deviceClassWhitelist": list(NIC_CLASSES), "deviceLabelFields": ["vendor"]}}
                }
            }
        },
    )
    features = [
        "multus",
        "nv-ipam",
        *(["ofed"] if given(ctx) else []),
        *(["sriov"] if need.sriov else []),
        *(["nic-configuration"] if need.nic_operator else []),
        *(["nic-firmware"] if need.storage else []),
        *(["ib-kubernetes"] if need.ib_kubernetes else []),
        *(["ipoib"] if need.ipoib else []),
    ]
    reason = f"drivers, devices and networks of {ground.rails} rails"
    ctx.require("network-operator", reason, _values(need, ctx), features)


def _values(need: Needs, ctx: PlanContext) -> Tree:
    values: Tree = {
        "nfd": {"enabled": False, "deployNodeFeatureRules": True},
        "maintenanceOperator": {"enabled": True},
        "maintenance-operator-chart": {"operatorConfig": {"deploy": False}},
        "operator": {"maintenanceOperator": {"useRequestor": True, "useDrainControllerRequestor": need.sriov}},
    }
    if need.sriov:
        values["sriovNetworkOperator"] = {"enabled": True}
        values["sriov-network-operator"] = {
            "operator": {"resourcePrefix": "nvidia.com", "externalDrainer": {"enabled": True}},
            "sriovOperatorConfig": {"deploy": False},
        }
    if ctx.place.cluster.distribution == "k3s":
        _place_k3s(values, need)
    return values


def _place_k3s(values: Tree, need: Needs) -> None:
    operator = values["operator"]
    assert isinstance(operator, dict)  # noqa: S101 - made above
    operator |= {"cniBinDirectory": K3S_BINARIES, "cniNetworkDirectory": K3S_NETWORKS}
    if need.sriov:
        sriov = values["sriov-network-operator"]
        assert isinstance(sriov, dict)  # noqa: S101 - made above
        sriov["operator"]["cniBinPath"] = K3S_BINARIES
