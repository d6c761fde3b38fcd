"""Keys and values that leave GPU memory: where they go, what that takes, and what the engine is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aifactory.components.storage_uses import KvOffloadUse
from support.models import CHAT, EU, REASONING, card, drives
from support.offered import fabric, pool

ON_DRIVES = {"kv_offload": {"tier": "scratch", "size_gib": 1_000}}
DEPLOYMENT = "Deployment.apps/chat/chat"


def around(*more: Any, **changes: Any) -> dict[str, Any]:
    return {"offers": [card(), fabric(), pool(nodes=40), *more], **changes}


def told(plan: Any, which: int = 0) -> dict[str, Any]:
    """What the engine's connector is told."""
    (word,) = [word for word in plan.programs[which].args if word.startswith("--kv-transfer-config=")]
    found: dict[str, Any] = json.loads(word.partition("=")[2])
    assert (found["kv_connector"], found["kv_role"]) == ("SimpleCPUOffloadConnector", "kv_both")
    return dict(found["kv_connector_extra_config"])


def pod(found: Any, row: str = DEPLOYMENT) -> dict[str, Any]:
    spec: dict[str, Any] = found.body(row)["spec"]["template"]["spec"]
    return spec


def use_of(found: Any) -> KvOffloadUse:
    (use,) = [offer for offer in found.site_plan.offers if isinstance(offer, KvOffloadUse)]
    return use


def test_a_model_that_asks_for_none_is_started_as_before(served: Any) -> None:
    found = served()
    assert not [word for word in found.plan.programs[0].args if "kv-transfer" in word]
    assert {volume["name"] for volume in pod(found)["volumes"]} == {"shm", "weights", "cache"}
    assert not [key for key in found.decisions if "kv_offload" in key]


def test_each_pod_gets_a_volume_of_the_tiers_class_that_goes_with_it(served: Any) -> None:
    spec = pod(served(ON_DRIVES, **around(drives())))
    (volume,) = [volume for volume in spec["volumes"] if volume["name"] == "kv"]
    assert volume["ephemeral"] == {
        "volumeClaimTemplate": {
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "fast-local",
                "resources": {"requests": {"storage": "1000Gi"}},
            }
        }
    }
    (container,) = spec["containers"]
    assert {"name": "kv", "mountPath": "/kv"} in container["volumeMounts"]


def test_files_of_all_gpus_leave_room_in_the_volume(served: Any) -> None:
    found = served(ON_DRIVES, **around(drives()))
    settings = told(found.plan)
    # 95 percent of 1000 GiB on 2 GPUs: 475 GiB each.
    assert settings == {
        "kv_offload_backend": "disk",
        "disk_path": "/kv/blocks",
        "disk_capacity_bytes": 475 * 2**30,
    }


def test_the_rate_is_that_of_all_tokens_at_peak(served: Any) -> None:
    found = served(ON_DRIVES, **around(drives()))
    use = use_of(found)
    # 16 requests of 2150 tokens, each with 80 layers x 2 x 8 heads x 128 bytes = 163840 bytes of fp8.
    assert use.gb_per_s == pytest.approx(16 * 2_150 * 163_840 / 1e9)
    # 8 replicas of 2 GPUs carry the peak; the ninth is the spare one.
    assert (use.gpus, use.gpus_per_pod, use.pods_per_node, use.size_gib) == (16, 2, 4, 1_000)
    value = found.decisions["chat.kv_offload"].value
    assert value["gb_per_s_per_gpu"] == pytest.approx(0.352, abs=0.001)


