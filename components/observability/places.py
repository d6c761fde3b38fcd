"""Where telemetry goes: each destination that is used, and whether the data may be there."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.catalog import binds
from aifactory.components.demand import DataClassRules
from aifactory.components.given_telemetry import TelemetryGiven, TelemetryPlace, TelemetrySink, TelemetryStore
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.problems import Path, nearest


class Way(Struct, frozen=True):
    """A destination that signals go to."""

    who: str
    at: Path
    """Its place in the site file."""
    place: TelemetryPlace | None
    port: int
    networks: tuple[str, ...]
    signals: tuple[str, ...]
    secret: str


class Ways(Struct, frozen=True):
    """Every destination of a site, decided."""

    sinks: tuple[tuple[str, TelemetrySink], ...]
    """Sinks by signal; alerts and metrics are signals here."""
    store: TelemetryStore | None
    """The store, where a signal is kept there."""
    stored: tuple[tuple[str, str], ...]
    """Signals that are kept there, and their buckets."""
    all: tuple[Way, ...]

    def sink(self, signal: str) -> TelemetrySink | None:
        """The sink that takes a signal."""
        return dict(self.sinks).get(signal)

    def way(self, signal: str) -> Way | None:
        """The destination outside of the cluster that a signal goes to."""
        return next((way for way in self.all if signal in way.signals), None)


def ways(spec: ObservabilitySpec, ctx: PlanContext) -> Ways | None:
    """Where each signal goes. None when one has no destination, or a destination says not where it is."""
    given = ctx.place.telemetry or TelemetryGiven()
    takes = {signal: (index, sink) for index, sink in enumerate(given.sinks) for signal in sink.takes}
    buckets = {"logs": given.store.logs, "traces": given.store.traces} if given.store else {}
    used = [signal for signal in (*spec.signals, "metrics", "alerts", "heartbeat") if signal in takes]
    stored = [(signal, bucket) for signal in spec.signals if signal not in takes and (bucket := buckets.get(signal))]
    kept = {signal for signal, _ in stored}
    missing = [signal for signal in spec.signals if signal not in takes and signal not in kept]
    found = [_to_sink(index, sink, used) for index, sink in dict(takes[signal] for signal in used).items()]
    if given.store and stored:
        found.append(_to_store(given.store, [signal for signal, _ in stored]))
    sound = ctx.check(
        "OBS-004",
        not missing,
        lambda: f"{' and '.join(missing)} of {ctx.place.site} have no destination",
        ("telemetry",) if ctx.place.telemetry else (),
        f"add telemetry.store with a bucket, or a sink that takes them, to the site file; or take "
        f"{' and '.join(missing)} out of signals",
        "site",
    )
    declared = [_declared(way, ctx) for way in found]
    if not sound or not all(declared):
        return None
    return Ways(
        sinks=tuple((signal, takes[signal][1]) for signal in used),
        store=given.store if stored else None,
        stored=tuple(stored),
        all=tuple(found),
    )


def _to_sink(index: int, sink: TelemetrySink, used: Iterable[str]) -> Way:
    signals = tuple(signal for signal in used if signal in sink.takes)
    at: Path = ("telemetry", "sinks", index)
    return Way(f"sink {sink.name}", at, sink.place, sink.port, tuple(sink.networks), signals, sink.secret or "")


def _to_store(store: TelemetryStore, signals: Iterable[str]) -> Way:
    at: Path = ("telemetry", "store")
    return Way(
        f"store {store.endpoint}", at, store.place, store.port, tuple(store.networks), tuple(signals), store.secret
    )


def _declared(way: Way, ctx: PlanContext) -> bool:
    return ctx.check(
        "OBS-001",
        way.place is not None,
        f"{way.who} of {ctx.place.site} says not where it is, so nothing is sent there",
        way.at,
        "add place: {country: ..., operator: ..., nationality: ...} with the country of the operator's ultimate parent",
        "site",
    )


def bound(spec: ObservabilitySpec, classes: Iterable[str], found: Ways, ctx: PlanContext) -> bool:
    """Whether the rules of each class allow each destination, and the site itself."""
    known = ctx.site_plan.residency.data_classes if ctx.site_plan.residency else {}
    held = True
    for name in classes:
        rules = known.get(name)
        at: Path = ("data_class",) if name == spec.data_class else ()
        if rules is None:
            hint = nearest(name, known) if known else f"add residency.data_classes.{name}"
            says = f'data class "{name}" has no rules, and unknown rules allow nothing'
            held = ctx.check("OBS-002", False, says, at, hint) and held
            continue
        location = ctx.place.location
        here = TelemetryPlace(
            country=location.country, operator=location.operator.name, nationality=location.operator.nationality
        )
        held = _allowed(name, rules, f"site {ctx.place.site}", here, ("location",), ctx) and held
        for way in found.all:
            if way.place is not None:
                held = _allowed(name, rules, way.who, way.place, (*way.at, "place"), ctx) and held
    return held


def _allowed(name: str, rules: DataClassRules, who: str, place: TelemetryPlace, at: Path, ctx: PlanContext) -> bool:
    """A country without law in the catalog is in no jurisdiction, and so allowed nowhere."""
    stands = binds(ctx.catalog, place.country, rules.jurisdictions)
    run = binds(ctx.catalog, place.nationality, rules.operators)
    where = f"stands in {place.country}" if not stands else f"is run by {place.operator}, of {place.nationality}"
    return ctx.check(
        "OBS-002",
        stands and run,
        f"telemetry of {name} data may be in {', '.join(rules.jurisdictions)} under operators of "
        f"{', '.join(rules.operators)}; {who} {where}",
        at,
        "name a destination that these rules allow, or watch models of another data class here",
        "site",
    )


def text_allowed(spec: ObservabilitySpec, classes: Iterable[str], ctx: PlanContext) -> bool:
    """Whether each class that is watched says that text of prompts may be in telemetry. No class says nothing."""
    if spec.prompt_text == "drop":
        return True
    known = ctx.site_plan.residency.data_classes if ctx.site_plan.residency else {}
    asked = list(classes)
    silent = [name for name in asked if name not in known or not known[name].prompts_in_telemetry]
    says = (
        f"prompt_text is keep, and the rules of {', '.join(silent)} data don't allow it"
        if silent
        else "prompt_text is keep, and no data class says that it may be"
    )
    return ctx.check(
        "OBS-003",
        bool(asked) and not silent,
        says,
        ("prompt_text",),
        "leave prompt_text out, or write prompts_in_telemetry: true in residency.data_classes, after whoever answers "
        "for the data agreed",
    )
