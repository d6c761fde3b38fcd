"""Sizes of demands: the cut that is chosen, what is refused with which number, and what must hold for any demand."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aifactory.components.catalog import Catalog
from aifactory.components.sizing.card import Card, card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.evidence import doubts
from aifactory.components.sizing.geometry import Geometry, geometry
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.roofline import constants
from aifactory.components.sizing.size import Refusal, Sizing, size

CATALOG = Catalog.shipped()
FIXED = constants(CATALOG.row("roofline", "v2"))
CHAT = Demand(12.0, 40.0, 1_800, 350, 40.0)
PRECISIONS = ("bf16", "fp8", "fp4", "mxfp4")


def model(name: str) -> Geometry:
    return geometry(CATALOG.row("models", name))


def accelerator(name: str) -> Card:
    return card(CATALOG.row("accelerators", name))


def sized(demand: Demand = CHAT, name: str = "llama-3.1-70b", on: str = "h200", **options: Any) -> Sizing | Refusal:
    wishes: dict[str, Any] = {"precision": "fp8", "gpus_per_node": 8, **options}
    return size(demand, model(name), accelerator(on), Options(**wishes), FIXED)


def fits(*args: Any, **options: Any) -> Sizing:
    found = sized(*args, **options)
    assert isinstance(found, Sizing), found
    return found


def refused(*args: Any, **options: Any) -> Refusal:
    found = sized(*args, **options)
    assert isinstance(found, Refusal), found
    return found


def test_the_reference_demand_takes_ten_replicas_of_four_gpus() -> None:
    found = fits(max_model_len=16_384)
    assert (found.tensor, found.replicas_needed, found.replicas, found.gpus, found.nodes) == (4, 9, 10, 40, 6)
    assert found.itl_ms <= 40
    assert found.evidence == ()


def test_replicas_follow_from_the_slow_end_of_the_band() -> None:
    found = fits()
    carried = found.tokens_per_s.low / CHAT.output_tokens
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


@pytest.mark.parametrize(
    ("demand", "options", "kind", "says", "fix"),
    [
        (CHAT, {"on": "l4", "gpus_per_node": 1}, "memory", "82 GiB of fp8 weights on 1 GPU of 22 GiB", "8 GPUs"),
        (CHAT, {"name": "llama-3.1-405b", "precision": "bf16", "on": "h100"}, "memory", "756 GiB", "use precision fp8"),
        (replace(CHAT, itl_ms=5.0), {}, "itl", "a token every 5 ms", "set itl_ms to 11 or more"),
        (replace(CHAT, ttft_ms=5.0), {}, "ttft", "within 5 ms", "set ttft_ms to"),
        (CHAT, {"on": "a100"}, "precision", "doesn't compute in fp8", "use bf16"),
        (CHAT, {"tensor": 3}, "heads", "tensor 3 doesn't fit 64 attention heads", "tensor 1, 2, 4, 8"),
        (CHAT, {"on": "nvidia-h200-nvl"}, "unknown", "memory_bandwidth_tbps", "private catalog folder"),
        (CHAT, {"precision": "mxfp4"}, "precision", "has no experts", "use bf16, fp8 or fp4"),
        (
            CHAT,
            {"name": "llama-3.1-8b", "on": "l4", "gpus_per_node": 1, "max_model_len": 131_072},
            "memory",
            "the longest request has 131072",
            "lower longest_tokens to",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_number_that_would_fix_it(
    demand: Demand, options: dict[str, Any], kind: str, says: str, fix: str
) -> None:
    found = refused(demand, **options)
    assert found.kind == kind
    assert says in found.says
    assert fix in found.fix


def test_the_number_in_a_refusal_is_the_one_that_works() -> None:
    impossible = replace(CHAT, itl_ms=5.0)
    number = float(refused(impossible).fix.split("set itl_ms to ")[1].split(" ")[0])
    assert isinstance(sized(replace(CHAT, itl_ms=number)), Sizing)
    assert isinstance(sized(replace(CHAT, itl_ms=number - 1)), Refusal)


def test_a_model_too_large_for_a_node_spans_several_where_a_fabric_joins_them() -> None:
    slow = replace(CHAT, itl_ms=80.0)
    wishes = {"name": "deepseek-r1", "precision": "fp8", "on": "h100"}
    assert refused(slow, **wishes).kind == "memory"
    found = fits(slow, nodes_at_most_per_replica=4, **wishes)
    assert found.pipeline > 1
    assert found.tensor == 8
    assert found.gpus_per_replica == 8 * found.pipeline == 8 * found.nodes_per_replica
    assert "replicas over several nodes were not measured" in found.evidence


def test_experts_are_spread_where_there_are_several_gpus() -> None:
    assert fits(name="gpt-oss-120b", precision="mxfp4", on="h100", tensor=2).expert_parallel
    assert not fits().expert_parallel


def test_outside_of_the_evidence_the_band_is_twice() -> None:
    found = fits(on="mi300x")
    assert found.evidence
    assert found.tokens_per_s.expected / found.tokens_per_s.low == pytest.approx(2)


def test_the_chain_leads_from_requests_to_gpus_without_a_gap() -> None:
    steps = {step.key: step for step in fits().steps}
    seen: set[str] = set()
    pending = ["gpus"]
    while pending:
        step = steps[pending.pop()]
        seen.add(step.key)
        pending += [key for key in step.because if key not in seen]
    assert seen == set(steps)
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
                for nodes in (1, 4):
                    options = Options(precision=precision, gpus_per_node=8, nodes_at_most_per_replica=nodes)
                    found = size(slow, geometry(row), card(on), options, FIXED)
                    if isinstance(found, Refusal):
                        assert found.says, (row.key, on.key)
                        assert found.fix, (row.key, on.key)
                        outcomes[f"refused: {found.kind}"] += 1
                    else:
                        _is_sound(found)
                        outcomes["sized"] += 1
    with capsys.disabled():
        print(f"\nmodels on cards: {dict(sorted(outcomes.items()))}")  # noqa: T201 - the counts
    assert outcomes["sized"] > 1_000


def _is_sound(found: Sizing) -> None:
    assert found.tensor * found.pipeline * found.data == found.gpus_per_replica
    assert found.gpus_per_replica * found.replicas == found.gpus
    assert found.nodes * 8 >= found.gpus
    band = found.tokens_per_s
    assert 0 < band.low <= band.expected <= band.high < math.inf
    assert found.memory.kv > 0
    assert 1 <= found.batch <= found.memory.sequences
    assert 0 < found.itl_ms <= 100
    assert math.isfinite(found.ttft_unloaded_ms)


DEMANDS = st.builds(
    Demand,
    mean_per_s=st.just(0.1),
    peak_per_s=st.floats(0.1, 500),
    input_tokens=st.integers(1, 20_000),
    output_tokens=st.integers(1, 4_000),
    itl_ms=st.floats(5, 500),
)
MODELS = st.sampled_from([row.key for row in CATALOG.rows("models")])
CARDS = st.sampled_from(["h100", "h200", "b200", "l40s", "mi300x"])
WISHES = st.builds(
    Options,
    precision=st.sampled_from(PRECISIONS),
    gpus_per_node=st.just(8),
    nodes_at_most_per_replica=st.sampled_from((1, 4)),
    redundancy=st.sampled_from(("none", "replica", "node")),
)


def gpus(demand: Demand, shape: Geometry, on: Card, options: Options) -> float:
    """GPUs of a sizing; infinitely many when it is refused."""
    found = size(demand, shape, on, options, FIXED)
    return found.gpus if isinstance(found, Sizing) else math.inf


@settings(max_examples=150, deadline=None)
@given(DEMANDS, MODELS, CARDS, WISHES, st.floats(1, 10))
def test_more_requests_and_less_time_never_take_fewer_gpus(
    demand: Demand, name: str, on: str, options: Options, factor: float
) -> None:
    """Of lengths it doesn't hold yet: short prompts have a wider band, and short answers share a prompt among few."""
    shape, hardware = model(name), accelerator(on)
    before = gpus(demand, shape, hardware, options)
    assert gpus(replace(demand, peak_per_s=demand.peak_per_s * factor), shape, hardware, options) >= before
    assert gpus(replace(demand, growth_percent=10 * factor), shape, hardware, options) >= before
    assert gpus(replace(demand, agentic_factor=factor), shape, hardware, options) >= before
    assert gpus(replace(demand, itl_ms=demand.itl_ms / factor), shape, hardware, options) >= before


