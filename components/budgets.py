"""What a factory may cost, burn and give off, by its blueprint. Estimates are held against it at their worst end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth

Limit = Annotated[float, Field(gt=0, le=1e12)]
"""A limit that an estimate is held against."""


class Budget(Spec):
    """Money. Each limit is held by the dearer end of the estimate, before anything is rounded."""

    usd_per_month: Limit | None = None
    """All sites together. Unit: USD. Default none: no limit."""

    usd_per_million_output_tokens: Limit | None = None
    """All costs of a site over the tokens that it writes, or the tokens of texts where it writes none. Unit: USD per
    million. Default none: no limit."""

    oldest_price_days: int = Field(default=90, ge=1, le=3_650)
    """Age of prices up to which they hold. Unit: days. Default 90: in less, rents of GPUs rose by half or more."""

    most_utilisation_percent: float = Field(default=100.0, gt=0, le=100)
    """Most utilisation that an estimate may count on. Unit: percent. Default 100: what demand says is believed."""

    owned_below_break_even: bool = False
    """Whether GPUs may be owned that are needed less than would make them worth it. Default false: it is a
    finding where a site of the factory could rent them."""

    unpriced: bool = False
    """Whether a plan passes with lines that have no price. Default false: what nobody priced is over any budget."""


class EnergyLimits(Spec):
    """Energy and carbon. Each limit is held by the worse end of the estimate."""

    kwh_per_million_tokens: Limit | None = None
    """Energy with cooling for a million tokens of answers, or of texts where none are written. Unit: kWh. Default
    none: no limit."""

    kg_co2e_per_million_tokens: Limit | None = None
    """Carbon of operation and of making the machines, for as many. Unit: kg of CO2 equivalents. Default none: no
    limit."""


class TrainingLimit(Spec):
    """How large a training may be."""

    flop: Annotated[float, Field(gt=0, le=1e30)]
    """Operations of one training from which it is that of a foundation model. Unit: FLOP; 1e25 is the threshold of
    systemic risk of the EU's AI Act, article 51."""

    exempt: list[Name] = Field(default=[], max_length=100)
    """Training parts that may be larger, by name. Default none."""

    @truth
    def _a_part_is_exempt_once(self) -> Iterator[Misfit]:
        for index, name in enumerate(self.exempt):
            if name in self.exempt[:index]:
                yield Misfit(f'"{name}" is exempt twice', "name it once", ("exempt", index))
