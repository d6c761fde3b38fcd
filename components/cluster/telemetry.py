"""Prometheus, as far as the parts of a factory need it: its kinds, a scraper, node and object metrics."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.capabilities import METRICS_GIB
from aifactory.components.cluster.recipe import Need, Recipe, Setting, Terms
from aifactory.components.pods import CONTROL_NODES
from aifactory.components.rows import Tree, Wave

RETENTION_DAYS = 15

_LOOPBACK = "it listens on loopback in most distributions; an alert that always fires hides the others"


def _metrics(terms: Terms) -> Iterator[Setting]:
    yield Setting("crds.enabled", True, "monitors of other releases need the kinds")
    yield Setting("grafana.enabled", False, "dashboards are another part; the chart's comes with a known password")
    yield Setting("alertmanager.enabled", False, "nobody receives alerts until an observability part says who")
    for target in ("kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler"):
        yield Setting(f"{target}.enabled", False, _LOOPBACK)
    hooks = "prometheusOperator.admissionWebhooks"
    yield Setting(
        f"{hooks}.certManager.enabled",
        True,
        "the chart's hook Jobs are refused while Kueue's webhook starts (oracle-quickstart/oci-hpc-oke#297)",
    )
    yield Setting(f"{hooks}.patch.enabled", False, "cert-manager makes and injects the certificate")
    yield Setting("prometheusOperator.tolerations", CONTROL_NODES, "control-plane nodes may be the only ones free")
    spec = "prometheus.prometheusSpec"
    for kind in ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig"):
        yield Setting(
            f"{spec}.{kind}SelectorNilUsesHelmValues",
            False,
            "monitors of other releases don't carry its label",
        )
    yield Setting(f"{spec}.retention", f"{RETENTION_DAYS}d", "two weeks show a weekly rhythm")
    yield Setting(f"{spec}.retentionSize", f"{METRICS_GIB * 85 // 100}GB", "it drops old data before the disk is full")
    yield Setting(
        f"{spec}.resources",
        {"requests": {"cpu": "500m", "memory": "4Gi"}, "limits": {"memory": "8Gi"}},
        "memory follows the number of series: GPU nodes have some thousand each",
    )
    if terms.volumes:
        yield Setting(f"{spec}.storageSpec", _claim(), "without a volume a restart forgets everything")


def _claim() -> Tree:
    request = {"storage": f"{METRICS_GIB}Gi"}
    spec: Tree = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": request}}
    return {"volumeClaimTemplate": {"spec": spec}}


METRICS = Recipe(
    wave=Wave.TELEMETRY,
    timeout_s=900,
    settings=_metrics,
    purpose="Prometheus and its kinds",
    pod_security="privileged",  # the node exporter reads the host
    to=("any",),
    to_why="each target has its own port, on pods and on nodes",
    webhooks=(10250,),
    needs=(
        Need(
            "cert-manager",
            "its operator's webhook takes its certificate from there",
            "prometheusOperator.admissionWebhooks.certManager.enabled",
        ),
    ),
)


def _gateway_api(_: Terms) -> Iterator[Setting]:
    yield Setting("crds.gatewayAPI.enabled", True, "the chart brings nothing by default")
    yield Setting("crds.gatewayAPI.channel", "standard", "the experimental channel, its default, changes kinds at will")
    yield Setting("crds.envoyGateway.enabled", False, "kinds of Envoy Gateway belong to whoever runs it")


GATEWAY_API = Recipe(
    wave=Wave.CRDS,
    timeout_s=300,
    settings=_gateway_api,
    purpose="Gateway API resource definitions",
    to=("dns", "namespace"),
    to_why="no pod runs there",
    retain_on_delete=True,
)
