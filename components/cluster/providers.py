"""Who provides what: each capability is answered by the site, or by one release of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from aifactory.components import names
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import Requirement
from aifactory.components.catalog.trains import Release, releases
from aifactory.components.cluster.merge import BASE, Conflict, Layer, Merged, merged, placed, value_at
from aifactory.components.cluster.model import GivenPlan
from aifactory.components.cluster.recipe import Need, Recipe, Setting, Terms
from aifactory.components.cluster.releases import RECIPES
from aifactory.components.given import ClusterGiven
from aifactory.components.rows import Tree, Wave
from aifactory.components.values import canonical_json

_WAVES = {wave: index for index, wave in enumerate(Wave)}


class Chosen(Struct, frozen=True):
    """A release of ours, with its values decided."""

    capability: str
    release: Release
    recipe: Recipe
    values: Tree

    @property
    def id(self) -> str:
        """Identity of the release's row."""
        return names.release_id(self.release.namespace, self.release.release_name)

    def on(self, switch: str) -> bool:
        """Whether a chart value, by dotted path, is on; no switch is always on."""
        return not switch or value_at(self.values, switch) is True

    def needs(self) -> list[Need]:
        """Capabilities that it stands on with these values."""
        return [need for need in self.recipe.needs if self.on(need.when)]

    def first(self) -> list[str]:
        """Capabilities whose releases must be there before it."""
        return list(dict.fromkeys([*(need.capability for need in self.needs()), *self.recipe.after]))

    def crds(self) -> tuple[str, ...]:
        """Definitions that arrive with it, as `plural.group`; those of its operator come after a custom
        resource."""
        return tuple(
            name
            for item in self.release.definitions
            if item.arrive == "operator"
            or (item.arrive in ("crds-directory", "templates") and self.on(item.switch or item.when))
            for name in item.names
        )


class Answers(Struct):
    """Every capability that the factory needs, answered."""

    given: dict[str, GivenPlan] = field(default_factory=dict)
    chosen: dict[str, Chosen] = field(default_factory=dict)
    refused: bool = False
    """Whether something has no answer; the problems are recorded."""


class SiteTerms(Struct, frozen=True):
    """What a site decides about all releases."""

    cluster: ClusterGiven
    replicas: int
    priority_class: str
    nodes: int
    volumes: bool
    """Whether a claim without a class gets one, of the site or of a tier."""

    def of(self, release: Release, recipe: Recipe, metrics: Release | None, wanted: Iterable[str]) -> Terms:
        """The terms of one release. Monitors need the kinds to be there before it."""
        ours = "metrics" in wanted and "metrics" not in self.cluster.provides
        return Terms(
            namespace=release.namespace,
            replicas=self.replicas,
            priority_class=self.priority_class,
            nodes=self.nodes,
            distribution=self.cluster.distribution,
            scraped="metrics" in self.cluster.provides or (ours and comes_after_metrics(recipe)),
            metrics_namespace=metrics.namespace if ours and metrics else "",
            volumes=self.volumes,
            wanted=tuple(wanted),
        )


def comes_after_metrics(recipe: Recipe) -> bool:
    """Whether a release is installed after our Prometheus, so that it can have monitors."""
    return _WAVES[recipe.wave] > _WAVES[Wave.TELEMETRY]


def train_releases(ctx: PlanContext) -> dict[str, Release]:
    """The train's releases by the capability they provide."""
    return {release.provides: release for release in releases(ctx.catalog, ctx.place.train)}


