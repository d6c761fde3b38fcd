"""Sizes of demands: the cut that is chosen, what stands behind it, and an answer for each pair of model and card."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.sizing.accuracy import at_concurrency
from aifactory.components.sizing.card import card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.evidence import of_kind, of_work
from aifactory.components.sizing.found import Refusal
from aifactory.components.sizing.geometry import geometry
from aifactory.components.sizing.layouts import Cut
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.size import Sizing, size
from support.sizing import CATALOG, CHAT, FIXED, PRECISIONS, accelerator, fits, model, refused

NAMES_A_WAY = {
    "memory": r"cards of \d+ GB or more",
    "itl": r"^set itl_ms to \d+ or more",
    "ttft": r"^set ttft_ms to \d+ or more",
    "precision": r"^use (precision|weights stored as) (bf16|fp8)",
    "unknown": "private catalog folder$",
    "heads": r"^use (tensor|pipeline) \d+|^leave parallelism out",
    "adapters": "^serve a dense model",
}


def test_the_reference_demand_takes_ten_replicas_of_four_gpus() -> None:
    found = fits(max_model_len=16_384)
    assert (found.tensor, found.replicas_needed, found.replicas, found.gpus, found.nodes) == (4, 9, 10, 40, 6)
    assert found.itl_ms <= 40
    assert found.evidence == ()


def test_replicas_follow_from_the_slow_end_of_the_band() -> None:
    found = fits()
    carried = found.tokens_per_s.planned / CHAT.output_tokens
    assert found.replicas_needed == math.ceil(CHAT.peak_calls / carried)
    assert found.tokens_per_s.expected / found.tokens_per_s.low == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("redundancy", "spare"),
    [("none", 0), ("replica", 1), ("node", 1)],
)
def test_redundancy_adds_a_replica(redundancy: str, spare: int) -> None:
    found = fits(redundancy=redundancy)
    assert found.replicas - found.replicas_needed == spare


def test_a_small_demand_has_two_replicas_unless_nothing_may_be_spared() -> None:
    little = replace(CHAT, mean_per_s=0.01, peak_per_s=0.02)
    assert fits(little).replicas == 2
    assert fits(little, redundancy="none").replicas == 1


def test_after_the_loss_of_a_node_the_rest_has_room_for_what_is_needed() -> None:
    found = fits(redundancy="node")
    a_node = 8 // found.gpus_per_replica
    assert (found.nodes - 1) * a_node >= found.replicas_needed
    assert fits(redundancy="replica").nodes == math.ceil(found.replicas / a_node)


def test_a_model_too_large_for_a_node_spans_several_where_a_fabric_joins_them() -> None:
    slow = replace(CHAT, itl_ms=80.0)
    wishes = {"name": "deepseek-r1", "precision": "fp8", "on": "h100"}
    assert refused(slow, **wishes).kind == "memory"
    found = fits(slow, nodes_at_most_per_replica=4, **wishes)
    assert found.pipeline > 1
    assert found.tensor == 8
    assert found.gpus_per_replica == 8 * found.pipeline == 8 * found.nodes_per_replica
    assert "the one system over several nodes was estimated 3.3 to 3.8 times too fast" in found.evidence


def test_experts_are_spread_where_there_are_several_gpus() -> None:
    assert fits(name="gpt-oss-120b", precision="mxfp4", on="h100", tensor=2).expert_parallel
    assert not fits().expert_parallel


def test_a_card_that_nobody_measured_has_a_wider_band_and_takes_no_more_of_itself_for_that() -> None:
    found = fits(on="mi300x")
    band = found.tokens_per_s
    assert "of amd-mi300x only MLPerf results stand behind it" in found.evidence
    assert band.expected / band.low == pytest.approx(2)
    assert band.expected / band.planned == pytest.approx(1.5)
    assert found.gpus_at_slow_end > found.gpus


def test_work_that_nobody_measured_has_a_wider_band_and_takes_more_replicas() -> None:
    found = fits(replace(CHAT, input_tokens=9_000))
    band = found.tokens_per_s
    assert found.evidence == ("prompts of 9000 tokens, above the 8192 that were measured",)
    assert band.expected / band.planned == band.expected / band.low == pytest.approx(2)
    assert found.gpus_at_slow_end == found.gpus


def test_the_slow_end_is_told_for_the_latency_too() -> None:
    found = fits()
    assert found.itl_ms == pytest.approx(40)
    assert found.slow_itl_ms == pytest.approx(60)
    latency = next(step for step in found.steps if step.key == "latency")
    assert latency.value == {"itl_ms": 40.0, "itl_ms_at_slow_end": 60.0, "prompt_alone_ms": 79}


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("h200", ()),
        ("mi300x", ("of amd-mi300x only MLPerf results stand behind it",)),
        ("gb200", ("of nvidia-gb200 only MLPerf results stand behind it",)),
        ("l4", ("nothing was measured on nvidia-l4",)),
        (
            "nvidia-a100-sxm-80gb",
            (
                "nothing was measured on nvidia-a100-sxm-80gb",
                "nvidia-a100-sxm-80gb has no fp8, so the engine unpacks weights to 16 bits, which was not measured",
            ),
        ),
    ],
)
def test_what_stands_behind_a_card_is_told_truly(card: str, says: tuple[str, ...]) -> None:
    found = of_kind(accelerator(card), Options("fp8", 8), CHAT, FIXED.evidence)
    assert tuple(doubt.says for doubt in found) == says


@pytest.mark.parametrize(
    ("wishes", "demand", "says"),
    [
        ({"precision": "fp4"}, CHAT, "nvidia-h200-sxm has no fp4, so the engine unpacks weights to 16 bits"),
        ({"lora_adapters": 4, "lora_rank": 16}, CHAT, "adapters were not measured"),
        ({}, replace(CHAT, prefix_hit_percent=50.0), "prompts that were computed before were not measured"),
    ],
)
def test_what_makes_requests_cheaper_is_told_and_costs_nothing(
    wishes: dict[str, Any], demand: Demand, says: str
) -> None:
    """Were known prompts a doubt that costs, a little of them would take more GPUs than none."""
    found = fits(demand, **wishes)
    assert found.evidence[0].startswith(says)
    assert found.tokens_per_s.expected / found.tokens_per_s.planned == pytest.approx(1.5)
    assert found.tokens_per_s.expected / found.tokens_per_s.low == pytest.approx(2)


@pytest.mark.parametrize(
    ("name", "on", "cut", "sequences", "tokens", "says", "factor"),
    [
        ("llama-3.1-70b", "h200", (8, 1), 128.0, 8_192, "", 0.0),
        ("llama-3.1-70b", "h100-pcie", (4, 1), 64.0, 1_000, "4 GPUs of which 2 are joined by more than PCIe", 2.0),
        (
            "llama-3.1-70b",
            "h200",
            (8, 2),
            64.0,
            1_000,
            "over several nodes was estimated 3.3 to 3.8 times too fast",
            3.8,
        ),
        ("llama-3.1-405b", "gb200", (16, 1), 64.0, 1_000, "16 GPUs on one layer, above the 8 that were measured", 2.0),
        ("llama-3.1-70b", "h200", (8, 1), 200.0, 1_000, "200 requests at once, above the 128", 2.0),
        (
            "deepseek-r1",
            "h200",
            (8, 1),
            64.0,
            1_000,
            "deepseek-r1 was estimated 1.5 to 1.8 times too fast on vLLM",
            2.0,
        ),
        ("glm-5", "h200", (8, 1), 64.0, 1_000, "glm-5 was estimated 1.2 to 2.6 times too fast on any engine", 2.6),
    ],
)
def test_what_stands_behind_work_is_told_truly(
    name: str, on: str, cut: tuple[int, int], sequences: float, tokens: int, says: str, factor: float
) -> None:
    found = list(of_work(model(name), accelerator(on), Cut(*cut), sequences, tokens, FIXED.evidence))
    assert [doubt.factor for doubt in found] == ([factor] if factor else [])
    assert says in "".join(doubt.says for doubt in found)


def test_nothing_is_counted_faster_than_it_was_measured() -> None:
    """A doubt covers how far a row was estimated too fast; without one no row lies below the outer band."""
    for row in CATALOG.rows("throughput.inferencex_concurrency_64"):
        compared = at_concurrency(CATALOG, row.key, row.data)
        assert compared.ratio is not None
        gpus = int(row.data["gpus"])
        cut = Cut(min(gpus, 8), max(1, gpus // 8))
        on = accelerator(str(row.data["accelerator"]))
        doubts = of_work(model(str(row.data["model"])), on, cut, 64.0, row.data["isl"], FIXED.evidence)
        planned = max([FIXED.evidence.inside, *(doubt.factor for doubt in doubts)])
        bound = planned if planned > FIXED.evidence.inside else FIXED.evidence.outside
        assert compared.ratio <= bound, (row.key, compared.ratio, planned)


def test_the_cards_that_were_measured_are_those_of_the_rows() -> None:
    def cards(*tables: str) -> set[str]:
        return {str(row.data["accelerator"]) for table in tables for row in CATALOG.rows(f"throughput.{table}")}

    under_load = cards("inferencex_concurrency_64")
    assert set(FIXED.evidence.under_load) == under_load
    of_mlperf = cards("mlperf_v5_1_closed", "mlperf_v4_1_closed")
    assert set(FIXED.evidence.mlperf_alone) == of_mlperf - under_load


def test_the_chain_leads_from_requests_to_gpus_without_a_gap() -> None:
    steps = {step.key: step for step in fits().steps}
    seen: set[str] = set()
    pending = ["gpus"]
    while pending:
        step = steps[pending.pop()]
        seen.add(step.key)
        pending += [key for key in step.because if key not in seen]
    assert seen == set(steps) - {"prompt_percent"}, "which parts costs, and no GPU follows from it"
    assert steps["prompt_percent"].because == ("tokens_per_s",)
    assert {"accelerators/nvidia-h200-sxm", "models/llama-3.1-70b", "roofline/v2"} <= {
        fact for step in steps.values() for fact in step.facts
    }


def test_adapters_take_room_from_requests() -> None:
    assert fits(tensor=2, lora_adapters=32, lora_rank=16).memory.sequences < fits(tensor=2).memory.sequences


def test_every_model_on_every_card_has_a_layout_or_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes: Counter[str] = Counter()
    slow = replace(CHAT, itl_ms=100.0)
    for row in CATALOG.rows("models"):
        for on in CATALOG.rows("accelerators"):
            for precision in PRECISIONS:
                for node, nodes in ((8, 1), (8, 4), (10, 1), (4, 1), (1, 1)):
                    options = Options(precision=precision, gpus_per_node=node, nodes_at_most_per_replica=nodes)
                    found = size(slow, geometry(row), card(on), options, FIXED)
                    if isinstance(found, Refusal):
                        assert found.says, (row.key, on.key)
                        assert re.search(NAMES_A_WAY[found.kind], found.fix), (row.key, on.key, found)
                        outcomes[f"refused: {found.kind}"] += 1
                    else:
                        _is_sound(found, options)
                        outcomes["sized"] += 1
    with capsys.disabled():
        print(f"\nmodels on cards: {dict(sorted(outcomes.items()))}")  # noqa: T201 - the counts
    assert outcomes["sized"] > 1_000


def _is_sound(found: Sizing, options: Options) -> None:
    assert found.tensor * found.pipeline * found.data == found.gpus_per_replica
    assert found.gpus_per_replica * found.replicas == found.gpus
    assert found.nodes * options.gpus_per_node >= found.gpus
    assert found.gpus <= found.occupied_gpus
    assert found.gpus == found.occupied_gpus or options.gpus_per_node % found.tensor
    assert options.gpus_per_node % found.tensor == 0 or found.tensor in (1, 2, 4, 8)
    band = found.tokens_per_s
    assert 0 < band.low <= band.planned <= band.expected <= band.high < math.inf
    assert found.memory.kv > 0
    assert 1 <= found.batch <= found.memory.sequences
    assert 0 < found.itl_ms <= 100
    assert math.isfinite(found.ttft_unloaded_ms)


def test_of_two_cuts_with_as_many_gpus_the_one_on_fewer_nodes_is_chosen() -> None:
    """Or a little more demand would free a node."""
    nodes = [
        fits(Demand(rate / 2, rate, 1_000, 400, 100.0), "qwen3-32b", "l40s", precision="bf16", gpus_per_node=8).nodes
        for rate in (0.30, 0.36, 0.40, 0.45, 0.50, 0.60)
    ]
    assert nodes == sorted(nodes)


def test_gpus_of_a_node_that_stay_over_are_counted() -> None:
    """In a node of six, four of them leave two that nobody uses: that is dearer than it looks."""
    demand = Demand(100.0, 200.0, 9_000, 4_000, 288.0)
    found = fits(demand, "gemma-3-27b", "nvidia-a100-sxm-80gb", gpus_per_node=6, redundancy="none")
    assert found.tensor == 2
    assert found.occupied_gpus == found.gpus
    four = fits(demand, "gemma-3-27b", "nvidia-a100-sxm-80gb", gpus_per_node=6, redundancy="none", tensor=4)
    assert four.occupied_gpus == four.replicas * 6 > found.occupied_gpus
