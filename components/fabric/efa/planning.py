"""Decides EFA: in `resolve` that the site has it, in `settle` what its pools make of it."""

from __future__ import annotations

import json
from hashlib import sha256

from msgspec import Struct

from aifactory.components import names
from aifactory.components.aws_nodes import NodesOffer
from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.catalog import Row, trains
from aifactory.components.fabric.acceptance import KUBECTL, NAMESPACE, kubectl_tag
from aifactory.components.fabric.efa import settings
from aifactory.components.fabric.efa.model import GROUP_TOKEN, RESOURCE, EfaPlan
from aifactory.components.fabric.model import Acceptance
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.offers import FabricOffer, OperatorNote, PoolOffer
from aifactory.components.values import Ref

PLUGIN = "aws-efa-k8s-device-plugin"
IMAGES = (
    "Images of jobs that span nodes bring libfabric and aws-ofi-nccl, 1.21.1 or newer, as the EFA installer does: "
    "nothing of the node reaches into a container. Where an image has HPC-X before them in its library path, NCCL "
    "doesn't find EFA."
)
"""Source: aws/aws-ofi-nccl release notes; awsome-distributed-ai 2.ami_and_containers/tools/efa-nccl-doctor."""
READY_S = 1_800
"""Time in which the device plugin starts on all nodes."""
MTU = 9_001
"""Of interfaces inside a VPC. Source: Amazon EC2 User Guide, network_mtu."""


class EfaDraft(Struct, frozen=True):
    """EFA before its pools are known."""

    spec: FabricSpec
    settings: tuple[tuple[str, str], ...]

    @property
    def group(self) -> str:
        """Name of the row of its security group."""
        return f"{self.spec.identity}-efa"

    @property
    def settings_name(self) -> str:
        """Name of the ConfigMap with its settings."""
        return f"{self.spec.identity}-nccl"


def resolve(spec: FabricSpec, place: AwsPlace, ctx: PlanContext) -> EfaDraft | None:
    """Offer the fabric, if nodes of the site have EFA and it is asked for nothing else."""
    types = [ctx.catalog.row("aws-instances", group.instance_type) for group in place.aws.rented_nodes]
    able = [row for row in types if row.number_or_zero("efa_devices")]
    misplaced = settings.misplaced(spec)
    sound = [
        ctx.check(
            "FAB-001",
            spec.type in ("any", "efa"),
            f"{place.site} has efa, not {spec.type}",
            ("type",),
            "set type to efa, or leave it out",
        ),
        ctx.check(
            "FAB-004",
            bool(able),
            f"no rented nodes of {place.site} have EFA",
            ("aws", "rented_nodes") if types else ("aws",),
            "rent a type with EFA, such as p5en.48xlarge, or set fabric of the pools to none",
            "site",
        ),
        ctx.check(
            "AWS-116",
            not misplaced,
            f"{' and '.join(misplaced)} is set for EFA",
            tuple(misplaced[0].split(".")) if misplaced else (),
            "delete it: the plugin of libfabric sets NCCL up by itself",
        ),
    ]
    if not all(sound):
        return None
    draft = EfaDraft(spec, settings.decided(spec, ctx))
    _decide(able, spec, ctx)
    ctx.offer(
        FabricOffer(
            part=ctx.part,
            fabric=ctx.part,
            kind="efa",
            mode="efa-device-plugin",
            gbps_per_rail=min(_gbps(row) for row in able),
            rails=(),
            mtu=MTU,
            settings=draft.settings,
            settings_name=draft.settings_name,
            ipc_lock=spec.memory_lock == "capability",
            resources=(RESOURCE,),
            security_group=Ref(names.cloud_id(GROUP_TOKEN, draft.group), "id"),
        )
    )
    return draft


def _gbps(row: Row) -> int:
    """Rate of one device, 0 where no source says. Unit: Gbit/s."""
    return int(row.number_or_zero("efa_gbps")) // row.count("efa_devices")


