"""A blueprint: what the factory is, at every site it names. Nothing about a place stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from aifactory.components.budgets import Budget, EnergyLimits, TrainingLimit
from aifactory.components.bursting import Flex
from aifactory.components.catalog import TrainKey
from aifactory.components.demand import Demand, Residency
from aifactory.components.forms import Line
from aifactory.components.names import Name
from aifactory.components.parts import PARTS, AnyPart
from aifactory.components.problems import nearest
from aifactory.components.spec import Misfit, Spec, truth, twice

MOST_SITES = 500


class Core(Spec):
    """Where the factory runs all the time."""

    sites: list[Name] = Field(min_length=1, max_length=MOST_SITES)
    """Names of site files. Every site gets a stack of its own."""

    @truth
    def _sites_are_named_once(self) -> Iterator[Misfit]:
        for index in twice(self.sites):
            yield Misfit(f'"{self.sites[index]}" is named twice', "name each site once", ("sites", index))


class Placement(Spec):
    """Where the parts go."""

    core: Core
    """Sites that always run."""

    flex: Flex | None = None
    """Sites that are used when those can't, for some data alone. Default none: every site is a core site."""

    parameters: dict[Name, dict[str, int | float | str | bool]] = {}
    """Values of parameters at single sites, such as a node count. Default none: every site gets the
    defaults."""

    @property
    def sites(self) -> list[str]:
        """All sites, those of the core first."""
        return [*self.core.sites, *(self.flex.sites if self.flex else ())]

    @truth
    def _a_site_is_of_the_core_or_flex(self) -> Iterator[Misfit]:
        for index, site in enumerate(self.flex.sites if self.flex else ()):
            if site in self.core.sites:
                says = f'"{site}" is a core site, too'
                yield Misfit(says, "name it once, under core or under flex", ("flex", "sites", index))

    @truth
    def _parameters_are_set_for_sites_that_are_named(self) -> Iterator[Misfit]:
        for site in self.parameters:
            if site not in self.sites:
                says = f'"{site}" is not a site that placement.core.sites names'
                yield Misfit(says, nearest(site, self.sites), ("parameters", site))


class Blueprint(Spec):
    """An AI factory, declared once for all its sites."""

    aifactory: Literal["v1"]
    """Version of the language."""

    name: Name
    """Name of the factory. It begins the name of every stack, so it can't change later."""

    description: Line = Field(default="", max_length=400)
    """What the factory is for, for people. Default empty."""

    release_train: TrainKey = "2026.11"
    """Set of chart versions that are known to fit together. Default: the newest of this release."""

    demand: Demand | None = None
    """What each site must carry. Model servers are sized from it. Default none: nothing is served, or replicas are
    written."""

    residency: Residency | None = None
    """Where data may go. Default none: data classes are not used."""

    budget: Budget | None = None
    """What it may cost. Default none: the estimate is shown and holds nobody."""

    energy: EnergyLimits | None = None
    """What it may burn and give off. Default none: the estimate is shown and holds nobody."""

    training_limit: TrainingLimit | None = None
    """How large a training may be. Default none: any."""

    placement: Placement
    """Where the parts go."""

    parts: list[AnyPart] = Field(min_length=1, max_length=1_000)
    """Parts of the factory."""

    @truth
    def _parts_have_names_of_their_own(self) -> Iterator[Misfit]:
        names = [part.name for part in self.parts]
        for index in twice(names):
            first = names.index(names[index])
            says = f'"{names[index]}" is the name of parts[{first}], too'
            yield Misfit(says, "a name belongs to one part", ("parts", index, "name"))

    @truth
    def _a_former_name_belongs_to_one_part(self) -> Iterator[Misfit]:
        owners = {part.name: index for index, part in enumerate(self.parts)}
        for index, part in enumerate(self.parts):
            for former in part.former_names:
                owner = owners.setdefault(former, index)
                if owner != index:
                    says = f'"{former}" is, or was, the name of parts[{owner}]'
                    later = former != part.renamed_from
                    field = ("also_renamed_from", part.also_renamed_from.index(former)) if later else ("renamed_from",)
                    yield Misfit(says, "a name belongs to one part", ("parts", index, *field))

    @truth
    def _names_of_derived_parts_are_theirs(self) -> Iterator[Misfit]:
        """Every site has a cluster that nobody wrote. A pool called `cluster` would be taken for it."""
        derived = {part.kind for part in PARTS if part.derived}
        for index, part in enumerate(self.parts):
            kind = str(getattr(part, "kind", ""))
            for field in ("name", "renamed_from"):
                name = getattr(part, field)
                if name in derived and name != kind:
                    says = f'"{name}" is the name of the {name} that every site has'
                    yield Misfit(says, "choose another name", ("parts", index, field))

    @truth
    def _parts_stand_at_sites_that_are_named(self) -> Iterator[Misfit]:
        known = self.placement.sites
        for index, part in enumerate(self.parts):
            for at, site in enumerate(part.sites or ()):
                if site not in known:
                    says = f'"{site}" is not a site that placement.core.sites names'
                    yield Misfit(says, nearest(site, known), ("parts", index, "sites", at))

    @truth
    def _each_site_has_a_part(self) -> Iterator[Misfit]:
        everywhere = any(part.sites is None for part in self.parts)
        used = {site for part in self.parts for site in part.sites or ()}
        placed = {"core": self.placement.core.sites, "flex": self.placement.flex.sites if self.placement.flex else []}
        for side, sites in placed.items():
            for index, site in enumerate(sites):
                if not everywhere and site not in used:
                    says = f'no part stands at "{site}"'
                    at = ("placement", side, "sites", index)
                    yield Misfit(says, "drop the site, or add it to a part's sites", at)

    @truth
    def _exempt_trainings_are_parts(self) -> Iterator[Misfit]:
        trainings = [part.name for part in self.parts if getattr(part, "kind", "") == "training"]
        for index, name in enumerate(self.training_limit.exempt if self.training_limit else ()):
            if name not in trainings:
                says = f'"{name}" is not a training part'
                yield Misfit(says, nearest(name, trainings), ("training_limit", "exempt", index))

    @truth
    def _classes_of_the_flex_side_have_rules(self) -> Iterator[Misfit]:
        known = self.residency.data_classes if self.residency else {}
        for index, name in enumerate(self.placement.flex.data_classes if self.placement.flex else ()):
            if name not in known:
                says = f'data class "{name}" has no rules, and unknown rules allow nothing'
                hint = nearest(name, known) if known else f"add residency.data_classes.{name}"
                yield Misfit(says, hint, ("placement", "flex", "data_classes", index))