@settings(max_examples=150, deadline=None)
@given(DEMANDS, MODELS, CARDS, WISHES, st.floats(1, 3), st.floats(1, 3), st.floats(1, 3))
def test_a_faster_card_never_takes_more_gpus(
    demand: Demand, name: str, on: str, options: Options, memory: float, bandwidth: float, operations: float
) -> None:
    shape, slow = model(name), accelerator(on)
    fast = replace(
        slow,
        memory_gib=slow.memory_gib * memory,
        bandwidth=slow.bandwidth * bandwidth,
        flops=tuple((name, value * operations) for name, value in slow.flops),
    )
    assert gpus(demand, shape, fast, options) <= gpus(demand, shape, slow, options)


def test_of_two_cuts_with_as_many_gpus_the_one_on_fewer_nodes_is_chosen() -> None:
    """Or a little more demand would free a node."""
    nodes = [
        fits(Demand(rate / 2, rate, 1_000, 400, 100.0), "qwen3-32b", "l40s", precision="bf16", gpus_per_node=8).nodes
        for rate in (0.30, 0.36, 0.40, 0.45, 0.50, 0.60)
    ]
    assert nodes == sorted(nodes)


@pytest.mark.parametrize("on", ["h100-pcie", "l4", "l40s", "nvidia-a100-sxm-80gb", "h200"])
@pytest.mark.parametrize("name", ["llama-3.1-405b", "deepseek-v3", "phi-4", "kimi-k2.5", "qwen3-32b"])
def test_the_number_of_gpus_that_is_advised_holds_the_model(name: str, on: str) -> None:
    found = sized(replace(CHAT, itl_ms=5_000.0), name, on, precision="bf16", gpus_per_node=1)
    if isinstance(found, Sizing) or found.kind != "memory" or "give a replica" not in found.fix:
        return
    advised = int(found.fix.partition("give a replica ")[2].split()[0])
    nodes = max(1, advised // 8)
    again = sized(
        replace(CHAT, itl_ms=5_000.0),
        name,
        on,
        precision="bf16",
        gpus_per_node=min(advised, 8),
        nodes_at_most_per_replica=nodes,
    )
    assert isinstance(again, Sizing), again


@pytest.mark.parametrize(
    ("vendor", "says"),
    [
        ("amd", "of amd only MLPerf results stand behind it"),
        ("google", "nothing of google was measured"),
        ("nvidia", ""),
    ],
)
def test_what_stands_behind_a_vendor_is_told_truly(vendor: str, says: str) -> None:
    found = doubts(model("llama-3.1-70b"), replace(accelerator("h200"), vendor=vendor), 1, 64, 1_000)
    assert found == ((says,) if says else ())
