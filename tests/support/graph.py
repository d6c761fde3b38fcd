"""Who finds whom in a stack: selectors against the pods that rows make, references against the rows that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aifactory.components.rows import KubernetesRow
from aifactory.stacks.assembly.stack import Stack

Labels = Mapping[str, str]
WORKER_INDEX = "leaderworkerset.sigs.k8s.io/worker-index"
TARGETING = (
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "SecurityPolicy",
    "BackendSecurityPolicy",
    "BackendTLSPolicy",
)
"""Kinds of policies that name what they are about in `targetRefs`."""
OTHERS_PODS = ("gateway.envoyproxy.io/", "app.kubernetes.io/name")
"""Beginnings of labels that operators and charts give their own pods, which no row of ours makes."""


@dataclass(frozen=True)
class Pods:
    """Pods that one row makes."""

    owner: str
    namespace: str
    labels: Labels
    ports: frozenset[int]
    serving: str


@dataclass
class Graph:
    """What a stack holds, by what others name."""

    pods: list[Pods] = field(default_factory=list)
    rows: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    """Objects by kind, namespace and name; those that KServe makes of an InferenceService too."""

    def matched(self, namespace: str, labels: Labels) -> list[Pods]:
        """Pods that a selector finds."""
        return [
            pods
            for pods in self.pods
            if pods.namespace == namespace and all(pods.labels.get(key) == value for key, value in labels.items())
        ]


def graph(stack: Stack) -> Graph:
    """The graph of a stack."""
    found = Graph()
    for row in stack.rows:
        if isinstance(row, KubernetesRow):
            body: dict[str, Any] = dict(stack.plain_tree(row))
            found.rows[body["kind"], row.namespace, row.name] = body
            found.pods.extend(_pods(row, body))
            if body["kind"] == "InferenceService":
                # kserve pkg/constants: Deployment and Service of a predictor have its name; the Service has port 80.
                found.rows["Deployment", row.namespace, f"{row.name}-predictor"] = {"spec": {"selector": {}}}
                found.rows["Service", row.namespace, f"{row.name}-predictor"] = {
                    "spec": {"selector": body["spec"]["predictor"]["labels"], "ports": [{"port": 80}]},
                }
    for (kind, namespace, name), body in list(found.rows.items()):
        if kind == "AIGatewayRoute":
            found.rows["HTTPRoute", namespace, name] = _made_of(found, namespace, body)
    return found


def _made_of(found: Graph, namespace: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The HTTPRoute that Envoy AI Gateway makes of a route of its own, with the Services behind its backends."""
    rules = [
        {"backendRefs": [_behind(found, namespace, backend) for backend in rule["backendRefs"]]}
        for rule in body["spec"]["rules"]
    ]
    return {"kind": "HTTPRoute", "spec": {"parentRefs": body["spec"]["parentRefs"], "rules": rules}}


def _behind(found: Graph, namespace: str, backend: Mapping[str, Any]) -> dict[str, Any]:
    """An InferencePool, the Service whose name an address inside of the cluster has, or somebody's address."""
    if backend.get("kind") == "InferencePool":
        return {"kind": "InferencePool", "name": backend["name"]}
    service = found.rows["AIServiceBackend", namespace, backend["name"]]
    (endpoint,) = found.rows["Backend", namespace, service["spec"]["backendRef"]["name"]]["spec"]["endpoints"]
    address = endpoint["fqdn"]
    host, inside, _ = address["hostname"].partition(".svc.cluster.local")
    if not inside:
        return {"kind": "Backend", "name": backend["name"]}
    name, _, at = host.partition(".")
    return {"kind": "Service", "name": name, "namespace": at, "port": address["port"]}


def _pods(row: KubernetesRow, body: Mapping[str, Any]) -> Iterator[Pods]:
    spec, kind = body.get("spec", {}), body["kind"]
    templates: list[tuple[Mapping[str, Any], Labels]] = []
    if kind in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
        templates.append((spec["template"], {}))
    elif kind == "CronJob":
        templates.append((spec["jobTemplate"]["spec"]["template"], {}))
    elif kind == "LeaderWorkerSet":
        made = spec["leaderWorkerTemplate"]
        templates.append((made["leaderTemplate"], {WORKER_INDEX: "0"}))
        templates.append((made["workerTemplate"], {WORKER_INDEX: "1"}))
    elif kind == "InferenceService":
        predictor = spec["predictor"]
        templates.append(({"metadata": {"labels": predictor["labels"]}, "spec": predictor}, {}))
    elif body["apiVersion"].startswith("postgresql.cnpg.io/") and kind == "Cluster":
        # The operator makes these. Source: cloudnative-pg docs, labels; ports of SQL, its own questions and metrics.
        yield Pods(row.id, row.namespace, {"cnpg.io/cluster": row.name}, frozenset({5432, 8000, 9187}), "")
    for template, added in templates:
        labels = {**template.get("metadata", {}).get("labels", {}), **added}
        containers = template["spec"]["containers"]
        ports = frozenset(port["containerPort"] for each in containers for port in each.get("ports", ()))
        served = labels.get("aifactory.io/serving", "")
        answers = served if labels.get(WORKER_INDEX, "0") == "0" and kind not in ("CronJob", "Job") else ""
        yield Pods(row.id, row.namespace, labels, ports, answers)


def unreached(stack: Stack) -> list[str]:
    """Everything in a stack that finds nothing, finds what belongs to another, or is found by nobody."""
    return gaps(graph(stack))


