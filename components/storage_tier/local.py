"""Volumes on drives of the node: what the driver is told."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.names import HOSTNAME_LABEL
from aifactory.components.storage_tier import arithmetic
from aifactory.components.storage_tier.draft import Draft
from aifactory.components.storage_tier.found import DrivesFound

EVERYWHERE: list[object] = [{"operator": "Exists"}]


class LocalTier(Struct, frozen=True):
    """Says that a tier has the local volumes of the site."""

    part: str


def volume_group(identity: str) -> str:
    """The LVM volume group that a person makes of the drives of each node."""
    return f"aifactory-{identity}"


def ask_for_topolvm(draft: Draft, ctx: PlanContext) -> bool:
    """Ask for the driver, on exactly the nodes that have the drives. One tier of a site has it."""
    spec, found = draft.spec, draft.drives
    other = next((each.part for each in ctx.offers(LocalTier)), "")
    alone = ctx.check(
        "STO-016",
        not other,
        f"tiers {other} and {spec.name} both make local volumes of {ctx.place.site}",
        ("engine",),
        "give the driver one set of drives",
    )
    if not alone or found is None:
        return False
    ctx.offer(LocalTier(spec.name))
    node_tib = _node_tib(found)
    spare_gib = ctx.decide(
        "spare_gib",
        arithmetic.spare_gib(node_tib, spec.fill_percent),
        f"of the {node_tib:.2f} TiB of each node, so that volumes take no more than {spec.fill_percent} percent; the "
        "driver leaves it out of the capacity that it reports",
        source=("fill_percent",),
    )
    here: list[dict[str, object]] = [{"key": HOSTNAME_LABEL, "operator": "In", "values": list(found.nodes)}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _terms(here)}}
    device_class = {
        "name": spec.identity,
        "volume-group": volume_group(spec.identity),
        "default": True,
        "spare-gb": spare_gib,  # GiB, topolvm/topolvm docs/lvmd.md
        "stripe": found.set.count,
    }
    where = {"affinity": affinity, "tolerations": EVERYWHERE}
    values: dict[str, object] = {"lvmd": {"deviceClasses": [device_class], **where}, "node": dict(where)}
    ctx.require("topolvm", f"makes volumes of tier {spec.name} on the node of their pod", values)
    return True


def node_gib(draft: Draft) -> int | None:
    """Room for volumes in the volume group of one node, after what the driver spares. Unit: GiB."""
    if draft.spec.engine != "topolvm" or draft.drives is None:
        return None
    node_tib = _node_tib(draft.drives)
    return int(node_tib * 1024) - arithmetic.spare_gib(node_tib, draft.spec.fill_percent)


def _node_tib(found: DrivesFound) -> float:
    return found.figures.raw_tib / len(found.nodes)


def _terms(expressions: list[dict[str, object]]) -> dict[str, object]:
    return {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
