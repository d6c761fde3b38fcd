"""What must hold for any demand: more of it never takes fewer GPUs, and a faster card never takes more of itself."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aifactory.components.sizing.card import Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.size import Sizing, size
from support.sizing import CATALOG, CHAT, FIXED, PRECISIONS, accelerator, gpus, model

DEMANDS = st.builds(
    Demand,
    mean_per_s=st.just(0.1),
    peak_per_s=st.floats(0.1, 500),
    input_tokens=st.integers(1, 300) | st.integers(1, 20_000),
    output_tokens=st.integers(1, 80) | st.integers(1, 4_000),
    itl_ms=st.floats(5, 500),
    ttft_ms=st.just(0.0) | st.floats(50, 5_000),
    prefix_hit_percent=st.just(0.0) | st.floats(0, 100),
)
MODELS = st.sampled_from([row.key for row in CATALOG.rows("models")])
CARDS = st.sampled_from(["h100", "h200", "b200", "gb200", "l40s", "mi300x", "h100-pcie"])
WISHES = st.builds(
    Options,
    precision=st.sampled_from(PRECISIONS),
    gpus_per_node=st.sampled_from((1, 4, 6, 8, 10)),
    max_model_len=st.sampled_from((0, 32_768)),
    nodes_at_most_per_replica=st.sampled_from((1, 4)),
    redundancy=st.sampled_from(("none", "replica", "node")),
)
HARDER = {
    "a longer longest": lambda options, factor: replace(options, max_model_len=int(8_192 * factor)),
    "more adapters": lambda options, factor: replace(options, lora_adapters=int(4 * factor), lora_rank=16),
    "a higher rank": lambda options, factor: replace(options, lora_adapters=4, lora_rank=64),
    "keys and values in 16 bits": lambda options, factor: replace(options, kv_bytes=2),
    "a spare replica": lambda options, factor: replace(options, redundancy="node"),
}
"""Wishes that take no less; `before` of the first three is their least."""
LEAST = {
    "a longer longest": {"max_model_len": 8_192},
    "more adapters": {"lora_adapters": 4, "lora_rank": 16},
    "a higher rank": {"lora_adapters": 4, "lora_rank": 16},
    "keys and values in 16 bits": {"kv_bytes": 1},
    "a spare replica": {"redundancy": "none"},
}
MORE = {
    "peak": lambda demand, factor: replace(demand, peak_per_s=demand.peak_per_s * factor),
    "growth": lambda demand, factor: replace(demand, growth_percent=10 * factor),
    "agents": lambda demand, factor: replace(demand, agentic_factor=factor),
    "longer prompts": lambda demand, factor: replace(demand, input_tokens=math.ceil(demand.input_tokens * factor)),
    "longer answers": lambda demand, factor: replace(demand, output_tokens=math.ceil(demand.output_tokens * factor)),
    "less time between tokens": lambda demand, factor: replace(demand, itl_ms=demand.itl_ms / factor),
    "less time to the first": lambda demand, factor: replace(demand, ttft_ms=(demand.ttft_ms or 5_000) / factor),
    "fewer known prompts": lambda demand, factor: replace(
        demand, prefix_hit_percent=demand.prefix_hit_percent / factor
    ),
}


@pytest.mark.parametrize("way", MORE)
@settings(max_examples=120, deadline=None)
@given(DEMANDS, MODELS, CARDS, WISHES, st.floats(1.0, 1.2) | st.floats(1, 10))
def test_more_demand_never_takes_fewer_gpus(
    way: str, demand: Demand, name: str, on: str, options: Options, factor: float
) -> None:
    shape, hardware = model(name), accelerator(on)
    more = MORE[way](demand, factor)
    assert gpus(more, shape, hardware, options) >= gpus(demand, shape, hardware, options)


@pytest.mark.parametrize("way", HARDER)
@settings(max_examples=60, deadline=None)
@given(DEMANDS, MODELS, CARDS, WISHES, st.floats(1, 10))
def test_harder_wishes_never_take_fewer_gpus(
    way: str, demand: Demand, name: str, on: str, options: Options, factor: float
) -> None:
    shape, hardware = model(name), accelerator(on)
    before = replace(options, **LEAST[way])
    harder = HARDER[way](before, factor)
    assert gpus(demand, shape, hardware, harder) >= gpus(demand, shape, hardware, before)


@pytest.mark.parametrize(
    ("name", "on", "precision", "field", "values"),
    [
        # Where whole requests at once, and a band that widens for short prompts, would turn the order round.
        ("llama-3.1-70b", "h100", "fp8", "output_tokens", (1, 2, 3, 4, 5, 6, 8, 12, 20, 40, 70, 100)),
        ("llama-3.1-405b", "h200", "fp8", "input_tokens", (1, 2, 64, 126, 127, 128, 129, 200)),
        ("llama-3.1-405b", "h200", "fp8", "input_tokens", (8_000, 8_191, 8_192, 8_193, 9_000)),
    ],
)
def test_no_length_is_a_step_down(name: str, on: str, precision: str, field: str, values: tuple[int, ...]) -> None:
    options = Options(precision=precision, gpus_per_node=8)
    of = [gpus(replace(CHAT, **{field: value}), model(name), accelerator(on), options) for value in values]
    assert of == sorted(of)
    assert math.isfinite(of[0])


@settings(max_examples=150, deadline=None)
@given(DEMANDS, MODELS, CARDS, WISHES, st.floats(1, 3), st.floats(1, 3), st.floats(1, 3))
def test_a_card_with_better_figures_never_takes_more_gpus(
    demand: Demand, name: str, on: str, options: Options, memory: float, bandwidth: float, operations: float
) -> None:
    shape, slow = model(name), accelerator(on)
    fast = replace(
        slow,
        memory_gib=slow.memory_gib * memory,
        bandwidth=slow.bandwidth * bandwidth,
        flops=tuple((format_, value * operations) for format_, value in slow.flops),
    )
    assert gpus(demand, shape, fast, options) <= gpus(demand, shape, slow, options)


def faster(card: Card, other: Card, precision: str) -> bool:
    """Whether no sourced figure of a card is below the other's, computing the same precision in the same format."""
    computes = card.computes_in(precision)
    return (
        not card.unknown
        and not other.unknown
        and bool(computes)
        and computes == other.computes_in(precision)
        and card.memory_gib >= other.memory_gib
        and card.bandwidth >= other.bandwidth
        and dict(card.flops)[computes] >= dict(other.flops)[computes]
        and card.domain >= other.domain
    )


