"""The rows of a training run: account, volume, claim and gang."""

from typing import Any

import pytest

from aifactory.components.rows import KubernetesRow
from aifactory.components.values import plain
from support.offered import Outcome, fabric, outcome, pool, queue, training
from support.schemas import Schemas

DRA = ([queue(topology_aware=False), training(nodes=1)], (pool(device_claim="gpu.nvidia.com", fabric=""),))


def made(*offers: object, **fields: Any) -> dict[str, KubernetesRow]:
    """Rows of a run on two tenants' queue."""
    return outcome([queue(), training(**fields)], offers).rows("pretrain")


def gang(rows: dict[str, KubernetesRow]) -> Any:
    """The JobSet among rows."""
    (row,) = [row for row in rows.values() if row.body["kind"] == "JobSet"]
    return plain(row.body, lambda ref: ref)


def job(rows: dict[str, KubernetesRow]) -> Any:
    """The Job of the gang."""
    (only,) = gang(rows)["spec"]["replicatedJobs"]
    return only["template"]["spec"]


def test_a_run_has_an_account_a_volume_and_a_gang() -> None:
    assert list(made()) == [
        "ServiceAccount/research/pretrain",
        "PersistentVolumeClaim/research/pretrain-checkpoints",
        "JobSet.jobset.x-k8s.io/research/pretrain-1",
    ]


@pytest.mark.schema
@pytest.mark.parametrize(
    "found",
    [
        outcome([queue(), training()]),
        outcome([queue(), training(checkpoint=None, nodes=1)], (pool(fabric="", architecture="arm64"),)),
        outcome([queue(), training(time_limit_h=5, pull_secrets=["hub"], hugepages_2mi_gib=8)]),
        outcome([queue(), training()], (fabric(ipc_lock=True), pool())),
        outcome(*DRA),
    ],
)
def test_the_server_takes_every_object(schemas: Schemas, found: Outcome) -> None:
    problems = {
        row.id: schemas.problems(plain(row.body, lambda ref: ref))  # type: ignore[arg-type]  # a body stays a map
        for row in found.rows("pretrain").values()
    }
    assert [found for found in problems.values() if found] == []


def test_each_node_runs_one_pod_and_none_is_retried_alone() -> None:
    found = job(made())
    assert (found["completions"], found["parallelism"]) == (4, 4)
    assert (found["completionMode"], found["backoffLimit"]) == ("Indexed", 0)
    assert found["template"]["spec"]["restartPolicy"] == "Never"


def test_a_drained_node_restarts_the_gang_without_using_up_its_restarts() -> None:
    rows = made(max_restarts=2)
    assert job(rows)["podFailurePolicy"]["rules"] == [
        {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    ]
    policy = gang(rows)["spec"]["failurePolicy"]
    assert (policy["maxRestarts"], policy["restartStrategy"]) == (2, "BlockingRecreate")
    assert policy["rules"][0]["action"] == "RestartJobSetAndIgnoreMaxRestarts"
    assert policy["rules"][0]["onJobFailureReasons"] == ["PodFailurePolicy"]


def test_what_kueue_writes_is_left_to_kueue() -> None:
    spec = gang(made())["spec"]
    assert "suspend" not in spec
    assert "ttlSecondsAfterFinished" not in spec


def test_the_gang_asks_its_tenants_queue_by_label() -> None:
    labels = gang(made(priority="high", time_limit_h=24))["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "default"
    assert labels["kueue.x-k8s.io/priority-class"] == "teams-high"
    assert labels["kueue.x-k8s.io/max-exec-time-seconds"] == "86400"
    assert labels["aifactory.io/tenant"] == "research"
    assert "kueue.x-k8s.io/max-exec-time-seconds" not in gang(made())["metadata"]["labels"]


def test_pods_carry_networks_and_the_wish_for_nearness() -> None:
    annotations = job(made(fabric(rails=2), pool()))["template"]["metadata"]["annotations"]
    assert annotations == {
        "k8s.v1.cni.cncf.io/networks": "fabric-system/rail-0,fabric-system/rail-1",
        "kueue.x-k8s.io/podset-preferred-topology": "aifactory.io/block",
    }
    assert "annotations" not in job(outcome(*DRA).rows("pretrain"))["template"]["metadata"]


def test_pods_tolerate_and_select_exactly_what_the_flavor_does() -> None:
    found = outcome([queue(), training()])
    (flavor,) = [row.body for row in found.rows("teams").values() if row.body["kind"] == "ResourceFlavor"]
    spec = job(found.rows("pretrain"))["template"]["spec"]
    assert flavor["spec"]["tolerations"] == spec["tolerations"]  # type: ignore[index]  # a tree's values are objects
    assert flavor["spec"]["nodeLabels"] == spec["nodeSelector"]  # type: ignore[index]  # the same


def test_pods_are_numbered_and_published_before_they_are_ready() -> None:
    rows = made()
    assert gang(rows)["spec"]["network"] == {
        "enableDNSHostnames": True,
        "publishNotReadyAddresses": True,
        "subdomain": "pretrain-1",
    }
    ranks = [each for each in job(rows)["template"]["spec"]["containers"][0]["env"] if "RANK" in each["name"]]
    path = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    assert ranks == [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name in ("NODE_RANK", "PET_NODE_RANK")
    ]


def test_checkpoints_outlive_the_run_and_the_stack() -> None:
    row = made()["PersistentVolumeClaim/research/pretrain-checkpoints"]
    assert row.protect
    assert row.retain_on_delete
    assert row.body["spec"] == {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "shared",
        "resources": {"requests": {"storage": "1Ti"}},
    }


def test_a_new_run_keeps_the_checkpoints_of_the_last() -> None:
    first, second = made(), made(run=2)
    assert set(first) - set(second) == {"JobSet.jobset.x-k8s.io/research/pretrain-1"}
    assert set(second) - set(first) == {"JobSet.jobset.x-k8s.io/research/pretrain-2"}


def test_a_run_without_checkpoint_mounts_none() -> None:
    rows = made(checkpoint=None, nodes=1)
    volumes = job(rows)["template"]["spec"]["volumes"]
    assert [each["name"] for each in volumes] == ["shm"]


def test_the_account_gets_no_token_and_the_registrys_secrets() -> None:
    row = made(pull_secrets=["hub"])["ServiceAccount/research/pretrain"]
    assert row.body["automountServiceAccountToken"] is False
    assert row.body["imagePullSecrets"] == [{"name": "hub"}]


def test_devices_of_dra_are_claimed_by_template() -> None:
    rows = outcome(*DRA).rows("pretrain")
    assert "ResourceClaimTemplate.resource.k8s.io/research/pretrain-1-gpus" in rows
    pod = job(rows)["template"]["spec"]
    assert pod["resourceClaims"] == [{"name": "gpus", "resourceClaimTemplateName": "pretrain-1-gpus"}]


def test_the_gang_waits_for_all_that_it_needs() -> None:
    row = made()["JobSet.jobset.x-k8s.io/research/pretrain-1"]
    assert set(row.after) == {
        "ServiceAccount/research/pretrain",
        "PersistentVolumeClaim/research/pretrain-checkpoints",
        "LocalQueue.kueue.x-k8s.io/research/default",
        "WorkloadPriorityClass.kueue.x-k8s.io/teams-normal",
        "ConfigMap/research/fabric-nccl",
        "capability:kueue",
    }
    assert row.gate is None


def test_a_renamed_run_keeps_the_names_of_its_objects() -> None:
    renamed = training(name="new", renamed_from="pretrain")
    assert list(outcome([queue(), renamed]).rows("new")) == list(made())
