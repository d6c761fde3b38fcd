"""What a catalog row means for a pool: which kind of GPU it is, and what this part can run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from aifactory.components.catalog import Catalog
from aifactory.components.catalog.rows import Row
from aifactory.components.gpu_node_pool.mig import readable

Version = tuple[int, ...]

DRIVER_FLOORS: dict[tuple[str, str], Version] = {
    ("ampere", "baseboard"): (535,),
    ("ampere", "card"): (535,),
    ("ada", "card"): (535,),
    ("hopper", "baseboard"): (535,),
    ("hopper", "card"): (535,),
    ("blackwell", "baseboard"): (570, 133, 20),
    ("blackwell", "card"): (575, 57, 8),
    ("blackwell-ultra", "baseboard"): (580,),
}
"""Oldest driver by architecture and form; 535 is the oldest branch that the GPU Operator still lists.

Source: NVIDIA GPU Operator platform support (HGX B200, RTX PRO 6000) and component matrix (535); for B300 the
oldest branch that a source of the catalog names.
"""


class Card(Struct, frozen=True):
    """A GPU model as far as a pool depends on it."""

    key: str
    vendor: str
    architecture: str
    form: Literal["baseboard", "card", "superchip"]
    """`baseboard`: SXM modules behind NVSwitch. `card`: PCIe. `superchip`: on one module with a Grace CPU."""
    nvlink: bool
    mig_profiles: tuple[str, ...]
    driver_floor: Version
    """Oldest driver that runs it, empty when this part doesn't run it."""
    doubtful: bool
    """Whether a figure of the row rests on a source of low confidence."""

    @property
    def ref(self) -> str:
        """The catalog row, as decisions name it."""
        return f"accelerators/{self.key}"


def card(catalog: Catalog, key: str) -> Card:
    """The GPU model of a catalog row."""
    row = catalog.row("accelerators", key)
    form, architecture = _form(row), row.text("architecture")
    profiles = row.value("partitioning.profiles")
    return Card(
        key=row.key,
        vendor=row.text("vendor"),
        architecture=architecture,
        form=form,
        nvlink=str(row.value("interconnect.name")).startswith("NVLink"),
        mig_profiles=tuple(filter(readable, map(str, profiles))) if isinstance(profiles, tuple) else (),
        driver_floor=DRIVER_FLOORS.get((architecture, form), ()) if row.text("vendor") == "nvidia" else (),
        doubtful=_rests_on_doubt(row, catalog.about("accelerators")),
    )


def supported(catalog: Catalog) -> list[str]:
    """Keys of the accelerators that this part runs, sorted."""
    return sorted(key for key in catalog.keys("accelerators") if card(catalog, key).driver_floor)


def version(text: str) -> Version:
    """`580.178.04` as (580, 178, 4), to compare releases."""
    return tuple(int(part) for part in text.removeprefix("v").split("-")[0].split("."))


def dotted(release: Version) -> str:
    """A release as people write it: (570, 133, 20) is 570.133.20."""
    return ".".join(map(str, release))


def _form(row: Row) -> Literal["baseboard", "card", "superchip"]:
    if row.value("host_arch") == "arm64":
        return "superchip"
    return "baseboard" if row.text("form_factor").startswith("SXM") else "card"


def _rests_on_doubt(row: Row, about: Mapping[str, object]) -> bool:
    sources = about.get("sources")
    doubtful = (
        {name for name, text in sources.items() if "low confidence" in str(text)}
        if isinstance(sources, Mapping)
        else set()
    )
    fields = (field for field in row.data.values() if isinstance(field, Mapping))
    return any(doubtful.intersection(field.get("src", ())) for field in fields)
