"""What pods of a model may reach outside of their namespace. Each kind of pod for itself: those that hold prompts reach
nobody, or the port of the store that they read weights from, in its networks where the blueprint names them. The router
reads prompts and asks the API server, which policies can name by port alone (cilium/cilium#20550)."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.base import PlanContext
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
        labels = tuple(marked("fetch", name).items())
        yield PodEgress(name, labels, ports=(plan.weights.remote_port,), networks=plan.weights.networks)
    elif plan.weights.remote_port:
        ports, name, networks = (plan.weights.remote_port,), plan.benchmark.name, plan.weights.networks
        yield PodEgress(f"{plan.identity}-store", tuple(plan.replica_labels.items()), ports=ports, networks=networks)
        yield PodEgress(f"{name}-store", tuple(marked("benchmark", name).items()), ports=ports, networks=networks)


def judge(plan: ServingPlan, ctx: PlanContext) -> None:
    """Whether pods that hold prompts of a class have a way out that no network bounds."""
    weights = plan.weights
    reads_store = bool(weights.remote_port) and weights.fetch is None
    ctx.check(
        "SRV-028",
        not (plan.data_class and reads_store and not weights.networks),
        f"replicas with {plan.data_class} prompts may reach port {weights.remote_port} of any address",
        ("weights",),
        "name the networks of the store in weights.networks",
    )
