"""Decides observability: where signals go, what passes, what is watched, and when somebody is called."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import METRICS_NAMESPACE, PROMETHEUS_URL, NamespaceRequest, PodEgress
from aifactory.components.catalog.trains import provider
from aifactory.components.observability import (
    alerts,
    asking,
    buffering,
    footprint,
    keeping,
    measuring,
    places,
    present,
    rules,
    using,
    volumes,
)
from aifactory.components.observability.decided import (
    LOKI,
    LOKI_PORT,
    OTLP_GRPC,
    OTLP_HTTP,
    PROXIES,
    TEMPO,
    TEMPO_PORT,
    Buffer,
    Destination,
    Kept,
    Limit,
    ObservabilityPlan,
)
from aifactory.components.observability.places import Ways
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.offers import EndpointOffer, GatewayOffer, ModelOffer, QueueOffer, TelemetryOffer
from aifactory.components.problems import nearest
from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = rules.RULES

REPLICAS = 2
"""Collectors that programs send to: a drained node leaves one."""
SEES_NO_PROMPTS = (
    "cert-manager",
    "node-feature-discovery",
    "gpu-operator",
    "dra-driver-nvidia-gpu",
    "network-operator",
    "kueue",
    "jobset",
    "lws",
    "keda",
    "metrics",
    "external-secrets",
    "opentelemetry-operator",
)
"""Capabilities whose programs read objects, nodes and counts. Others run or carry models, or print what they are asked,
as Loki does: their lines are dropped."""


class Draft(Struct, frozen=True):
    """Observability once it is known where signals go."""

    spec: ObservabilitySpec
    ways: Ways
    metrics_gib: int
    """Volume of our Prometheus, 0 where the site gives one, or no class for it."""


def resolve(spec: ObservabilitySpec, ctx: PlanContext) -> Draft | None:
    """Find the destinations, and ask for what collects and keeps."""
    others = ctx.offers(TelemetryOffer)
    says = f"parts {others[0].part if others else ''} and {ctx.part} both are the observability of {ctx.place.site}"
    if not ctx.check("OBS-005", not others, says, (), "make one part of both"):
        return None
    found = places.ways(spec, ctx)
    if found is None or not _ours_to_configure(found, ctx) or not volumes.known(spec, ctx):
        return None
    gib = asking.require(spec, found, ctx)
    if gib is None:
        return None
    service = f"{spec.identity}-gateway-collector"
    host = f"{service}.{spec.identity}.svc"
    urls = f"http://{host}:{OTLP_HTTP}", f"{host}:{OTLP_GRPC}"
    ctx.offer(TelemetryOffer(ctx.part, spec.identity, *urls, service, traces="traces" in spec.signals))
    return Draft(spec, found, gib)


def size(draft: Draft, ctx: PlanContext) -> ObservabilityPlan | None:
    """What is watched, once all parts have offered themselves."""
    spec, found = draft.spec, draft.ways
    classes = _classes(spec, ctx)
    allowed = places.bound(spec, classes, found, ctx)
    if not (places.text_allowed(spec, classes, ctx) and allowed and _promises_fit(spec, ctx)):
        return None
    replicas = 1 if ctx.place.is_one_node else REPLICAS
    waits, buffer = buffering.buffer_of(spec, found, replicas, draft.metrics_gib, ctx)
    asked = footprint.footprint(
        found, replicas, asking.own_prometheus(spec, ctx), collects=asking.collects(spec, found), ctx=ctx
    )
    if not (waits and footprint.fits(asked, ctx)):
        return None
    plan = _plan(spec, found, replicas, buffer, ctx)
    for use in keeping.volumes(plan, found, volumes.disk_of(spec, ctx), draft.metrics_gib, ctx):
        ctx.offer(use)
    _explain(spec, plan, found, classes, ctx)
    _warn(plan, found, ctx)
    _around_it(plan, found, ctx)
    for note in using.notes(ctx.part, spec, plan, found, ours="metrics" not in ctx.place.cluster.provides):
        ctx.offer(note)
    return plan


def settle(plan: ObservabilityPlan, ctx: PlanContext) -> ObservabilityPlan:  # noqa: ARG001 - every part has the pass
    """Nothing is left to settle."""
    return plan


def _ours_to_configure(found: Ways, ctx: PlanContext) -> bool:
    wanted = [signal for signal in ("metrics", "alerts", "heartbeat") if found.sink(signal)]
    return ctx.check(
        "OBS-009",
        "metrics" not in ctx.place.cluster.provides or not wanted,
        lambda: f"{ctx.place.site} gives its own Prometheus, which sends no {' and no '.join(wanted)} for us",
        ("telemetry", "sinks"),
        "let whoever runs it send them, and delete the sink here; or take metrics out of cluster.provides",
        "site",
    )


def _classes(spec: ObservabilitySpec, ctx: PlanContext) -> tuple[str, ...]:
    """Classes whose rules bind: of the telemetry itself, and of every model that it shows."""
    own = {spec.data_class} if spec.data_class else set()
    return tuple(sorted(own | {offer.data_class for offer in ctx.offers(ModelOffer) if offer.data_class}))


def _promises_fit(spec: ObservabilitySpec, ctx: PlanContext) -> bool:
    served = {offer.model for offer in ctx.offers(ModelOffer)}
    unknown = [index for index, promise in enumerate(spec.promises) if promise.model not in served]
    if ctx.site_plan.refused and unknown:
        return False
    return ctx.check(
        "OBS-010",
        not unknown,
        lambda: f"{spec.promises[unknown[0]].model} is promised, and no part serves it at {ctx.place.site}",
        ("promises", unknown[0], "model") if unknown else ("promises",),
        nearest(spec.promises[unknown[0]].model, served) if unknown and served else "delete the promise",
    )


def _plan(
    spec: ObservabilitySpec, found: Ways, replicas: int, buffer: Buffer | None, ctx: PlanContext
) -> ObservabilityPlan:
    limits = spec.limits
    watched = present.watched(spec, ctx, collects=asking.collects(spec, found))
    metrics = _destination("metrics", spec, found) if asking.forwards(found) else None
    ours = "metrics" not in ctx.place.cluster.provides
    return ObservabilityPlan(
        identity=spec.identity,
        factory=ctx.factory,
        site=ctx.place.site,
        conventions=ctx.catalog.row("conventions", "genai").text("version"),
        kept=_kept(spec, ctx),
        logs=_destination("logs", spec, found),
        traces=_destination("traces", spec, found),
        metrics=metrics,
        forwarded=present.series(watched.exporters, ctx.catalog) if metrics else (),
        buffer=buffer,
        metrics_url=f"{PROMETHEUS_URL}/api/v1/otlp" if ours and spec.signals else "",
        traces_percent=spec.traces_percent,
        replicas=replicas,
        limit=Limit(
            limits.waiting_minutes,
            limits.kv_cache_percent,
            limits.queue_minutes,
            limits.gateway_errors_percent,
            limits.certificate_days,
            limits.storage_percent,
            limits.budget_percent,
        ),
        watched=watched,
        scrapes_certificates=present.certificates(ctx),
    )


def _destination(signal: str, spec: ObservabilitySpec, found: Ways) -> Destination | None:
    if signal not in (*spec.signals, "metrics"):
        return None
    sink = found.sink(signal)
    if sink is None:
        url = f"http://{LOKI}.{LOKI}.svc:{LOKI_PORT}/otlp" if signal == "logs" else f"http://{TEMPO}.{TEMPO}.svc:4318"
        return Destination(signal, url, LOKI if signal == "logs" else TEMPO)
    url = sink.url.rstrip("/") + ("/otlp" if sink.kind == "loki" else "")
    return Destination(signal, url, f"sink {sink.name}", sink.secret or "", sink.organisation or "")


def _kept(spec: ObservabilitySpec, ctx: PlanContext) -> Kept:
    known = ctx.catalog.rows("conventions.attributes")
    released = (provider(ctx.catalog, ctx.place.train, capability) for capability in SEES_NO_PROMPTS)
    return Kept(
        text=spec.prompt_text == "keep",
        attributes=tuple(row.text("attribute") for row in known if row.value("holds_text") is False),
        metrics=tuple(row.text("metric") for row in ctx.catalog.rows("conventions.metrics")),
        bodies=("kube-system", *sorted({release.namespace for release in released if release})),
        access=tuple(dict.fromkeys(name for offer in ctx.offers(GatewayOffer) for name in offer.log_fields)),
    )


def _explain(
    spec: ObservabilitySpec, plan: ObservabilityPlan, found: Ways, classes: Iterable[str], ctx: PlanContext
) -> None:
    for to in (plan.logs, plan.traces, plan.metrics):
        if to is None:
            continue
        way = found.way(to.signal)
        place = (
            f", in {way.place.country} under {way.place.operator}, of {way.place.nationality}"
            if way and way.place
            else ""
        )
        ctx.decide(
            to.signal,
            to.who,
            (
                f"the site's sink{place}"
                if to.who.startswith("sink")
                else f"a release of ours; data in {way.who if way else 'the store'}{place}"
            )
            + (f"; rules of {', '.join(classes)} data allow it" if classes else "; no data class binds it"),
            rejected=[]
            if to.who.startswith("sink") or to.signal != "traces"
            else [Rejected("tempo-distributed", "it writes spans to a Kafka, which nothing here runs")],
            source=way.at if way else (),
            document="site",
        )
    ctx.decide(
        "collectors",
        {"gateway": plan.replicas, "agent": "each node"} if plan.collects else "none",
        "objects of the operator, which the API server checks; limit on memory first, batches last",
        rejected=[
            Rejected(
                "the collector's chart", "it runs its configuration through Helm's templates: a name could be code"
            ),
            Rejected("tail sampling", "two replicas see halves of a trace; a share by trace id is the same for all"),
        ],
        source=("signals",),
    )
    _explain_text(spec, plan, ctx)
    measuring.explain(plan, ctx)
    ctx.decide(
        "alerts",
        {group.name: len(group.alerts) for group in alerts.groups(plan)},
        "one group a subject, for the parts that are there; XID errors and lost GPUs are alerts of each pool",
        because=[f"{model.part}.layout" for model in plan.watched.models],
        source=("limits",),
    )


def _explain_text(spec: ObservabilitySpec, plan: ObservabilityPlan, ctx: PlanContext) -> None:
    ctx.decide(
        "prompt_text",
        spec.prompt_text,
        "every data class that is watched says so"
        if plan.kept.text
        else f"{len(plan.kept.attributes)} attributes that hold no text pass, and no others; lines of logs pass of "
        f"{len(plan.kept.bodies)} namespaces where nobody sees prompts",
        rejected=[Rejected("a list of what to drop", "it misses the next name that a library gives to a prompt")],
        facts=["conventions/genai"],
        source=("prompt_text",),
    )
    ctx.decide(
        "conventions",
        plan.conventions,
        "the release whose names pass; the conventions are in development and names move between releases",
        facts=["conventions/genai"],
    )
    ctx.decide(
        "traces_percent",
        plan.traces_percent,
        "by trace id, so that every collector keeps the same traces",
        source=("traces_percent",),
    )


def _warn(plan: ObservabilityPlan, found: Ways, ctx: PlanContext) -> None:
    given = "metrics" in ctx.place.cluster.provides
    ctx.check(
        "OBS-006",
        given or found.sink("alerts") is not None,
        f"nobody receives the alerts of {ctx.place.site}",
        ("telemetry",) if ctx.place.telemetry else (),
        "add a sink of kind alerts to telemetry.sinks of the site file",
        "site",
    )
    ctx.check(
        "OBS-018",
        given or found.sink("heartbeat") is not None or buffering.away_hours(ctx) > 0,
        f"nobody notices when the alerts of {ctx.place.site} are dead",
        ("telemetry",) if ctx.place.telemetry else (),
        "add a sink of kind heartbeat to telemetry.sinks of the site file: a dead man's switch elsewhere",
        "site",
    )
    for model in plan.watched.models:
        ctx.check(
            "OBS-007",
            bool(model.ttft_p99_ms),
            f"nothing is promised of the time to the first token of {model.model}",
            ("promises",),
            f"add promises: [{{model: {model.model}, ttft_p99_ms: ...}}]",
        )
    for way in found.all:
        ctx.check(
            "OBS-008",
            bool(way.networks),
            f"port {way.port} is open to any address, for {way.who}",
            way.at,
            "write networks: the networks that it is in",
            "site",
        )


def _around_it(plan: ObservabilityPlan, found: Ways, ctx: PlanContext) -> None:
    """Namespaces: of the collectors, of what keeps their data, and of whoever sends to them."""
    own = plan.identity
    tenants = sorted({tenant.namespace for queue in ctx.offers(QueueOffer) for tenant in queue.tenants})
    sending: set[str] = set(tenants) if plan.collects else set()
    if plan.traces:
        sending.update(offer.namespace for offer in ctx.offers(ModelOffer))
        sending.update([PROXIES] if ctx.offers(EndpointOffer) else [])
    senders = sorted(sending)
    ours = "metrics" not in ctx.place.cluster.provides
    reached = [(LOKI, LOKI_PORT)] if plan.logs and plan.logs.who == LOKI else []
    reached += [(TEMPO, OTLP_HTTP)] if plan.traces and plan.traces.who == TEMPO else []
    reached += [(METRICS_NAMESPACE, 9090)] if plan.metrics_url or plan.metrics else []
    ctx.namespace(
        NamespaceRequest(
            name=own,
            part=ctx.part,
            purpose="Collectors of logs and traces, dashboards and alerts",
            pod_security="privileged" if plan.logs else "restricted",  # agents read the log files of their node
            ingress_from=(*senders, *([METRICS_NAMESPACE] if ours else [])),
            egress=("dns", "namespace", "api"),
            egress_to=tuple(reached),
            pod_egress=tuple(_out(found, _leaving(plan), stored=False)),
        )
    )
    for name in tenants if plan.collects else ():
        way = ((own, OTLP_GRPC), (own, OTLP_HTTP))
        ctx.namespace(NamespaceRequest(name, ctx.part, "Senders of telemetry", egress_to=way))
    for name, port in ((LOKI, LOKI_PORT), (TEMPO, TEMPO_PORT)):
        if any(target == name for target, _ in reached):
            signal = "logs" if name == LOKI else "traces"
            ctx.namespace(
                NamespaceRequest(
                    name=name,
                    part=ctx.part,
                    purpose=f"What keeps {signal}, port {port}",
                    ingress_from=(own, METRICS_NAMESPACE),
                    pod_egress=tuple(_out(found, (signal,), stored=True)),
                )
            )
    if plan.metrics_url or plan.metrics:
        purpose = "Collectors send metrics of programs, and read those of the site"
        ctx.namespace(NamespaceRequest(METRICS_NAMESPACE, ctx.part, purpose, ingress_from=(own,)))


def _leaving(plan: ObservabilityPlan) -> list[str]:
    """Signals that collectors send."""
    return [each.signal for each in (plan.logs, plan.traces, plan.metrics) if each]


def _out(found: Ways, signals: Iterable[str], *, stored: bool) -> Iterable[PodEgress]:
    """What pods may reach outside of the cluster: exactly the destinations of their signals."""
    kept = {signal for signal, _ in found.stored}
    for way in found.all:
        mine = [signal for signal in way.signals if signal in signals and (signal in kept) == stored]
        if mine:
            name = f"to-{way.who.replace(' ', '-').replace('.', '-').replace(':', '-')}"
            yield PodEgress(name, (), ports=(way.port,), networks=way.networks)