def test_the_reasons_name_what_was_left_aside_and_the_key_of_the_drives(served: Any) -> None:
    tier = drives(data_class="customer", key="kmip://hsm.example.com/drives")
    found = served(ON_DRIVES, **around(tier, demands=[{**CHAT, "data_class": "customer"}], residency=EU))
    decision = found.decisions["chat.kv_offload"]
    assert "by key kmip://hsm.example.com/drives" in decision.reason
    rejected = {str(each.value) for each in decision.rejected}
    assert {"LMCache", "TieringOffloadingSpec", "a lasting volume"} <= rejected
    room = found.decisions["chat.kv_offload.room"]
    # Four pods on a node, and the volume of one that ended.
    assert room.value == {"needed_gib": 5_000, "node_gib": 20_000}
    assert "without surge" in room.reason
    assert found.decisions["chat.flags.kv-transfer-config"].because == ("chat.kv_offload",)


def test_replicas_are_replaced_without_a_second_volume_beyond_that_of_the_pod_that_ends(served: Any) -> None:
    strategy = served(ON_DRIVES, **around(drives())).body(DEPLOYMENT)["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_servers_start_after_the_class_and_the_weights_keeper_has_no_such_volume(served: Any) -> None:
    found = served(ON_DRIVES, **around(drives()))
    rows = found.rows()
    assert "StorageClass.storage.k8s.io/fast-local" in rows[DEPLOYMENT].after
    for name in ("DaemonSet.apps/chat/chat-weights", "CronJob.batch/chat/chat-benchmark"):
        assert "ephemeral" not in json.dumps(found.body(name))


def test_memory_for_keys_is_part_of_what_the_pod_asks_for(served: Any) -> None:
    found = served({"kv_offload": {"cpu_gib": 100}})
    assert told(found.plan) == {"cpu_bytes_to_use": 100 * 2**30}
    assert pod(found)["containers"][0]["resources"] == pod(served())["containers"][0]["resources"]
    assert not [volume for volume in pod(found)["volumes"] if volume["name"] == "kv"]
    assert not [offer for offer in found.site_plan.offers if isinstance(offer, KvOffloadUse)]


def test_a_replica_over_several_nodes_has_a_volume_on_each_and_counts_memory_of_all(served: Any) -> None:
    many = {"offers": [card("nvidia-h100-sxm"), fabric(), pool(nodes=40), drives()], "demands": [REASONING]}
    model = {"model": "deepseek-r1", "kv_cache": None}
    found = served({**model, **ON_DRIVES}, **many)
    group = found.body("LeaderWorkerSet.leaderworkerset.x-k8s.io/chat/chat")["spec"]["leaderWorkerTemplate"]
    for template in ("leaderTemplate", "workerTemplate"):
        volumes = group[template]["spec"]["volumes"]
        assert [volume["name"] for volume in volumes if "ephemeral" in volume] == ["kv"]
    assert told(found.plan) == told(found.plan, 1)
    nodes = found.plan.layout.nodes
    assert nodes > 1
    memory = served({**model, "kv_offload": {"cpu_gib": 200}}, **many)
    assert told(memory.plan) == {"cpu_bytes_to_use": 200 * nodes * 2**30}


def test_blocks_that_are_no_multiple_of_a_page_go_through_the_page_cache(served: Any) -> None:
    many = {"offers": [card("nvidia-h100-sxm"), fabric(), pool(nodes=40), drives()], "demands": [REASONING]}
    latent = served({"model": "deepseek-r1", "kv_cache": None, **ON_DRIVES}, **many)
    # 16 tokens x 576 elements x 2 bytes x 61 layers in 2 stages: 137.25 pages.
    assert told(latent.plan)["use_page_cache"] is True
    assert "use_page_cache" not in told(served(ON_DRIVES, **around(drives())).plan)


def test_vectors_keep_nothing_that_could_be_offloaded(served: Any) -> None:
    vectors = {"model": "bge-m3", "stack": "kserve", "precision": None, "stored_as": "bf16", "kv_cache": None}
    texts = {"name": "bge-m3", "task": "embed", "requests_per_s": {"mean": 2.0, "peak": 50.0}, "input_tokens": 450}
    found = served({**vectors, "kv_offload": {"cpu_gib": 10}}, demands=[texts]).only()
    assert (found.rule, found.path) == ("SRV-031", ("parts", 0, "kv_offload"))
