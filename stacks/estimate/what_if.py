"""What an estimate takes in the place of what stands in files, when somebody asks what would be."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from aifactory.components.given_aws_nodes import Purchase

ONE = Decimal(1)


class WhatIf(Struct, frozen=True):
    """Values that hold instead. The plan stays as it is: nothing is sized anew."""

    purchase: Purchase | None = None
    """How all GPU nodes of a region are bought. None: as planned."""
    use: Decimal | None = None
    """Share of the time that GPUs work which models reserve or jobs may use; calls follow. Between 0 and 1. None: what
    is asked of them."""
    capex: Decimal = ONE
    """What prices of owned things are multiplied with."""
    speed: Decimal = ONE
    """What the speed of replicas is multiplied with."""


AS_PLANNED = WhatIf()
