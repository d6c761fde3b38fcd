"""Who may open connections to whom in a stack: its network policies, evaluated as Kubernetes does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from aifactory.components.endpoint.decided import EndpointPlan
from aifactory.components.gateway.decided import GatewayPlan
from aifactory.components.rows import KubernetesRow
from aifactory.components.serving.decided import ServingPlan
from aifactory.stacks.assembly.stack import Stack
from support.graph import WORKER_INDEX, Graph, graph

NAME_OF_NAMESPACE = "kubernetes.io/metadata.name"
Policy = Mapping[str, Any]


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod, or an address outside of the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


def policies(stack: Stack) -> list[tuple[str, Policy]]:
    """Namespace and spec of each policy that a stack makes."""
    found = []
    for row in stack.rows:
        if isinstance(row, KubernetesRow):
            body: dict[str, Any] = dict(stack.plain_tree(row))
            if body["kind"] == "NetworkPolicy":
                found.append((row.namespace, body["spec"]))
    return found


def passes(found: list[tuple[str, Policy]], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether the policies of both ends let a connection through."""
    return _allowed(found, source, target, port, protocol, "egress") and _allowed(
        found, target, source, port, protocol, "ingress"
    )


def _allowed(found: list[tuple[str, Policy]], own: End, other: End, port: int, protocol: str, direction: str) -> bool:
    """Whether a pod's policies of one direction allow it; without any, all is allowed."""
    if own.address:
        return True
    kind = direction.capitalize()
    selecting = [
        spec
        for namespace, spec in found
        if namespace == own.namespace and kind in spec["policyTypes"] and _selects(spec["podSelector"], own.labels)
    ]
    if not selecting:
        return True
    return any(
        _meets(rule, other, own.namespace, port, protocol, "to" if direction == "egress" else "from")
        for spec in selecting
        for rule in spec.get(direction, ())
    )


def _meets(rule: Policy, other: End, namespace: str, port: int, protocol: str, side: str) -> bool:
    ports = rule.get("ports")
    if ports and not any(each["port"] == port and each.get("protocol", "TCP") == protocol for each in ports):
        return False
    peers = rule.get(side)
    return not peers or any(_is(peer, other, namespace) for peer in peers)


def _is(peer: Policy, other: End, namespace: str) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        inside = bool(other.address) and ip_address(other.address) in ip_network(block["cidr"])
        return inside and not any(ip_address(other.address) in ip_network(each) for each in block.get("except", ()))
    if other.address:
        return False
    if "namespaceSelector" in peer:
        if not _selects(peer["namespaceSelector"], {NAME_OF_NAMESPACE: other.namespace}):
            return False
    elif other.namespace != namespace:
        return False
    return _selects(peer.get("podSelector", {}), other.labels)


def _selects(selector: Policy, labels: Mapping[str, str]) -> bool:
    unknown = set(selector) - {"matchLabels", "matchExpressions"}
    assert not unknown, f"selectors with {unknown} are not evaluated here"
    for each in selector.get("matchExpressions", ()):
        assert each["operator"] == "DoesNotExist", f"{each['operator']} is not evaluated here"
        if each["key"] in labels:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def wrong_flows(stack: Stack) -> list[str]:
    """Connections of served models that should pass and don't, and such that shouldn't and do."""
    found = policies(stack)
    known = graph(stack)
    return [
        f"{says}: {'blocked' if wanted else 'open'}"
        for says, source, target, port, protocol, wanted in _flows(known, stack)
        if passes(found, source, target, port, protocol) != wanted
    ]


Flow = tuple[str, End, End, int, str, bool]
"""What it is, both ends, port, protocol, and whether it should pass."""
WORLD, API_SERVER = End(address="198.51.100.7"), End(address="10.0.0.1")
RESOLVER = End("kube-system", {"k8s-app": "kube-dns"})
STRANGER = End("default", {"app": "stranger"})
PROXY_NAMESPACE, PROXY_PORT = "envoy-gateway-system", 10_443


