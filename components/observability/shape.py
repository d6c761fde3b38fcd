"""Rows of observability: collectors, monitors, alerts and dashboards."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import pods
from aifactory.components.observability import alert, alerts, collector, dashboards, panel
from aifactory.components.observability.decided import (
    LOKI,
    OFFSETS,
    OTLP_GRPC,
    OTLP_HTTP,
    PROXIES,
    TEMPO,
    Buffer,
    Destination,
    ObservabilityPlan,
)
from aifactory.components.rows import KubernetesRow, Maker, Row, Tree, capability
from aifactory.components.values import Json, SecretRef

MONITORING = "monitoring.coreos.com/v1"
RBAC = "rbac.authorization.k8s.io/v1"
DASHBOARD_LABEL = {"grafana_dashboard": "1"}
"""Label by which Grafana's sidecar finds dashboards. Source: kube-prometheus-stack values, sidecar.dashboards."""
INTERVAL = "30s"
CEPH, TOPOLVM = "rook-ceph", "topolvm-system"
"""Namespaces of the releases that make storage. Source: catalog trains."""


def rows(plan: ObservabilityPlan, maker: Maker) -> Iterator[Row]:
    """Everything that watches the site."""
    if plan.collects:
        yield from _collectors(plan, maker)
    yield from _monitors(plan, maker)
    for group in alerts.groups(plan):
        spec = {"groups": [alert.document(group)]}
        after = [capability("metrics")]
        yield maker.kubernetes(MONITORING, "PrometheusRule", group.name, plan.identity, spec=spec, after=after)
    for found in dashboards.dashboards(plan):
        name = f"{plan.identity}-{found.name}"
        data = {f"{name}.json": Json(panel.document(plan, found))}
        body = {"data": data}
        yield maker.kubernetes("v1", "ConfigMap", name, plan.identity, labels=DASHBOARD_LABEL, body=body)


def _collectors(plan: ObservabilityPlan, maker: Maker) -> Iterator[KubernetesRow]:
    bound = list(_account(plan, maker))
    yield from bound
    if plan.traces and plan.watched.doors:
        yield _grant(plan, maker)
    after = [capability("opentelemetry-operator"), *(row.id for row in bound)]
    after += [capability(each.who) for each in (plan.logs, plan.traces) if each and each.who in (LOKI, TEMPO)]
    yield _collector(plan, maker, plan.gateway, _gateway(plan), after)
    if plan.logs:
        yield _collector(plan, maker, plan.agent, _agent(plan, plan.logs), after)