def answered(ctx: PlanContext, requirements: Iterable[Requirement], terms: SiteTerms) -> Answers:
    """Answer every requirement, and what the answers need themselves."""
    answers = Answers()
    known = _known(ctx, answers)
    wanted = _by_capability(requirements)
    pending = list(wanted)
    seen: set[str] = set()
    while pending:
        capability = pending.pop(0)
        if capability in seen:
            continue
        seen.add(capability)
        if capability in ctx.place.cluster.provides:
            given = _given(ctx, capability, wanted[capability], known)
            answers.refused = answers.refused or given is None
            if given is not None:
                answers.given[capability] = given
            continue
        chosen = _chosen(ctx, capability, wanted, known, terms)
        if chosen is None:
            answers.refused = True
            continue
        answers.chosen[capability] = chosen
        for need in chosen.needs():
            reason = f"{chosen.release.chart}: {need.why}"
            wanted.setdefault(need.capability, []).append(Requirement(need.capability, ctx.part, reason))
            pending.append(need.capability)
    _decide(ctx, answers, wanted)
    return answers


def _known(ctx: PlanContext, answers: Answers) -> dict[str, Release]:
    """The train's releases by capability. A private catalog may bring a second provider, which is refused."""
    found: dict[str, Release] = {}
    for release in releases(ctx.catalog, ctx.place.train):
        other = found.setdefault(release.provides, release)
        if other is not release:
            answers.refused = True
            ctx.refuse(
                f"{other.ref} and {release.ref} both provide {release.provides}",
                hint="leave one of them to the release train",
            )
    return found


def _by_capability(requirements: Iterable[Requirement]) -> dict[str, list[Requirement]]:
    """Requirements by capability; `metrics` first, because other releases ask whether it is there."""
    found: dict[str, list[Requirement]] = {}
    for requirement in requirements:
        found.setdefault(requirement.capability, []).append(requirement)
    return dict(sorted(found.items(), key=lambda item: (item[0] != "metrics", item[0])))


def _given(
    ctx: PlanContext, capability: str, asked: list[Requirement], known: Mapping[str, Release]
) -> GivenPlan | None:
    given = ctx.place.cluster.provides[capability]
    missing: dict[str, list[str]] = {}
    for requirement in asked:
        lacks = [feature for feature in requirement.features if feature not in given.features]
        if lacks:
            missing.setdefault(requirement.part, []).extend(lacks)
    features = list(dict.fromkeys([*given.features, *(name for names in missing.values() for name in names)]))
    held = ctx.check(
        "CLU-010",
        not missing,
        lambda: "; ".join(
            f"part {part} needs {_quoted(lacks)} of {capability}, which the site gives without"
            for part, lacks in missing.items()
        ),
        (*given_at(ctx), capability, *(("features",) if given.features else ())),
        f"switch it on there, then say features: [{', '.join(features)}]",
        "site",
    )
    namespace = known[capability].namespace if capability in known else ""
    return GivenPlan(capability, given.version, tuple(given.features), namespace) if held else None


def _chosen(
    ctx: PlanContext,
    capability: str,
    wanted: Mapping[str, list[Requirement]],
    known: Mapping[str, Release],
    terms: SiteTerms,
) -> Chosen | None:
    recipe, release = RECIPES.get(capability), known.get(capability)
    if recipe is None or release is None:
        who = ", ".join(dict.fromkeys(requirement.part for requirement in wanted[capability]))
        ctx.refuse(
            f"{capability} is needed by {who}, and no release of train {ctx.place.train} is installed for it",
            given_at(ctx) if ctx.place.cluster.provides else given_at(ctx)[:1],
            _to_do(capability, release, ctx),
            "site",
        )
        return None
    settings = tuple(recipe.settings(terms.of(release, recipe, known.get("metrics"), wanted)))
    base = [Layer(BASE, placed(setting.path, setting.value)) for setting in settings]
    asked = [Layer(requirement.part, requirement.values) for requirement in wanted[capability]]
    result = merged([*base, *asked])
    for conflict in result.conflicts:
        _refuse_conflict(ctx, release, conflict)
    _decide_values(ctx, capability, release, settings, result)
    return None if result.conflicts else Chosen(capability, release, recipe, result.values)


