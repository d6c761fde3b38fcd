"""Trainium and Inferentia: which nodes, handed out how, and what holds of pods that use them."""

from __future__ import annotations

from aifactory.components.aws_place import aws_place
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.gpu_node_pool.accelerators import Card
from aifactory.components.gpu_node_pool.aws.cards import facts_of
from aifactory.components.gpu_node_pool.drafts import Resolved
from aifactory.components.gpu_node_pool.model import DriverPlan
from aifactory.components.gpu_node_pool.settling import acceptance_namespace
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec
from aifactory.components.offers import PodPromise, PoolOffer, Taint

VENDOR = "aws"
RESOURCE = "aws.amazon.com/neuron"
"""Extended resource of one device. Source: aws-neuron-sdk deploy/includes/k8s-neuron-device-plugin.rst."""
TAINT = Taint(RESOURCE, "present", "NoSchedule")
"""What the device plugin tolerates by its chart's defaults."""
AMI_TYPE = "AL2023_x86_64_NEURON"


def is_neuron(card: Card) -> bool:
    """Whether a card is one of AWS's own."""
    return card.vendor == VENDOR


def is_run_here(spec: GpuNodePoolSpec, card: Card, ctx: PlanContext) -> bool:
    """Whether the pool asks for what the device plugin of Neuron does."""
    asked = [
        *([f"sharing {spec.sharing.kind}"] if spec.sharing.kind != "none" else []),
        *(["device_management dra"] if spec.device_management == "dra" else []),
        *(["gds"] if spec.gds else []),
        *(["flex"] if spec.flex else []),
        *(["driver.version"] if spec.driver.version else []),
    ]
    return ctx.check(
        "AWS-118",
        not asked,
        f"{' and '.join(asked)} with {card.key}",
        tuple(asked[0].split()[0].split(".")) if asked else (),
        "delete it: pods get whole devices of nodes that are there",
    )


def driver_plan(draft: Resolved, ami_release: str, ctx: PlanContext) -> DriverPlan:
    """The driver of the AMI, of which nobody asks more than that it is there."""
    ctx.decide(
        "driver.owner",
        "host",
        f"release {ami_release} of the AMI for Neuron has driver, tools and EFA",
        rejected=[Rejected("operator", "there is no operator that builds it")],
        facts=[draft.card.ref],
    )
    return DriverPlan.of_image("")


def require(ctx: PlanContext) -> None:
    """Ask for the device plugin, on all types of the site that have such devices."""
    rented = aws_place(ctx.place).aws.rented_nodes
    rows = [facts_of(ctx.catalog, group.instance_type).row for group in rented]
    types = sorted({row.key for row in rows if row.text("accelerator").startswith(f"{VENDOR}-")})
    ctx.require("neuron-device-plugin", f"counts devices of pool {ctx.part}", {"neuronInstances": types})
    ctx.namespace(acceptance_namespace(ctx))
    ctx.decide(
        "devices",
        "device-plugin",
        f"pods ask for {RESOURCE}, and get one device or all of a node",
        rejected=[
            Rejected("scheduler extension", "the values of its chart that are stored are of 2024, and name no release"),
            Rejected("dra", "queues count devices of the device plugin"),
        ],
    )


def check_pods(ctx: PlanContext) -> None:
    """Hold pods that are promised against what the default scheduler can do."""
    for pool in (each for each in ctx.offers(PoolOffer) if each.part == ctx.part):
        for promise in ctx.offers(PodPromise):
            asked = int(dict(promise.requests).get(RESOURCE, "0"))
            there = dict(promise.node_selector).items() >= dict(pool.node_labels).items()
            ctx.check(
                "AWS-119",
                not there or asked in (0, 1, pool.gpus_per_node),
                f"pods of {promise.part} ask for {asked} of {pool.gpus_per_node} devices of a node of pool {pool.pool}",
                ("accelerator",),
                f"ask for 1 or for {pool.gpus_per_node} in part {promise.part}",
            )
