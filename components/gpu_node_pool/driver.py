"""Who owns the GPU driver of a pool, and which release it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from aifactory.components.base import Place, Rejected
from aifactory.components.catalog import Catalog
from aifactory.components.catalog.rows import Row
from aifactory.components.given import HostGiven
from aifactory.components.gpu_node_pool.accelerators import Card, Version, version
from aifactory.components.gpu_node_pool.model import Image

Owner = Literal["operator", "host", "given"]

DRIVER_FEATURE = "nvidia-driver-crd"
"""Feature of a given GPU Operator that leaves drivers to NVIDIADriver resources."""

IMMUTABLE = frozenset({"talos"})
"""Operating systems that take a driver only in their image."""

OWNERS: dict[Owner, str] = {
    "operator": "an NVIDIADriver per pool: it works for one operating system and for several, for one "
    "release and for several, and its status is a gate to wait for",
    "host": "the site says that the hosts have a driver, and the operator leaves such nodes alone",
    "given": "the site's own GPU Operator sets the driver in its ClusterPolicy, and what is given isn't changed",
}


class Release(Struct, frozen=True):
    """A driver release of the catalog, and those that were not taken."""

    row: Row
    rejected: tuple[Rejected, ...]

    @property
    def version(self) -> str:
        """The release."""
        return self.row.text("version")


def owner(host: HostGiven, place: Place) -> Owner:
    """Who brings the driver."""
    if host.driver is not None:
        return "host"
    given = place.cluster.provides.get("gpu-operator")
    return "given" if given is not None and DRIVER_FEATURE not in given.features else "operator"


def runs(release: str, floor: Version) -> bool:
    """Whether a driver release is at least the floor."""
    return version(release) >= floor


def default_release(catalog: Catalog, card: Card) -> Release | None:
    """The newest release of the oldest branch that drives the accelerator, None when the catalog has none."""
    rows = [row for row in catalog.rows("drivers") if _for(row, card)]
    usable = [row for row in rows if runs(row.text("version"), card.driver_floor)]
    if not usable:
        return None
    oldest = min(version(row.text("version"))[0] for row in usable)
    best = max(
        (row for row in usable if version(row.text("version"))[0] == oldest),
        key=lambda row: version(row.text("version")),
    )
    return Release(best, tuple(_rejected(rows, best)))


def pinned_release(catalog: Catalog, pin: str) -> Release | None:
    """The release that a blueprint names, None when the catalog doesn't have it."""
    row = catalog.find("drivers", pin)
    return Release(row, ()) if row is not None else None


def image(catalog: Catalog, name: str) -> Image:
    """An image that the site's GPU Operator release brings, such as gdrdrv."""
    row = catalog.row("images", f"gpu-operator:{name}")
    return Image(row.text("repository"), row.text("image"), row.text("tag"))


def floor_text(floor: Version) -> str:
    """(570, 133, 20) as 570.133.20."""
    return ".".join(map(str, floor))


def _for(row: Row, card: Card) -> bool:
    """A release that was pinned for some accelerators says nothing of others."""
    listed = row.value("accelerators")
    return not isinstance(listed, tuple) or card.key in listed


def _rejected(rows: Iterable[Row], best: Row) -> Iterable[Rejected]:
    chosen = version(best.text("version"))
    for row in rows:
        release = version(row.text("version"))
        if release == chosen:
            continue
        why = "a newer branch changes more than a pool needs" if release[0] > chosen[0] else "an older release"
        yield Rejected(row.text("version"), why)
