"""What a person does before observability works, and how they look at it."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.capabilities import METRICS_NAMESPACE
from aifactory.components.observability.decided import LOKI, TEMPO, ObservabilityPlan
from aifactory.components.observability.places import Ways
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.offers import OperatorNote

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
    for signal, sink in found.sinks:
        if sink.secret:
            namespace = METRICS_NAMESPACE if signal in ("metrics", "alerts") else plan.identity
            says = f"Secret {sink.secret} in namespace {namespace} has the key token of sink {sink.name}. {_SOON}"
            yield OperatorNote(part, "before", says)
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
