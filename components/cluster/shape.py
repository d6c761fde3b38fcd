"""Rows of the cluster: priority classes, namespaces with their baseline, and system releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aifactory.components import names
from aifactory.components.capabilities import PodEgress
from aifactory.components.cluster.aws.bursting import guard_rows
from aifactory.components.cluster.aws.eks import KEY
from aifactory.components.cluster.aws.making import Cloud
from aifactory.components.cluster.aws.model import AwsClusterPlan
from aifactory.components.cluster.aws.registry import IMAGES, repositories
from aifactory.components.cluster.aws.shape import cloud_rows
from aifactory.components.cluster.model import (
    ALLOWED,
    CONTAINER_DEFAULTS,
    CRITICAL_PODS,
    DEFAULT_DENY,
    FOREIGN_PRIORITIES,
    QUOTA,
    ClusterPlan,
    NamespacePlan,
    ReleasePlan,
    Traffic,
)
from aifactory.components.cluster.priorities import SYSTEM
from aifactory.components.names import cloud_id
from aifactory.components.rows import HelmRow, KubernetesRow, Maker, Row, Tree
from aifactory.components.values import Ref

NODE_LOCAL_DNS = "169.254.20.10/32"
"""Where NodeLocal DNSCache listens on each node. Source: kubernetes.io docs, Using NodeLocal DNSCache."""


def rows(plan: ClusterPlan, maker: Maker) -> Iterator[Row]:
    """Everything that the other parts of a site stand on, the cluster itself first where we make it."""
    if isinstance(plan, AwsClusterPlan):
        yield from cloud_rows(Cloud.of(maker, plan.eks))
        yield from guard_rows(plan.eks.flex_classes, maker)
    for priority in plan.priorities:
        yield maker.kubernetes(
            "scheduling.k8s.io/v1",
            "PriorityClass",
            priority.name,
            body={"value": priority.value, "globalDefault": False, "description": priority.description},
        )
    for namespace in plan.namespaces:
        yield from _namespace(namespace, plan, maker)
    for release in plan.releases:
        yield _release(release, maker)


def repository_rows(plan: ClusterPlan, maker: Maker, names: Iterable[str]) -> Iterator[Row]:
    """Repositories for copies of images. They are asked for when all other rows are there, since these name them."""
    if isinstance(plan, AwsClusterPlan):
        key = Ref(cloud_id(KEY, IMAGES), "arn")
        yield from repositories(Cloud.of(maker, plan.eks), key, names)


def _namespace(plan: NamespacePlan, cluster: ClusterPlan, maker: Maker) -> Iterator[KubernetesRow]:
    yield maker.kubernetes(
        "v1",
        "Namespace",
        plan.name,
        labels=dict(plan.labels),
        annotations={"kubernetes.io/description": plan.purpose},
        protect=plan.protect,
    )
    policy = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    yield maker.kubernetes("networking.k8s.io/v1", "NetworkPolicy", DEFAULT_DENY, plan.name, spec=policy)
    allowed = policy | {"ingress": _ingress(plan.traffic), "egress": _egress(plan.traffic, cluster)}
    yield maker.kubernetes("networking.k8s.io/v1", "NetworkPolicy", ALLOWED, plan.name, spec=allowed)
    for some in plan.pod_egress:
        yield maker.kubernetes("networking.k8s.io/v1", "NetworkPolicy", some.name, plan.name, spec=_some(some, cluster))
    if plan.quota:
        yield maker.kubernetes("v1", "ResourceQuota", QUOTA, plan.name, spec={"hard": dict(plan.quota)})
    if plan.critical_pods:
        yield maker.kubernetes("v1", "ResourceQuota", CRITICAL_PODS, plan.name, spec=_critical(plan.critical_pods))
    if plan.barred_priorities:
        barred = _scoped(plan.barred_priorities, 0)
        yield maker.kubernetes("v1", "ResourceQuota", FOREIGN_PRIORITIES, plan.name, spec=barred)
    if plan.default_requests:
        yield maker.kubernetes("v1", "LimitRange", CONTAINER_DEFAULTS, plan.name, spec=_defaults(plan))


def _ingress(traffic: Traffic) -> list[object]:
    rules: list[object] = [{"from": [{"podSelector": {}}]}]
    if traffic.from_namespaces:
        rules.append({"from": [_namespaced(name) for name in traffic.from_namespaces]})
    if traffic.from_anywhere:
        rules.append({"ports": _tcp(traffic.from_anywhere)})
    for cidr, ports in traffic.from_cidrs:
        rules.append({"from": [{"ipBlock": {"cidr": cidr}}], "ports": _tcp(ports)})
    if traffic.metrics:
        scraper = _namespaced(traffic.metrics_namespace) if traffic.metrics_namespace else {"namespaceSelector": {}}
        rules.append({"from": [scraper], "ports": _tcp(traffic.metrics)})
    return rules


def _egress(traffic: Traffic, cluster: ClusterPlan) -> list[object]:
    resolver = cluster.resolver
    known: dict[str, object] = {
        "dns": {
            "to": [_namespaced(resolver.namespace), {"ipBlock": {"cidr": NODE_LOCAL_DNS}}],
            "ports": [{"protocol": protocol, "port": port} for port in resolver.ports for protocol in ("UDP", "TCP")],
        },
        "namespace": {"to": [{"podSelector": {}}]},
        # No address: a policy meets the Service or the endpoints, and Cilium matches neither by CIDR
        # (cilium#20550).
        "api": {"ports": _tcp(cluster.api_ports)},
        "any": {},
    }
    others = [{"to": [_namespaced(name)], "ports": _tcp((port,))} for name, port in traffic.to_namespaces]
    return [*(known[token] for token in traffic.to), *others]


def _some(some: PodEgress, cluster: ClusterPlan) -> Tree:
    """What some pods may reach besides. Policies add up, so this one only opens."""
    rules: list[object] = [{"ports": _tcp(cluster.api_ports)}] if some.api else []
    if some.ports:
        to = {"to": [{"ipBlock": {"cidr": cidr}} for cidr in some.networks]} if some.networks else {}
        rules.append({**to, "ports": _tcp(some.ports)})
    rules.extend({"to": [_namespaced(name)], "ports": _tcp((port,))} for name, port in some.namespaces)
    chosen: Tree = {"matchLabels": dict(some.labels)}
    if some.lacking:
        chosen = {"matchExpressions": [{"key": some.lacking, "operator": "DoesNotExist"}]}
    return {"podSelector": chosen, "policyTypes": ["Egress"], "egress": rules}


def _namespaced(name: str) -> Tree:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _tcp(ports: tuple[int, ...]) -> list[object]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _critical(pods: int) -> Tree:
    """A permission where clusters refuse system priority classes outside kube-system, and no limit
    elsewhere."""
    return _scoped(SYSTEM, pods)


def _scoped(classes: tuple[str, ...], pods: int) -> Tree:
    """So many pods may have one of these priority classes."""
    scope = {"operator": "In", "scopeName": "PriorityClass", "values": list(classes)}
    return {"hard": {"pods": str(pods)}, "scopeSelector": {"matchExpressions": [scope]}}


def _defaults(plan: NamespacePlan) -> Tree:
    limit: Tree = {"type": "Container", "defaultRequest": dict(plan.default_requests)}
    if plan.default_limits:
        limit["default"] = dict(plan.default_limits)
    return {"limits": [limit]}


def _release(plan: ReleasePlan, maker: Maker) -> HelmRow:
    return HelmRow(
        id=names.release_id(plan.namespace, plan.name),
        part=maker.part,
        wave=plan.wave,
        name=plan.name,
        namespace=plan.namespace,
        chart=plan.chart,
        repository=plan.repository,
        version=plan.version,
        values=plan.values,
        crds=plan.crds,
        provides=plan.provides,
        after=plan.after,
        timeout_s=plan.timeout_s,
        retain_on_delete=plan.retain_on_delete,
    )
