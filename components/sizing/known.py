"""What published measurements say of engines in general, read from the catalog once for all cards and models."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.catalog import Catalog
from aifactory.components.sizing.evidence import Evidence, evidence
from aifactory.components.sizing.overheads import Overheads, overheads
from aifactory.components.sizing.roofline import Constants, constants

SPEED_MODEL = "v2"


class Known(Struct, frozen=True):
    """Speed, memory, and how far both can be trusted."""

    speed: Constants
    memory: Overheads
    evidence: Evidence


def known(catalog: Catalog) -> Known:
    """Read the tables `roofline` and `models`."""
    return Known(constants(catalog.row("roofline", SPEED_MODEL)), overheads(catalog), evidence(catalog))
