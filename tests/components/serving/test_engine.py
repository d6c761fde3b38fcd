"""Every word that the engine is started with is one that its version knows, and fits what was decided."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.serving import scaling
from aifactory.components.serving.decided import ServingPlan
from support.models import REASONING, card
from support.offered import fabric, pool
from support.watching import COLLECTOR

CATALOG = Catalog.shipped()
FLAGS = {str(row.data["flag"]): row for row in CATALOG.rows("engines.flags")}
VARIABLES = {str(row.data["variable"]) for row in CATALOG.rows("engines.environment")}

LORA = {"enable-lora", "max-loras", "max-lora-rank", "lora-modules"}
JOINING = {"nnodes", "node-rank", "master-addr", "master-port", "distributed-executor-backend"}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"stack": "kserve"},
    {"stored_as": "bf16"},
    {"precision": "bf16", "stored_as": "bf16"},
    {
        "weights": {
            "kind": "object-store",
            "uri": "s3://models/x",
            "endpoint": "https://s3.example.com",
            "credentials": "s3",
        }
    },
    {"lora": {"adapters": [{"name": "law", "folder": "adapters/law"}], "max_rank": 64}},
    {"kv_offload": {"cpu_gib": 100}},
]


def flags(plan: ServingPlan, which: int = 0) -> dict[str, str]:
    """Flags of a program and their values, empty for a switch."""
    return dict(word[2:].partition("=")[::2] for word in plan.programs[which].args if word.startswith("--"))


def many_nodes(served: Any) -> ServingPlan:
    offers = [card("nvidia-h100-sxm"), fabric(ipc_lock=True), pool(nodes=40)]
    found: ServingPlan = served({"model": "deepseek-r1"}, demands=[REASONING], offers=offers).plan
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_catalog_knows_every_flag_and_its_choice(variant: dict[str, Any], served: Any) -> None:
    for name, value in flags(served(variant).plan).items():
        switch = name.removeprefix("no-")
        row = FLAGS.get(name) or FLAGS[switch]
        if row.data["type"] == "switch":
            assert value == "", name
        choices = row.texts("choices")
        assert not choices or value in choices, (name, value)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_catalog_knows_every_variable(variant: dict[str, Any], served: Any) -> None:
    program = served(variant).plan.programs[0]
    names = {name for name, _ in program.environment} | {name for name, _ in program.from_pod}
    assert names - VARIABLES == set()


def test_a_collector_that_keeps_traces_gets_a_span_of_each_request(served: Any) -> None:
    offers = [card(), fabric(), pool(nodes=40)]
    plain, traced = served(offers=offers).plan, served(offers=[*offers, COLLECTOR]).plan
    added = set(flags(traced)) - set(flags(plain))
    assert added == {"otlp-traces-endpoint"} <= set(FLAGS)
    assert flags(traced)["otlp-traces-endpoint"] == "http://watch-gateway-collector.watch.svc:4317"
    variables = dict(set(traced.programs[0].environment) - set(plain.programs[0].environment))
    assert set(variables) <= VARIABLES
    assert variables == {
        "OTEL_SERVICE_NAME": "vllm-llama-3.3-70b",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "true",
    }


def test_the_catalog_knows_every_metric_that_scaling_asks_for(served: Any) -> None:
    known = {str(row.data["metric"]) for row in CATALOG.rows("engines.metrics")}
    asked = {query.split("(")[1].split("{")[0] for _, query, _ in served().plan.scaling.triggers}
    assert asked
    assert asked - known == set()
    assert scaling.FULL_PERCENT < 100


def test_flags_say_what_was_decided(served: Any) -> None:
    plan = served().plan
    found = flags(plan)
    assert found["tensor-parallel-size"] == str(plan.layout.tensor)
    assert found["max-num-seqs"] == str(plan.concurrency)
    assert found["max-model-len"] == "16384"
    assert found["served-model-name"] == "llama-3.3-70b"
    assert found["kv-cache-dtype"] == "fp8"
    assert found["gpu-memory-utilization"] == "0.90"
    assert "pipeline-parallel-size" not in found
    assert "quantization" not in found
    assert plan.programs[0].args[0] == "/weights/models"


def test_weights_in_16_bits_are_made_8_bits_while_they_load(served: Any) -> None:
    assert flags(served({"stored_as": "bf16"}).plan)["quantization"] == "fp8"


def test_prompts_reach_no_log_and_nothing_is_reported_home(served: Any) -> None:
    program = served().plan.programs[0]
    variables = dict(program.environment)
    assert "--no-enable-log-requests" in program.args
    assert "--enable-log-outputs" not in program.args
    assert variables["VLLM_NO_USAGE_STATS"] == variables["DO_NOT_TRACK"] == variables["HF_HUB_OFFLINE"] == "1"
    assert variables["VLLM_LOGGING_LEVEL"] == "INFO"


def test_an_answer_that_runs_is_finished_before_a_pod_ends(served: Any) -> None:
    plan = served().plan
    assert plan.grace_s > int(flags(plan)["shutdown-timeout"]) + 15


def test_the_engine_waits_as_long_as_the_probe(served: Any) -> None:
    plan = served().plan
    probe: Any = dict(plan.programs[0].lifecycle)["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= plan.weights.load_s
    assert dict(plan.programs[0].environment)["VLLM_ENGINE_READY_TIMEOUT_S"] == str(plan.weights.load_s)


def test_weights_of_a_store_are_streamed_with_credentials_by_name(served: Any) -> None:
    plan = served(VARIANTS[4]).plan
    assert plan.programs[0].args[0] == "s3://models/x"
    assert flags(plan)["load-format"] == "runai_streamer"
    assert [name for name, _ in plan.programs[0].secrets] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert plan.weights.volume is None


def test_adapters_are_loaded_by_name(served: Any) -> None:
    args = served(VARIANTS[5]).plan.programs[0].args
    assert args[-4:] == ("--enable-lora", "--max-loras=1", "--max-lora-rank=64", "--lora-modules") or args[-1] == (
        "law=/weights/adapters/law"
    )
    assert "--max-lora-rank=64" in args


def test_pods_of_one_replica_find_each_other(served: Any) -> None:
    plan = many_nodes(served)
    first, other = flags(plan, 0), flags(plan, 1)
    assert plan.layout.nodes == plan.layout.pipeline == int(first["nnodes"]) > 1
    assert first["pipeline-parallel-size"] == str(plan.layout.pipeline)
    assert first["node-rank"] == "$(LWS_WORKER_INDEX)"
    assert first["master-addr"] == "$(LWS_LEADER_ADDRESS)"
    assert "headless" not in first
    assert {name: value for name, value in other.items() if name != "headless"} == first
    assert other["headless"] == ""
    assert plan.programs[1].ports == ()
    assert set(first) - set(FLAGS) - {"no-enable-log-requests"} == set()


def test_torch_finds_a_user_and_places_to_write_in_every_program(served: Any) -> None:
    """The image has no user of the pod's id: without USER no program of it starts. vllm-project/vllm#44548."""
    plan = served().plan
    for program in (*plan.programs, plan.benchmark_program):
        variables = dict(program.environment)
        assert (variables["USER"], variables["HOME"]) == ("vllm", "/cache")
    caches = {name: value for name, value in plan.programs[0].environment if name.endswith(("_DIR", "_ROOT", "_HOME"))}
    assert len(caches) == 4
    assert all(str(value).startswith("/cache/") for value in caches.values())


PLUMBING = {"served-model-name", "port", "disable-access-log-for-endpoints", "load-format", *LORA, *JOINING}
"""Flags that say a name or an address, and need no reason."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_flag_that_decides_something_says_why(variant: dict[str, Any], served: Any) -> None:
    found = served(variant)
    for name in flags(found.plan):
        plain = name.removeprefix("no-")
        decision = found.decisions.get(f"chat.flags.{plain}")
        assert (decision is not None) != (plain in PLUMBING), name
        assert decision is None or all(path in found.decisions for path in decision.because)
