"""Who provides what at a site, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.capabilities import CAPABILITIES, NamespaceRequest, Requirement
from aifactory.components.catalog import Catalog
from aifactory.components.cluster import plan
from aifactory.components.cluster.merge import value_at
from aifactory.components.cluster.plan import RULES
from aifactory.components.cluster.spec import ClusterSpec
from aifactory.components.rules import table
from aifactory.components.values import Json
from aifactory.stacks.planning.data import data_of
from support.planning import place

GIVEN_VERSIONS = {
    "cert-manager": "v1.21.1",
    "node-feature-discovery": "0.19.0",
    "gpu-operator": "v26.7.0",
    "network-operator": "26.4.1",
    "kueue": "0.19.2",
    "jobset": "0.12.0",
    "metrics": "88.5.3",
}


def given(*names: str, **features: list[str]) -> dict[str, Any]:
    found = {name: {"version": GIVEN_VERSIONS[name]} for name in names}
    for name, listed in features.items():
        found[name.replace("_", "-")]["features"] = listed  # type: ignore[assignment]  # data of a site file
    return found


def need(capability: str, part: str = "pool", *, features: tuple[str, ...] = (), **values: Any) -> Requirement:
    return Requirement(capability, part, f"{part} uses it", values, features)


def test_an_empty_cluster_that_is_asked_for_nothing_gets_nothing(settle: Any) -> None:
    found = settle()
    assert found.broken == []
    assert found.decided.releases == found.decided.namespaces == found.decided.priorities == ()


@pytest.mark.parametrize(
    ("provides", "asked", "ours"),
    [
        ({}, ["kueue"], ["cert-manager", "kueue"]),
        ({}, ["jobset"], ["jobset"]),
        (given("cert-manager"), ["kueue", "jobset"], ["jobset", "kueue"]),
        ({}, ["gpu-operator"], ["node-feature-discovery", "gpu-operator"]),
        (
            {},
            ["network-operator", "gpu-operator"],
            ["node-feature-discovery", "network-operator", "gpu-operator"],
        ),
        (given("node-feature-discovery"), ["gpu-operator"], ["gpu-operator"]),
        (
            given("gpu-operator", "node-feature-discovery"),
            ["gpu-operator", "kueue"],
            ["cert-manager", "kueue"],
        ),
        (given(*GIVEN_VERSIONS), [*GIVEN_VERSIONS], []),
        ({}, ["metrics"], ["cert-manager", "metrics"]),
        ({}, ["gateway-api"], ["gateway-api"]),
        ({}, ["external-secrets"], ["external-secrets"]),
    ],
)
def test_the_site_answers_or_one_release_of_ours(
    settle: Any, provides: dict[str, Any], asked: list[str], ours: list[str]
) -> None:
    found = settle(asked, provides=provides)
    assert [rule for rule in found.broken if rule != "CLU-013"] == []
    assert list(found.releases) == ours
    assert set(asked) & set(provides) <= {plan.capability for plan in found.decided.given} <= set(provides)


def test_what_is_given_is_said_to_be_never_touched(settle: Any) -> None:
    found = settle(["kueue"], provides=given("cert-manager"))
    decision = found.site_plan.decisions["cluster.capability.cert-manager"]
    assert decision.value == "given v1.21.1"
    assert decision.reason.startswith("given by the site, never touched")
    assert (decision.document, decision.source) == ("site", ("cluster", "provides", "cert-manager"))


def test_a_release_of_ours_says_who_needs_it_and_what_was_not_there(settle: Any) -> None:
    found = settle([need("kueue", "teams")])
    decision = found.site_plan.decisions["cluster.capability.cert-manager"]
    assert "kueue: its webhooks" in decision.reason
    assert [other.value for other in decision.rejected] == ["given by the site"]
    assert decision.facts == ("trains.releases/2026.11:cert-manager",)
    assert found.reason("capability.kueue") == "teams: teams uses it"


def test_a_capability_of_the_blueprint_is_a_release(settle: Any) -> None:
    found = settle(policy={"capabilities": ["gateway-api"]})
    assert found.reason("capability.gateway-api") == "cluster: the blueprint asks for it"


def test_every_setting_of_a_release_is_a_decision_with_its_reason(settle: Any) -> None:
    found = settle(["gpu-operator"])
    decision = found.site_plan.decisions["cluster.gpu-operator.nfd.enabled"]
    assert (decision.value, decision.facts) == (False, ("trains.releases/2026.11:gpu-operator",))
    assert "stand-alone" in decision.reason


def test_a_part_overrules_our_baseline_with_a_reason(settle: Any) -> None:
    found = settle([need("gpu-operator", operator={"resources": {"limits": {"memory": "1Gi"}}})])
    assert value_at(found.releases["gpu-operator"].values, "operator.resources.limits.memory") == "1Gi"
    decision = found.site_plan.decisions["cluster.gpu-operator.operator.resources.limits.memory"]
    assert (decision.value, decision.reason) == ("1Gi", "part pool needs it")
    assert [other.value for other in decision.rejected] == ["700Mi"]


def test_overruling_a_part_of_a_setting_is_a_decision_of_its_own(settle: Any) -> None:
    found = settle([need("cert-manager", resources={"requests": {"cpu": "1"}})])
    decision = found.site_plan.decisions["cluster.cert-manager.resources.requests.cpu"]
    assert (decision.value, [other.value for other in decision.rejected]) == ("1", ["50m"])


def test_values_of_two_parts_are_merged(settle: Any) -> None:
    found = settle(
        [
            need("gpu-operator", "h200", driver={"rdma": {"enabled": False}}),
            need("gpu-operator", "l4", mig={"strategy": "mixed"}),
        ]
    )
    values = found.releases["gpu-operator"].values
    assert value_at(values, "driver.rdma.enabled") is False
    assert value_at(values, "mig.strategy") == "mixed"


def test_two_parts_that_want_different_values_are_refused_by_name(settle: Any) -> None:
    found = settle(
        [
            need("gpu-operator", "h200", mig={"strategy": "single"}),
            need("gpu-operator", "l4", mig={"strategy": "mixed"}),
        ]
    )
    assert found.plan is None
    assert found.says == [
        'part h200 and part l4 want different values of gpu-operator at mig.strategy: "single" and "mixed"'
    ]


def test_the_queue_adds_to_the_configuration_of_kueue(settle: Any) -> None:
    config = Json({"integrations": {"frameworks": ["jobset.x-k8s.io/jobset"]}, "leaderElection": {"leaderElect": True}})
    found = settle([need("kueue", "teams", managerConfig={"controllerManagerConfigYaml": config})])
    tree = value_at(found.releases["kueue"].values, "managerConfig.controllerManagerConfigYaml")
    assert isinstance(tree, Json)
    assert value_at(tree.tree, "internalCertManagement.enable") is False  # type: ignore[arg-type]  # a tree
    assert value_at(tree.tree, "integrations.frameworks") == ["jobset.x-k8s.io/jobset"]  # type: ignore[arg-type]


def test_a_value_of_another_form_is_shown_in_the_refusal(settle: Any) -> None:
    found = settle([need("gpu-operator", operator=Json({"a": 1})), need("gpu-operator", "other", operator={"env": []})])
    assert found.plan is None
    assert "the baseline and part pool want different values of gpu-operator at operator" in found.says[0]


@pytest.mark.parametrize(
    ("provides", "says", "hint"),
    [
        (
            {"cert-manger": {"version": "1.21.1"}},
            '"cert-manger", which is no capability',
            'did you mean "cert-manager"?',
        ),
        ({"gpu": {"version": "1.0"}}, '"gpu", which is no capability', "Known: ai-gateway"),
    ],
)
def test_an_unknown_capability_gets_the_nearest_spelling(
    settle: Any, provides: dict[str, Any], says: str, hint: str
) -> None:
    found = settle(provides=provides)
    assert found.plan is None
    assert says in found.says[0]
    assert hint in found.hints[0]


def test_an_unknown_capability_of_the_blueprint_is_refused_where_it_stands(settle: Any) -> None:
    found = settle(policy={"capabilities": ["metrics", "gateway-apis"]})
    assert found.plan is None
    (problem,) = found.site_plan.problems
    assert problem.path == ("parts", "capabilities", 1)
    assert 'did you mean "gateway-api"?' in problem.hint


def test_a_capability_that_only_a_site_can_give_is_refused_when_it_does_not(settle: Any) -> None:
    found = settle(["sriov-network-operator"])
    assert found.plan is None
    assert "no release of train 2026.11" in found.says[0]
    assert "cluster.provides.sriov-network-operator" in found.hints[0]


def test_a_second_provider_from_a_private_catalog_is_refused(settle: Any, tmp_path: Any) -> None:
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "trains.yaml").write_text(
        """
