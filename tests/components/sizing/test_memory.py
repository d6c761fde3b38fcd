"""Memory by hand: weights, keys and values against published measurements and second calculations."""

from __future__ import annotations

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.sizing.case import Case
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.formats import BYTES, GIB, KV_BYTES
from aifactory.components.sizing.layouts import Cut
from aifactory.components.sizing.memory import Memory, adapters_gib, kv_sharers, memory, weights_gib
from aifactory.components.sizing.options import Options
from support.sizing import FIXED, accelerator, model


def room(name: str, tensor: int, tokens: int) -> Memory:
    """A GPU of a replica on H200 in 16 bits, for requests of so many tokens."""
    asked = Demand(1.0, 1.0, tokens - 1, 1, 100.0)
    return memory(Case(asked, model(name), accelerator("h200"), Options("bf16", 8), FIXED), Cut(tensor, 1))


@pytest.mark.parametrize(
    ("name", "precision", "gpus", "measured_gib", "error"),
    [
        ("llama-3.1-8b", "bf16", 1, 14.99, 0.01),
        ("llama-3.1-405b", "fp8", 8, 57.75, 0.02),
        ("gpt-oss-120b", "mxfp4", 1, 65.2, 0.03),
    ],
)
def test_weights_are_as_heavy_as_engines_have_measured(
    name: str, precision: str, gpus: int, measured_gib: float, error: float
) -> None:
    assert weights_gib(model(name), precision, FIXED.memory.padding) / gpus == pytest.approx(measured_gib, rel=error)


@pytest.mark.parametrize(
    ("name", "tokens", "elements"),
    [
        # Llama 3.1 8B: 2 x 8 heads x 128 x 32 layers.
        ("llama-3.1-8b", 1000, 1000 * 2 * 8 * 128 * 32),
        # gpt-oss 120B: 18 layers keep all, 18 the last 128 tokens; 2 x 8 heads x 64.
        ("gpt-oss-120b", 1000, 1000 * 2 * 8 * 64 * 18 + 128 * 2 * 8 * 64 * 18),
        ("gpt-oss-120b", 100, 100 * 2 * 8 * 64 * 36),
        # DeepSeek V3: one latent vector of 512 and 64 position elements, 61 layers.
        ("deepseek-v3", 10, 10 * (512 + 64) * 61),
        # Qwen3.5: 15 of 60 layers grow with the context.
        ("qwen3.5-397b-a17b", 10, 10 * 2 * 2 * 256 * 15),
    ],
)
def test_a_sequence_keeps_what_its_attention_says(name: str, tokens: int, elements: int) -> None:
    assert model(name).kept(tokens) == elements


@pytest.mark.parametrize(
    ("name", "tensor", "copies"),
    [
        ("llama-3.1-8b", 1, 1),
        ("llama-3.1-8b", 8, 8),
        ("llama-3.1-8b", 16, 8),
        ("qwen3-30b-a3b", 8, 4),
        ("deepseek-r1", 8, 1),
    ],
)
def test_keys_and_values_are_shared_by_no_more_gpus_than_there_are_heads_of_them(
    name: str, tensor: int, copies: int
) -> None:
    assert kv_sharers(model(name), tensor) == copies


def test_memory_of_a_gpu_adds_up_by_hand() -> None:
    found = room("llama-3.1-70b", 2, 2_000)
    usable = 141e9 / GIB * 0.9
    weights = 70.55e9 * 2 / 2 / GIB
    kv = usable - weights - 3.5 - 0.39
    assert (found.usable, found.weights, found.kv) == pytest.approx((usable, weights, kv), rel=1e-3)
    per_token = 2 * 8 * 128 * 80 * 2 / 2
    assert found.kv_bytes_per_token == per_token
    assert found.sequences == int(kv * GIB / (per_token * 2_000))
    assert found.tokens == int(kv * GIB / per_token)


def test_one_gpu_needs_no_buffers_for_collectives() -> None:
    assert room("llama-3.1-8b", 1, 100).other == 3.5
    assert room("llama-3.1-8b", 2, 100).other == 3.89


def test_the_memory_of_one_long_request_is_what_its_number_of_tokens_says() -> None:
    for name in ("llama-3.1-8b", "gemma-3-27b"):
        found = room(name, 1, 2_000)
        assert found.for_one(found.tokens) <= found.usable < found.for_one(found.tokens + 1)


def test_bytes_of_formats_are_those_of_the_catalog() -> None:
    rows = {row.key: row.number("bytes") for row in Catalog.shipped().rows("models.precision")}
    assert {"fp4" if name == "nvfp4" else name: bytes_ for name, bytes_ in rows.items()} == BYTES
    assert set(KV_BYTES) == set(BYTES)


def test_an_adapter_takes_what_training_reports() -> None:
    """PEFT prints 41,943,040 parameters for rank 16 on all seven projections of Llama 3.1 8B."""
    assert adapters_gib(model("llama-3.1-8b"), 1, 16) == pytest.approx(41_943_040 * 2 / GIB)


def test_half_of_an_adapter_lies_on_every_gpu() -> None:
    """Llama 3.1 70B by hand: 80 layers, hidden 8192, 1024 for keys and for values, 28672 in the MLP."""
    copied, cut = 7 * 8_192, 2 * 8_192 + 2 * 1_024 + 3 * 28_672
    for tensor in (1, 2, 4, 8):
        expected = 64 * 80 * (copied + cut / tensor) * 2 / GIB
        assert adapters_gib(model("llama-3.1-70b"), 1, 64, tensor) == pytest.approx(expected)


def test_adapters_grow_with_their_number_and_rank() -> None:
    shape = model("llama-3.1-8b")
    one = adapters_gib(shape, 1, 16)
    assert adapters_gib(shape, 4, 16) == pytest.approx(4 * one)
    assert adapters_gib(shape, 1, 64) == pytest.approx(4 * one)
    assert adapters_gib(shape, 0, 16) == 0


def test_a_tied_embedding_is_there_once_and_read_whole() -> None:
    shape = model("gemma-3-4b")
    assert shape.embeddings == 262_208 * 2_560
    assert shape.looked_up == 0
    assert weights_gib(shape, "fp4") == pytest.approx(
        (shape.embeddings * 2 + (shape.params - shape.embeddings) * 0.5625) / GIB
    )
    assert model("llama-3.1-8b").embeddings == 2 * model("llama-3.1-8b").looked_up


def test_a_step_of_many_requests_touches_most_experts() -> None:
    """64 requests of DeepSeek touch 87 % of its experts: economics of a mixture save compute, not bandwidth."""
    shape = model("deepseek-v3")
    assert shape.touched_experts(64) / shape.expert_params == pytest.approx(0.87, abs=0.005)
    assert model("llama-3.1-8b").touched_experts(64) == 0
