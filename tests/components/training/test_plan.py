"""What a training run decides, offers and asks for."""

from typing import Any

import pytest

from aifactory.components.offers import PodPromise, StorageOffer
from support.offered import Outcome, fabric, outcome, pool, queue, training
from support.planning import place


def planned(*offers: object, **fields: Any) -> Outcome:
    """A run on two tenants' queue."""
    return outcome([queue(), training(**fields)], offers)


def promise(found: Outcome) -> PodPromise:
    """The pods that the run promises to place."""
    (only,) = [each for each in found.site_plan.offers if isinstance(each, PodPromise)]
    return only


def test_a_run_finds_queue_namespace_and_priority_by_its_tenant() -> None:
    plan = planned().plans["pretrain"]
    assert (plan.namespace, plan.local_queue, plan.priority_class) == ("research", "default", "teams-normal")


def test_a_run_may_name_its_priority() -> None:
    assert planned(priority="high").plans["pretrain"].priority_class == "teams-high"


@pytest.mark.parametrize(
    ("fields", "says", "hint"),
    [
        ({"pool": "trian"}, '"trian" is no GPU node pool with nodes', 'did you mean "train"?'),
        ({"tenant": "reserch"}, '"reserch" is not a tenant of queue teams', 'did you mean "research"?'),
        ({"queue": "tems"}, '"tems" is not a queue of this blueprint', 'did you mean "teams"?'),
        ({"priority": "hihg"}, '"hihg" is not a priority of queue teams', 'did you mean "high"?'),
        (
            {"checkpoint": {"size_gib": 1, "storage_class": "sharde"}},
            '"sharde" is not a StorageClass of the site',
            'did you mean "shared"?',
        ),
    ],
)
def test_a_reference_to_nothing_is_refused_with_the_nearest_name(fields: dict[str, Any], says: str, hint: str) -> None:
    (found,) = planned(**fields).says
    assert says in found
    assert hint in found


def test_a_pool_that_no_queue_hands_out_is_refused() -> None:
    found = outcome([queue(), training(pool="more")], (fabric(), pool(), pool("more")))
    assert found.says == ["no queue hands out pool more | list the pool in the pools of a queue (teams)"]
    found = outcome([training()])
    assert found.says == ["no queue hands out pool train | list the pool in the pools of a queue"]


def test_a_queue_that_hands_out_other_pools_is_refused() -> None:
    found = outcome([queue(), training(pool="more", queue="teams")], (fabric(), pool(), pool("more")))
    assert found.says == ["queue teams doesn't hand out pool more | It hands out train"]


def test_a_queue_may_be_named() -> None:
    assert "pretrain" in planned(queue="teams").plans


def test_a_fabric_that_was_refused_refuses_the_run_too() -> None:
    found = planned(pool(fabric="gone"))
    assert "pretrain" not in found.plans
    assert '"gone" is not a part' in found.says[0]


def test_the_settings_of_the_fabric_are_asked_for_in_the_tenants_namespace() -> None:
    assert planned().site_plan.settings_readers == {"fabric": ["research"]}
    assert planned(pool(fabric=""), nodes=1).site_plan.settings_readers == {}


def test_jobset_is_asked_for() -> None:
    assert "jobset" in [each.capability for each in planned().site_plan.requirements if each.part == "pretrain"]


def test_pods_find_each_other_by_the_name_of_the_first() -> None:
    environment = dict(planned(run=7).plans["pretrain"].program.environment)
    assert environment["MASTER_ADDR"] == environment["PET_MASTER_ADDR"] == "pretrain-7-workers-0-0.pretrain-7"
    assert environment["NNODES"] == "4"
    assert environment["PET_NPROC_PER_NODE"] == "8"
    assert environment["CHECKPOINT_DIR"] == "/checkpoints"


def test_variables_stand_in_order_of_their_names_whatever_order_they_were_written_in() -> None:
    first = planned(environment={"B": "1", "A": "2"}).plans["pretrain"]
    second = planned(environment={"A": "2", "B": "1"}).plans["pretrain"]
    assert first == second


def test_words_reach_the_program_as_written() -> None:
    program = planned(command=["sh", "-c"], args=["echo $(hostname) $$"]).plans["pretrain"].program
    assert program.command == ("sh", "-c")
    assert program.args == ("echo $$(hostname) $$$$",)


def test_a_digest_that_nobody_stated_is_null() -> None:
    assert planned().decision("pretrain.image.digest") is None
    digest = "sha256:" + "0" * 64
    image = f"registry.example.com/a/b:1@{digest}"
    assert planned(image=image).decision("pretrain.image.digest") == digest