def _flows(known: Graph, stack: Stack) -> Iterator[Flow]:
    for pods in known.pods:
        component = pods.labels.get("app.kubernetes.io/component", "")
        own = End(pods.namespace, pods.labels)
        remote = _remote(stack, pods.labels)
        if pods.serving or WORKER_INDEX in pods.labels:
            yield from _of_engine(known, own, pods.owner)
            yield from remote.flows(pods.owner, own, may=remote.store)
        elif component == "router":
            yield from _of_router(known, own, pods.owner)
        elif component in ("fetch", "benchmark"):
            yield f"{pods.owner} to the API server", own, API_SERVER, 6_443, "TCP", False
            yield from remote.flows(pods.owner, own, may=component == "fetch" or remote.store)
        if component == "benchmark":
            for engine in _engines(known, pods.namespace):
                yield f"{pods.owner} to {engine.namespace}", own, engine, 8_000, "TCP", True
    yield from _of_doors(known, stack)
    if any(kind == "ScaledObject" for kind, _, _ in known.rows):
        scaler, prometheus = End("keda", {"app": "keda-operator"}), End("monitoring", {"app": "prometheus"})
        yield "KEDA to Prometheus", scaler, prometheus, 9_090, "TCP", True
    if any(kind == "InferencePool" for kind, _, _ in known.rows):
        gateway = End(PROXY_NAMESPACE, {"control-plane": "envoy-gateway"})
        yield "Envoy Gateway to the API server", gateway, API_SERVER, 6_443, "TCP", True
        yield "Envoy Gateway to AI Gateway", gateway, End("envoy-ai-gateway-system", {"a": "b"}), 1_063, "TCP", True


class Remote(NamedTuple):
    """Where the weights of a model come from, outside of the cluster."""

    port: int
    """443 where nothing is asked: then it is closed there too."""
    networks: tuple[str, ...]
    store: bool
    """Whether replicas read from it themselves."""

    def flows(self, who: str, own: End, *, may: bool) -> Iterator[Flow]:
        """Open for who reads there, in the networks that are named, and nowhere else."""
        inside = [End(address=str(ip_network(cidr)[1])) for cidr in self.networks] or [WORLD]
        yield from ((f"{who} to where weights lie", own, each, self.port, "TCP", may) for each in inside)
        if self.networks:
            yield f"{who} past its networks", own, WORLD, self.port, "TCP", False
        yield f"{who} to another port", own, WORLD, 8_081, "TCP", False


def _remote(stack: Stack, labels: Mapping[str, str]) -> Remote:
    plans = {part.plan.identity: part.plan for part in stack.plan.parts if isinstance(part.plan, ServingPlan)}
    instance = labels.get("app.kubernetes.io/instance", "")
    own = plans.get(labels.get("aifactory.io/serving", instance.removesuffix("-benchmark").removesuffix("-weights")))
    if own is None or not own.weights.remote_port:
        return Remote(443, (), store=False)
    return Remote(own.weights.remote_port, own.weights.networks, store=own.weights.fetch is None)


def _of_engine(known: Graph, own: End, owner: str) -> Iterator[Flow]:
    yield f"{owner} to DNS", own, RESOLVER, 53, "UDP", True
    yield f"{owner} to another of its group", own, own, 29_500, "TCP", True
    yield f"{owner} to the API server", own, API_SERVER, 6_443, "TCP", False
    yield f"a stranger to {owner}", STRANGER, own, 8_000, "TCP", False
    yield f"Prometheus to {owner}", End("monitoring", {"app": "prometheus"}), own, 8_000, "TCP", True
    for proxies in _proxies(known):
        yield f"a proxy to {owner}", proxies, own, 8_000, "TCP", True


def _of_router(known: Graph, own: End, owner: str) -> Iterator[Flow]:
    yield f"{owner} to the API server", own, API_SERVER, 6_443, "TCP", True
    yield f"Prometheus to {owner}", End("monitoring", {"app": "prometheus"}), own, 9_090, "TCP", True
    yield f"a stranger to {owner}", STRANGER, own, 9_002, "TCP", False
    for proxies in _proxies(known):
        yield f"a proxy to {owner}", proxies, own, 9_002, "TCP", True
    for engine in _engines(known, own.namespace):
        yield f"{owner} to {engine.namespace}", own, engine, 8_000, "TCP", True


