"""What a queue decides, offers and asks for."""

from collections.abc import Sequence
from typing import Any

import pytest

from aifactory.components.offers import GpuDemand, QueueOffer, QuotaDemand, RailOffer
from aifactory.components.values import Json
from support.offered import Outcome, fabric, outcome, pool, queue
from support.planning import place


def offer(found: Outcome) -> QueueOffer:
    """The queue's offer."""
    (only,) = [each for each in found.site_plan.offers if isinstance(each, QueueOffer)]
    return only


def config(found: Outcome) -> dict[str, Any]:
    """What the queue needs of Kueue's configuration."""
    (asked,) = [each for each in found.site_plan.requirements if each.capability == "kueue"]
    values: Any = asked.values
    text = values["managerConfig"]["controllerManagerConfigYaml"]
    assert isinstance(text, Json)
    assert isinstance(text.tree, dict)
    return text.tree


def namespace(found: Outcome, name: str = "research") -> Any:
    """The request for a tenant's namespace."""
    (only,) = [each for each in found.site_plan.namespaces if each.name == name]
    return only


def test_guarantees_are_demanded_before_pools_have_a_size() -> None:
    demands = [each for each in outcome([queue()]).site_plan.offers if isinstance(each, QuotaDemand)]
    assert demands == [QuotaDemand("teams", "train", 56)]


def test_unsaid_borrowing_is_half_of_the_pool_or_what_others_can_lend() -> None:
    value = outcome([queue()]).decision("teams.tenants.research.train")
    assert value == {"guaranteed": 40, "may_borrow": 24, "lends": 40}
    value = outcome([queue()]).decision("teams.tenants.product.train")
    assert value == {"guaranteed": 16, "may_borrow": 32, "lends": 16}


def test_what_others_keep_to_themselves_is_not_hoped_for() -> None:
    tenants = [{"name": "a", "gpus": 32, "lend_gpus": 8}, {"name": "b", "gpus": 32, "borrow_gpus": 32}]
    found = offer(outcome([queue(tenants=tenants)]))
    assert [tenant.gpus_at_most for tenant in found.tenants] == [64, 40]


def test_workloads_learn_what_they_may_ask_for() -> None:
    tenants = [{"name": "a", "gpus": 8, "namespace": "lab-a", "priority": "high"}, {"name": "b", "gpus": 8}]
    found = offer(outcome([queue(tenants=tenants, topology_aware=False)]))
    assert [(each.namespace, each.queue, each.priority) for each in found.tenants] == [
        ("lab-a", "default", "high"),
        ("b", "default", "normal"),
    ]
    assert found.priorities == (("low", 100), ("normal", 1_000), ("high", 10_000))
    assert found.topology_aware is False


@pytest.mark.parametrize(("values", "usual"), [([5], "p0"), ([5, 1], "p1"), ([1, 9, 5], "p2"), ([4, 3, 2, 1], "p2")])
def test_the_usual_priority_is_the_one_in_the_middle(values: list[int], usual: str) -> None:
    priorities = [{"name": f"p{index}", "value": value, "description": "d"} for index, value in enumerate(values)]
    assert offer(outcome([queue(priorities=priorities)])).tenants[0].priority == usual


@pytest.mark.parametrize(
    ("fields", "offers", "says", "hint"),
    [
        ({"pools": ["trian"]}, (), '"trian" is no GPU node pool', 'did you mean "train"?'),
        (
            {"tenants": [{"name": "a", "gpus": 8, "priority": "urgent"}]},
            (),
            '"urgent" is not a priority',
            "Known: high, low, normal",
        ),
        (
            {"pools": ["train", "more"], "tenants": [{"name": "a", "gpus": 8}]},
            (pool(), pool("more")),
            "gpus: 8, and the queue has 2 pools",
            "{train: 8, more: 0}",
        ),
        (
            {"tenants": [{"name": "a", "gpus": {"trian": 8}}]},
            (),
            '"trian" is not a pool of this queue',
            "Known: train",
        ),
        (
            {"tenants": [{"name": "a", "gpus": 8, "borrow_gpus": {"x": 8}}]},
            (),
            '"x" is not a pool of this queue',
            "Known: train",
        ),
        (
            {"tenants": [{"name": "a", "gpus": 8, "lend_gpus": {"x": 8}}]},
            (),
            '"x" is not a pool of this queue',
            "Known: train",
        ),
    ],
)
def test_a_reference_to_nothing_is_refused_with_what_there_is(
    fields: dict[str, Any], offers: Sequence[object], says: str, hint: str
) -> None:
    found = outcome([queue(**fields)], offers)
    assert len(found.errors) == 1
    assert says in found.says[0]
    assert hint in found.says[0]


def test_gpus_may_be_said_pool_by_pool() -> None:
    tenants = [{"name": "a", "gpus": {"more": 8}, "lend_gpus": {"more": 4}, "borrow_gpus": {"train": 16}}]
    found = outcome([queue(pools=["train", "more"], tenants=tenants)], (fabric(), pool(), pool("more")))
    assert found.decision("teams.tenants.a.train") == {"guaranteed": 0, "may_borrow": 16, "lends": 0}
    assert found.decision("teams.tenants.a.more") == {"guaranteed": 8, "may_borrow": 0, "lends": 4}


