"""The rows of a served model: what an API server takes, and what stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.names import MODEL_DIGEST_ANNOTATION, MODEL_LABEL, SERVING_LABEL
from aifactory.components.values import plain
from support.models import EU, REASONING, card, drives, reserved
from support.offered import fabric, pool
from support.schemas import Schemas

STORE = {"kind": "object-store", "uri": "s3://models/x", "endpoint": "https://s3.example.com", "credentials": "s3"}
FETCH = {"kind": "fetch", "hub": "https://hub.example.com", "size_gib": 200, "token": "hub"}
TAGGED = {"kind": "oci", "image": "registry.example.com/m:1"}

OFFLOADED = {"kv_offload": {"tier": "scratch", "size_gib": 1_000}}


def many_nodes(**offer: Any) -> dict[str, Any]:
    demand = {**REASONING, "data_class": "customer"}
    return {"demands": [demand], "offers": [card("nvidia-h100-sxm"), fabric(**offer), pool(nodes=40)], "residency": EU}


VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "alone": ({}, {}),
    "tenant": ({"tenant": "assist"}, {"offers": [card(), fabric(), pool(nodes=40), reserved()]}),
    "kserve": ({"stack": "kserve"}, {}),
    "kserve still": ({"stack": "kserve", "autoscaling": {"enabled": False}}, {}),
    "fetched": ({"weights": FETCH}, {}),
    "claim": ({"weights": {"kind": "claim", "claim": "w", "folder": "x"}}, {}),
    "streamed": ({"weights": STORE, "pull_secrets": ["hub"]}, {}),
    "nodes": ({"model": "deepseek-r1"}, many_nodes()),
    "nodes as root": ({"model": "deepseek-r1"}, many_nodes(ipc_lock=True)),
    "devices": ({}, {"offers": [card(), fabric(), pool(nodes=40, device_claim="gpu.nvidia.com")]}),
    "arm": ({}, {"offers": [card(), fabric(), pool(nodes=40, architecture="arm64")]}),
    "drives": (OFFLOADED, {"offers": [card(), fabric(), pool(nodes=40), drives()]}),
    "drives of kserve": ({**OFFLOADED, "stack": "kserve"}, {"offers": [card(), fabric(), pool(nodes=40), drives()]}),
    "drives of many nodes": (
        {"model": "deepseek-r1", "kv_cache": None, **OFFLOADED},
        {
            "demands": [REASONING],
            "offers": [card("nvidia-h100-sxm"), fabric(), pool(nodes=40), drives()],
        },
    ),
    "memory": ({"kv_offload": {"cpu_gib": 100}}, {}),
    "adapters": ({"lora": {"adapters": [{"name": "law", "folder": "adapters/law"}]}}, {}),
}


def of(name: str, served: Any) -> Any:
    spec, around = VARIANTS[name]
    return served(spec, **around)


def pods(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Pod templates of an object."""
    spec = body.get("spec")
    if body["kind"] == "LeaderWorkerSet":
        template = spec["leaderWorkerTemplate"]
        return [template["leaderTemplate"], template["workerTemplate"]]
    if body["kind"] == "CronJob":
        return [spec["jobTemplate"]["spec"]["template"]]
    if body["kind"] == "InferenceService":
        predictor = spec["predictor"]
        return [
            {"metadata": {"labels": predictor["labels"], "annotations": predictor["annotations"]}, "spec": predictor}
        ]
    return [spec["template"]] if isinstance(spec, dict) and "template" in spec else []


@pytest.mark.schema
@pytest.mark.parametrize("name", VARIANTS)
def test_the_server_takes_every_object(name: str, served: Any, schemas: Schemas) -> None:
    rows = of(name, served).rows()
    found = {row.id: schemas.problems(plain(row.body, lambda ref: ref)) for row in rows.values()}  # type: ignore[arg-type]
    assert {row: problems for row, problems in found.items() if problems} == {}


