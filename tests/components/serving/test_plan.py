"""What a served model decides, offers and asks for."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.capabilities import PodEgress
from aifactory.components.offers import GpuDemand, ModelOffer, OperatorNote, PodPromise
from aifactory.components.serving.decided import ServingPlan
from support.models import CHAT, REASONING, card, reserved
from support.offered import fabric, pool
from support.planning import place, site_data

RESERVED = [card(), fabric(), pool(nodes=40), reserved()]


def offered(found: Any, kind: Any) -> Any:
    (only,) = [offer for offer in found.site_plan.offers if isinstance(offer, kind)]
    return only


def wanted(found: Any) -> dict[str, str]:
    return {asked.capability: asked.reason for asked in found.site_plan.requirements}


def test_a_demand_becomes_replicas_and_gpus(served: Any) -> None:
    found = served()
    plan: ServingPlan = found.plan
    assert (plan.replicas, plan.layout.gpus, plan.gpus) == (9, 2, 18)
    assert plan.layout.tensor * plan.layout.pipeline * plan.layout.data == plan.layout.gpus
    demand = offered(found, GpuDemand)
    assert (demand.replicas, demand.replicas_needed, demand.gpus, demand.spare_node) == (9, 8, 18, True)


def test_promised_pods_ask_for_exactly_the_gpus_of_the_plan(served: Any) -> None:
    found = served()
    promise = offered(found, PodPromise)
    assert promise.count * int(dict(promise.requests)["nvidia.com/gpu"]) == found.plan.gpus


def test_the_chain_of_a_replica_count_leads_from_requests_to_gpus(served: Any) -> None:
    decisions = served().decisions
    seen: list[str] = []
    pending = ["chat.gpus"]
    while pending:
        path = pending.pop()
        seen.append(path)
        pending += [cause for cause in decisions[path].because if cause not in seen]
    assert {"chat.gpus", "chat.replicas", "chat.peak", "chat.tokens_per_s", "chat.latency", "chat.memory"} <= set(seen)
    facts = {fact for path in seen for fact in decisions[path].facts}
    assert {"models/llama-3.1-70b", "accelerators/nvidia-h200-sxm", "roofline/v2"} <= facts
    assert decisions["chat.peak"].source == ("demand", "models", 0)


def test_a_written_number_of_replicas_leads_to_gpus_by_the_same_chain(served: Any) -> None:
    found = served({"replicas": 12})
    decisions = found.decisions
    assert decisions["chat.gpus"].value == found.plan.gpus == 12 * found.plan.layout.gpus
    assert decisions["chat.gpus"].because == ("chat.replicas", "chat.layout")
    assert decisions["chat.replicas"].value == 12
    assert decisions["chat.replicas"].because == ("chat.peak", "chat.tokens_per_s")
    assert decisions["chat.replicas"].source == ("parts", 0, "replicas")
    assert decisions["chat.replicas"].reason.startswith("as written; by the demand: ")
    assert decisions["chat.replicas"].reason.endswith("have room elsewhere, and load again there")


def test_a_card_without_fp8_serves_it_with_a_warning(served: Any) -> None:
    found = served(offers=[card("nvidia-a100-sxm-80gb"), fabric(), pool(nodes=40)])
    assert "nvidia-a100-sxm-80gb has no fp8, so each step unpacks them" in found.decisions["chat.kv_cache"].reason
    told = next(problem for problem in found.problems if problem.rule == "SRV-011")
    assert "has no fp8, so the engine unpacks weights to 16 bits" in told.says
    assert "GPUs instead of" in told.says


def test_cuts_that_were_not_chosen_say_what_they_would_take(served: Any) -> None:
    rejected = {str(each.value): each.reason for each in served().decisions["chat.layout"].rejected}
    assert "tensor 4" in rejected
    assert "GPUs in" in rejected["tensor 4"]


def test_more_demand_never_takes_fewer_gpus(served: Any) -> None:
    base = {"name": "llama-3.3-70b", "input_tokens": 1_800, "output_tokens": 350, "itl_ms": 40.0}
    counts = [
        served({}, demands=[{**base, "requests_per_s": {"mean": 0.1, "peak": peak}}]).plan.gpus
        for peak in (0.5, 1.0, 4.0, 16.0, 32.0)
    ]
    assert counts == sorted(counts)


def test_a_rate_by_hour_sizes_as_its_mean_and_peak_do(served: Any) -> None:
    base = {"name": "llama-3.3-70b", "input_tokens": 1_800, "output_tokens": 350, "itl_ms": 40.0}
    hours = [2.0] * 12 + [10.0] * 11 + [16.0]
    by_hour = served({}, demands=[{**base, "requests_per_s": hours}]).plan
    mean = sum(hours) / 24
    by_two = served({}, demands=[{**base, "requests_per_s": {"mean": mean, "peak": 16.0}}]).plan
    assert (by_hour.replicas, by_hour.scaling) == (by_two.replicas, by_two.scaling)


def test_what_is_asked_for_depends_on_the_stack(served: Any) -> None:
    assert set(wanted(served())) == {"metrics", "keda", "inference-extension"}
    assert set(wanted(served({"stack": "kserve"}))) == {"metrics", "keda", "kserve"}
    assert "keda" not in wanted(served({"autoscaling": {"enabled": False}}))


def test_a_tenant_decides_namespace_and_priority(served: Any) -> None:
    found = served({"tenant": "assist"}, offers=RESERVED)
    assert (found.plan.namespace, found.plan.tenant, found.plan.priority_class) == ("assist", "assist", "teams-serving")
    alone = served().plan
    assert (alone.namespace, alone.tenant, alone.priority_class) == ("chat", "", "")


def test_a_namespace_lets_metrics_in_and_little_out(served: Any) -> None:
    (asked,) = served({"stack": "kserve", "autoscaling": {"enabled": False}}).site_plan.namespaces
    assert (asked.ingress_from, asked.egress, asked.pod_security) == (
        ("monitoring",),
        ("dns", "namespace"),
        "restricted",
    )
    routed, prometheus = served().site_plan.namespaces
    assert (prometheus.name, prometheus.ingress_from) == ("monitoring", ("keda",))
    assert routed.egress == ("dns", "namespace")
    assert routed.pod_egress == (PodEgress("chat-epp", COMPONENT_OF["router"], api=True),)


STORE = "https://s3.example.com:9000"
STORED = {"kind": "object-store", "uri": "s3://models/x", "endpoint": STORE, "credentials": "s3"}
FETCHED = {"kind": "fetch", "hub": "https://hub.example.com", "size_gib": 200, "storage_class": "shared"}
COMPONENT_OF = {
    "router": (("app.kubernetes.io/component", "router"), ("app.kubernetes.io/instance", "chat-epp")),
    "fetch": (("app.kubernetes.io/component", "fetch"), ("app.kubernetes.io/instance", "chat-weights")),
    "benchmark": (("app.kubernetes.io/component", "benchmark"), ("app.kubernetes.io/instance", "chat-benchmark")),
}


def test_only_what_reads_weights_reaches_where_they_lie(served: Any) -> None:
    """Of a store that is the replicas and the load test, of a hub the one Job: no prompt lies in its pod."""
    streamed, _ = served({"weights": STORED}).site_plan.namespaces
    assert streamed.egress == ("dns", "namespace")
    assert {each.name: (each.labels, each.ports) for each in streamed.pod_egress} == {
        "chat-epp": (COMPONENT_OF["router"], ()),
        "chat-store": ((("aifactory.io/serving", "chat"), ("aifactory.io/model", "llama-3.3-70b")), (9_000,)),
        "chat-benchmark-store": (COMPONENT_OF["benchmark"], (9_000,)),
    }
    found = served({"weights": FETCHED, "stack": "kserve", "autoscaling": {"enabled": False}})
    (fetched,) = found.site_plan.namespaces
    assert fetched.pod_egress == (PodEgress("chat-weights", COMPONENT_OF["fetch"], ports=(443,)),)


def test_the_load_test_asks_no_hub_for_the_tokenizer(served: Any) -> None:
    found = served({"weights": STORED})
    program = found.plan.benchmark_first
    assert program.args == ("s3://models/x", "/cache/tokenizer")
    assert dict(program.environment)["AWS_ENDPOINT_URL"] == STORE
    assert [name for name, _ in program.secrets] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert "--tokenizer=/cache/tokenizer" in found.plan.benchmark.arguments
    pod = found.body("CronJob.batch/chat/chat-benchmark")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["initContainers"]] == ["tokenizer"]
    (container,) = pod["containers"]
    assert {"name": "HF_HUB_OFFLINE", "value": "1"} in container["env"]
    both = (*pod["initContainers"], container)
    mounted = [{each["name"]: each["mountPath"] for each in one["volumeMounts"]} for one in both]
    assert mounted[0]["cache"] == mounted[1]["cache"] == "/cache"


def test_a_replica_may_be_lost_while_the_mean_is_carried(served: Any) -> None:
    found = served()
    carried = found.plan.scaling.floor - 1
    calls = found.decisions["chat.replicas"].reason.split(" that one carries")[0].split(" over ")[1]
    assert carried * float(calls) >= CHAT["requests_per_s"]["mean"]


@pytest.mark.parametrize(
    ("stack", "backend", "name", "port"),
    [("llm-d", "InferencePool", "chat", 8_000), ("kserve", "Service", "chat-predictor", 80)],
)
def test_routes_learn_where_the_model_answers(stack: str, backend: str, name: str, port: int, served: Any) -> None:
    offer = offered(served({"stack": stack}), ModelOffer)
    assert (offer.backend, offer.backend_name, offer.port, offer.model) == (backend, name, port, "llama-3.3-70b")
    assert offer.longest_s > 60


def test_replicas_follow_the_load_between_mean_and_peak(served: Any) -> None:
    plan: ServingPlan = served().plan
    assert plan.scaling is not None
    assert (plan.scaling.floor, plan.scaling.ceiling) == (4, 9)
    assert plan.scaling.prometheus.startswith("http://kube-prometheus-stack-prometheus.monitoring")


def test_without_difference_between_mean_and_peak_nothing_scales(served: Any) -> None:
    base = {"name": "llama-3.3-70b", "input_tokens": 1_800, "output_tokens": 350, "itl_ms": 40.0}
    demand = {**base, "requests_per_s": {"mean": 16.0, "peak": 16.0}}
    found = served({"autoscaling": {"min_replicas": 9}}, demands=[demand])
    assert found.plan.scaling is None
    assert found.decisions["chat.autoscaling"].value == "off"


def test_a_missing_digest_is_null_and_a_stated_one_stands(served: Any) -> None:
    tagged = {"weights": {"kind": "oci", "image": "registry.example.com/m:1"}}
    assert served(tagged).plan.weights.digest is None
    assert served(tagged).decisions["chat.weights"].value["digest"] is None
    assert served().plan.weights.digest == f"sha256:{'a' * 64}"


def test_the_load_test_has_the_numbers_of_the_demand(served: Any) -> None:
    words = served().plan.benchmark.arguments
    assert "--request-rate=16" in words
    assert "--random-input-len=1800" in words
    assert "--random-output-len=350" in words
    assert words[-1] == "tpot:40"


def test_two_models_share_a_pool_only_as_far_as_it_goes(served: Any) -> None:
    small = {
        "name": "llama-3.1-8b",
        "requests_per_s": {"mean": 1.0, "peak": 2.0},
        "input_tokens": 900,
        "output_tokens": 60,
        "itl_ms": 30.0,
    }
    second = {"name": "sort", "model": "llama-3.1-8b"}
    fits = served({}, second, demands=[CHAT, small], offers=[card(), fabric(), pool(nodes=3)])
    assert set(fits.plans) == {"chat", "sort"}
    tight = served({}, {**second, "replicas": 7}, demands=[CHAT, small], offers=[card(), fabric(), pool(nodes=3)])
    assert [problem.rule for problem in tight.problems] == ["SRV-008"]


def test_a_replica_over_nodes_uses_the_fabric(served: Any) -> None:
    offers = [card("nvidia-h100-sxm"), fabric(), pool(nodes=40)]
    found = served({"model": "deepseek-r1"}, demands=[REASONING], offers=offers)
    plan: ServingPlan = found.plan
    assert plan.layout.nodes > 1
    assert len(plan.contract.networks) == 8
    assert plan.contract.settings == "fabric-nccl"
    assert "lws" in wanted(found)
    assert found.site_plan.settings_readers == {"fabric": ["chat"]}
    alone = served(
        {"model": "deepseek-r1"},
        demands=[REASONING],
        offers=[card("nvidia-h100-sxm", several_join=False), pool(nodes=40)],
    )
    assert alone.only().rule == "SRV-002"


@pytest.mark.parametrize(
    ("url", "namespaces"),
    [
        ("http://prometheus.observability.svc:9090", ("observability",)),
        ("https://prometheus.observability.svc.cluster.local/prom", ("observability",)),
        ("https://prometheus.example.com", ()),
    ],
)
def test_the_prometheus_of_the_site_is_let_in_from_where_its_address_says(
    url: str, namespaces: tuple[str, ...], served: Any
) -> None:
    cluster = {**site_data()["cluster"], "provides": {"metrics": {"version": "88.5.3", "url": url}}}
    (asked,) = served(at=place(cluster=cluster)).site_plan.namespaces
    assert asked.ingress_from == namespaces


@pytest.mark.parametrize(
    ("spec", "kept", "dtype"),
    [
        ({"kv_cache": None}, "bf16", "auto"),
        ({"kv_cache": None, "stored_as": "bf16"}, "bf16", "auto"),
        ({"kv_cache": "fp8", "stored_as": "bf16"}, "fp8", "fp8"),
        ({"kv_cache": "bf16"}, "bf16", "auto"),
    ],
)
def test_keys_and_values_take_8_bits_where_somebody_asks_for_it(
    spec: dict[str, Any], kept: str, dtype: str, served: Any
) -> None:
    found = served(spec)
    assert found.decisions["chat.kv_cache"].value == kept
    assert f"--kv-cache-dtype={dtype}" in found.plan.programs[0].args


def test_keys_and_values_of_16_bits_leave_room_for_half_as_many_requests(served: Any) -> None:
    rooms = [
        served({"kv_cache": each, "parallelism": {"tensor": 2}}).decisions["chat.sequences"].value
        for each in ("fp8", "bf16")
    ]
    assert rooms[0] == pytest.approx(2 * rooms[1], abs=2)


def test_a_rollout_may_take_as_long_as_a_drain_a_pull_and_a_load(served: Any) -> None:
    plan = served().plan
    assert plan.step_s >= plan.grace_s + plan.weights.load_s + 600
    assert plan.ready_s >= plan.replicas * plan.weights.load_s


def test_what_nobody_here_makes_is_named_before_a_deployment(served: Any) -> None:
    """Pods wait for it, and the deployment for the pods."""
    token = {**FETCHED, "token": "hub-token"}
    claim = {"kind": "claim", "claim": "models"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"weights": STORED}, "Secret s3 of chat, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, is made once"),
        ({"weights": token}, "Secret hub-token of chat, with token, is made once namespace chat is there"),
        ({"pull_secrets": ["mirror"]}, "Secret mirror of chat, with .dockerconfigjson, is made once"),
        ({"weights": claim}, "PersistentVolumeClaim models of chat, with the weights, is made once"),
        ({}, "Nodes mount images as volumes: containerd 2.1 or newer"),
    ]
    for wishes, says in cases:
        notes = [offer for offer in served(wishes).site_plan.offers if isinstance(offer, OperatorNote)]
        before = [note.says for note in notes if note.when == "before"]
        assert any(each.startswith(says) for each in before), (wishes, before)


def test_a_load_test_waits_until_all_replicas_are_ready(served: Any) -> None:
    notes = [offer for offer in served().site_plan.offers if isinstance(offer, OperatorNote)]
    (load,) = [note.commands for note in notes if note.says.startswith("Load chat")]
    assert [command.split(" autoscaling")[0].split("--timeout")[0].strip() for command in load] == [
        "kubectl -n chat annotate scaledobject chat",
        "kubectl -n chat wait --for=jsonpath='{.status.readyReplicas}'=9",
        "kubectl -n chat create job --from=cronjob/chat-benchmark first",
        "kubectl -n chat wait --for=jsonpath='{.status.ready}'=1",
        "kubectl -n chat logs --follow job/first",
        "kubectl -n chat annotate scaledobject chat",
    ]
