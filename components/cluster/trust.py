"""Releases that others trust: certificates of webhooks, secrets of stores."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.cluster.recipe import Need, Recipe, Setting, Terms, spread, tolerate_control_nodes
from aifactory.components.rows import Wave

_REPLICAS = "a drained node must not leave the cluster without an answer to admission"
_BUDGET = "a drain waits until another replica answers"
_PRIORITY = "under pressure the kubelet evicts workloads before the webhooks that admit them"
_SPREAD = "two replicas on one node fall together"


def _cert_manager(terms: Terms) -> Iterator[Setting]:
    several = terms.replicas > 1
    yield Setting("crds.enabled", True, "the definitions come with the release that serves their webhook")
    yield Setting("crds.keep", True, "an uninstall must not delete each certificate of the cluster with its kind")
    yield Setting("global.leaderElection.namespace", terms.namespace, "nothing of ours writes to kube-system")
    yield Setting("global.priorityClassName", terms.priority_class, _PRIORITY)
    for part in ("", "webhook.", "cainjector."):
        yield Setting(f"{part}replicaCount", terms.replicas, _REPLICAS)
        yield Setting(f"{part}podDisruptionBudget.enabled", several, _BUDGET)
    labels = "app.kubernetes.io/component"
    yield Setting("webhook.topologySpreadConstraints", spread(labels, "webhook"), _SPREAD)
    yield from tolerate_control_nodes(
        "tolerations", "webhook.tolerations", "cainjector.tolerations", "startupapicheck.tolerations"
    )
    for part, memory in (("", "512Mi"), ("webhook.", "256Mi"), ("cainjector.", "1Gi")):
        why = "requests keep it scheduled; the limit stops a leak; cainjector holds each Secret of the cluster"
        yield Setting(f"{part}resources.requests", {"cpu": "50m", "memory": "128Mi"}, why)
        yield Setting(f"{part}resources.limits", {"memory": memory}, why)
    yield Setting("startupapicheck.timeout", "5m", "the release is ready when the webhook answers, not before")
    yield Setting(
        "prometheus.servicemonitor.enabled",
        terms.scraped,
        "a ServiceMonitor of a kind that isn't there yet would stop the release",
    )


def _external_secrets(terms: Terms) -> Iterator[Setting]:
    several = terms.replicas > 1
    yield Setting("installCRDs", True, "the definitions come with the release that serves their webhook")
    yield Setting(
        "crds.annotations",
        {"helm.sh/resource-policy": "keep"},
        "an uninstall must not delete each ExternalSecret, and with it the Secrets that workloads mount",
    )
    yield Setting("leaderElect", True, "with two replicas only one may write")
    yield Setting("certController.replicaCount", 1, "it renews certificates; a restart delays nobody")
    for part in ("", "webhook."):
        yield Setting(f"{part}replicaCount", terms.replicas, _REPLICAS)
        yield Setting(f"{part}podDisruptionBudget.enabled", several, _BUDGET)
    for part in ("", "webhook.", "certController."):
        yield Setting(f"{part}priorityClassName", terms.priority_class, _PRIORITY)
        why = "requests keep it scheduled, the limit stops a leak"
        yield Setting(f"{part}resources.requests", {"cpu": "20m", "memory": "128Mi"}, why)
        yield Setting(f"{part}resources.limits", {"memory": "512Mi"}, why)
    yield from tolerate_control_nodes("tolerations", "webhook.tolerations", "certController.tolerations")
    yield Setting("serviceMonitor.enabled", terms.scraped, "scraped where Prometheus is there before it")


CERT_MANAGER = Recipe(
    wave=Wave.TRUST,
    timeout_s=600,
    settings=_cert_manager,
    purpose="Certificates of webhooks",
    webhooks=(10250,),
    metrics=(9402,),
    labels=(("cert-manager.io/disable-validation", "true"),),
    uses_priority_class=True,
)
EXTERNAL_SECRETS = Recipe(
    wave=Wave.TRUST,
    timeout_s=600,
    settings=_external_secrets,
    purpose="Secrets from a store outside the cluster",
    to=("any",),
    to_why="stores choose their ports and places: OpenBao and Vault listen on 8200",
    webhooks=(10250,),
    metrics=(8080,),
    needs=(Need("cert-manager", "its webhook takes its certificate from there", "webhook.certManager.enabled"),),
    uses_priority_class=True,
)
