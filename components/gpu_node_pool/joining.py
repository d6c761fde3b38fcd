"""The fabric that joins the nodes of a pool."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.offers import FabricOffer


class Joined(Struct, frozen=True):
    """The fabric of a pool; all empty without one."""

    part: str
    kind: str


NOTHING = Joined("", "")


def joined(wanted: str, accelerator: str, ctx: PlanContext) -> Joined | None:
    """The fabric that a pool asks for; None after a problem, also one that the fabric part has reported."""
    if wanted == "none":
        ctx.decide("fabric", "none", "each job stays on one node", source=("fabric",))
        return NOTHING
    site, network = ctx.place.site, ctx.place.network
    kinds = [kind for kind in ("roce", "infiniband") if getattr(network, kind) is not None]
    has = " and ".join(kinds) or "no RDMA fabric"
    if not ctx.check(
        "GPU-005",
        bool(kinds) if wanted == "rdma" else wanted in kinds,
        f"fabric {wanted} is wanted; {site} has {has}",
        ("fabric",),
        f"set fabric to {kinds[0]} or rdma" if kinds else "set fabric to none, or describe the site's network",
    ):
        return None
    offer = next((offer for offer in ctx.offers(FabricOffer) if wanted in ("rdma", offer.kind)), None)
    if offer is None:
        if not any(problem.severity == "error" for problem in ctx.site_plan.problems):
            ctx.refuse(
                f"no fabric part offers {wanted} at {site}",
                ("fabric",),
                "add a part of kind fabric, or remove the one of another type",
            )
        return None
    groups = [group for group in ctx.place.nodes if group.accelerator == accelerator]
    if not ctx.check(
        "GPU-005",
        any(group.nics for group in groups),
        f"fabric {wanted} is wanted; the nodes with {accelerator} have no NICs on it",
        ("nodes", ctx.place.nodes.index(groups[0])),
        f"list nics and nic_model of group {groups[0].group}, or set fabric of the pool to none",
        "site",
    ):
        return None
    others = [kind for kind in kinds if kind != offer.kind]
    ctx.decide(
        "fabric",
        offer.part,
        f"{len(offer.rails)} rails of {offer.gbps_per_rail} Gbit/s, {offer.kind}, {offer.mode}",
        rejected=[
            *(Rejected(other, "a pool is on one fabric") for other in others),
            Rejected("none", "jobs that span nodes would fall back to TCP sockets (NVIDIA/nccl#489)"),
        ],
        because=[f"{offer.part}.mode", f"{offer.part}.gbps_per_rail"],
        source=("fabric",),
    )
    return Joined(offer.part, offer.kind)
