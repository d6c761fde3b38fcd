"""What a part is planned with: the place, the facts, what other parts offer, and where decisions go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from aifactory.components.bursting import Flex
from aifactory.components.capabilities import CAPABILITIES, NamespaceRequest, Requirement
from aifactory.components.catalog import Catalog
from aifactory.components.demand import Demand, ModelDemand, Residency
from aifactory.components.given import (
    ClusterGiven,
    Delivery,
    EndpointsGiven,
    Location,
    NetworkGiven,
    NodeGroup,
    Power,
    State,
    StorageGiven,
)
from aifactory.components.given_telemetry import TelemetryGiven
from aifactory.components.given_uplink import UplinkGiven
from aifactory.components.problems import Path, Problem, nearest
from aifactory.components.rules import Rule
from aifactory.components.venues import VENUES, Venue, VenueFacts

Offer = TypeVar("Offer")
Document = Literal["blueprint", "site"]
Origin = Literal["blueprint", "factory", "site"]
"""Where a path begins: at the part in the blueprint, at the root of the blueprint, or at the root of a site file."""


class Place(Struct, frozen=True):
    """A site as parts see it: what its file gives, under one release train."""

    site: str
    venue: Venue
    location: Location
    power: Power | None
    """Racks and power; None where nodes are rented by the hour, and no rack is anybody's concern."""
    cluster: ClusterGiven
    nodes: tuple[NodeGroup, ...]
    network: NetworkGiven
    state: State
    delivery: Delivery | None
    train: str
    endpoints: EndpointsGiven | None = None
    uplink: UplinkGiven | None = None
    """The way out, where the site describes it."""

    @property
    def venue_facts(self) -> VenueFacts:
        """What its venue is, and is not."""
        return VENUES[self.venue]

    @property
    def node_count(self) -> int:
        """All nodes of all groups."""
        return sum(len(group.nodes) for group in self.nodes)

    @property
    def names_every_node(self) -> bool:
        """Whether there are no nodes beside those of its file, such as control planes that somebody else runs."""
        return self.venue_facts.nodes_at_most > 0

    @property
    def is_one_node(self) -> bool:
        """Whether everything falls with one node."""
        return self.names_every_node and self.node_count == 1

    telemetry: TelemetryGiven | None = None
    storage: StorageGiven | None = None

    def group_of(self, accelerator: str) -> NodeGroup | None:
        """The first node group with this accelerator."""
        return next((group for group in self.nodes if group.accelerator == accelerator), None)


class Rejected(Struct, frozen=True):
    """An alternative that was not taken, and why."""

    value: object
    reason: str


class Decision(Struct, frozen=True):
    """One choice of the planner."""

    path: str
    """`PART.KEY`, such as `train.nodes`."""
    value: object
    reason: str
    rejected: tuple[Rejected, ...] = ()
    facts: tuple[str, ...] = ()
    """Catalog rows it rests on, as `table/key`."""
    because: tuple[str, ...] = ()
    """Paths of the decisions it follows from."""
    source: Path = ()
    """Where in the blueprint or site file it was written, empty when the planner chose."""
    document: Document = "blueprint"


class SitePlan(Struct):
    """What planning one site gathers: shared by the contexts of all its parts."""

    place: Place
    catalog: Catalog
    factory: str
    rules: Mapping[str, Rule]
    decisions: dict[str, Decision] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    evaluated: dict[str, int] = field(default_factory=dict)
    offers: list[object] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    namespaces: list[NamespaceRequest] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Parts that can't be built. Who needs one of them says nothing more: one mistake is one problem."""
    settings_readers: dict[str, list[str]] = field(default_factory=dict)
    """Namespaces whose pods mount a fabric's settings, by fabric."""
    demand: Demand | None = None
    """What the site must carry."""
    residency: Residency | None = None
    """Where data may go."""
    others: tuple[Place, ...] = ()
    """Other sites of the factory."""
    flex: Flex | None = None
    """The flex side of the factory."""


