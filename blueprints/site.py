"""A site: what is given at one place. One file per place, for every blueprint that runs there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

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
from aifactory.components.given_aws import AwsGiven
from aifactory.components.given_costs import AwsCostsGiven, CostsGiven
from aifactory.components.given_telemetry import TelemetryGiven
from aifactory.components.given_uplink import UplinkGiven
from aifactory.components.names import Name
from aifactory.components.problems import Path, nearest
from aifactory.components.spec import Misfit, Spec, truth, twice
from aifactory.components.venues import VENUES, Venue


class SiteBase(Spec):
    """What is given at a place of any kind."""

    aifactory: Literal["v1"]
    """Version of the language."""

    site: Name
    """Name of the site. Its file has the same name."""

    description: Line = Field(default="", max_length=400)
    """What the place is, for people. Default empty."""

    location: Location
    """Where it is, and who can reach it."""

    state: State
    """Where the state of `up` lies."""

    endpoints: EndpointsGiven | None = None
    """How clients reach endpoints. Default none: endpoints serve the cluster alone, under names of the cluster."""

    storage: StorageGiven | None = None
    """Stores of keys, and systems that hold copies. Default none: classified data has neither."""

    telemetry: TelemetryGiven | None = None
    """Where logs, traces, metrics and alerts may go. Default none: metrics stay in the cluster, and nothing else is
    kept."""

    delivery: Delivery | None = None
    """Git repository that Argo CD reads. Default none: no Argo CD applications are written."""


class Site(SiteBase):
    """What is given at one place with machines of its own: location, power, cluster, nodes and networks."""

    belongs_elsewhere: ClassVar[Mapping[str, str]] = {
        "aws": "account and region are those of a site of venue aws: write venue: aws, or delete the field"
    }

    venue: Venue
    """Kind of place. Decides who owns racks and switches, and what can run there: an edge site is a few nodes at most,
    joins no GPUs over a fabric, and starts without its uplink; at aws, account and region are given instead of
    machines."""

    power: Power
    """Racks, power and its price."""

    cluster: ClusterGiven
    """The Kubernetes cluster that runs there."""

    nodes: list[NodeGroup] = Field(min_length=1, max_length=200)
    """Nodes, group by group."""

    network: NetworkGiven
    """Networks."""

    uplink: UplinkGiven | None = None
    """The way out of the site. Default none: it is always there; an edge site says."""

    costs: CostsGiven | None = None
    """What the place costs. Default none: what no list price says is missing in estimates."""

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

    @truth
    def _what_is_priced_is_there(self) -> Iterator[Misfit]:
        costs = self.costs
        groups = [group.group for group in self.nodes]
        classes = [given.name for given in self.cluster.storage_classes]
        for index, each in enumerate(costs.servers if costs else ()):
            if each.group not in groups:
                says = f'"{each.group}" is not a group of nodes of the site'
                yield Misfit(says, nearest(each.group, groups), ("costs", "servers", index, "group"))
        for index, system in enumerate(costs.storage if costs else ()):
            if system.storage_class not in classes:
                says = f'"{system.storage_class}" is not a StorageClass of the site'
                at = ("costs", "storage", index, "storage_class")
                yield Misfit(says, nearest(system.storage_class, classes), at)

    def _racks(self) -> Iterator[tuple[Path, RackGiven]]:
        for index, group in enumerate(self.nodes):
            for number, rack in enumerate(group.racks):
                yield ("nodes", index, "racks", number), rack


_MADE = "it is made in the account that aws states: delete the field, or write another venue"


class AwsSite(SiteBase):
    """What is given in a region of AWS: account, region, zones and addresses. Network, cluster and nodes are made."""

    belongs_elsewhere: ClassVar[Mapping[str, str]] = {
        "power": "racks and power are the region's own: delete the field, or write another venue",
        "cluster": _MADE,
        "nodes": _MADE,
        "network": _MADE,
        "uplink": "a region is always there: delete the field, or write another venue",
    }

    venue: Literal["aws"]
    """Kind of place."""

    aws: AwsGiven
    """Account, region and what the factory may make there."""

    costs: AwsCostsGiven | None = None
    """What the region costs beside its list prices. Default none: usage is missing in estimates."""


SITES: dict[str, type[Site | AwsSite]] = {"aws": AwsSite}
"""Models of the kinds of place that have one of their own."""


def site_model(data: object) -> type[Site | AwsSite]:
    """The model of a site file, by its venue."""
    venue: Any = data.get("venue") if isinstance(data, Mapping) else None
    return SITES.get(venue, Site) if isinstance(venue, str) else Site
