"""What nodes draw and what that means for the air: formulas F3, F4, F8, F9 and F10 of decision 0045."""

from __future__ import annotations

from decimal import Decimal, localcontext

from msgspec import Struct

from aifactory.components.economics.figures import EXACTLY, Figure

HOURS = Decimal(730)
"""Hours of a month, as bills of clouds count them: 8,760 over 12."""
GRAMS = Decimal(1000)


class Draw(Struct, frozen=True):
    """Power of a node as shares of its nameplate."""

    idle: Figure
    loaded: Figure
    """At full load. Its high end is the nameplate itself."""


def node_kw(nameplate_kw: Figure, draw: Draw, utilisation: Figure) -> Figure:
    """F3: mean power of a node. Unit: kW. `utilisation` is between 0 and 1."""
    with localcontext(EXACTLY):
        return Figure(
            *(
                kw * (idle + max(loaded - idle, Decimal(0)) * busy)
                for kw, idle, loaded, busy in (
                    (nameplate_kw.low, draw.idle.low, draw.loaded.low, utilisation.low),
                    (nameplate_kw.expected, draw.idle.expected, draw.loaded.expected, utilisation.expected),
                    (nameplate_kw.high, draw.idle.high, draw.loaded.high, utilisation.high),
                )
            )
        )


def energy_kwh(nodes: Figure, kw: Figure, pue: Figure) -> Figure:
    """F4: energy of a month with what cooling takes. Unit: kWh."""
    return nodes.times(kw).times(HOURS).times(pue)


def carbon_kg(kwh: Figure, g_per_kwh: Figure) -> Figure:
    """F8: carbon of operation. Unit: kg of CO2 equivalents."""
    return kwh.times(g_per_kwh).over(GRAMS)


def embodied_kg(gpus: Figure, nodes: Figure, kg_per_gpu: Decimal, kg_per_server: Decimal, life: Figure) -> Figure:
    """F9: a month's share of what making the machines gave off. Unit: kg. `life` in years."""
    made = gpus.times(kg_per_gpu) + nodes.times(kg_per_server)
    months = life.times(Decimal(12))
    return made.per(months)


def water_litres(kwh: Figure, pue: Figure, litres_per_kwh: Figure) -> Figure:
    """F10: water of cooling, by energy of the machines alone. Unit: litres."""
    with localcontext(EXACTLY):
        machines = Figure(kwh.low / pue.low, kwh.expected / pue.expected, kwh.high / pue.high)
    return machines.times(litres_per_kwh)