class PlanContext(Struct, frozen=True):
    """The planner's side of one part at one site."""

    site_plan: SitePlan
    part: str
    where: Path
    """Place of the part in the blueprint, such as ("parts", 1)."""

    @property
    def place(self) -> Place:
        """The site."""
        return self.site_plan.place

    @property
    def catalog(self) -> Catalog:
        """The facts."""
        return self.site_plan.catalog

    @property
    def factory(self) -> str:
        """Name of the blueprint."""
        return self.site_plan.factory

    def demand_of(self, model: str) -> tuple[int, ModelDemand] | None:
        """What the site must carry of a model, with its index in `demand.models`."""
        asked = self.site_plan.demand.models if self.site_plan.demand else ()
        return next(((index, each) for index, each in enumerate(asked) if each.name == model), None)

    def decide(
        self,
        key: str,
        value: Offer,
        reason: str,
        *,
        rejected: Iterable[Rejected] = (),
        facts: Iterable[str] = (),
        because: Iterable[str] = (),
        source: Path = (),
        document: Origin = "blueprint",
    ) -> Offer:
        """Record a choice and return its value.

        `source` is relative to the part when the document is the blueprint (("nodes",)), and absolute in the
        factory's blueprint (("demand", "models", 0)) and in a site file (("power", "racks")).
        """
        path = f"{self.part}.{key}"
        written = (*self.where, *source) if source and document == "blueprint" else source
        self.site_plan.decisions[path] = Decision(
            path, value, reason, tuple(rejected), tuple(facts), tuple(because), written, _document(document)
        )
        return value

    def refuse(self, says: str, at: Path = (), hint: str = "", document: Origin = "blueprint") -> None:
        """Record that the part can't be built.

        `at` is where the reader can change that: relative to the part in the blueprint, else absolute.
        """
        self._record(Problem(says, at, hint, document=_document(document)), document)

    def check(
        self,
        rule: str,
        holds: bool,
        says: str | Callable[[], str],
        at: Path = (),
        hint: str = "",
        document: Origin = "blueprint",
    ) -> bool:
        """Evaluate a planner rule once; record a problem when it doesn't hold. Returns `holds`."""
        known = self.site_plan.rules[rule]
        self.site_plan.evaluated[rule] = self.site_plan.evaluated.get(rule, 0) + 1
        if not holds:
            text = says if isinstance(says, str) else says()
            found = Problem(text, at, hint, rule=rule, severity=known.level, document=_document(document))
            self._record(found, document)
        return holds

    def _record(self, problem: Problem, origin: Origin) -> None:
        path = (*self.where, *problem.path) if origin == "blueprint" else problem.path
        self.site_plan.problems.append(replace(problem, path=path, site=self.place.site))

    def offer(self, offer: object) -> None:
        """Make something available to other parts of the site."""
        self.site_plan.offers.append(offer)

    def offers(self, kind: type[Offer]) -> list[Offer]:
        """What other parts offer so far, of one type, in order of planning."""
        return [offer for offer in self.site_plan.offers if isinstance(offer, kind)]

    def named(self, kind: type[Offer], field_name: str, name: str, at: Path) -> Offer | None:
        """The offer whose `field_name` is `name`; a problem with the nearest name when there is none.

        When the part of that name refused, there is no second problem.
        """
        found = {str(getattr(offer, field_name)): offer for offer in self.offers(kind)}
        if name not in found and not self.has_refused(name):
            self.refuse(
                f'"{name}" is not a {field_name} of this blueprint at {self.place.site}',
                at,
                nearest(name, found),
            )
        return found.get(name)

    def has_refused(self, part: str) -> bool:
        """Whether a part of the site, by name, can't be built, and has said so."""
        return part in self.site_plan.refused

    def require(
        self,
        capability: str,
        reason: str,
        values: dict[str, object] | None = None,
        features: Iterable[str] = (),
        after: tuple[str, ...] = (),
    ) -> None:
        """Ask for a prerequisite. The cluster part answers with the site's own or one release of ours."""
        if capability not in CAPABILITIES:
            raise KeyError(capability)
        asked = Requirement(capability, self.part, reason, values or {}, tuple(features), after)
        self.site_plan.requirements.append(asked)

    def namespace(self, request: NamespaceRequest) -> None:
        """Ask for a namespace of ours."""
        self.site_plan.namespaces.append(request)

    def read_settings(self, fabric: str, namespace: str) -> None:
        """Ask for the settings ConfigMap of a fabric in a namespace."""
        readers = self.site_plan.settings_readers.setdefault(fabric, [])
        if namespace not in readers:
            readers.append(namespace)


def _document(origin: Origin) -> Document:
    return "site" if origin == "site" else "blueprint"
