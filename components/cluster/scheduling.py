"""Releases that admit and start jobs."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.cluster.recipe import (
    Need,
    Recipe,
    Setting,
    Terms,
    spread,
    tolerate_control_nodes,
)
from aifactory.components.pods import CONTROL_NODES
from aifactory.components.rows import Tree, Wave
from aifactory.components.values import Json

MANY_NODES = 500
"""Nodes above which Kueue's topology cache needs more memory. Derived, to be replaced by a measurement."""

_REPLICAS = "its webhooks fail closed: with one replica a drained node stops every job, Pulumi's and Helm's included"
_PULL = "an Always pull makes a restart of the webhook depend on the registry; the tag of a release doesn't move"


def manager_config() -> Tree:
    """What Kueue's configuration must say whatever the queue wants: the chart replaces its default as a
    whole."""
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": ":8081"},
        "metrics": {"bindAddress": ":8443"},
        "webhook": {"port": 9443},
        "leaderElection": {"leaderElect": True, "resourceName": "c1f6bfd2.kueue.x-k8s.io"},
        "clientConnection": {"qps": 300, "burst": 500},
        "internalCertManagement": {"enable": False},
    }


def _kueue(terms: Terms) -> Iterator[Setting]:
    yield Setting("controllerManager.replicas", terms.replicas, _REPLICAS)
    yield Setting(
        "controllerManager.podDisruptionBudget.enabled",
        terms.replicas > 1,
        "a drain waits until the other answers",
    )
    yield Setting(
        "controllerManager.topologySpreadConstraints",
        spread("control-plane", "controller-manager"),
        "two replicas on one node fall together",
    )
    yield Setting(
        "controllerManager.manager.priorityClassName",
        terms.priority_class,
        "under pressure the kubelet evicts workloads before the webhooks that admit them",
    )
    yield Setting(
        "controllerManager.manager.resources.limits.memory",
        "4Gi" if terms.nodes > MANY_NODES else "2Gi",
        f"512Mi is small for topology-aware scheduling; {terms.nodes} nodes, more above {MANY_NODES}",
    )
    yield Setting("controllerManager.manager.image.pullPolicy", "IfNotPresent", _PULL)
    yield from tolerate_control_nodes("controllerManager.tolerations")
    yield Setting(
        "enableCertManager",
        True,
        "without it the visibility API is registered with TLS verification off and metrics are self-signed",
    )
    yield Setting(
        "managerConfig.controllerManagerConfigYaml",
        Json(manager_config()),
        "the text replaces the chart's own: ports, leader election and limits are its defaults, and "
        "Kueue's own certificates are off where cert-manager makes them",
    )
    yield Setting("enablePrometheus", terms.scraped, "its ServiceMonitor needs the kind, or the release stops")
    if terms.metrics_namespace:
        yield Setting("metrics.prometheusNamespace", terms.metrics_namespace, "where our Prometheus runs")


def _jobset(terms: Terms) -> Iterator[Setting]:
    yield Setting("controller.replicas", terms.replicas, _REPLICAS)
    yield Setting("controller.podDisruptionBudget.enabled", terms.replicas > 1, "a drain waits until the other answers")
    yield Setting("controller.affinity", _apart(), "two replicas on one node fall together")
    yield Setting("controller.tolerations", CONTROL_NODES, "control-plane nodes may be the only ones without GPUs")
    yield Setting("image.pullPolicy", "IfNotPresent", _PULL)
    yield Setting(
        "certManager.enable",
        False,
        "it has a webhook and no aggregated API: its own certificates do, and need nobody else",
    )
    yield Setting(
        "prometheus.enable",
        False,
        "its ServiceMonitor needs a client certificate that somebody hands to Prometheus",
    )


def _lws(terms: Terms) -> Iterator[Setting]:
    yield Setting("replicaCount", terms.replicas, _REPLICAS)
    yield Setting("priorityClassName", terms.priority_class, "under pressure the kubelet evicts workloads first")
    yield Setting("image.manager.pullPolicy", "IfNotPresent", _PULL)
    yield Setting("resources.limits", {"memory": "1Gi"}, "the limit stops a leak; the request is the chart's")
    yield from tolerate_control_nodes("tolerations")
    yield Setting(
        "enableCertManager", False, "it has a webhook and no aggregated API: its own certificates do, and need nobody"
    )
    yield Setting("enablePrometheus", False, "nothing of ours reads its metrics; a monitor would need its certificate")


def _apart() -> Tree:
    return {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "podAffinityTerm": {
                        "topologyKey": "kubernetes.io/hostname",
                        "labelSelector": {"matchLabels": {"app.kubernetes.io/component": "controller"}},
                    },
                }
            ]
        }
    }


KUEUE = Recipe(
    wave=Wave.SCHEDULING,
    timeout_s=900,
    settings=_kueue,
    purpose="Admission of jobs by quota and topology",
    webhooks=(8082, 9443),  # 8082 is the visibility API, which the API server calls too
    metrics=(8443,),
    needs=(Need("cert-manager", "its webhooks, metrics and visibility API take certificates", "enableCertManager"),),
    after=("jobset", "lws"),  # it looks for the kinds that it admits when it starts
    uses_priority_class=True,
)
LWS = Recipe(
    wave=Wave.SCHEDULING,
    timeout_s=600,
    settings=_lws,
    purpose="Gangs of pods that are one replica",
    pod_security="baseline",  # its pods name no seccomp profile
    webhooks=(9443,),
    needs=(Need("cert-manager", "its webhook takes its certificate from there", "enableCertManager"),),
    uses_priority_class=True,
)
JOBSET = Recipe(
    wave=Wave.SCHEDULING,
    timeout_s=600,
    settings=_jobset,
    purpose="Gangs of jobs that start and fail together",
    webhooks=(9443,),
    needs=(Need("cert-manager", "its webhook takes its certificate from there", "certManager.enable"),),
)
