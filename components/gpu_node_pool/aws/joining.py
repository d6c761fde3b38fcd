"""The fabric that joins the nodes of a pool at AWS: EFA, where the type has it."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.given_aws_nodes import RentedNodesGiven
from aifactory.components.gpu_node_pool.aws.cards import facts_of
from aifactory.components.offers import FabricOffer

ANY = ("rdma", "efa")


class JoinedByEfa(Struct, frozen=True):
    """The fabric of a pool; empty without one."""

    part: str
    offer: FabricOffer | None


NOTHING = JoinedByEfa("", None)


def joined(wanted: str, groups: list[RentedNodesGiven], ctx: PlanContext) -> JoinedByEfa | None:
    """The fabric that a pool asks for; None after a problem, also one that the fabric part has reported."""
    if wanted == "none":
        ctx.decide("fabric", "none", "each job stays on one node", source=("fabric",))
        return NOTHING
    types = " or ".join(dict.fromkeys(group.instance_type for group in groups))
    sound = ctx.check(
        "GPU-005",
        wanted in ANY,
        f"fabric {wanted} is wanted; {ctx.place.site} is in AWS, where EFA joins nodes",
        ("fabric",),
        "set fabric to efa or rdma",
    ) and ctx.check(
        "AWS-110",
        any(facts_of(ctx.catalog, group.instance_type).efa_devices for group in groups),
        f"pool {ctx.part} is on a fabric, and {types} has no EFA",
        ("fabric",),
        "set fabric to none, or rent a type with EFA, such as p5en.48xlarge",
    )
    if not sound:
        return None
    offer = next((each for each in ctx.offers(FabricOffer) if each.kind == "efa"), None)
    if offer is None:
        return None
    ctx.decide(
        "fabric",
        offer.part,
        f"EFA: {offer.mode}",
        rejected=[Rejected("none", "jobs that span nodes would fall back to TCP sockets (NVIDIA/nccl#489)")],
        because=[f"{offer.part}.mode"],
        source=("fabric",),
    )
    return JoinedByEfa(offer.part, offer)
