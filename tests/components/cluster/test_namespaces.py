"""Namespaces of ours: merged, labelled, bounded, and never the cluster's own."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.cluster.namespaces import critical_pods
from aifactory.components.names import TENANT_LABEL


def ask(name: str = "team", part: str = "teams", **fields: Any) -> NamespaceRequest:
    return NamespaceRequest(name, part, fields.pop("purpose", f"for {part}"), **fields)


def test_what_several_parts_ask_of_one_name_becomes_one_namespace(settle: Any) -> None:
    found = settle(
        namespaces=[
            ask(part="teams", tenant="team", quota=(("requests.nvidia.com/gpu", "64"),)),
            ask(
                part="train",
                pod_security="privileged",
                egress=("dns", "api"),
                ingress_from=("portal", "team"),
            ),
            ask(part="other", pod_security="baseline", labels=(("cost-centre", "ml"),), ingress_from=("mesh",)),
        ]
    )
    team = found.namespaces["team"]
    labels = dict(team.labels)
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
    assert labels["cost-centre"] == "ml"
    assert labels[TENANT_LABEL] == "team"
    assert team.quota == (("requests.nvidia.com/gpu", "64"),)
    assert team.traffic.to == ("dns", "namespace", "api")
    assert team.traffic.from_namespaces == ("mesh", "portal")
    assert team.purpose == "for teams; for train; for other"
    assert "train needs Pod Security privileged" in found.reason("namespace.team")


def test_any_destination_leaves_nothing_to_list(settle: Any) -> None:
    found = settle(namespaces=[ask(), ask(part="train", egress=("any",))])
    assert found.namespaces["team"].traffic.to == ("any",)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({"tenant": "a"}, {"tenant": "b"}, 'with tenant "a" and "b"'),
        ({"labels": (("x", "1"),)}, {"labels": (("x", "2"),)}, 'with label x "1" and "2"'),
        ({"quota": (("pods", "1"),)}, {"quota": (("pods", "2"),)}, 'with quota pods "1" and "2"'),
    ],
)
def test_requests_that_contradict_each_other_are_refused(
    settle: Any, first: dict[str, Any], second: dict[str, Any], says: str
) -> None:
    found = settle(namespaces=[ask(part="one", **first), ask(part="two", **second)])
    assert found.plan is None
    assert found.says == [f"parts one and two want namespace team {says}"]


def test_an_egress_that_nobody_knows_is_our_mistake(settle: Any) -> None:
    with pytest.raises(ValueError, match='"internet" is no egress'):
        settle(namespaces=[ask(egress=("internet",))])


@pytest.mark.parametrize(
    ("level", "report", "enforced", "warned"),
    [
        ("restricted", "restricted", "restricted", "restricted"),
        ("privileged", "restricted", "privileged", "restricted"),
        ("privileged", "baseline", "privileged", "baseline"),
        ("restricted", "baseline", "restricted", "restricted"),
    ],
)
def test_a_tenant_is_warned_of_what_it_would_have_to_give_up(
    settle: Any, level: Any, report: str, enforced: str, warned: str
) -> None:
    policy = {"namespaces": {"report_pod_security": report}}
    found = settle(namespaces=[ask(tenant="team", pod_security=level)], policy=policy)
    labels = dict(found.namespaces["team"].labels)
    prefix = "pod-security.kubernetes.io"
    assert labels[f"{prefix}/enforce"] == enforced
    assert labels[f"{prefix}/warn"] == labels[f"{prefix}/audit"] == warned
    assert {labels[f"{prefix}/{mode}-version"] for mode in ("enforce", "warn", "audit")} == {"v1.35"}


def test_operators_are_not_warned_of_what_they_must_do(settle: Any) -> None:
    labels = dict(settle(["gpu-operator"]).namespaces["gpu-operator"].labels)
    assert labels["pod-security.kubernetes.io/warn"] == "privileged"


def test_openshift_does_not_overwrite_the_levels(settle: Any) -> None:
    found = settle(["gpu-operator"], [ask()], distribution="openshift")
    for namespace in found.namespaces.values():
        assert ("security.openshift.io/scc.podSecurityLabelSync", "false") in namespace.labels


@pytest.mark.parametrize(
    ("quota", "limits"),
    [((), ()), ((("limits.memory", "1Ti"),), (("memory", "2Gi"),)), ((("requests.cpu", "8"),), ())],
)
def test_a_default_limit_stands_only_where_the_quota_counts_limits(settle: Any, quota: Any, limits: Any) -> None:
    found = settle(namespaces=[ask(tenant="team", quota=quota)])
    assert found.namespaces["team"].default_requests == (("cpu", "1"), ("memory", "2Gi"))
    assert found.namespaces["team"].default_limits == limits


def test_only_tenants_have_defaults_and_protection(settle: Any) -> None:
    found = settle(["jobset"], [ask("tools"), ask("team", tenant="team")])
    assert {name for name, plan in found.namespaces.items() if plan.protect} == {"team"}
    assert {name for name, plan in found.namespaces.items() if plan.default_requests} == {"team"}
    assert "checkpoints included" in found.reason("tenant_namespaces")


def test_a_namespace_of_a_given_capability_is_not_made(settle: Any) -> None:
    provides = {"gpu-operator": {"version": "v26.7.0"}, "node-feature-discovery": {"version": "0.19.0"}}
    found = settle(["gpu-operator"], [ask("gpu-operator"), ask("team")], provides=provides)
    assert list(found.namespaces) == ["team"]
    assert found.reason("namespace.gpu-operator").startswith("it belongs to gpu-operator, which the site gives")


def test_a_part_may_use_the_namespace_of_a_release_of_ours(settle: Any) -> None:
    found = settle(["gpu-operator"], [ask("gpu-operator", "pool", purpose="time slices")])
    namespace = found.namespaces["gpu-operator"]
    assert dict(namespace.labels)["pod-security.kubernetes.io/enforce"] == "privileged"
    assert namespace.traffic.to == ("any",)
    assert namespace.purpose.endswith("; time slices")


@pytest.mark.parametrize("name", ["kube-system", "kube-public", "default", "openshift-monitoring"])
def test_a_namespace_of_the_cluster_is_never_ours(settle: Any, name: str) -> None:
    found = settle(namespaces=[ask(name)])
    assert found.plan is None
    assert found.says == [f"part teams wants namespace {name}, which is the cluster's"]


def test_all_tenants_below_the_wanted_level_are_counted(settle: Any) -> None:
    policy = {"namespaces": {"weakest_tenant_pod_security": "restricted"}}
    asked = [ask(f"team-{n}", tenant=f"team-{n}", pod_security="baseline") for n in range(3)]
    found = settle(namespaces=asked, policy=policy)
    assert found.says == ["tenant namespace team-0 needs Pod Security baseline, below restricted, and 2 others do"]
    assert found.hints == ["set it to baseline, or leave out what needs it"]


def test_one_tenant_below_the_wanted_level_stands_alone(settle: Any) -> None:
    policy = {"namespaces": {"weakest_tenant_pod_security": "baseline"}}
    found = settle(namespaces=[ask(tenant="team", pod_security="privileged")], policy=policy)
    assert found.says == ["tenant namespace team needs Pod Security privileged, below baseline"]


@pytest.mark.parametrize(("nodes", "pods"), [(0, 1000), (8, 1000), (400, 16_000)])
def test_the_permission_for_critical_pods_never_binds(nodes: int, pods: int) -> None:
    assert critical_pods(nodes) == pods


def test_a_release_with_critical_pods_waits_for_their_permission(settle: Any) -> None:
    found = settle(["gpu-operator", "jobset"])
    assert "ResourceQuota/gpu-operator/critical-pods" in found.releases["gpu-operator"].after
    assert found.namespaces["gpu-operator"].critical_pods == 1000
    assert found.namespaces["jobset-system"].critical_pods == 0


def test_a_thousand_tenants_get_a_baseline_each(settle: Any) -> None:
    asked = [ask(f"team-{n}", tenant=f"team-{n}") for n in range(1_000)]
    found = settle(namespaces=asked)
    assert len(found.namespaces) == 1_000
    assert len(found.rows) == 5_000


def test_clients_outside_the_cluster_reach_the_ports_that_their_network_was_opened_to(settle: Any) -> None:
    asked = [
        NamespaceRequest("web", "a", "for a", ingress_cidrs=("192.0.2.0/24",), open_ports=(443,)),
        NamespaceRequest("web", "b", "for b", ingress_cidrs=("192.0.2.0/24", "198.51.100.0/24"), open_ports=(8443,)),
    ]
    result = settle(namespaces=asked)
    assert result.namespaces["web"].traffic.from_cidrs == (("192.0.2.0/24", (443, 8443)), ("198.51.100.0/24", (8443,)))
    rules = result.body("NetworkPolicy.networking.k8s.io/web/allowed")["spec"]["ingress"]
    assert {
        "from": [{"ipBlock": {"cidr": "198.51.100.0/24"}}],
        "ports": [{"protocol": "TCP", "port": 8443}],
    } in rules


def test_a_network_without_ports_is_an_error_of_its_part(settle: Any) -> None:
    with pytest.raises(ValueError, match="ingress_cidrs and open_ports need each other"):
        settle(namespaces=[NamespaceRequest("web", "a", "for a", ingress_cidrs=("192.0.2.0/24",))])
