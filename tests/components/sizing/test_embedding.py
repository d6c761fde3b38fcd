"""Embedding models: parameters from their architecture, and speed that follows from reading alone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.sizing.card import Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.embedding import BATCH_TOKENS, WAITS, flops, step_s
from aifactory.components.sizing.found import Refusal
from aifactory.components.sizing.geometry import Geometry, geometry, geometry_of
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.roofline import Replica
from aifactory.components.sizing.size import Sizing, size
from support.sizing import CATALOG, FIXED, accelerator, model

ROWS = CATALOG.rows("models.embedding")
TEXTS = Demand(20.0, 120.0, 450, 0, 0.0)


def embedder(name: str) -> Geometry:
    return geometry(CATALOG.row("models.embedding", name))


def sized(demand: Demand = TEXTS, name: str = "bge-m3", on: str = "h200", **options: Any) -> Sizing | Refusal:
    wishes: dict[str, Any] = {"precision": "bf16", "gpus_per_node": 8, "max_model_len": 2_048, **options}
    return size(demand, embedder(name), accelerator(on), Options(**wishes), FIXED)


def fits(*args: Any, **options: Any) -> Sizing:
    found = sized(*args, **options)
    assert isinstance(found, Sizing), found
    return found


def parameters(shape: Geometry) -> float:
    """Every weight by the architecture: XLM-RoBERTa with its biases, or Qwen3 with norms of queries and keys."""
    h, inner, width, keys = (
        shape.hidden,
        shape.intermediate,
        shape.heads * shape.head_dim,
        shape.kv_heads * shape.head_dim,
    )
    if shape.encoder:
        attention = 4 * (h * h + h)
        mlp = h * inner + inner + inner * h + h
        tables = (shape.vocab + shape.positions + 1) * h + 2 * h
        return tables + shape.layers * (attention + mlp + 4 * h) + h * h + h
    layer = 2 * h * width + 2 * h * keys + 3 * h * inner + 2 * shape.head_dim + 2 * h
    return shape.vocab * h + shape.layers * layer + h


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_the_parameters_of_a_row_are_those_of_its_architecture(row: Any) -> None:
    shape = geometry(row)
    computed = parameters(shape) / 1e9
    assert row.number("params_b") == pytest.approx(computed, abs=0.0006)
    published = row.number("published_params_b")
    assert row.number("params_err_pct") == pytest.approx((row.number("params_b") / published - 1) * 100, abs=0.06)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_what_a_row_keeps_is_what_its_attention_says(row: Any) -> None:
    shape = geometry(row)
    assert shape.kv_elements == (0 if shape.encoder else 2 * shape.kv_heads * shape.head_dim * shape.layers)
    assert row.text("pooling") in ("cls", "mean", "last")
    assert row.text("licence") in ("MIT", "Apache-2.0")
    assert 0 < shape.least_dimension <= shape.dimension == shape.hidden


def test_weights_find_their_geometry_in_either_table() -> None:
    assert geometry_of(CATALOG.row("weights", "bge-m3"), CATALOG).dimension == 1_024
    assert geometry_of(CATALOG.row("weights", "llama-3.1-8b"), CATALOG).dimension == 0


def test_tables_are_looked_up_and_not_computed() -> None:
    # 568 M less (250,002 + 8,194) x 1,024 = 264.4 M: 303.6 M that each token passes.
    assert embedder("bge-m3").passed_params == pytest.approx(303.6e6, rel=0.001)


def test_the_work_of_a_text_is_as_worked_out() -> None:
    # bge-m3, 450 tokens: 2 x 303.607e6 x 450 = 273.247e9; attention of an encoder 4 x 24 x 1024 x 450^2 = 19.907e9.
    assert flops(embedder("bge-m3"), 450) == pytest.approx(293.153e9, rel=1e-4)
    # Qwen3 0.6B: 596e6 - 151,669 x 1,024 = 440.691e6; x 900 = 396.622e9; half of attention 2 x 28 x 2048 x 450^2.
    assert flops(embedder("qwen3-embedding-0.6b"), 450) == pytest.approx(396.622e9 + 23.224e9, rel=1e-4)


def test_a_step_is_as_worked_out() -> None:
    """36 texts of 450 tokens on an H200: 989.5 TFLOPS dense in bf16, of which 41.3 % are reached: 408.7e12.

    36 x 293.153e9 / 408.7e12 = 25.82 ms; 24 layers x 0.0991 + 36 texts x 0.0391 = 3.786 ms.
    """
    replica = Replica(embedder("bge-m3"), accelerator("h200"), "bf16", 1, FIXED.speed)
    peak = dict(accelerator("h200").flops)["bf16"]
    expected = 36 * 293.153e9 / (peak * 0.413) + (24 * 0.0991 + 36 * 0.0391) / 1_000
    assert step_s(replica, 36, 450) == pytest.approx(expected, rel=1e-4)
    assert fits().batch == BATCH_TOKENS // 450 == 36


def test_replicas_follow_from_texts_and_from_no_answer() -> None:
    found = fits()
    texts_per_s = found.tokens_per_s.planned / 450
    assert found.replicas_needed == -(-120 // texts_per_s)
    assert found.itl_ms == found.slow_itl_ms == 0.0
    assert found.replicas == found.replicas_needed + 1
    assert "no embedding model is among the measurements" in found.evidence


def test_an_encoder_keeps_nothing_so_memory_limits_no_batch() -> None:
    assert "sequences" not in {step.key for step in fits().steps}
    assert fits().memory.kv_bytes_per_token == 0.0
    assert "sequences" in {step.key for step in fits(name="qwen3-embedding-8b").steps}


def test_twice_the_texts_never_take_fewer_gpus_and_a_slower_card_neither() -> None:
    for name in CATALOG.keys("models.embedding"):
        counts = [
            fits(replace(TEXTS, peak_per_s=rate), name, max_model_len=512).gpus for rate in (50.0, 500.0, 5_000.0)
        ]
        assert counts == sorted(counts)
        slower: Card = accelerator("h200")
        slower = replace(slower, flops=tuple((key, value / 4) for key, value in slower.flops))
        wishes = Options("bf16", 8, max_model_len=512)
        found = size(replace(TEXTS, peak_per_s=5_000.0), embedder(name), slower, wishes, FIXED)
        assert isinstance(found, Sizing)
        assert found.gpus >= counts[-1]


def test_a_vector_that_must_come_soon_makes_short_steps() -> None:
    hurried = fits(replace(TEXTS, ttft_ms=20.0))
    assert hurried.batch < fits().batch
    step = next(step for step in hurried.steps if step.key == "latency")
    assert isinstance(step.value, dict)
    assert WAITS * step.value["step_ms"] <= 20.0
    said = next(step for step in hurried.steps if step.key == "concurrency")
    assert "may for 20 ms" in said.reason


@pytest.mark.parametrize(
    ("demand", "options", "kind", "says"),
    [
        (replace(TEXTS, ttft_ms=1.0), {}, "ttft", "a first token within 1 ms"),
        (TEXTS, {"precision": "fp8"}, "precision", "bge-m3 makes vectors"),
        (
            TEXTS,
            {"name": "qwen3-embedding-8b", "on": "l4", "max_model_len": 32_768, "gpus_per_node": 1},
            "memory",
            "14 GiB of bf16 weights",
        ),
        (TEXTS, {"tensor": 3}, "heads", "16 attention heads"),
    ],
)
def test_what_cannot_be_is_refused(demand: Demand, options: dict[str, Any], kind: str, says: str) -> None:
    found = sized(demand, **options)
    assert isinstance(found, Refusal)
    assert found.kind == kind
    assert says in found.says
    assert "fp8" not in found.fix


def test_a_model_that_writes_text_is_sized_as_before() -> None:
    assert model("llama-3.1-8b").dimension == 0
