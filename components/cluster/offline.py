"""What lets a site start without its uplink: images on its nodes, and nothing that asks for them again."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.offers import OperatorNote
from aifactory.components.venues import IMAGE_FOLDERS


def decide_start(ctx: PlanContext) -> None:
    """Say where images come from, at a site that starts offline; elsewhere from registries, as ever."""
    place = ctx.place
    if not place.venue_facts.starts_offline or place.uplink is None:
        return
    runs = place.cluster.distribution
    folder, hours = IMAGE_FOLDERS[runs], place.uplink.outage_hours
    ctx.decide(
        "images",
        folder,
        f"{runs} imports the archives there when it starts, and pins what they hold; a node that boots within the "
        f"{hours:g} hours without an uplink has all it runs",
        rejected=[
            Rejected("pull from a registry", "a start would wait for the uplink"),
            Rejected("a registry at the site", "one more service that must start first, on the same node"),
        ],
        source=("uplink",),
        document="site",
    )
    ctx.offer(
        OperatorNote(
            ctx.part,
            "before",
            f"Archives of all images that images.txt lists, weights too, lie in {folder} of each node, and {runs} was "
            "restarted once since: nothing is pulled from then on. Charts are read by the machine that deploys.",
        )
    )