@pytest.mark.parametrize("name", VARIANTS)
def test_each_object_says_which_model_and_which_weights(name: str, served: Any) -> None:
    found = of(name, served)
    for row in found.rows().values():
        metadata: Any = row.body["metadata"]
        assert metadata["labels"][MODEL_LABEL] == found.plan.model
        assert metadata["annotations"][MODEL_DIGEST_ANNOTATION] == (found.plan.weights.digest or "null")


@pytest.mark.parametrize("name", VARIANTS)
def test_selectors_find_the_pods_that_answer_and_no_others(name: str, served: Any) -> None:
    """Of all pods that a model makes, Service, pool and monitor select those of its servers alone."""
    found = of(name, served)
    selector = {key: value for key, value in found.plan.selector if key.startswith("aifactory.io/")}
    chosen = []
    for row in found.rows().values():
        body: Any = plain(row.body, lambda ref: ref)
        for template in pods(body):
            labels = template["metadata"]["labels"]
            if all(labels.get(key) == value for key, value in selector.items()):
                chosen.append(body["kind"])
    assert set(chosen) in ({"Deployment"}, {"LeaderWorkerSet"}, {"InferenceService"})


def test_a_group_answers_through_its_first_pod_alone(served: Any) -> None:
    found = of("nodes", served)
    pool_of = found.body("InferencePool.inference.networking.k8s.io/chat/chat")
    assert pool_of["spec"]["selector"]["matchLabels"]["leaderworkerset.sigs.k8s.io/worker-index"] == "0"
    group = found.body("LeaderWorkerSet.leaderworkerset.x-k8s.io/chat/chat")
    assert group["spec"]["leaderWorkerTemplate"]["size"] == found.plan.layout.nodes
    leader, worker = pods(group)
    assert "startupProbe" in leader["spec"]["containers"][0]
    assert "startupProbe" not in worker["spec"]["containers"][0]
    stop = worker["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert stop[0] == "timeout"
    assert "/dev/tcp/$LWS_LEADER_ADDRESS/29501" in stop[-1]
    assert leader["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"].count("rail-") == 8


@pytest.mark.parametrize("name", VARIANTS)
def test_every_pod_is_one_that_restricted_namespaces_take(name: str, served: Any) -> None:
    found = of(name, served)
    for row in found.rows().values():
        for template in pods(plain(row.body, lambda ref: ref)):  # type: ignore[arg-type]  # a body stays a map
            spec = template["spec"]
            needs_root = found.plan.contract.ipc_lock and row.body["kind"] == "LeaderWorkerSet"
            assert spec["securityContext"]["runAsNonRoot"] is not needs_root
            for container in spec["containers"]:
                assert container["securityContext"]["allowPrivilegeEscalation"] is False
                assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]


