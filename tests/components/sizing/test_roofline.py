"""Speed by hand: one step and one prompt, worked out a second time from the published formula."""

from __future__ import annotations

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.sizing.card import card
from aifactory.components.sizing.geometry import geometry
from aifactory.components.sizing.roofline import Replica, constants, speed


def replica(model: str, accelerator: str, precision: str, gpus: int, stages: int = 1) -> Replica:
    catalog = Catalog.shipped()
    return Replica(
        geometry(catalog.row("models", model)),
        card(catalog.row("accelerators", accelerator)),
        precision,
        gpus,
        constants(catalog.row("roofline", "v2")),
        stages,
    )


def test_a_prompt_takes_its_operations_over_what_the_card_reaches() -> None:
    found = replica("llama-3.1-8b", "h100", "bf16", 1)
    operations = 2 * 8.03e9 * 1_000 + 2 * 32 * 32 * 128 * 1_000**2
    assert found.prefill_s(1_000) == pytest.approx(operations / (989e12 * 0.413))


def test_a_known_prefix_is_not_read_again() -> None:
    found = replica("llama-3.1-8b", "h100", "bf16", 1)
    operations = 2 * 8.03e9 * 250 + 2 * 32 * 32 * 128 * (1_000**2 - 750**2)
    assert found.prefill_s(1_000, 750) == pytest.approx(operations / (989e12 * 0.413))


def test_a_small_step_waits_for_memory() -> None:
    found = replica("llama-3.1-8b", "h100", "bf16", 1)
    weights = (8.03e9 - 128_256 * 4_096) * 2
    kept = 4 * 65_536 * 1_500 * 2
    seconds = (weights + kept) / (3.35e12 * 0.755) + 32 * 0.0991e-3 + 4 * 0.0391e-3
    assert found.step_s(4, 1_500) == pytest.approx(seconds)


def test_a_large_step_waits_for_computing() -> None:
    found = replica("llama-3.1-8b", "l4", "bf16", 1)
    seconds = 2 * 8.03e9 * 4_000 / (121e12 * 0.413) + 32 * 0.0991e-3 + 4_000 * 0.0391e-3
    assert found.step_s(4_000, 10) == pytest.approx(seconds)


def test_each_gpu_reads_a_latent_vector_whole() -> None:
    one, two = (replica("deepseek-r1", "b200", "fp8", gpus) for gpus in (4, 8))
    added = [found.step_s(2, 100_000) - found.step_s(2, 0) for found in (one, two)]
    assert added[0] == pytest.approx(added[1])


def test_throughput_and_latency_are_two_sides_of_one_number() -> None:
    """The engine reads the prompt of each request; the request itself waits for those of the others alone."""
    found = speed(replica("llama-3.1-70b", "h200", "fp8", 4), 64, 1_000, 1_000)
    assert found.tokens_per_s * (found.itl_s + found.prefill_s / 1_000) == pytest.approx(64)


def test_one_request_alone_waits_for_no_prompt() -> None:
    at = replica("llama-3.1-70b", "h200", "fp8", 4)
    assert speed(at, 1, 8_000, 4).itl_s == at.step_s(1, 8_002)


def test_a_row_of_stages_carries_more_and_answers_no_sooner() -> None:
    alone = speed(replica("llama-3.1-405b", "h200", "bf16", 8), 1, 1_000, 500)
    in_row = speed(replica("llama-3.1-405b", "h200", "bf16", 8, 4), 1, 1_000, 500)
    assert in_row.itl_s == pytest.approx(alone.itl_s, rel=0.03)
    many = [speed(replica("llama-3.1-405b", "h200", "bf16", 8, stages), 64, 1_000, 500) for stages in (1, 4)]
    assert many[1].tokens_per_s > many[0].tokens_per_s


def test_four_bits_on_a_card_without_them_bring_no_operations() -> None:
    assert replica("llama-3.1-70b", "h200", "fp4", 1).peak == replica("llama-3.1-70b", "h200", "bf16", 1).peak
    assert replica("llama-3.1-70b", "b200", "fp4", 1).peak == pytest.approx(4 * 2250e12 * 0.413)