def gaps(found: Graph) -> list[str]:
    """The same in a graph."""
    return [
        problem
        for (kind, namespace, name), body in found.rows.items()
        for problem in (
            *_selectors(found, kind, namespace, name, body),
            *_references(found, kind, namespace, name, body),
        )
    ] + list(_complete(found))


def _selectors(found: Graph, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Iterator[str]:
    labels = selector(kind, body)
    if not labels or any(key.startswith(OTHERS_PODS) for key in labels):
        return
    elsewhere = body["spec"].get("namespaceSelector", {}).get("matchNames", []) if kind == "PodMonitor" else []
    pods = [each for space in elsewhere or [namespace] for each in found.matched(space, labels)]
    if not pods:
        yield f"{kind}/{namespace}/{name} finds no pod"
    if len({each.owner for each in pods}) > 1:
        yield f"{kind}/{namespace}/{name} finds pods of {', '.join(sorted({each.owner for each in pods}))}"
    for port in target_ports(kind, body):
        if not all(port in each.ports for each in pods):
            yield f"{kind}/{namespace}/{name} leads to port {port}, which its pods don't have"


def selector(kind: str, body: Mapping[str, Any]) -> Labels:
    """Labels by which an object finds pods, none if it doesn't."""
    spec = body.get("spec", {})
    if kind == "Service":
        return spec.get("selector") or {}
    if kind in ("InferencePool", "PodDisruptionBudget", "Deployment", "PodMonitor"):
        return spec["selector"].get("matchLabels") or {}
    if kind == "NetworkPolicy":
        return spec["podSelector"].get("matchLabels") or {}
    return {}


def target_ports(kind: str, body: Mapping[str, Any]) -> list[int]:
    """Ports of pods that an object leads to, as numbers."""
    if kind == "InferencePool":
        return [port["number"] for port in body["spec"]["targetPorts"]]
    ports = body.get("spec", {}).get("ports", ()) if kind == "Service" else ()
    return [port["targetPort"] for port in ports if isinstance(port.get("targetPort"), int)]


def _references(found: Graph, kind: str, namespace: str, name: str, body: Mapping[str, Any]) -> Iterator[str]:
    for other, at, called, port in _named(kind, namespace, body):
        target = found.rows.get((other, at, called))
        if target is None:
            yield f"{kind}/{namespace}/{name} names {other} {at}/{called}, which no row makes"
        elif port and port not in [each["port"] for each in target["spec"]["ports"]]:
            yield f"{kind}/{namespace}/{name} names port {port} of {other} {at}/{called}, which it doesn't have"


def _named(kind: str, namespace: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str, str, int]]:
    """Kind, namespace, name and port of each object that another one names; 0 for no port."""
    spec = body.get("spec", {})
    if kind == "HTTPRoute":
        yield from (("Gateway", parent["namespace"], parent["name"], 0) for parent in spec["parentRefs"])
        for extension in (
            each["extensionRef"]
            for rule in spec["rules"]
            for each in rule.get("filters", ())
            if each["type"] == "ExtensionRef"
        ):
            yield extension["kind"], namespace, extension["name"], 0
        for backend in (backend for rule in spec["rules"] for backend in rule.get("backendRefs", ())):
            at = backend.get("namespace", namespace)
            yield backend.get("kind", "Service"), at, backend["name"], backend.get("port", 0)
    elif kind == "InferencePool":
        picker = spec["endpointPickerRef"]
        yield "Service", namespace, picker["name"], picker["port"]["number"]
    elif kind == "ScaledObject":
        target = spec["scaleTargetRef"]
        yield target["kind"], namespace, target["name"], 0
    elif kind in TARGETING:
        yield from ((target["kind"], namespace, target["name"], 0) for target in spec["targetRefs"])
    elif kind == "Gateway":
        yield "GatewayClass", "", spec["gatewayClassName"], 0
    elif kind == "AIServiceBackend":
        yield "Backend", namespace, spec["backendRef"]["name"], 0


def _complete(found: Graph) -> Iterator[str]:
    """Pods that answer requests are found by one of each: a Service or a pool, a budget, a monitor, and a route."""
    for pods in found.pods:
        if not pods.serving:
            continue
        finders = {
            (kind, name)
            for (kind, namespace, name), body in found.rows.items()
            if kind != "Deployment" and pods in found.matched(namespace, labels_of(kind, body))
        }
        kinds = sorted(kind for kind, _ in finders)
        for kind in ("PodDisruptionBudget", "PodMonitor"):
            if kinds.count(kind) != 1:
                yield f"{pods.owner} is found by {kinds.count(kind)} objects of kind {kind}"
        doors = [(kind, name) for kind, name in finders if kind in ("Service", "InferencePool")]
        # By its pool for a model's own name, by its Service for one with something next in order: one route each. Where
        # there is no pool, both names lead to the Service.
        most = 1 if any(kind == "InferencePool" for kind, _ in doors) else 2
        routed = [_routes_to(door, pods.namespace, found) for door in doors]
        if not any(routed) or max(routed) > most:
            yield f"{pods.owner} is led to by {doors} and {sum(routed)} routes"


def _routes_to(door: tuple[str, str], there: str, found: Graph) -> int:
    """Routes that lead to a Service or pool of a namespace."""
    return sum(
        1
        for (kind, namespace, _), body in found.rows.items()
        if kind == "HTTPRoute"
        and any(
            (backend.get("kind", "Service"), backend["name"]) == door
            for rule in body["spec"]["rules"]
            for backend in rule.get("backendRefs", ())
            if backend.get("namespace", namespace) == there
        )
    )


def labels_of(kind: str, body: Mapping[str, Any]) -> Labels:
    """The selector, or one that finds nothing."""
    return selector(kind, body) or {"": ""}