as_of: 2026-11-21
trains:
- id: "ours"
  kubernetes: {min: "1.33", max: "1.36"}
  releases: [one, two]
  source: "our own platform"
  checked: 2026-11-21
releases:
"""
        + "".join(
            f"""
- name: {name}
  train: "ours"
  provides: jobset
  chart: jobset
  repository: oci://registry.example.com/charts
  version: "0.12.0"
  app_version: "v0.12.0"
  namespace: jobset-system
  kubernetes: unknown
  crds: []
  schemas: []
  source: "our own platform"
  checked: 2026-11-21
"""
            for name in ("one", "two")
        )
    )

    site_plan = SitePlan(place("ours"), Catalog.with_folders([folder]), "demo", table(*RULES))
    ctx = PlanContext(site_plan, "cluster", ("parts",))
    draft = plan.resolve(ClusterSpec(kind="cluster"), ctx)
    assert draft is not None
    assert plan.settle(draft, ctx) is None
    assert "both provide jobset" in site_plan.problems[0].says


def test_a_site_has_one_cluster_part(settle: Any) -> None:

    found = settle()
    second = PlanContext(found.site_plan, "other", ("parts", 1))
    assert plan.resolve(ClusterSpec(kind="cluster", name="other"), second) is None
    assert found.says == ["lab has one cluster, and parts cluster and other both describe it"]


def test_what_a_part_asks_is_known() -> None:
    assert set(GIVEN_VERSIONS) < set(CAPABILITIES)


TEAM = NamespaceRequest("team", "teams", "a team", "privileged", tenant="team")


@pytest.mark.parametrize(
    ("version", "says", "hint"),
    [
        (
            "1.37.0",
            "newer than cert-manager v1.21.1 supports: 1.36 or older",
            "1.36 is the nearest that can be built",
        ),
        (
            "1.32.4",
            "older than cert-manager v1.21.1 supports: 1.33 or newer",
            "1.33 is the nearest that can be built",
        ),
    ],
)
def test_a_kubernetes_version_outside_names_who_narrows_it_and_what_can_be_built(
    settle: Any, version: str, says: str, hint: str
) -> None:
    found = settle(["network-operator", "cert-manager"], version=version)
    assert says in found.says[0]
    assert hint in found.hints[0]


def test_a_given_version_outside_the_train_says_which_lines_fit(settle: Any) -> None:
    found = settle(provides={"kueue": {"version": "0.16.0"}})
    assert found.says == ["kueue 0.16.0 of the site is outside release train 2026.11, which fits 0.19.x or 0.18.x"]
    assert "bring the site's kueue to 0.19.2" in found.hints[0]


@pytest.mark.parametrize(
    ("distribution", "resolver", "ports"),
    [
        ("kubeadm", "kube-system", (53,)),
        ("talos", "kube-system", (53,)),
        ("openshift", "openshift-dns", (53, 5353)),
    ],
)
def test_a_distribution_decides_where_names_resolve(
    settle: Any, distribution: str, resolver: str, ports: tuple[int, ...]
) -> None:
    found = settle(["gpu-operator"], distribution=distribution)
    assert (found.decided.resolver.namespace, found.decided.resolver.ports) == (resolver, ports)
    assert value_at(found.releases["gpu-operator"].values, "platform.openshift") is (distribution == "openshift")


def test_the_plan_of_a_cluster_is_plain_data(settle: Any) -> None:

    data = data_of(settle(["kueue", "gpu-operator"], [TEAM]).decided)
    assert {release["capability"] for release in data["releases"]} >= {"kueue", "gpu-operator"}