@pytest.mark.parametrize(
    ("topology", "annotations"),
    [
        ({}, (("kueue.x-k8s.io/podset-preferred-topology", "aifactory.io/block"),)),
        ({"placement": "required"}, (("kueue.x-k8s.io/podset-required-topology", "aifactory.io/block"),)),
        ({"within": "rack"}, (("kueue.x-k8s.io/podset-preferred-topology", "aifactory.io/rack"),)),
        ({"placement": "none"}, (("kueue.x-k8s.io/podset-unconstrained-topology", "true"),)),
    ],
)
def test_topology_is_asked_in_kueues_words(topology: dict[str, str], annotations: tuple[object, ...]) -> None:
    assert planned(topology=topology).plans["pretrain"].topology == annotations


def test_one_node_lies_in_one_block_anyway() -> None:
    assert planned(nodes=1).decision("pretrain.topology") == {"kueue.x-k8s.io/podset-unconstrained-topology": "true"}


def test_a_queue_without_topology_is_asked_for_none() -> None:
    found = outcome([queue(topology_aware=False), training()])
    assert found.plans["pretrain"].topology == ()


def test_a_checkpoint_is_shared_wherever_the_class_can() -> None:
    assert planned(nodes=1).plans["pretrain"].checkpoint.access == "ReadWriteMany"


def test_one_node_may_keep_its_checkpoint_on_a_volume_of_its_own() -> None:
    classes = [{"name": "local", "access": ["ReadWriteOnce"], "default": True}]
    site = place(cluster={"version": "1.35", "kubeconfig": {"context": "lab"}, "storage_classes": classes})
    checkpoint = outcome([queue(), training(nodes=1)], at=site).plans["pretrain"].checkpoint
    assert (checkpoint.storage_class, checkpoint.access) == ("local", "ReadWriteOnce")


def test_a_class_that_a_part_makes_serves_too() -> None:
    site = place(cluster={"version": "1.35", "kubeconfig": {"context": "lab"}})
    offers = (fabric(), pool(), StorageOffer("fast", ("ReadWriteMany",), "DE"))
    found = outcome([queue(), training()], offers, site)
    assert found.plans["pretrain"].checkpoint.storage_class == "fast"


def test_the_default_class_goes_before_others_that_fit() -> None:
    classes = [
        {"name": "a", "access": ["ReadWriteMany"]},
        {"name": "z", "access": ["ReadWriteMany"], "default": True},
    ]
    site = place(cluster={"version": "1.35", "kubeconfig": {"context": "lab"}, "storage_classes": classes})
    assert outcome([queue(), training()], at=site).plans["pretrain"].checkpoint.storage_class == "z"


@pytest.mark.parametrize(
    ("ipc_lock", "user", "reason"),
    [(False, 1000, "an ordinary user"), (True, 0, "which Linux gives to root alone")],
)
def test_the_user_follows_from_how_memory_is_locked(ipc_lock: bool, user: int, reason: str) -> None:
    found = planned(fabric(ipc_lock=ipc_lock), pool())
    decision = found.site_plan.decisions["pretrain.pod.user_id"]
    assert decision.value == user
    assert reason in decision.reason


def test_a_user_that_is_written_is_taken() -> None:
    decision = planned(user_id=5).site_plan.decisions["pretrain.pod.user_id"]
    assert (decision.value, decision.reason) == (5, "as written")


def test_the_scheduler_is_promised_what_the_pods_will_ask() -> None:
    found = promise(planned(topology={"placement": "required", "within": "rack"}))
    assert (found.name, found.namespace, found.count, found.queue) == ("pretrain-1", "research", 4, "default")
    assert found.topology == "aifactory.io/rack"
    assert dict(found.requests)["nvidia.com/gpu"] == "8"
    assert dict(found.node_selector) == {"aifactory.io/pool": "train"}
    assert [taint.key for taint in found.tolerations] == ["nvidia.com/gpu"]
    assert promise(planned()).topology == ""


def test_a_gang_says_which_guarantee_it_rests_on() -> None:
    decision = planned().site_plan.decisions["pretrain.gang"]
    assert decision.value == {"nodes": 4, "gpus_per_node": 8, "gpus": 32}
    assert decision.because == ("teams.tenants.research.train", "train.nodes")


def test_what_is_left_out_on_purpose_is_explained() -> None:
    decisions = planned(time_limit_h=2).site_plan.decisions
    for name in ("suspend", "ttl", "restarts", "rendezvous", "time_limit_h", "pod.tolerations"):
        assert decisions[f"pretrain.{name}"].rejected, name
    assert "pretrain.time_limit_h" not in planned().site_plan.decisions


def test_nothing_of_the_specification_is_lost_in_the_plan() -> None:
    plan = planned(max_restarts=0, time_limit_h=2, grace_s=60, pull_secrets=["hub"]).plans["pretrain"]
    assert (plan.max_restarts, plan.time_limit_s, plan.grace_s) == (0, 7_200, 60)
    assert plan.pull_secrets == ("hub",)
