"""What is refused, with which number, and that each hint works when somebody follows it."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.sizing.card import Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.formats import GIB
from aifactory.components.sizing.found import Refusal
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.size import Sizing, size
from support.sizing import CATALOG, CHAT, FIXED, accelerator, model, refused, sized

SLOW = replace(CHAT, itl_ms=5_000.0)


@pytest.mark.parametrize(
    ("demand", "options", "kind", "says", "fix"),
    [
        (
            CHAT,
            {"on": "l4", "gpus_per_node": 1},
            "memory",
            "82 GiB of fp8 weights on 1 GPU of 24 GB: weights take 82.1 GiB of 16.6 GiB a GPU",
            "give a replica 8 GPUs, in nodes of 8, or use faster cards of 103 GB or more",
        ),
        (
            CHAT,
            {"name": "llama-3.1-405b", "precision": "bf16", "on": "h100"},
            "memory",
            "756 GiB of bf16 weights on 8 GPUs of 80 GB",
            "use precision fp8, or give a replica 16 GPUs: 2 nodes of 8 joined by a fabric, or use faster cards of",
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
        (CHAT, {"on": "l4", "tensor": 1}, "memory", "1 GPU of 24 GB", "leave parallelism out, or use faster cards"),
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
            "use tensor 8 with pipeline 2, or pipeline 1",
        ),
        (CHAT, {"on": "nvidia-h200-nvl"}, "unknown", "memory_bandwidth_tbps", "private catalog folder"),
        (CHAT, {"on": "amd-mi455x"}, "unknown", "interconnect.scale_up_domain", "private catalog folder"),
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


@pytest.mark.parametrize("field", ["itl_ms", "ttft_ms"])
def test_the_time_in_a_refusal_is_the_one_that_works(field: str) -> None:
    impossible = replace(CHAT, **{field: 5.0})
    number = float(refused(impossible).fix.split(f"set {field} to ")[1].split(" ")[0])
    assert isinstance(sized(replace(CHAT, **{field: number})), Sizing)
    assert isinstance(sized(replace(CHAT, **{field: number - 1})), Refusal)


def followed(hint: str, demand: Demand, name: str, on: Card, options: Options) -> Sizing | Refusal:
    """Size again as one way of a hint says."""
    if alone := re.fullmatch(r"(.*), with parallelism left out|leave parallelism out", hint):
        options = replace(options, tensor=0, pipeline=0)
        hint = alone[1] or ""
    if not hint:
        pass
    elif many := re.fullmatch(r"give a replica (\d+) GPUs, in nodes of \d+", hint):
        options = replace(options, gpus_per_node=int(many[1]))
    elif rows := re.fullmatch(r"give a replica \d+ GPUs: (\d+) nodes of (\d+) joined by a fabric", hint):
        options = replace(options, gpus_per_node=int(rows[2]), nodes_at_most_per_replica=int(rows[1]))
    elif large := re.fullmatch(r"use cards of (\d+) GB or more", hint):
        on = replace(on, memory_gib=int(large[1]) * 1e9 / GIB)
    elif fewer := re.fullmatch(r"use (?:precision|weights that are stored as) (\w+)", hint):
        options = replace(options, precision=fewer[1])
    elif shorter := re.fullmatch(r"lower longest_tokens to (\d+)", hint):
        options = replace(options, max_model_len=int(shorter[1]))
    else:
        raise AssertionError(hint)
    return size(demand, model(name), on, options, FIXED)


@pytest.mark.parametrize("asked", [0, 1])
@pytest.mark.parametrize("longest", [0, 40_000])
@pytest.mark.parametrize("on", ["h100-pcie", "l4", "l40s", "nvidia-a100-sxm-80gb", "h200", "mi300x"])
def test_each_way_out_of_too_little_memory_works(on: str, longest: int, asked: int) -> None:
    ways = 0
    card = accelerator(on)
    for row in CATALOG.rows("models"):
        for precision in ("bf16", "fp8", "fp4"):
            options = Options(precision=precision, gpus_per_node=8 if asked else 1, max_model_len=longest, tensor=asked)
            found = size(SLOW, model(row.key), card, options, FIXED)
            if isinstance(found, Sizing) or found.kind != "memory":
                continue
            for way in re.split(", or (?=use|give|lower|leave)", found.fix):
                again = followed(way, SLOW, row.key, card, options)
                assert isinstance(again, Sizing), (row.key, precision, way, again)
                ways += 1
    assert ways > 10


def test_a_card_that_is_one_gigabyte_smaller_than_advised_does_not_do() -> None:
    """The window of sliding layers counts once, however long the request is."""
    options = Options(precision="bf16", gpus_per_node=1, max_model_len=100_000)
    found = size(SLOW, model("gemma-3-27b"), accelerator("l40s"), options, FIXED)
    assert isinstance(found, Refusal)
    advised = int(re.findall(r"cards of (\d+) GB", found.fix)[0])
    less = replace(accelerator("l40s"), memory_gib=(advised - 1) * 1e9 / GIB)
    assert isinstance(size(SLOW, model("gemma-3-27b"), less, options, FIXED), Refusal)
    assert math.isclose(less.memory_gb, advised - 1)