def _of_doors(known: Graph, stack: Stack) -> Iterator[Flow]:
    jobs = [End(name, {"app": "job"}) for name in _tenants(known)]
    for proxies in _proxies(known):
        spec = known.rows["EnvoyProxy", PROXY_NAMESPACE, proxies.labels["gateway.envoyproxy.io/owning-gateway-name"]]
        inside = spec["spec"]["provider"]["kubernetes"]["envoyService"]["type"] == "ClusterIP"
        yield "a stranger to a proxy", STRANGER, proxies, PROXY_PORT, "TCP", False
        yield "the world to a proxy", WORLD, proxies, PROXY_PORT, "TCP", False
        for job in jobs:
            yield f"{job.namespace} to a proxy", job, proxies, PROXY_PORT, "TCP", inside
        yield from _from_proxies(stack, proxies)
        given = stack.plan.place.endpoints
        for cidr in given.clients if given and not inside else ():
            client = End(address=str(ip_network(cidr)[1]))
            yield f"{cidr} to a proxy", client, proxies, PROXY_PORT, "TCP", True
    for job in jobs:
        for engine in _engines(known, ""):
            if engine.namespace != job.namespace:
                yield f"{job.namespace} past the door to {engine.namespace}", job, engine, 8_000, "TCP", False


def _from_proxies(stack: Stack, proxies: End) -> Iterator[Flow]:
    """Out of the proxies, which see every prompt: to what they need, and nowhere else."""
    yield "a proxy to DNS", proxies, RESOLVER, 53, "UDP", True
    yield (
        "a proxy to Envoy Gateway",
        proxies,
        End(PROXY_NAMESPACE, {"control-plane": "envoy-gateway"}),
        18_000,
        "TCP",
        True,
    )
    yield (
        "a proxy to what counts",
        proxies,
        End(PROXY_NAMESPACE, {"app.kubernetes.io/name": "ratelimit"}),
        8_081,
        "TCP",
        True,
    )
    yield "a proxy to the API server", proxies, API_SERVER, 6_443, "TCP", False
    yield "a proxy to a stranger", proxies, STRANGER, 443, "TCP", False
    yield "a proxy to credentials of a machine", proxies, End(address="169.254.169.254"), 80, "TCP", False
    yield "a proxy to the world, unencrypted", proxies, WORLD, 80, "TCP", False
    (plan,) = (
        part.plan
        for part in stack.plan.parts
        if isinstance(part.plan, GatewayPlan | EndpointPlan)
        and part.plan.identity == proxies.labels["gateway.envoyproxy.io/owning-gateway-name"]
    )
    yield "a proxy to the world", proxies, WORLD, 443, "TCP", any(each.port == 443 for each in plan.reaches.loose)
    for host in plan.reaches.hosts:
        for cidr in host.networks:
            yield f"a proxy to {host.host}", proxies, End(address=str(ip_network(cidr)[1])), host.port, "TCP", True
            inside = End(address=str(ip_network(cidr)[1]))
            yield f"a proxy to {host.host} at another port", proxies, inside, 22, "TCP", False
    if plan.reaches.collector:
        namespace, ports = plan.reaches.collector
        for port in ports:
            yield (
                f"a proxy to the collector at {port}",
                proxies,
                End(namespace, {"app": "collector"}),
                port,
                "TCP",
                True,
            )


def _engines(known: Graph, namespace: str) -> list[End]:
    """Pods that answer requests, of one namespace or of all."""
    return [
        End(pods.namespace, pods.labels)
        for pods in known.pods
        if pods.serving and 8_000 in pods.ports and namespace in ("", pods.namespace)
    ]


def _proxies(known: Graph) -> list[End]:
    names = [(name, namespace) for kind, namespace, name in known.rows if kind == "Gateway"]
    label = "gateway.envoyproxy.io/owning-gateway"
    return [End(PROXY_NAMESPACE, {f"{label}-name": name, f"{label}-namespace": at}) for name, at in names]


def _tenants(known: Graph) -> list[str]:
    labelled = [
        (name, body["metadata"].get("labels", {}))
        for (kind, _, name), body in known.rows.items()
        if kind == "Namespace"
    ]
    return [name for name, labels in labelled if "aifactory.io/tenant" in labels]