def _decide(able: list[Row], spec: FabricSpec, ctx: PlanContext) -> None:
    ctx.decide(
        "mode",
        "efa-device-plugin",
        "EFA devices are counted on each node, and pods get those that lie beside their GPUs",
        rejected=[
            Rejected("aws-dranet", "queues count GPUs of the device plugin, and both on one node give a device twice"),
        ],
        facts=[row.ref for row in able],
    )
    ctx.decide(
        "rails",
        "none",
        "EFA routes each flow over many paths by itself: a pod has devices, and no network for each",
    )
    ctx.decide(
        "gbps_per_rail",
        min(_gbps(row) for row in able),
        "of one EFA device; 0 where no source says",
        facts=[row.ref for row in able],
    )
    ctx.decide(
        "memory_lock",
        spec.memory_lock,
        "nodes lift the limit of locked memory to all of their memory, so pods stay unprivileged"
        if spec.memory_lock == "host"
        else "pods get IPC_LOCK, and their namespaces are privileged",
        source=("memory_lock",),
    )
    ctx.decide(
        "security_group",
        "all traffic to and from itself",
        "EFA asks for it in both directions; a rule for addresses doesn't do (Amazon EC2 User Guide, efa-start)",
    )


def settle(draft: EfaDraft, ctx: PlanContext) -> EfaPlan | None:
    """Ask for the device plugin, and decide what nodes must offer before workloads get the settings."""
    (ground,) = ctx.offers(NodesOffer) or (None,)
    if ground is None:
        return None
    pools = [pool for pool in ctx.offers(PoolOffer) if pool.fabric == ctx.part]
    if not ctx.site_plan.refused:
        ctx.check(
            "FAB-003",
            bool(pools),
            f"no pool at {ctx.place.site} uses {ctx.part}",
            (),
            "set fabric of a pool to rdma, or drop the part",
        )
    if pools:
        _require(pools, ground, ctx)
    return EfaPlan(
        fabric=draft.spec.identity,
        ground=ground,
        group=draft.group,
        pools=tuple((pool.pool, _devices(pool)) for pool in pools),
        acceptance=tuple(_acceptance(pool, ctx) for pool in pools),
        settings_name=draft.settings_name,
        settings=draft.settings,
        settings_namespaces=tuple(ctx.site_plan.settings_readers.get(ctx.part, [])),
    )


def _devices(pool: PoolOffer) -> int:
    return dict(pool.fabric_devices)[RESOURCE]


def _require(pools: list[PoolOffer], ground: NodesOffer, ctx: PlanContext) -> None:
    taints = dict.fromkeys(taint for pool in pools for taint in pool.taints)
    ((label, _),) = pools[0].node_labels
    plugin = trains.release(ctx.catalog, ctx.place.train, PLUGIN)
    ctx.offer(OperatorNote(ctx.part, "before", IMAGES))
    ctx.require(
        "efa-device-plugin",
        f"counts EFA devices of {', '.join(pool.pool for pool in pools)}",
        {
            "image": {"repository": f"{ground.region.registry}/eks/{PLUGIN}", "tag": plugin.app_version},
            "supportedInstanceLabels": {"keys": [label], "values": [dict(pool.node_labels)[label] for pool in pools]},
            "tolerations": [taint.toleration() for taint in taints],
        },
    )
    ctx.namespace(
        NamespaceRequest(NAMESPACE, ctx.part, "Jobs that wait until every node offers its EFA", egress=("dns", "api"))
    )
    ctx.decide(
        "acceptance",
        [f"{pool.pool}: {_devices(pool)} a node" for pool in pools],
        "workloads get the settings of the fabric when each node offers its devices: a node that was started without "
        "them is told from one with them here, and not by slow jobs",
        rejected=[Rejected("no gate", "NCCL falls back to TCP sockets without an error")],
    )


def _acceptance(pool: PoolOffer, ctx: PlanContext) -> Acceptance:
    ((label, value),) = pool.node_labels
    image = f"{KUBECTL}:{kubectl_tag(ctx.place.cluster.version)}"
    objects = ("node", f"--selector={label}={value}")
    resources = ((RESOURCE, _devices(pool)),)
    told = [image, READY_S, resources, objects, [taint.toleration() for taint in pool.taints]]
    digest = sha256(json.dumps(told).encode()).hexdigest()[:8]
    return Acceptance(
        namespace=NAMESPACE,
        account=f"{value}-efa-acceptance",
        name=f"{value}-efa-{digest}",
        image=image,
        resources=resources,
        objects=objects,
        tolerations=pool.taints,
        timeout_s=READY_S,
    )