PAIRS = [
    (fast.key, slow.key, precision)
    for fast, slow in itertools.permutations([accelerator(row.key) for row in CATALOG.rows("accelerators")], 2)
    for precision in PRECISIONS
    if faster(fast, slow, precision)
]


@pytest.mark.parametrize("name", ["llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b", "deepseek-r1", "gpt-oss-120b"])
def test_of_two_real_cards_the_faster_never_takes_more(name: str) -> None:
    shape = model(name)
    demands = [CHAT, replace(CHAT, itl_ms=100.0), replace(CHAT, peak_per_s=3.0), replace(CHAT, input_tokens=12_000)]
    assert {("nvidia-gb200", "nvidia-b200-sxm", "fp8"), ("amd-mi300x", "nvidia-h200-sxm", "fp8")} < set(PAIRS)
    for precision in PRECISIONS:
        options = Options(precision=precision, gpus_per_node=8, nodes_at_most_per_replica=4)
        cards = {key for pair in PAIRS if pair[2] == precision for key in pair[:2]}
        takes = {key: [gpus(demand, shape, accelerator(key), options) for demand in demands] for key in cards}
        worse = [
            (fast, slow, takes[fast], takes[slow])
            for fast, slow, of in PAIRS
            if of == precision and any(a > b for a, b in zip(takes[fast], takes[slow], strict=True))
        ]
        assert worse == []


@pytest.mark.parametrize("redundancy", ["none", "replica"])
def test_more_requests_never_take_fewer_nodes_where_none_is_spared(redundancy: str) -> None:
    """With a node to spare, one large replica may need fewer nodes than many small ones on fewer GPUs."""
    options = Options(precision="bf16", gpus_per_node=8, redundancy=redundancy)
    rates = [0.3 * 1.07**step for step in range(60)]
    for name, on in (("qwen3-32b", "l40s"), ("llama-3.1-8b", "h100"), ("phi-4", "h200"), ("gemma-3-27b", "b200")):
        found = [
            size(Demand(rate / 2, rate, 1_000, 400, 100.0), model(name), accelerator(on), options, FIXED)
            for rate in rates
        ]
        nodes = [each.nodes for each in found if isinstance(each, Sizing)]
        assert len(nodes) == len(rates)
        assert nodes == sorted(nodes)
