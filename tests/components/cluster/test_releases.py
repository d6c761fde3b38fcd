"""The releases of ours: their values exist in their charts, their order has no cycle."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from aifactory.components.capabilities import CAPABILITIES
from aifactory.components.catalog import Catalog
from aifactory.components.catalog.trains import provider
from aifactory.components.cluster.merge import value_at
from aifactory.components.cluster.recipe import Setting, Terms
from aifactory.components.cluster.releases import RECIPES
from aifactory.components.cluster.scheduling import MANY_NODES, manager_config
from aifactory.components.rows import Wave
from aifactory.components.values import Json, plain
from support.schemas import Schemas

TRAIN = "2026.11"


def terms(**changes: Any) -> Terms:
    facts: dict[str, Any] = {
        "namespace": "here",
        "replicas": 2,
        "priority_class": "demo-control",
        "nodes": 8,
        "distribution": "kubeadm",
        "scraped": True,
        "metrics_namespace": "monitoring",
        "volumes": True,
    }
    return Terms(**{**facts, **changes})


def settings(capability: str, **changes: Any) -> dict[str, Setting]:
    listed = list(RECIPES[capability].settings(terms(**changes)))
    found = {setting.path: setting for setting in listed}
    assert len(found) == len(listed), "a path is set twice"
    return found


@pytest.mark.parametrize("capability", RECIPES)
def test_a_release_of_ours_is_in_the_train_and_provides_a_known_capability(capability: str) -> None:
    release = provider(Catalog.shipped(), TRAIN, capability)
    assert release is not None
    assert release.chart
    assert release.namespace
    assert capability in CAPABILITIES


@pytest.mark.parametrize("capability", RECIPES)
def test_every_setting_says_why(capability: str) -> None:
    for setting in settings(capability).values():
        assert len(setting.why) > 20, setting.path


@pytest.mark.parametrize("capability", RECIPES)
def test_a_release_waits_for_earlier_ones_alone(capability: str) -> None:
    order, waves = list(RECIPES), list(Wave)
    recipe = RECIPES[capability]
    for name in [*(need.capability for need in recipe.needs), *recipe.after]:
        assert order.index(name) < order.index(capability)
        assert waves.index(RECIPES[name].wave) <= waves.index(recipe.wave)


@pytest.mark.parametrize("capability", ["cert-manager", "kueue", "jobset", "external-secrets"])
def test_one_replica_has_no_budget_that_would_block_each_drain(capability: str) -> None:
    for replicas in (1, 2):
        for path, setting in settings(capability, replicas=replicas).items():
            if path.endswith("podDisruptionBudget.enabled"):
                assert setting.value is (replicas > 1)


@pytest.mark.parametrize(
    ("capability", "path"),
    [
        ("cert-manager", "prometheus.servicemonitor.enabled"),
        ("node-feature-discovery", "prometheus.enable"),
        ("gpu-operator", "dcgmExporter.serviceMonitor.enabled"),
        ("kueue", "enablePrometheus"),
        ("external-secrets", "serviceMonitor.enabled"),
    ],
)
def test_monitors_are_made_where_their_kind_is_there(capability: str, path: str) -> None:
    assert settings(capability, scraped=True)[path].value is True
    assert settings(capability, scraped=False)[path].value is False


def test_a_release_before_prometheus_has_no_monitor_of_it(settle: Any) -> None:
    found = settle(["metrics", "kueue"])
    assert value_at(found.releases["cert-manager"].values, "prometheus.servicemonitor.enabled") is False
    assert value_at(found.releases["kueue"].values, "enablePrometheus") is True
    given = settle(["kueue"], provides={"metrics": {"version": "88.5.3"}})
    assert value_at(given.releases["cert-manager"].values, "prometheus.servicemonitor.enabled") is True


def test_prometheus_keeps_its_data_where_volumes_have_a_class() -> None:
    path = "prometheus.prometheusSpec.storageSpec"
    assert path in settings("metrics")
    assert path not in settings("metrics", volumes=False)


def test_kueue_gets_more_memory_at_large_sites() -> None:
    path = "controllerManager.manager.resources.limits.memory"
    assert settings("kueue", nodes=MANY_NODES)[path].value == "2Gi"
    assert settings("kueue", nodes=MANY_NODES + 1)[path].value == "4Gi"
    assert "metrics.prometheusNamespace" not in settings("kueue", metrics_namespace="")


def test_node_features_are_labelled_by_vendor_because_both_operators_select_by_that() -> None:
    pci: Any = settings("node-feature-discovery")["worker.config.sources.pci"].value
    assert pci["deviceLabelFields"] == ["vendor"]
    assert {"0200", "0207", "0302"} <= set(pci["deviceClassWhitelist"])


@pytest.mark.schema
@pytest.mark.parametrize("capability", RECIPES)
@pytest.mark.parametrize(
    "changes", [{}, {"replicas": 1, "scraped": False, "volumes": False, "distribution": "openshift"}]
)
def test_every_value_exists_in_its_chart(
    settle: Any, schemas: Schemas, capability: str, changes: dict[str, Any]
) -> None:
    release = provider(Catalog.shipped(), TRAIN, capability)
    assert release is not None
    values: dict[str, Any] = {}
    for setting in settings(capability, **changes).values():
        here = values
        *steps, last = setting.path.split(".")
        for step in steps:
            here = here.setdefault(step, {})
        here[last] = plain(setting.value, str)
    if not release.values:
        assert values == {}, "nothing is set in a chart whose values are not stored"
        return
    assert schemas.chart_problems(release.values, values) == []


@pytest.mark.schema
@pytest.mark.parametrize(
    ("capability", "path", "port"),
    [
        ("cert-manager", "webhook.securePort", 10250),
        ("external-secrets", "webhook.port", 10250),
        ("kueue", "webhookService.ports.0.targetPort", 9443),
        ("metrics", "prometheusOperator.tls.internalPort", 10250),
        ("dra-driver-nvidia-gpu", "webhook.containerPort", 443),
        ("lws", "service.port", 9443),
        ("keda", "service.portHttpsTarget", 6443),
        ("ai-gateway", "controller.mutatingWebhook.port", 9443),
    ],
)
def test_policies_admit_the_port_at_which_the_chart_answers_webhooks(
    schemas: Schemas, capability: str, path: str, port: int
) -> None:
    release = provider(Catalog.shipped(), TRAIN, capability)
    assert release is not None
    text = (schemas.folder / "chart-values" / release.values / "values.yaml").read_text(encoding="utf-8")
    value = next(yaml.load_all(text, yaml.CSafeLoader))
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    assert value == port
    assert port in RECIPES[capability].webhooks


@pytest.mark.schema
def test_the_configuration_of_kueue_is_the_charts_own_but_for_certificates(schemas: Schemas) -> None:
    text = (schemas.folder / "chart-values" / "kueue" / "values.yaml").read_text(encoding="utf-8")
    default = yaml.load(
        yaml.load(text, yaml.CSafeLoader)["managerConfig"]["controllerManagerConfigYaml"], yaml.CSafeLoader
    )
    ours = dict(manager_config())
    assert ours.pop("internalCertManagement") == {"enable": False}
    assert ours == {key: value for key, value in default.items() if key in ours}
    assert default.keys() - ours.keys() == {"controller", "integrations"}


def test_the_configuration_of_kueue_is_one_text_of_json() -> None:
    value = settings("kueue")["managerConfig.controllerManagerConfigYaml"].value
    assert isinstance(value, Json)
    assert isinstance(plain(value, str), str)


def test_envoy_gateway_asks_envoy_ai_gateway_where_that_is_wanted() -> None:
    path = "config.envoyGateway.extensionManager"
    assert path not in settings("envoy-gateway")
    alone = settings("envoy-gateway", wanted=("ai-gateway",))[path].value
    pools = settings("envoy-gateway", wanted=("ai-gateway", "inference-extension"))[path].value
    assert isinstance(alone, dict)
    assert isinstance(pools, dict)
    assert alone["service"] == {
        "fqdn": {"hostname": "ai-gateway-controller.envoy-ai-gateway-system.svc.cluster.local", "port": 1063}
    }
    assert "backendResources" not in alone
    assert [pool["kind"] for pool in pools["backendResources"]] == ["InferencePool"]


def test_two_releases_of_one_chart_have_names_of_their_own(settle: Any) -> None:
    result = settle(["envoy-gateway"])
    kinds, gateway = result.releases["envoy-gateway-crds"], result.releases["envoy-gateway"]
    api = result.releases["gateway-api"]
    assert (kinds.chart, kinds.namespace) == (api.chart, api.namespace)
    assert (api.name, kinds.name) == ("gateway-crds-helm", "envoy-gateway-crds")
    assert set(gateway.after) >= {
        "Release/envoy-gateway-system/gateway-crds-helm",
        "Release/envoy-gateway-system/envoy-gateway-crds",
    }
    assert set(kinds.crds).isdisjoint(api.crds)


def test_envoy_gateway_reaches_the_controller_that_it_asks(settle: Any) -> None:
    traffic = settle(["ai-gateway"]).namespaces["envoy-ai-gateway-system"].traffic
    assert {1063, 9443} <= set(traffic.from_anywhere)


def test_definitions_without_a_chart_say_how_they_are_installed(settle: Any) -> None:
    result = settle(["inference-extension"])
    assert result.plan is None
    hint = result.hints[0]
    assert "kubectl apply --server-side -f" in hint
    assert "cluster.provides.inference-extension: {version: v1.6.0}" in hint
