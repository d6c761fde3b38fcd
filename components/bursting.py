"""The flex side of a factory: sites that are used when the core can't, for data that may go there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.demand import DataClass
from aifactory.components.names import Name
from aifactory.components.rules import Rule
from aifactory.components.spec import Misfit, Spec, truth, twice


class FlexCondition(Spec):
    """When a flex site is used, and how far."""

    core: Literal["unanswered"] = "unanswered"
    """State of the core in which requests go on. unanswered: no replica of the model at the core site answers; the
    gateway there asks the flex site next. Default, and all there is: no gateway here reads a load."""

    usd_per_hour: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    """Most that nodes of one flex site cost in an hour, all pools together. Unit: USD per hour. Default none: what each
    pool says (flex.usd_per_hour)."""


class Flex(Spec):
    """Sites that are used when the core can't, for some data alone."""

    sites: list[Name] = Field(min_length=1, max_length=100)
    """Names of site files. Every site gets a stack of its own; its pools hold no node that nobody asks for."""

    data_classes: list[DataClass] = Field(min_length=1, max_length=100)
    """Classes of data that may go there. What has another class, or none, is refused there, by `plan` and by the
    cluster. The rules of each in `residency` hold besides."""

    when: FlexCondition = FlexCondition()
    """When they are used. Default: when no replica at a core site answers."""

    @truth
    def _sites_and_classes_are_named_once(self) -> Iterator[Misfit]:
        for field in ("sites", "data_classes"):
            names = getattr(self, field)
            for index in twice(names):
                yield Misfit(f'"{names[index]}" is named twice', "name it once", (field, index))


RULES: tuple[Rule, ...] = (
    Rule(
        "FLX-001",
        "error",
        "What runs at a flex site has a class of data that may go there",
        "A workload without a class could hold anything: what nobody states is no permission.",
        "The blueprint's placement.flex.data_classes",
    ),
    Rule(
        "FLX-002",
        "error",
        "A request goes on to a flex site only with data that may go there",
        "The residency of a class says where its data may be; the flex side says which of it leaves the core.",
        "The blueprint's placement.flex.data_classes",
    ),
    Rule(
        "FLX-003",
        "error",
        "Nodes of a flex site come and go, and cost no more than is allowed",
        "A node that is there all the time costs as much at night as at the peak that it was rented for.",
        "The blueprint's placement.flex.when.usd_per_hour",
    ),
    Rule(
        "FLX-004",
        "error",
        "A flex site is asked after the core",
        "A flex site that shares the requests with the core is one more core site, and its nodes never go.",
        "Envoy AI Gateway, priorities of backends: the next is asked when none before it answers",
    ),
)
"""What the planner keeps of the flex side."""
