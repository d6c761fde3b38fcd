"""Releases that scale, route and run model servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from aifactory.components.capabilities import PodEgress
from aifactory.components.cluster.recipe import (
    Need,
    Recipe,
    Setting,
    Terms,
    spread,
    tolerate_control_nodes,
)
from aifactory.components.outside import OWNING
from aifactory.components.pods import CONTROL_NODES
from aifactory.components.rows import Tree, Wave

_REPLICAS = "a drained node must not leave the cluster without an answer"
_BUDGET = "a drain waits until another replica answers"
_PRIORITY = "under pressure the kubelet evicts workloads before the controllers that they wait for"
_SPREAD = "two replicas on one node fall together"
_PULL = "an Always pull makes a restart depend on the registry; the tag of a release doesn't move"

_AI_NAMESPACE = "envoy-ai-gateway-system"
_KEDA_APPS = {
    "operator": "keda-operator",
    "metricsServer": "keda-operator-metrics-apiserver",
    "webhooks": "keda-admission-webhooks",
}
"""Label `app` of the pods of each part. Source: kedacore/charts keda/templates."""


def _keda(terms: Terms) -> Iterator[Setting]:
    yield Setting("crds.install", True, "the definitions come with the release that reads them")
    yield Setting(
        "crds.additionalAnnotations",
        {"helm.sh/resource-policy": "keep"},
        "an uninstall must not delete each ScaledObject of the cluster with its kind",
    )
    for part, budget in (("operator", "operator"), ("metricsServer", "metricServer"), ("webhooks", "webhooks")):
        yield Setting(f"{part}.replicaCount", terms.replicas, _REPLICAS)
        yield Setting(f"topologySpreadConstraints.{part}", spread("app", _KEDA_APPS[part]), _SPREAD)
        if terms.replicas > 1:
            yield Setting(f"podDisruptionBudget.{budget}", {"minAvailable": 1}, _BUDGET)
    yield Setting("priorityClassName", terms.priority_class, _PRIORITY)
    yield Setting("image.pullPolicy", "IfNotPresent", _PULL)
    yield from tolerate_control_nodes(
        "tolerations", "operator.tolerations", "metricsServer.tolerations", "webhooks.tolerations"
    )
    yield Setting("prometheus.operator.enabled", True, "errors of scalers are seen nowhere else")
    yield Setting("prometheus.operator.serviceMonitor.enabled", terms.scraped, "its monitor needs the kind")


def _envoy_gateway_crds(_: Terms) -> Iterator[Setting]:
    yield Setting("crds.gatewayAPI.enabled", False, "kinds of the Gateway API have an owner: gateway-api")
    yield Setting("crds.envoyGateway.enabled", True, "the chart brings nothing by default")


def _envoy_gateway(terms: Terms) -> Iterator[Setting]:
    yield Setting("crds.enabled", False, "its own bundle is the experimental channel of the Gateway API")
    yield Setting("deployment.replicas", terms.replicas, _REPLICAS)
    yield Setting("podDisruptionBudget.minAvailable", 1 if terms.replicas > 1 else 0, _BUDGET)
    yield Setting("deployment.priorityClassName", terms.priority_class, _PRIORITY)
    yield Setting("deployment.pod.topologySpreadConstraints", spread("control-plane", "envoy-gateway"), _SPREAD)
    yield Setting("deployment.pod.tolerations", CONTROL_NODES, "control-plane nodes may be the only ones without GPUs")
    yield Setting("certgen.job.tolerations", CONTROL_NODES, "control-plane nodes may be the only ones without GPUs")
    yield Setting(
        "deployment.envoyGateway.resources.limits.memory",
        "2Gi",
        "it holds routes and endpoints of the whole cluster; an eviction stops changes of routes",
    )
    if "ai-gateway" in terms.wanted:
        why = "Envoy AI Gateway changes what Envoy Gateway sends to its proxies, and is asked through this"
        yield Setting("config.envoyGateway.extensionApis", {"enableEnvoyPatchPolicy": True, "enableBackend": True}, why)
        yield Setting(
            "config.envoyGateway.extensionManager", _extension(pools="inference-extension" in terms.wanted), why
        )


def _extension(*, pools: bool) -> Tree:
    """How Envoy Gateway reaches Envoy AI Gateway.

    Source: envoyproxy/ai-gateway manifests/envoy-gateway-values.yaml, examples/inference-pool. The latter puts
    backendResources beside `envoyGateway`, where the chart reads nothing.
    """
    every: Tree = {"includeAll": True}
    translation: Tree = dict.fromkeys(("listener", "route", "cluster", "secret"), every)
    host = "ai-gateway-controller.envoy-ai-gateway-system.svc.cluster.local"
    manager: Tree = {
        "hooks": {"xdsTranslator": {"translation": translation, "post": ["Translation", "Cluster", "Route"]}},
        "service": {"fqdn": {"hostname": host, "port": 1063}},
    }
    if pools:
        pool = {"group": "inference.networking.k8s.io", "kind": "InferencePool", "version": "v1"}
        manager["backendResources"] = [pool]
    return manager


def _ai_gateway(terms: Terms) -> Iterator[Setting]:
    several = terms.replicas > 1
    yield Setting("controller.replicaCount", terms.replicas, _REPLICAS)
    yield Setting("controller.podDisruptionBudget.enabled", several, _BUDGET)
    yield Setting(
        "controller.mutatingWebhook.certManager.enable",
        True,
        "a certificate that the chart makes while it renders is another one at each upgrade",
    )
    why = "requests keep it scheduled, the limit stops a leak"
    resources = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    yield Setting("controller.resources", resources, why)
    yield from tolerate_control_nodes("controller.tolerations")
    yield Setting("extProc.enableRedaction", True, "prompts and answers are personal data: no log holds them")


def _no_settings(_: Terms) -> Iterator[Setting]:
    yield from ()


def _kserve(_: Terms) -> Iterator[Setting]:
    controller = "kserve.controller"
    yield Setting(f"{controller}.deploymentMode", "Standard", "Deployments and Services: no Knative, which ours lacks")
    gateway = f"{controller}.gateway"
    yield Setting(f"{gateway}.disableIngressCreation", True, "routes are the factory's: one owner of what is reachable")
    yield Setting(f"{gateway}.disableIstioVirtualHost", True, "there is no Istio, and its kinds are not installed")
    yield Setting("kserve.localmodel.enabled", False, "weights come as the serving part says, not by node agents")
    yield Setting(f"{controller}.imagePullPolicy", "IfNotPresent", _PULL)
    why = "300Mi, the chart's limit, is small for a cache of each Deployment and Service of a cluster"
    yield Setting(f"{controller}.resources.limits", {"cpu": "1", "memory": "1Gi"}, why)
    yield from tolerate_control_nodes(f"{controller}.tolerations")


def _definitions(of: str, settings: Callable[[Terms], Iterable[Setting]] = _no_settings) -> Recipe:
    """A release of definitions alone, which outlive it: objects of their kinds would go with them."""
    return Recipe(
        wave=Wave.CRDS,
        timeout_s=300,
        settings=settings,
        purpose=f"Resource definitions of {of}",
        to=("dns", "namespace"),
        to_why="no pod of this release runs there",
        retain_on_delete=True,
    )


KEDA = Recipe(
    wave=Wave.SCALING,
    timeout_s=600,
    settings=_keda,
    purpose="Replicas that follow metrics",
    to=("any",),
    to_why="its scalers ask Prometheus, queues and stores, wherever they are",
    webhooks=(6443, 9443),  # 6443 is the metrics API, which the API server calls too
    metrics=(8080,),
    uses_priority_class=True,
)
ENVOY_GATEWAY_CRDS = _definitions("Envoy Gateway", _envoy_gateway_crds)
ENVOY_GATEWAY = Recipe(
    wave=Wave.GATEWAY,
    timeout_s=600,
    settings=_envoy_gateway,
    purpose="Envoy proxies for Gateway API objects",
    pod_security="baseline",  # its proxies run here too, and carry containers that others add
    to=("dns", "namespace"),
    to_why="its proxies run here and see prompts: what they reach is said by the door that they are of",
    pod_egress=(
        PodEgress(
            "operators", (), api=True, lacking=OWNING, namespaces=((_AI_NAMESPACE, 1063), (_AI_NAMESPACE, 18002))
        ),
    ),
    webhooks=(9443,),  # the topology injector
    metrics=(1064, 19001),  # of the token counter beside a proxy, and of the proxy
    needs=(
        Need("gateway-api", "it reads Gateways and routes"),
        Need("envoy-gateway-crds", "it reads policies and backends of its own kinds"),
    ),
    uses_priority_class=True,
)
AI_GATEWAY_CRDS = _definitions("Envoy AI Gateway")
AI_GATEWAY = Recipe(
    wave=Wave.GATEWAY,
    timeout_s=600,
    settings=_ai_gateway,
    purpose="Routes of Envoy Gateway to pools of model servers",
    webhooks=(9443,),
    serves=(1063, 18002),  # Envoy Gateway and its rate limiter ask it from their namespace
    metrics=(8080,),
    needs=(
        Need("envoy-gateway", "it changes what Envoy Gateway sends to its proxies"),
        Need("ai-gateway-crds", "it reads routes of its own kinds"),
        Need(
            "cert-manager",
            "its webhook takes its certificate from there",
            "controller.mutatingWebhook.certManager.enable",
        ),
    ),
)
KSERVE_CRDS = _definitions("KServe")
KSERVE = Recipe(
    wave=Wave.SERVING,
    timeout_s=900,
    settings=_kserve,
    purpose="Model servers from InferenceService objects",
    webhooks=(9443,),
    needs=(
        Need("cert-manager", "its webhooks take their certificates from there"),
        Need("kserve-crds", "it reads InferenceServices"),
    ),
)
