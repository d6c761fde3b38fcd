"""A site: what is given at one place. One file per place, for every blueprint that runs there."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from aifactory.components.given import ClusterGiven, Delivery, Location, NetworkGiven, NodeGroup, Power, State
from aifactory.components.names import Name
from aifactory.components.spec import Spec


class Site(Spec):
    """What is given at one place: location, power, cluster, nodes and networks."""

    aifactory: Literal["v1"]
    """Version of the language."""

    site: Name
    """Name of the site. Its file has the same name."""

    description: str = Field(default="", max_length=400)
    """What the place is, for people. Default empty."""

    venue: Literal["on-prem", "colo"]
    """Kind of place. Decides who owns racks and switches."""

    location: Location
    """Where it is, and who can reach it."""

    power: Power
    """Racks, power and its price."""

    cluster: ClusterGiven
    """The Kubernetes cluster that runs there."""

    nodes: list[NodeGroup] = Field(min_length=1)
    """Nodes, group by group."""

    network: NetworkGiven
    """Networks."""

    state: State
    """Where the state of `up` lies."""

    delivery: Delivery | None = None
    """Git repository that Argo CD reads. Default none: no Argo CD applications are written."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        groups = [group.group for group in self.nodes]
        if len(set(groups)) != len(groups):
            raise ValueError(f"two node groups have the same name; groups are {', '.join(groups)}")
        seen: dict[str, str] = {}
        for group in self.nodes:
            for rack in group.racks:
                for node in rack.nodes:
                    if node in seen:
                        raise ValueError(f'node "{node}" stands in rack {seen[node]} and in rack {rack.rack}')
                    seen[node] = rack.rack
        return self

    @model_validator(mode="after")
    def _racks_lie_in_one_block(self) -> Self:
        blocks: dict[str, str] = {}
        for group in self.nodes:
            for rack in group.racks:
                if blocks.setdefault(rack.rack, rack.block) != rack.block:
                    raise ValueError(
                        f'rack "{rack.rack}" is in block {blocks[rack.rack]} and in block {rack.block}; '
                        "a rack has one set of leaf switches"
                    )
        return self

    @model_validator(mode="after")
    def _racks_fit_the_room(self) -> Self:
        racks = {rack.rack for group in self.nodes for rack in group.racks}
        if len(racks) > self.power.racks:
            raise ValueError(f"nodes stand in {len(racks)} racks, but power.racks is {self.power.racks}")
        return self