def test_each_tenant_gets_a_namespace_whose_jobs_kueue_manages() -> None:
    request = namespace(outcome([queue()]))
    assert request.tenant == "research"
    assert ("kueue.x-k8s.io/managed-namespace", "true") in request.labels
    assert request.egress == ("dns", "namespace")
    assert request.quota == (("requests.nvidia.com/gpu", "64"),)


def test_a_tenant_may_be_let_out() -> None:
    tenants = [{"name": "research", "gpus": 8, "reach": "any"}]
    assert namespace(outcome([queue(tenants=tenants)])).egress == ("dns", "namespace", "any")


def test_devices_are_limited_by_the_name_that_quotas_know() -> None:
    offers = (pool(device_claim="gpu.nvidia.com", fabric=""),)
    request = namespace(outcome([queue(topology_aware=False)], offers))
    assert request.quota == (("gpu.nvidia.com.deviceclass.resource.k8s.io/devices", "64"),)


@pytest.mark.parametrize(("ipc_lock", "level"), [(False, "baseline"), (True, "privileged")])
def test_pod_security_is_as_strict_as_the_fabric_allows(ipc_lock: bool, level: str) -> None:
    found = outcome([queue()], (fabric(ipc_lock=ipc_lock), pool()))
    assert namespace(found).pod_security == level
    assert found.decision("teams.pod_security") == level


def test_a_fabric_of_other_pools_changes_nothing() -> None:
    found = outcome([queue()], (fabric("other", ipc_lock=True), pool(fabric="")))
    assert namespace(found).pod_security == "baseline"


def test_kueue_admits_what_is_there_and_manages_only_our_namespaces() -> None:
    tree = config(outcome([queue()]))
    assert tree["integrations"] == {"frameworks": ["batch/job", "jobset.x-k8s.io/jobset"]}
    assert tree["manageJobsWithoutQueueName"] is True
    assert tree["managedJobsNamespaceSelector"] == {"matchLabels": {"kueue.x-k8s.io/managed-namespace": "true"}}
    assert tree["fairSharing"]["preemptionStrategies"] == [
        "LessThanOrEqualToFinalShare",
        "LessThanInitialShare",
    ]


def test_the_jobset_crd_is_there_when_kueue_starts() -> None:
    assert "jobset" in [each.capability for each in outcome([queue()]).site_plan.requirements]


def test_sharing_by_priority_leaves_fair_sharing_off() -> None:
    assert "fairSharing" not in config(outcome([queue(sharing="priority")]))


def test_patience_is_limited() -> None:
    ready = {"timeout_s": 900, "requeue_limit": 2}
    assert config(outcome([queue(pods_ready=ready)]))["waitForPodsReady"] == {
        "timeout": "900s",
        "recoveryTimeout": "600s",
        "blockAdmission": False,
        "requeuingStrategy": {
            "timestamp": "Eviction",
            "backoffLimitCount": 2,
            "backoffBaseSeconds": 60,
            "backoffMaxSeconds": 3_600,
        },
    }


def test_rails_of_every_fabric_are_excluded_from_quotas() -> None:
    rails = (RailOffer(0, "ns/a", "nvidia.com/ib_rail_0"), RailOffer(1, "ns/b", ""))
    offers = (fabric(rails=1), fabric("ib", rails=2), pool())
    found = outcome([queue()], offers)
    assert config(found)["resources"]["excludeResourcePrefixes"] == [
        "nvidia.com/rail_0",
        "nvidia.com/rail_1",
        "hugepages-",
        "ephemeral-storage",
    ]
    assert rails[1].resource == ""


def test_a_rail_without_a_counted_device_excludes_nothing() -> None:
    from msgspec.structs import replace

    offers = (replace(fabric(), rails=(RailOffer(0, "ns/a", ""),)), pool())
    assert outcome([queue()], offers).decision("teams.excluded") == ("hugepages-", "ephemeral-storage")


def test_a_rail_that_hides_gpus_stops_the_plan() -> None:
    offers = (fabric(rails=1), pool(gpu_resource="nvidia.com/rail_0"))
    assert outcome([queue()], offers).plans == {}


def test_device_classes_count_as_the_resource_of_their_pool() -> None:
    offers = (
        pool(device_claim="gpu.nvidia.com", fabric=""),
        pool("more", device_claim="big.nvidia.com", fabric=""),
    )
    tenants = [{"name": "a", "gpus": {"train": 8}}]
    found = outcome([queue(pools=["train", "more"], tenants=tenants, topology_aware=False)], offers)
    assert config(found)["resources"]["deviceClassMappings"] == [
        {"name": "nvidia.com/gpu", "deviceClassNames": ["gpu.nvidia.com", "big.nvidia.com"]}
    ]


