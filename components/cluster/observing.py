"""Releases that collect and keep logs and traces."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.capabilities import log_copies
from aifactory.components.cluster.recipe import Need, Recipe, Setting, Terms, spread, tolerate_control_nodes
from aifactory.components.rows import Wave

_PHONE_HOME = "nothing of ours reports to its maker, components/catalog/phone-home.yaml"
_KEPT = "a restart loses what is not in the object store yet"


def _operator(terms: Terms) -> Iterator[Setting]:
    yield Setting("crds.create", True, "the definitions come with the release that serves their webhook")
    keep = {"helm.sh/resource-policy": "keep"}
    yield Setting("crds.annotations", keep, "an uninstall must not delete each collector of the cluster with its kind")
    yield Setting(
        "replicaCount", terms.replicas, "its webhook fails closed: a drained node must leave one that answers"
    )
    yield Setting("pdb.create", terms.replicas > 1, "a drain waits until the other answers")
    yield Setting("priorityClassName", terms.priority_class, "under pressure the kubelet evicts workloads first")
    labels = spread("app.kubernetes.io/name", "opentelemetry-operator")
    yield Setting("topologySpreadConstraints", labels, "two replicas on one node fall together")
    yield Setting("admissionWebhooks.certManager.enabled", True, "a certificate that the chart makes is never renewed")
    resources = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    yield Setting("manager.resources", resources, "requests keep it scheduled, the limit stops a leak")
    yield from tolerate_control_nodes("tolerations")


def _loki(terms: Terms) -> Iterator[Setting]:
    copies = log_copies(terms.nodes)
    yield Setting("loki.analytics", {"reporting_enabled": False}, _PHONE_HOME)
    yield Setting("deploymentMode", "Monolithic", "one program carries some hundred GB a day; more would be ten kinds")
    yield Setting("singleBinary.replicas", copies, "three copies let a node go without a record lost, where nodes are")
    yield Setting("loki.commonConfig.replication_factor", copies, "no more copies than there are replicas")
    yield Setting("loki.auth_enabled", False, "policies say who reaches it; records carry the tenant as an attribute")
    for cache in ("chunksCache", "resultsCache"):
        yield Setting(f"{cache}.enabled", False, "it asks for gigabytes of memory; a slow query can wait")
    for part in ("gateway", "lokiCanary", "test", "ruler", "sidecar.rules"):
        yield Setting(f"{part}.enabled", False, "nothing of ours needs it: less to run, to patch and to reach")
    yield Setting("rbac.namespaced", True, "it needs no rights on the cluster")
    resources = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}}
    yield Setting("singleBinary.resources", resources, "starting points, to be measured")
    yield Setting("singleBinary.persistence.enabled", terms.volumes, _KEPT)
    yield from tolerate_control_nodes("singleBinary.tolerations")


def _tempo(terms: Terms) -> Iterator[Setting]:
    yield Setting("tempo.reportingEnabled", False, _PHONE_HOME)
    why = "requests keep it scheduled, the limit stops a leak; starting points, to be measured"
    resources = {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "4Gi"}}
    yield Setting("tempo.resources", resources, why)
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    yield Setting("tempo.securityContext", confined, "it needs no capability; the chart leaves them all")
    yield Setting("serviceAccount.automountServiceAccountToken", False, "it asks the API server for nothing")
    yield Setting("persistence.enabled", terms.volumes, _KEPT)
    yield from tolerate_control_nodes("tolerations")


OPENTELEMETRY_OPERATOR = Recipe(
    wave=Wave.TELEMETRY,
    timeout_s=600,
    settings=_operator,
    purpose="OpenTelemetry collectors from their objects",
    webhooks=(9443,),
    needs=(
        Need(
            "cert-manager",
            "its webhook takes its certificate from there",
            "admissionWebhooks.certManager.enabled",
        ),
    ),
    uses_priority_class=True,
)
LOKI = Recipe(
    wave=Wave.TELEMETRY,
    timeout_s=900,
    settings=_loki,
    purpose="Logs, kept in an object store",
    to=("dns", "namespace"),
    to_why="its replicas talk to each other, and to the store that the site names",
    metrics=(3100,),
)
TEMPO = Recipe(
    wave=Wave.TELEMETRY,
    timeout_s=900,
    settings=_tempo,
    purpose="Traces, kept in an object store",
    pod_security="baseline",  # its pod names no seccomp profile
    to=("dns", "namespace"),
    to_why="it talks to the store that the site names",
    metrics=(3200,),
)