def test_a_scaled_deployment_leaves_its_number_to_the_load(served: Any) -> None:
    found = of("alone", served)
    assert "replicas" not in found.body("Deployment.apps/chat/chat")["spec"]
    scaled = found.body("ScaledObject.keda.sh/chat/chat")["spec"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (4, 9)
    assert scaled["fallback"]["replicas"] == 9
    still = served({"autoscaling": {"enabled": False}})
    assert still.body("Deployment.apps/chat/chat")["spec"]["replicas"] == 9
    assert not any(row.startswith("ScaledObject") for row in still.rows())


def test_one_replica_after_the_other_makes_room_for_its_successor(served: Any) -> None:
    spec = of("alone", served).body("Deployment.apps/chat/chat")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert spec["revisionHistoryLimit"] == 3
    budget = of("alone", served).body("PodDisruptionBudget.policy/chat/chat")["spec"]
    assert budget["maxUnavailable"] == 1


def test_replicas_spread_over_racks_and_nodes(served: Any) -> None:
    spec = of("alone", served).body("Deployment.apps/chat/chat")["spec"]["template"]["spec"]
    keys = [each["topologyKey"] for each in spec["topologySpreadConstraints"]]
    assert keys == ["aifactory.io/rack", "kubernetes.io/hostname"]


def test_weights_are_read_only_and_kept_on_each_node(served: Any) -> None:
    found = of("alone", served)
    spec = found.body("Deployment.apps/chat/chat")["spec"]["template"]["spec"]
    weights = next(volume for volume in spec["volumes"] if volume["name"] == "weights")
    mount = next(mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "weights")
    assert weights["image"]["reference"].startswith("registry.example.com/models/llama")
    assert mount["readOnly"] is True
    keeper = found.body("DaemonSet.apps/chat/chat-weights")["spec"]["template"]["spec"]
    assert keeper["nodeSelector"] == spec["nodeSelector"]
    assert "nvidia.com/gpu" not in str(keeper["containers"][0]["resources"])


def test_fetched_weights_are_protected_and_there_before_servers(served: Any) -> None:
    rows = of("fetched", served).rows()
    volume = rows["PersistentVolumeClaim/chat/chat-weights"]
    assert volume.protect
    assert volume.retain_on_delete
    (job,) = [row for row in rows.values() if row.body["kind"] == "Job"]
    assert job.gate is not None
    assert job.id in rows["Deployment.apps/chat/chat"].after
    container = plain(job.body, lambda ref: ref)["spec"]["template"]["spec"]["containers"][0]  # type: ignore[index, call-overload]
    assert container["env"][-1]["valueFrom"]["secretKeyRef"] == {"name": "hub", "key": "token"}


def test_the_load_test_never_starts_by_itself(served: Any) -> None:
    spec = of("alone", served).body("CronJob.batch/chat/chat-benchmark")["spec"]
    assert spec["suspend"] is True
    assert spec["schedule"] == "0 0 31 2 *"


def test_the_pool_names_its_routers_and_one_of_them_always_chooses(served: Any) -> None:
    found = of("alone", served)
    spec = found.body("InferencePool.inference.networking.k8s.io/chat/chat")["spec"]
    assert spec["endpointPickerRef"] == {"name": "chat-epp", "port": {"number": 9002}, "failureMode": "FailOpen"}
    assert spec["selector"]["matchLabels"] == {SERVING_LABEL: "chat", MODEL_LABEL: "llama-3.3-70b"}
    router = found.body("Deployment.apps/chat/chat-epp")["spec"]
    assert router["replicas"] == 2
    assert router["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert found.body("PodDisruptionBudget.policy/chat/chat-epp")["spec"]["minAvailable"] == 1
    monitor = found.body("PodMonitor.monitoring.coreos.com/chat/chat-epp")["spec"]["selector"]["matchLabels"]
    assert monitor.items() <= router["template"]["metadata"]["labels"].items()
    assert "--pool-name=chat" in router["template"]["spec"]["containers"][0]["args"]


def test_the_router_only_reads(served: Any) -> None:
    rules = of("alone", served).body("Role.rbac.authorization.k8s.io/chat/chat-epp")["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_no_metrics_are_a_broken_scrape_and_never_an_idle_model(served: Any) -> None:
    scaled = of("alone", served).body("ScaledObject.keda.sh/chat/chat")["spec"]
    assert {trigger["metadata"]["ignoreNullValues"] for trigger in scaled["triggers"]} == {"false"}
    assert scaled["fallback"]["replicas"] == scaled["maxReplicaCount"]


def test_who_measures_is_told_to_hold_all_replicas_first(served: Any) -> None:
    found = of("alone", served)
    told = found.body("CronJob.batch/chat/chat-benchmark")["metadata"]["annotations"]["kubernetes.io/description"]
    assert f"paused-replicas={found.plan.scaling.ceiling}" in told
    assert told.index("paused-replicas=") < told.index("create job") < told.index("paused-replicas-")
