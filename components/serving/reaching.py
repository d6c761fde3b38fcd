"""What pods of a model may reach outside of their namespace. Each kind of pod for itself: those that hold prompts reach
nobody, or the one store that they read weights from."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.capabilities import PodEgress
from aifactory.components.serving.decided import ServingPlan

COMPONENT, INSTANCE = "app.kubernetes.io/component", "app.kubernetes.io/instance"
PORTS = {"http": 80, "https": 443}


def marked(component: str, instance: str) -> dict[str, str]:
    """Labels of pods of one kind beside the replicas."""
    return {COMPONENT: component, INSTANCE: instance}


def port_of(url: str) -> int:
    """TCP port of an address that is written as a URL."""
    scheme, _, rest = url.partition("://")
    _, _, port = rest.partition("/")[0].partition(":")
    return int(port) if port else PORTS[scheme]


def out(plan: ServingPlan) -> Iterator[PodEgress]:
    """Policies that let some pods out."""
    if plan.router:
        name = plan.router.name
        yield PodEgress(name, tuple(marked("router", name).items()), api=True)
    if plan.weights.fetch:
        name = plan.weights.fetch.claim
        yield PodEgress(name, tuple(marked("fetch", name).items()), ports=(plan.weights.remote_port,))
    elif plan.weights.remote_port:
        ports, name = (plan.weights.remote_port,), plan.benchmark.name
        yield PodEgress(f"{plan.identity}-store", tuple(plan.replica_labels.items()), ports=ports)
        yield PodEgress(f"{name}-store", tuple(marked("benchmark", name).items()), ports=ports)