def _grant(plan: ObservabilityPlan, maker: Maker) -> KubernetesRow:
    """Lets the configuration of proxies, which lies in their namespace, name the collector's Service."""
    spec = {
        "from": [{"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "namespace": PROXIES}],
        "to": [{"group": "", "kind": "Service", "name": f"{plan.gateway}-collector"}],
    }
    name, after = f"{plan.identity}-spans", [capability("gateway-api")]
    return maker.kubernetes(
        "gateway.networking.k8s.io/v1", "ReferenceGrant", name, plan.identity, spec=spec, after=after
    )


def _account(plan: ObservabilityPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """Collectors ask which pod an address is of, and which labels its namespace has."""
    account = maker.kubernetes("v1", "ServiceAccount", plan.identity, plan.identity)
    yield account
    name = f"{plan.factory}-{plan.identity}-collectors"
    watch = {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["get", "list", "watch"]}
    sets = {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["get", "list", "watch"]}
    role = maker.kubernetes(RBAC, "ClusterRole", name, body={"rules": [watch, sets]})
    yield role
    binding = {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": plan.identity, "namespace": plan.identity}],
    }
    yield maker.kubernetes(RBAC, "ClusterRoleBinding", name, body=binding, after=[role.id, account.id])


def _collector(plan: ObservabilityPlan, maker: Maker, name: str, spec: Tree, after: list[str]) -> KubernetesRow:
    common: Tree = {
        "serviceAccount": plan.identity,
        # A new operator would rewrite the configuration, which then differs from what was deployed.
        "upgradeStrategy": "none",
        "managementState": "managed",
    }
    return maker.kubernetes(
        "opentelemetry.io/v1beta1", "OpenTelemetryCollector", name, plan.identity, spec={**common, **spec}, after=after
    )


def _gateway(plan: ObservabilityPlan) -> Tree:
    spec: Tree = {
        "mode": "deployment",
        "replicas": plan.replicas,
        # With one collector a budget would hold up each drain without end.
        **({"podDisruptionBudget": {"minAvailable": 1}} if plan.replicas > 1 else {}),
        "topologySpreadConstraints": [pods.spread(_selector(plan.gateway, plan))],
        "podSecurityContext": pods.pod_security(10001),
        "securityContext": {**pods.confined(), "readOnlyRootFilesystem": True},
        "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        "ports": [
            {"name": "otlp-grpc", "port": OTLP_GRPC, "protocol": "TCP", "appProtocol": "grpc"},
            {"name": "otlp-http", "port": OTLP_HTTP, "protocol": "TCP"},
        ],
        "config": collector.gateway(plan),
    }
    disk = _disk(plan.buffer) if plan.buffer else {}
    return spec | disk | _environment(plan.logs, plan.traces, plan.metrics)


def _disk(buffer: Buffer) -> Tree:
    """A volume for each collector, which stays with it over restarts."""
    wanted: Tree = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": buffer.storage_class,
        "resources": {"requests": {"storage": f"{buffer.volume_gib}Gi"}},
    }
    return {
        "mode": "statefulset",
        "podSecurityContext": pods.pod_security(10001, owns_volumes=True),
        "volumeClaimTemplates": [{"metadata": {"name": "queues"}, "spec": wanted}],
        "volumeMounts": [{"name": "queues", "mountPath": OFFSETS}],
    }


def _agent(plan: ObservabilityPlan, logs: Destination) -> Tree:
    user: Tree = {"runAsUser": 0, "runAsGroup": 0}  # log files of pods belong to root
    spec: Tree = {
        "mode": "daemonset",
        "tolerations": [{"operator": "Exists"}],
        "podSecurityContext": {**user, "seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {**pods.confined(), "readOnlyRootFilesystem": True},
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "volumes": [
            {"name": "logs", "hostPath": {"path": collector.POD_LOGS}},
            {"name": "offsets", "hostPath": {"path": OFFSETS, "type": "DirectoryOrCreate"}},
        ],
        "volumeMounts": [
            {"name": "logs", "mountPath": collector.POD_LOGS, "readOnly": True},
            {"name": "offsets", "mountPath": OFFSETS},
        ],
        "config": collector.agent(plan, logs),
    }
    node: Tree = {"name": collector.NODE_NAME, "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    return spec | {"env": [node, *_tokens(logs)]}


def _environment(*destinations: Destination | None) -> Tree:
    env = _tokens(*destinations)
    return {"env": env} if env else {}


def _tokens(*destinations: Destination | None) -> list[Tree]:
    found = collector.secrets(*destinations)
    return [{"name": name, "valueFrom": {"secretKeyRef": SecretRef(secret, "token")}} for name, secret in found]


def _selector(name: str, plan: ObservabilityPlan) -> dict[str, str]:
    """Labels that the operator gives the pods of a collector."""
    return {
        "app.kubernetes.io/component": "opentelemetry-collector",
        "app.kubernetes.io/instance": f"{plan.identity}.{name}",
    }


def _monitors(plan: ObservabilityPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """Of what no part and no release makes a monitor of."""
    if "envoy" in plan.watched.exporters:
        labels = ["gateway.envoyproxy.io/owning-gateway-name"]
        chosen = {"app.kubernetes.io/name": "envoy", "app.kubernetes.io/component": "proxy"}
        yield _monitor(plan, maker, "proxies", PROXIES, chosen, "metrics", "/stats/prometheus", labels)
        if "ai-gateway" in plan.watched.exporters:
            yield _monitor(plan, maker, "tokens", PROXIES, chosen, "aigw-metrics", copied=labels)
    if plan.scrapes_certificates:
        chosen = {"app.kubernetes.io/name": "cert-manager", "app.kubernetes.io/component": "controller"}
        yield _monitor(plan, maker, "certificates", plan.scrapes_certificates, chosen, "http-metrics")
    if "ceph" in plan.watched.exporters:
        yield _ceph(plan, maker)
    if "topolvm" in plan.watched.exporters:
        chosen = {"app.kubernetes.io/name": "topolvm", "app.kubernetes.io/component": "node"}
        yield _monitor(plan, maker, "local-drives", TOPOLVM, chosen, "metrics")
    for each in plan.watched.databases:
        label = "cnpg.io/cluster"
        yield _monitor(plan, maker, each.part, each.namespace, {label: each.cluster}, "metrics", copied=[label])
    for name in (plan.gateway, plan.agent)[: 1 + bool(plan.logs)] if plan.collects else ():
        chosen = {"app.kubernetes.io/name": f"{name}-collector"}
        yield _monitor(plan, maker, name.removeprefix(f"{plan.identity}-"), plan.identity, chosen, "metrics")


def _ceph(plan: ObservabilityPlan, maker: Maker) -> KubernetesRow:
    """Of the Service that Rook makes of the active manager, whose module for Prometheus is on unless it is switched
    off. Rook would make a monitor itself, once its operator may. Source: rook/rook
    deploy/examples/monitoring/service-monitor.yaml, CephCluster monitoring.metricsDisabled."""
    spec: Tree = {
        "selector": {"matchLabels": {"app": "rook-ceph-mgr", "rook_cluster": CEPH}},
        "namespaceSelector": {"matchNames": [CEPH]},
        "endpoints": [{"port": "http-metrics", "path": "/metrics", "interval": INTERVAL, "honorLabels": True}],
    }
    after = [capability("metrics")]
    return maker.kubernetes(
        MONITORING, "ServiceMonitor", f"{plan.identity}-ceph", plan.identity, spec=spec, after=after
    )


def _monitor(
    plan: ObservabilityPlan,
    maker: Maker,
    name: str,
    namespace: str,
    chosen: dict[str, str],
    port: str,
    path: str = "/metrics",
    copied: list[str] | None = None,
) -> KubernetesRow:
    spec: Tree = {
        "selector": {"matchLabels": chosen},
        "namespaceSelector": {"matchNames": [namespace]},
        **({"podTargetLabels": copied} if copied else {}),
        "podMetricsEndpoints": [{"port": port, "path": path, "interval": INTERVAL}],
    }
    full = f"{plan.identity}-{name}"
    return maker.kubernetes(MONITORING, "PodMonitor", full, plan.identity, spec=spec, after=[capability("metrics")])
