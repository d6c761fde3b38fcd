"""Rows of the cluster: what is sent, and what traffic it lets through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aifactory.components.capabilities import NamespaceRequest, PodEgress, Requirement
from aifactory.components.rows import HelmRow, KubernetesRow, Wave
from support.schemas import Schemas

EVERYTHING = [
    "gateway-api",
    "external-secrets",
    "metrics",
    "gpu-operator",
    "network-operator",
    "jobset",
    "kueue",
]
TEAM = NamespaceRequest(
    "team",
    "teams",
    "a team",
    tenant="team",
    quota=(("requests.nvidia.com/gpu", "8"), ("limits.memory", "1Ti")),
    ingress_from=("portal",),
)


def admits(rules: list[dict[str, Any]], side: str, peer: Mapping[str, Any], port: int, protocol: str = "TCP") -> bool:
    """Whether the rules of one direction let a connection through, as the NetworkPolicy API defines it.

    `peer` has `namespace` for a pod (and `own` for one of the policy's namespace), or `address` for others.
    """
    for rule in rules:
        ports = rule.get("ports")
        if ports is not None and {"protocol": protocol, "port": port} not in ports:
            continue
        peers = rule.get(side)
        if peers is None or any(_selects(selector, peer) for selector in peers):
            return True
    return False


def _selects(selector: Mapping[str, Any], peer: Mapping[str, Any]) -> bool:
    if "ipBlock" in selector:
        return selector["ipBlock"]["cidr"].partition("/")[0] == peer.get("address")
    if "namespace" not in peer:
        return False
    if "namespaceSelector" not in selector:
        return bool(peer.get("own"))
    labels = selector["namespaceSelector"].get("matchLabels", {})
    return labels in ({}, {"kubernetes.io/metadata.name": peer["namespace"]})


API_SERVER = {"address": "10.20.0.5"}
OWN_POD = {"namespace": "here", "own": True}
STRANGER = {"namespace": "stranger"}
PROMETHEUS = {"namespace": "monitoring"}
RESOLVER = {"namespace": "kube-system"}


@pytest.mark.parametrize(
    ("namespace", "side", "peer", "port", "allowed"),
    [
        # The API server calls webhooks: the defect that costs a night.
        ("cert-manager", "from", API_SERVER, 10250, True),
        ("kueue-system", "from", API_SERVER, 9443, True),
        ("kueue-system", "from", API_SERVER, 8082, True),
        ("jobset-system", "from", API_SERVER, 9443, True),
        ("external-secrets", "from", API_SERVER, 10250, True),
        ("monitoring", "from", API_SERVER, 10250, True),
        ("nvidia-network-operator", "from", API_SERVER, 6443, True),
        ("nvidia-network-operator", "from", API_SERVER, 9443, True),
        ("kueue-system", "from", API_SERVER, 8443, False),
        ("team", "from", API_SERVER, 9443, False),
        # Prometheus scrapes; nobody else does.
        ("kueue-system", "from", PROMETHEUS, 8443, True),
        ("gpu-operator", "from", PROMETHEUS, 9400, True),
        ("node-feature-discovery", "from", PROMETHEUS, 8080, True),
        ("gpu-operator", "from", STRANGER, 9400, False),
        ("team", "from", PROMETHEUS, 9400, False),
        # Own pods, and who the part names.
        ("team", "from", OWN_POD, 29500, True),
        ("team", "from", {"namespace": "portal"}, 8080, True),
        ("team", "from", STRANGER, 29500, False),
        # What pods reach.
        ("team", "to", OWN_POD, 29500, True),
        ("team", "to", STRANGER, 80, False),
        ("team", "to", API_SERVER, 6443, False),
        ("cert-manager", "to", API_SERVER, 6443, True),
        ("cert-manager", "to", API_SERVER, 443, True),
        ("cert-manager", "to", API_SERVER, 22, False),
        ("gpu-operator", "to", {"address": "198.51.100.7"}, 3128, True),
        ("monitoring", "to", API_SERVER, 10250, True),
    ],
)
def test_traffic_is_what_was_asked_and_nothing_else(
    settle: Any, namespace: str, side: str, peer: Mapping[str, Any], port: int, allowed: bool
) -> None:
    found = settle(EVERYTHING, [TEAM])
    policy = found.body(f"NetworkPolicy.networking.k8s.io/{namespace}/allowed")["spec"]
    rules = policy["ingress" if side == "from" else "egress"]
    assert admits(rules, side, peer, port) is allowed


@pytest.mark.parametrize("peer", [RESOLVER, {"address": "169.254.20.10"}])
@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
def test_every_pod_resolves_names(settle: Any, peer: Mapping[str, Any], protocol: str) -> None:
    found = settle(EVERYTHING, [TEAM])
    for namespace in found.namespaces:
        egress = found.body(f"NetworkPolicy.networking.k8s.io/{namespace}/allowed")["spec"]["egress"]
        assert admits(egress, "to", peer, 53, protocol), namespace


def test_openshift_resolves_at_its_own_port(settle: Any) -> None:
    found = settle(namespaces=[TEAM], distribution="openshift")
    egress = found.body("NetworkPolicy.networking.k8s.io/team/allowed")["spec"]["egress"]
    assert admits(egress, "to", {"namespace": "openshift-dns"}, 5353, "UDP")
    assert not admits(egress, "to", RESOLVER, 53, "UDP")


def test_everything_that_is_not_allowed_is_denied(settle: Any) -> None:
    found = settle(EVERYTHING, [TEAM])
    for namespace in found.namespaces:
        denied = found.body(f"NetworkPolicy.networking.k8s.io/{namespace}/default-deny")["spec"]
        assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        allowed = found.body(f"NetworkPolicy.networking.k8s.io/{namespace}/allowed")["spec"]
        assert allowed["policyTypes"] == ["Ingress", "Egress"]


def test_a_given_prometheus_may_scrape_from_any_namespace(settle: Any) -> None:
    found = settle(["jobset", "kueue", "metrics"], provides={"metrics": {"version": "88.5.3"}})
    ingress = found.body("NetworkPolicy.networking.k8s.io/kueue-system/allowed")["spec"]["ingress"]
    assert admits(ingress, "from", {"namespace": "observability"}, 8443)
    assert not admits(ingress, "from", {"address": "198.51.100.7"}, 8443)


def test_without_prometheus_metrics_are_closed(settle: Any) -> None:
    found = settle(["kueue"])
    ingress = found.body("NetworkPolicy.networking.k8s.io/kueue-system/allowed")["spec"]["ingress"]
    assert not admits(ingress, "from", PROMETHEUS, 8443)


def test_a_tenant_has_a_namespace_two_policies_two_quotas_and_defaults(settle: Any) -> None:
    found = settle(namespaces=[TEAM])
    assert list(found.rows) == [
        "Namespace/team",
        "NetworkPolicy.networking.k8s.io/team/default-deny",
        "NetworkPolicy.networking.k8s.io/team/allowed",
        "ResourceQuota/team/quota",
        "ResourceQuota/team/foreign-priorities",
        "LimitRange/team/container-defaults",
    ]
    namespace = found.rows["Namespace/team"]
    assert namespace.protect
    assert found.body("ResourceQuota/team/quota")["spec"] == {
        "hard": {"limits.memory": "1Ti", "requests.nvidia.com/gpu": "8"}
    }
    scope = found.body("ResourceQuota/team/foreign-priorities")["spec"]["scopeSelector"]["matchExpressions"][0]
    assert scope["values"] == ["system-cluster-critical", "system-node-critical"]
    (limit,) = found.body("LimitRange/team/container-defaults")["spec"]["limits"]
    assert limit == {
        "type": "Container",
        "defaultRequest": {"cpu": "1", "memory": "2Gi"},
        "default": {"memory": "2Gi"},
    }


def test_critical_pods_are_permitted_where_clusters_limit_them(settle: Any) -> None:
    spec = settle(["gpu-operator"]).body("ResourceQuota/gpu-operator/critical-pods")["spec"]
    (scope,) = spec["scopeSelector"]["matchExpressions"]
    assert scope["values"] == ["system-cluster-critical", "system-node-critical"]
    assert spec["hard"] == {"pods": "1000"}


def test_the_priority_class_of_ours_is_named_for_the_factory_and_nobodys_default(settle: Any) -> None:
    found = settle(["kueue"])
    body = found.body("PriorityClass.scheduling.k8s.io/demo-control")
    assert (body["value"], body["globalDefault"]) == (900_000_000, False)
    kueue = found.helm("Release/kueue-system/kueue")
    assert "PriorityClass.scheduling.k8s.io/demo-control" in kueue.after


def test_releases_wait_for_what_they_need(settle: Any) -> None:
    found = settle(EVERYTHING)
    nfd = "Release/node-feature-discovery/node-feature-discovery"
    network = "Release/nvidia-network-operator/network-operator"
    assert nfd in found.helm(network).after
    assert {nfd, network} <= set(found.helm("Release/gpu-operator/gpu-operator").after)
    after_kueue = found.helm("Release/kueue-system/kueue").after
    assert {"Release/cert-manager/cert-manager", "Release/jobset-system/jobset"} <= set(after_kueue)
    assert "Release/monitoring/kube-prometheus-stack" in after_kueue


def test_a_release_waits_for_nothing_that_the_site_gives(settle: Any) -> None:
    found = settle(["gpu-operator"], provides={"node-feature-discovery": {"version": "0.19.0"}})
    assert found.helm("Release/gpu-operator/gpu-operator").after == ("ResourceQuota/gpu-operator/critical-pods",)


def test_a_release_waits_for_no_release_of_a_later_wave(settle: Any) -> None:
    found = settle([*EVERYTHING])
    waves = list(Wave)
    rows = found.rows
    for row in rows.values():
        for name in row.after:
            assert waves.index(rows[name].wave) <= waves.index(row.wave), (row.id, name)


@pytest.mark.parametrize(
    ("asked", "values", "brings", "leaves"),
    [
        ("cert-manager", {}, "certificates.cert-manager.io", ""),
        ("kueue", {}, "clusterqueues.kueue.x-k8s.io", ""),
        ("jobset", {}, "jobsets.jobset.x-k8s.io", ""),
        ("metrics", {}, "servicemonitors.monitoring.coreos.com", ""),
        ("external-secrets", {}, "externalsecrets.external-secrets.io", ""),
        (
            "network-operator",
            {},
            "nicclusterpolicies.mellanox.com",
            "sriovnetworks.sriovnetwork.openshift.io",
        ),
        (
            "network-operator",
            {"sriovNetworkOperator": {"enabled": True}},
            "sriovnetworks.sriovnetwork.openshift.io",
            "nodemaintenances.maintenance.nvidia.com",
        ),
        ("network-operator", {}, "ippools.nv-ipam.nvidia.com", ""),
        ("gateway-api", {}, "gateways.gateway.networking.k8s.io", "backends.gateway.envoyproxy.io"),
        (
            "node-feature-discovery",
            {},
            "nodefeaturerules.nfd.k8s-sigs.io",
            "noderesourcetopologies.topology.node.k8s.io",
        ),
    ],
)
def test_a_release_brings_the_definitions_that_its_values_switch_on(
    settle: Any, asked: str, values: dict[str, Any], brings: str, leaves: str
) -> None:

    release = settle([Requirement(asked, "asker", "needed", values)]).releases[asked]
    assert brings in release.crds
    assert leaves not in release.crds


def test_a_definition_that_two_releases_bring_has_the_first_as_its_owner(settle: Any) -> None:

    no_gpus = {"resources": {"gpus": {"enabled": False}}, "nvidiaDriverRoot": "/run/nvidia/driver"}
    found = settle(["gpu-operator", Requirement("dra-driver-nvidia-gpu", "pool", "NVLink", no_gpus)])
    name = "computedomains.resource.nvidia.com"
    assert name in found.releases["gpu-operator"].crds
    assert name not in found.releases["dra-driver-nvidia-gpu"].crds
    assert "never changes it" in found.reason(f"definition.{name}")
    assert "Release/gpu-operator/gpu-operator" in found.releases["dra-driver-nvidia-gpu"].after


def test_destroy_leaves_the_gateway_api_because_others_use_it(settle: Any) -> None:
    found = settle(EVERYTHING)
    kept = {row.id for row in found.rows.values() if isinstance(row, HelmRow) and row.retain_on_delete}
    assert kept == {"Release/envoy-gateway-system/gateway-crds-helm"}


def test_drivers_get_the_time_that_a_build_takes(settle: Any) -> None:
    found = settle(EVERYTHING)
    assert found.helm("Release/gpu-operator/gpu-operator").timeout_s >= 1_200
    assert all(row.timeout_s > 0 for row in found.rows.values() if isinstance(row, HelmRow))


def test_every_object_carries_the_labels_of_its_part(settle: Any) -> None:
    for row in settle(EVERYTHING, [TEAM]).rows.values():
        if isinstance(row, KubernetesRow):
            labels: Any = row.body["metadata"]["labels"]  # type: ignore[index]  # Maker makes it a map
            assert labels["aifactory.io/part"] == "cluster"


@pytest.mark.schema
@pytest.mark.parametrize("distribution", ["kubeadm", "openshift"])
@pytest.mark.parametrize("replicas", [1, 3])
def test_every_row_is_what_an_api_server_takes(settle: Any, schemas: Schemas, distribution: str, replicas: int) -> None:
    found = settle(EVERYTHING, [TEAM], {"webhook_replicas": replicas}, distribution=distribution)
    for row in found.rows.values():
        if isinstance(row, KubernetesRow):
            assert schemas.problems(row.body) == [], row.id


@pytest.mark.parametrize(
    ("some", "rules"),
    [
        (
            PodEgress("a", (("app", "x"),), api=True),
            [{"ports": [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 6443}]}],
        ),
        (PodEgress("a", (("app", "x"),), ports=(9_000,)), [{"ports": [{"protocol": "TCP", "port": 9000}]}]),
        (
            PodEgress("a", (("app", "x"),), ports=(9_000,), networks=("10.20.0.0/16",)),
            [{"to": [{"ipBlock": {"cidr": "10.20.0.0/16"}}], "ports": [{"protocol": "TCP", "port": 9000}]}],
        ),
    ],
)
def test_some_pods_get_out_to_what_they_need(settle: Any, some: PodEgress, rules: list[object]) -> None:
    found = settle(namespaces=[NamespaceRequest("team", "p", "p", pod_egress=(some,))])
    spec = found.body("NetworkPolicy.networking.k8s.io/team/a")["spec"]
    assert spec == {"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Egress"], "egress": rules}