@pytest.mark.parametrize(("version", "off"), [("1.33.4", True), ("v1.33", True), ("1.34.0", False)])
def test_on_kubernetes_without_device_claims_the_controller_leaves_them_alone(version: str, off: bool) -> None:
    site = place(cluster={"version": version, "kubeconfig": {"context": "lab"}})
    gates = config(outcome([queue()], at=site)).get("featureGates", {})
    assert (gates.get("KueueDRAIntegration") is False) == off


def test_a_given_kueue_must_have_what_ours_is_set_to() -> None:
    (asked,) = [each for each in outcome([queue()]).site_plan.requirements if each.capability == "kueue"]
    assert asked.features == ("jobset", "managed-namespaces", "fair-sharing", "excluded-rails")


def test_two_queues_of_a_site_share_one_configuration() -> None:
    other = queue(name="other", pools=["more"], tenants=[{"name": "c", "gpus": 8}])
    found = outcome([queue(), other], (fabric(), pool(), pool("more")))
    asked = [each for each in found.site_plan.requirements if each.capability == "kueue"]
    assert found.errors == []
    assert len(asked) == 2
    assert asked[0].values == asked[1].values


def test_nothing_is_decided_without_a_reason() -> None:
    decisions = outcome([queue()]).site_plan.decisions
    assert len(decisions) > 8
    assert all(len(decision.reason) > 10 for decision in decisions.values())


def test_ten_thousand_tenants_are_planned() -> None:
    tenants = [{"name": f"t{index}", "gpus": 8} for index in range(10_000)]
    found = outcome([queue(tenants=tenants)], (fabric(), pool(nodes=10_000)))
    assert found.errors == []
    assert len(found.rows("teams")) == 2 * 10_000 + 6


SERVERS = {"name": "chat", "workload": "inference", "gpus": 16, "lend_gpus": 4}
JOBS = {"name": "research", "gpus": 40}


def test_models_reserve_gpus_that_no_job_is_guaranteed() -> None:
    found = outcome([queue(tenants=[JOBS, SERVERS])])
    assert found.errors == []
    assert found.decision("teams.tenants.chat.train") == {"reserved": 16, "lends": 4}
    assert found.decision("teams.spare.train") == 8
    by_name = {tenant.tenant: tenant for tenant in offer(found).tenants}
    assert (by_name["chat"].workload, by_name["chat"].gpus, by_name["chat"].gpus_at_most) == ("inference", 16, 16)
    assert by_name["research"].gpus_at_most == 40 + 8 + 4


def test_a_reservation_counts_against_the_pool() -> None:
    found = outcome([queue(tenants=[JOBS, {**SERVERS, "gpus": 32, "lend_gpus": 0}])])
    assert found.broken == ["QUE-001"]


def test_what_models_lend_goes_to_the_cohort_and_comes_back_by_priority() -> None:
    found = outcome([queue(tenants=[JOBS, SERVERS])])
    decision = found.site_plan.decisions["teams.preemption.serving"]
    assert decision.value == {"priority": 100_000, "jobs": 0, "lent": {"chat": 4}}
    spare = found.plans["teams"].spare[0].quotas
    gpus = next(quota for quota in spare if quota.resource == "nvidia.com/gpu")
    assert gpus.nominal == "12"


def test_a_tenant_reserves_what_its_models_need() -> None:
    need = GpuDemand("bot", "train", "chat", 3, 2, 2, 1, spare_node=True)
    found = outcome([queue(tenants=[JOBS, {**SERVERS, "gpus": "demand"}])], (fabric(), pool(), need))
    assert found.errors == []
    assert found.decision("teams.tenants.chat.train") == {"reserved": 6, "lends": 4}
    assert found.site_plan.decisions["teams.tenants.chat.train"].because == ("bot.gpus",)


def test_reservations_are_told_apart_in_what_pools_hear() -> None:
    tenants = [JOBS, SERVERS, {**SERVERS, "name": "more", "gpus": "demand"}]
    demands = [each for each in outcome([queue(tenants=tenants)]).site_plan.offers if isinstance(each, QuotaDemand)]
    assert demands == [QuotaDemand("teams", "train", 56, (("chat", 16),), ("more",))]


def test_a_namespace_of_models_is_not_managed_by_the_queue_and_has_its_gpus_as_quota() -> None:
    found = outcome([queue(tenants=[JOBS, SERVERS])])
    asked = namespace(found, "chat")
    assert asked.labels == ()
    assert asked.quota == (("requests.nvidia.com/gpu", "16"),)
    assert asked.pod_security == "restricted"
    assert namespace(found).labels == (("kueue.x-k8s.io/managed-namespace", "true"),)


def test_models_alone_need_no_admission() -> None:
    found = outcome([queue(tenants=[SERVERS])])
    assert found.errors == []
    assert [each.capability for each in found.site_plan.requirements] == []
    assert list(found.rows("teams")) == ["PriorityClass.scheduling.k8s.io/teams-serving"]
    assert found.plans["teams"].in_short == "GPUs reserved for models: chat 16"
