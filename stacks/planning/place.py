"""A site as parts see it."""

from __future__ import annotations

from aifactory.blueprints.site import Site
from aifactory.components.base import Place


def place_of(site: Site, train: str) -> Place:
    """The place that a site file describes, under one release train."""
    return Place(
        site=site.site,
        venue=site.venue,
        location=site.location,
        power=site.power,
        cluster=site.cluster,
        nodes=tuple(site.nodes),
        network=site.network,
        state=site.state,
        delivery=site.delivery,
        train=train,
        endpoints=site.endpoints,
        uplink=site.uplink,
        telemetry=site.telemetry,
        storage=site.storage,
    )
