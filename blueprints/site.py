"""A site: what is given at one place. One file per place, for every blueprint that runs there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from aifactory.components.forms import Line
from aifactory.components.given import (
    ClusterGiven,
    Delivery,
    EndpointsGiven,
    Location,
    NetworkGiven,
    NodeGroup,
    Power,
    RackGiven,
    State,
    StorageGiven,
)
from aifactory.components.given_telemetry import TelemetryGiven
from aifactory.components.given_uplink import UplinkGiven
from aifactory.components.names import Name
from aifactory.components.problems import Path
from aifactory.components.spec import Misfit, Spec, truth, twice
from aifactory.components.venues import VENUES, Venue


class Site(Spec):
    """What is given at one place: location, power, cluster, nodes and networks."""

    aifactory: Literal["v1"]
    """Version of the language."""

    site: Name
    """Name of the site. Its file has the same name."""

    description: Line = Field(default="", max_length=400)
    """What the place is, for people. Default empty."""

    venue: Venue
    """Kind of place. Decides who owns racks and switches, and what can run there: an edge site is a few nodes at most,
    joins no GPUs over a fabric, and starts without its uplink."""

    location: Location
    """Where it is, and who can reach it."""

    power: Power
    """Racks, power and its price."""

    cluster: ClusterGiven
    """The Kubernetes cluster that runs there."""

    nodes: list[NodeGroup] = Field(min_length=1, max_length=200)
    """Nodes, group by group."""

    network: NetworkGiven
    """Networks."""

    state: State
    """Where the state of `up` lies."""

    endpoints: EndpointsGiven | None = None
    """How clients reach endpoints. Default none: endpoints serve the cluster alone, under names of the cluster."""

    uplink: UplinkGiven | None = None
    """The way out of the site. Default none: it is always there; an edge site says."""

    storage: StorageGiven | None = None
    """Stores of keys, and systems that hold copies. Default none: classified data has neither."""

    telemetry: TelemetryGiven | None = None
    """Where logs, traces, metrics and alerts may go. Default none: metrics stay in the cluster, and nothing else is
    kept."""

    delivery: Delivery | None = None
    """Git repository that Argo CD reads. Default none: no Argo CD applications are written."""

    @truth
    def _groups_have_names_of_their_own(self) -> Iterator[Misfit]:
        names = [group.group for group in self.nodes]
        for index in twice(names):
            says = f'"{names[index]}" is the name of two node groups'
            yield Misfit(says, "give each its own", ("nodes", index, "group"))

    @truth
    def _a_node_stands_in_one_rack(self) -> Iterator[Misfit]:
        seen: dict[str, str] = {}
        for at, rack in self._racks():
            for index, node in enumerate(rack.nodes):
                if node in seen:
                    says = f'node "{node}" stands in rack {seen[node]} and in rack {rack.rack}'
                    yield Misfit(says, "list each node once", (*at, "nodes", index))
                seen.setdefault(node, rack.rack)

    @truth
    def _a_rack_lies_in_one_block(self) -> Iterator[Misfit]:
        blocks: dict[str, str] = {}
        for at, rack in self._racks():
            block = blocks.setdefault(rack.rack, rack.block)
            if block != rack.block:
                says = f'rack "{rack.rack}" is in block {block} and in block {rack.block}'
                yield Misfit(says, "a rack has one set of leaf switches: correct one", (*at, "block"))

    @truth
    def _racks_fit_the_room(self) -> Iterator[Misfit]:
        racks = {rack.rack for _, rack in self._racks()}
        if len(racks) > self.power.racks:
            says = f"nodes stand in {len(racks)} racks, and the factory has {self.power.racks}"
            hint = f"set racks to {len(racks)}, or correct the racks of nodes"
            yield Misfit(says, hint, ("power", "racks"))

    @truth
    def _a_venue_is_what_its_kind_can_be(self) -> Iterator[Misfit]:
        facts, at = VENUES[self.venue], ("venue",)
        nodes = sum(len(group.nodes) for group in self.nodes)
        if facts.nodes_at_most and nodes > facts.nodes_at_most:
            says = f"{nodes} nodes; a site of venue {self.venue} has {facts.nodes_at_most} at most"
            yield Misfit(says, "write venue: on-prem or colo, or name fewer nodes", at)
        runs = self.cluster.distribution
        if facts.distributions and runs not in facts.distributions:
            says = f"distribution {runs}; a site of venue {self.venue} runs {' or '.join(facts.distributions)}"
            hint = "write the one that it runs: its folder of images decides how a node is filled"
            yield Misfit(says, hint, ("cluster", "distribution"))
        if facts.starts_offline and self.uplink is None:
            says = f"a site of venue {self.venue} doesn't say how it is reached"
            yield Misfit(says, "add uplink: {mbit_per_s: ..., longest_outage_hours: ...}", at)

    def _racks(self) -> Iterator[tuple[Path, RackGiven]]:
        for index, group in enumerate(self.nodes):
            for number, rack in enumerate(group.racks):
                yield ("nodes", index, "racks", number), rack