def _to_do(capability: str, release: Release | None, ctx: PlanContext) -> str:
    """What a person does about a capability that nothing of ours installs."""
    made, applied = ctx.place.venue_facts.makes_cluster, is_applied(release)
    if made and not applied:
        return "the base makes this cluster, so nobody gives it anything: place the part at a site that has it"
    if made and release is not None:
        field = ".".join((*given_at(ctx), capability))
        return f"it is definitions without a chart, which somebody applies: add {field}: {release.version}"
    if release is None or not applied:
        return f"install it at the site, then name it with its version under cluster.provides.{capability}"
    return (
        f"it is definitions without a chart: run kubectl apply --server-side -f with the manifest of release "
        f"{release.version} of {release.repository}, then write "
        f"cluster.provides.{capability}: {{version: {release.version}}}"
    )


def is_applied(release: Release | None) -> bool:
    """Whether a release is definitions in a manifest, which somebody applies by hand."""
    return release is not None and not release.chart and bool(release.crds("manifest"))


def given_at(ctx: PlanContext) -> tuple[str, str]:
    """Where a site file says what its cluster has already."""
    return ("aws", "definitions") if ctx.place.venue_facts.makes_cluster else ("cluster", "provides")


def _refuse_conflict(ctx: PlanContext, release: Release, conflict: Conflict) -> None:
    first = f"part {conflict.first}" if conflict.first else "the baseline"
    ctx.refuse(
        f"{first} and part {conflict.second} want different values of {release.chart} at {conflict.path}: "
        f"{_shown(conflict.has)} and {_shown(conflict.wants)}",
        hint="one release has one value: make the parts agree, or give them a site each",
    )


def _decide_values(
    ctx: PlanContext, capability: str, release: Release, settings: Iterable[Setting], result: Merged
) -> None:
    settings = tuple(settings)
    overruled = {conflict.path: conflict for conflict in result.replaced}
    for setting in settings:
        conflict = overruled.get(setting.path)
        if conflict is None:
            ctx.decide(f"{capability}.{setting.path}", setting.value, setting.why, facts=[release.ref])
            continue
        ctx.decide(
            f"{capability}.{setting.path}",
            conflict.wants,
            f"part {conflict.second} needs it",
            rejected=[Rejected(setting.value, setting.why)],
            facts=[release.ref],
        )
    inside = {conflict.path for conflict in result.replaced} - {setting.path for setting in settings}
    for path in sorted(inside):
        conflict = overruled[path]
        ctx.decide(
            f"{capability}.{path}",
            conflict.wants,
            f"part {conflict.second} needs it",
            rejected=[Rejected(conflict.has, "our baseline for this release")],
            facts=[release.ref],
        )


def _decide(ctx: PlanContext, answers: Answers, wanted: Mapping[str, list[Requirement]]) -> None:
    for capability, given in answers.given.items():
        ctx.decide(
            f"capability.{capability}",
            f"given {given.version}",
            f"given by the site, never touched; {_reasons(wanted[capability])}",
            source=(*given_at(ctx), capability),
            document="site",
        )
    for capability, chosen in answers.chosen.items():
        ctx.decide(
            f"capability.{capability}",
            f"{chosen.release.chart} {chosen.release.version} in {chosen.release.namespace}",
            _reasons(wanted[capability]),
            rejected=[Rejected("given by the site", _why_none(ctx))],
            facts=[chosen.release.ref],
        )


def _why_none(ctx: PlanContext) -> str:
    """Why a site gives no capability."""
    if ctx.place.venue_facts.makes_cluster:
        return "the base makes the cluster, and nothing is in it yet"
    return "the site file names none under cluster.provides"


def _reasons(asked: Iterable[Requirement]) -> str:
    reasons: dict[str, list[str]] = {}
    for requirement in asked:
        reasons.setdefault(requirement.reason, []).append(requirement.part)
    return "; ".join(f"{', '.join(dict.fromkeys(parts))}: {reason}" for reason, parts in reasons.items())


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in dict.fromkeys(names))


def _shown(value: object) -> str:
    try:
        text = canonical_json(value)
    except TypeError:
        text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
