"""What a person does before observability works, and how they look at it."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.capabilities import METRICS_NAMESPACE
from aifactory.components.observability.decided import LOKI, OFFSETS, TEMPO, Buffer, ObservabilityPlan
from aifactory.components.observability.places import Ways
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.offers import OperatorNote

_BY_METRICS = ("prometheus", "alerts", "heartbeat")
"""Kinds of sink that Prometheus and Alertmanager send to."""
_SOON = (
    "The first wave makes the namespace; make the Secret once that is there. Pods wait for it, and their release for "
    "15 minutes."
)


def notes(
    part: str, spec: ObservabilitySpec, plan: ObservabilityPlan, found: Ways, *, ours: bool
) -> Iterator[OperatorNote]:
    """Secrets before, Grafana after."""
    if found.store:
        for signal, bucket in found.stored:
            namespace = LOKI if signal == "logs" else TEMPO
            yield OperatorNote(
                part,
                "before",
                f"Bucket {bucket} of {found.store.endpoint} exists. Secret {found.store.secret} in namespace "
                f"{namespace} has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of a user who may read and write it. "
                f"{_SOON}",
            )
    told = {
        f"Secret {sink.secret} in namespace {METRICS_NAMESPACE if sink.kind in _BY_METRICS else plan.identity} has the "
        f"key token of sink {sink.name}. {_SOON}": None
        for _, sink in found.sinks
        if sink.secret
    }
    for says in told:
        yield OperatorNote(part, "before", says)
    if plan.buffer:
        yield from _while_away(part, plan, plan.buffer)
    if not ours:
        yield OperatorNote(
            part,
            "before",
            f"The site's Prometheus reads monitors and rules of all namespaces, and its Grafana takes ConfigMaps of "
            f"namespace {plan.identity} with label grafana_dashboard. Port {METRICS_NAMESPACE} policies are its own.",
        )
        return
    secret = spec.grafana_secret
    yield OperatorNote(
        part,
        "before",
        f"Secret {secret} in namespace {METRICS_NAMESPACE} has admin-user and admin-password of Grafana. {_SOON}",
    )
    forward = f"kubectl -n {METRICS_NAMESPACE} port-forward service/kube-prometheus-stack-grafana 3000:80"
    says = f"Look at the dashboards of {plan.identity}, at http://127.0.0.1:3000; it runs until it is stopped:"
    yield OperatorNote(part, "running", says, (forward,))


def _while_away(part: str, plan: ObservabilityPlan, buffer: Buffer) -> Iterator[OperatorNote]:
    says = (
        f"Without the uplink telemetry waits on disk for {buffer.hours:g} hours: {buffer.volume_gib} GiB of "
        f"{buffer.storage_class} for each of {plan.gateway}, and {OFFSETS} of each node. After that the newest is "
        "dropped. Alerts whose cause ends meanwhile are never told, so whoever receives them asks the site when it was "
        "silent."
    )
    yield OperatorNote(part, "before", says)
    queue = f"kubectl -n {METRICS_NAMESPACE} exec prometheus-kube-prometheus-stack-prometheus-0 -c prometheus -- "
    ask = "promtool query instant http://127.0.0.1:9090 'otelcol_exporter_queue_size / otelcol_exporter_queue_capacity'"
    yield OperatorNote(part, "running", f"How full the queues of {plan.identity} are:", (queue + ask,))
