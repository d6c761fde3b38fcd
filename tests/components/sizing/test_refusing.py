"""What is refused, with which number, and that each hint works when somebody follows it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aifactory.components.sizing.card import Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.formats import GIB
from aifactory.components.sizing.found import Refusal
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.size import Sizing, size
from support.sizing import CATALOG, CHAT, FIXED, PRECISIONS, accelerator, model, refused, sized

SLOW = replace(CHAT, itl_ms=5_000.0)
MODELS = st.sampled_from([row.key for row in CATALOG.rows("models")])


@pytest.mark.parametrize(
    ("demand", "options", "kind", "says", "fix"),
    [
        (
            CHAT,
            {"on": "l4", "gpus_per_node": 1},
            "memory",
            "82 GiB of fp8 weights on 1 GPU of 24 GB: weights take 82.1 GiB of 16.6 GiB a GPU",
            "in nodes of 8 and set itl_ms to 47 or more, or use cards of 103 GB or more and set itl_ms to 317 or more",
        ),
        (
            CHAT,
            {"name": "llama-3.1-405b", "precision": "bf16", "on": "h100"},
            "memory",
            "756 GiB of bf16 weights on 8 GPUs of 80 GB",
            "use precision fp8, or give a replica 16 GPUs: 2 nodes of 8 joined by a fabric and set itl_ms to",
        ),
        (replace(CHAT, itl_ms=5.0), {}, "itl", "a token every 5 ms", "set itl_ms to 11 or more"),
        (replace(CHAT, ttft_ms=5.0), {}, "ttft", "within 5 ms", "set ttft_ms to"),
        (CHAT, {"on": "mi250x"}, "precision", "amd-mi250x doesn't compute in fp8", "use precision bf16"),
        (CHAT, {"on": "mi300x", "precision": "fp4"}, "precision", "compute in fp4", "use precision fp8 or bf16"),
        (CHAT, {"tensor": 3}, "heads", "tensor 3 doesn't fit 64 attention heads", "use tensor 1 or 2 or 4 or 8"),
        (CHAT, {"tensor": 16}, "heads", "tensor 16 takes more than the 8 GPUs of a node", "use tensor 1 or 2"),
        (
            CHAT,
            {"tensor": 8, "pipeline": 2},
            "heads",
            "pipeline 2 spans 2 nodes, and no fabric joins nodes of the pool",
            "use pipeline 1, or give the pool a fabric",
        ),
        (
            CHAT,
            {"tensor": 8, "pipeline": 6, "nodes_at_most_per_replica": 4},
            "heads",
            "pipeline 6 spans 6 nodes, and a replica may span 4 here",
            "use pipeline 1 to 4",
        ),
        (CHAT, {"on": "l4", "tensor": 1}, "memory", "1 GPU of 24 GB", "leave parallelism out and set itl_ms to"),
        (
            CHAT,
            {"name": "deepseek-r1", "on": "h100", "tensor": 8},
            "memory",
            "on 8 GPUs of 80 GB",
            "2 nodes of 8 joined by a fabric, with parallelism left out",
        ),
        (
            CHAT,
            {"name": "qwen3-30b-a3b", "lora_adapters": 16, "lora_rank": 32},
            "adapters",
            "qwen3-30b-a3b has experts",
            "serve a dense model",
        ),
        (
            replace(CHAT, itl_ms=5.0, ttft_ms=5.0),
            {},
            "itl",
            "a token every 5 ms",
            "set itl_ms to 11 or more and ttft_ms to 50 or more",
        ),
        (
            CHAT,
            {"tensor": 4, "pipeline": 2, "nodes_at_most_per_replica": 4},
            "heads",
            "tensor 4 leaves GPUs of a node of 8 over, and a replica over nodes takes whole ones",
            "use tensor 1 or 2 or 4 or 8 with pipeline 1, or use tensor 8 with pipeline 2",
        ),
        (CHAT, {"on": "nvidia-h200-nvl"}, "unknown", "memory_bandwidth_tbps", "private catalog folder"),
        (CHAT, {"on": "amd-mi455x"}, "unknown", "interconnect.scale_up_domain", "private catalog folder"),
        (CHAT, {"precision": "mxfp4"}, "precision", "has no experts", "use weights stored as bf16 or fp8"),
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


@pytest.mark.parametrize("field", ["itl_ms", "ttft_ms"])
def test_the_time_in_a_refusal_is_the_one_that_works(field: str) -> None:
    impossible = replace(CHAT, **{field: 5.0})
    number = float(refused(impossible).fix.split(f"set {field} to ")[1].split(" ")[0])
    assert isinstance(sized(replace(CHAT, **{field: number})), Sizing)
    assert isinstance(sized(replace(CHAT, **{field: number - 1})), Refusal)


WAYS: dict[str, Callable[[re.Match[str]], dict[str, Any]]] = {
    r"GPUs, in nodes of (\d+)": lambda said: {"gpus_per_node": int(said[1])},
    r"GPUs: (\d+) nodes of (\d+) joined by a fabric": lambda said: {
        "nodes_at_most_per_replica": int(said[1]),
        "gpus_per_node": int(said[2]),
    },
    r"parallelism (left )?out": lambda _: {"tensor": 0, "pipeline": 0},
    r"use (?:precision|weights (?:that are )?stored as) (\w+)": lambda said: {"precision": said[1]},
    r"lower longest_tokens to (\d+)": lambda said: {"max_model_len": int(said[1])},
    r"use tensor (\d+)(?: or \d+)*(?: with pipeline (\d+))?": lambda said: {
        "tensor": int(said[1]),
        "pipeline": int(said[2] or 0),
    },
    r"use pipeline (?:1 to )?(\d+)": lambda said: {"pipeline": int(said[1])},
}
"""What a reader changes in options for the words of a hint."""


def changed(way: str, demand: Demand, on: Card, options: Options) -> tuple[Demand, Card, Options]:
    """What one way of a hint changes."""
    for field, number in re.findall(r"(itl_ms|ttft_ms) to (\d+) or more", way):
        demand = replace(demand, **{field: float(number)})
    for words, change in WAYS.items():
        if said := re.search(words, way):
            options = replace(options, **change(said))
    if large := re.search(r"use cards of (\d+) GB or more", way):
        on = replace(on, memory_gib=int(large[1]) * 1e9 / GIB)
    return demand, on, options


ASKED = st.builds(
    Options,
    precision=st.sampled_from(PRECISIONS),
    gpus_per_node=st.sampled_from((1, 2, 4, 8)),
    max_model_len=st.sampled_from((0, 40_000)),
    nodes_at_most_per_replica=st.sampled_from((1, 4)),
    tensor=st.sampled_from((0, 0, 1, 3, 4, 16)),
    pipeline=st.sampled_from((0, 0, 1, 2, 5, 100)),
)
HARD = st.builds(
    Demand,
    mean_per_s=st.just(0.1),
    peak_per_s=st.just(1.0),
    input_tokens=st.integers(100, 20_000),
    output_tokens=st.just(400),
    itl_ms=st.floats(2, 200),
    ttft_ms=st.just(0.0) | st.floats(5, 2_000),
)
BY_TRIAL = re.compile(
    "a faster card|another card|another accelerator|shorten prompts|give the pool a fabric|dense model"
)
"""Ways without a number, which nobody can follow here."""


@settings(max_examples=400, deadline=None)
@given(HARD, MODELS, st.sampled_from(["h100-pcie", "l4", "l40s", "nvidia-a100-sxm-80gb", "h200", "mi300x"]), ASKED)
def test_each_way_out_with_a_number_works(demand: Demand, name: str, on: str, options: Options) -> None:
    card = accelerator(on)
    found = size(demand, model(name), card, options, FIXED)
    if isinstance(found, Sizing):
        return
    for way in re.split(", or (?=use|give|lower|leave|another)", found.fix):
        if BY_TRIAL.search(way):
            continue
        demand_then, card_then, options_then = changed(way, demand, card, options)
        again = size(demand_then, model(name), card_then, options_then, FIXED)
        # A cut or a format is one thing and the latency another: that may be refused next, with its own number.
        sound = isinstance(again, Sizing) or (found.kind in ("heads", "precision") and again.kind != found.kind)
        assert sound, (way, again)


def test_where_no_card_is_fast_enough_none_is_advised() -> None:
    found = refused(replace(CHAT, itl_ms=7.0))
    assert found.says.endswith("no card does: 80 layers alone take 8.0 ms")
    assert found.fix == "set itl_ms to 11 or more"
    assert "faster card" in refused(replace(CHAT, itl_ms=9.0)).fix


def test_a_card_that_is_one_gigabyte_smaller_than_advised_does_not_do() -> None:
    """The window of sliding layers counts once, however long the request is."""
    options = Options(precision="bf16", gpus_per_node=1, max_model_len=100_000)
    found = size(SLOW, model("gemma-3-27b"), accelerator("l40s"), options, FIXED)
    assert isinstance(found, Refusal)
    advised = int(re.findall(r"cards of (\d+) GB", found.fix)[0])
    less = replace(accelerator("l40s"), memory_gib=(advised - 1) * 1e9 / GIB)
    assert isinstance(size(SLOW, model("gemma-3-27b"), less, options, FIXED), Refusal)
    assert math.isclose(less.memory_gb, advised - 1)
