"""Embedding models as served: words of the engine, scaling, load test, and what others are told of them."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.offers import ModelOffer
from aifactory.components.sizing.embedding import BATCH_TOKENS

TEXTS: dict[str, Any] = {
    "name": "bge-m3",
    "task": "embed",
    "requests_per_s": {"mean": 2.0, "peak": 2_000.0},
    "input_tokens": 450,
    "longest_tokens": 2_048,
}
PART: dict[str, Any] = {
    "name": "embed",
    "model": "bge-m3",
    "stack": "kserve",
    "precision": None,
    "stored_as": "bf16",
    "kv_cache": None,
}


def words(found: Any) -> dict[str, str]:
    """Flags of the engine with their values, switches with none."""
    flags = [word for word in found.plan.programs[0].args if word.startswith("--")]
    return {flag.partition("=")[0]: flag.partition("=")[2] for flag in flags}


def test_an_encoder_pools_and_keeps_nothing(served: Any) -> None:
    found = words(served(PART, demands=[TEXTS]))
    assert found["--runner"] == "pooling"
    assert found["--max-num-batched-tokens"] == str(BATCH_TOKENS // 450 * 450)
    assert found["--max-model-len"] == "2048"
    assert "--no-enable-prefix-caching" in found
    assert not {"--kv-cache-dtype", "--convert", "--enable-prefix-caching"} & set(found)


def test_a_long_text_fits_in_one_step_of_an_encoder(served: Any) -> None:
    found = words(served(PART, demands=[{**TEXTS, "input_tokens": 8_000, "longest_tokens": 8_192}]))
    assert int(found["--max-num-batched-tokens"]) >= 8_192


def test_a_decoder_is_made_an_embedding_model(served: Any) -> None:
    part = {**PART, "model": "qwen3-embedding-4b", "stored_as": None}
    found = words(served(part, demands=[{**TEXTS, "name": "qwen3-embedding-4b"}]))
    assert (found["--runner"], found["--convert"], found["--kv-cache-dtype"]) == ("pooling", "embed", "auto")


def test_each_flag_is_one_that_the_catalog_lists_and_has_a_reason(served: Any) -> None:
    known = {row.text("flag") for row in Catalog.shipped().rows("engines.flags")}
    made = served(PART, demands=[TEXTS])
    flags = {flag.removeprefix("--").removeprefix("no-") for flag in words(made)}
    assert flags - {"disable-access-log-for-endpoints"} <= known
    assert "earlier one" in made.decisions["embed.flags.enable-prefix-caching"].reason
    assert "/v1/embeddings" in made.decisions["embed.flags.runner"].reason


def test_replicas_follow_texts_and_no_cache(served: Any) -> None:
    scaling = served(PART, demands=[TEXTS]).plan.scaling
    assert scaling is not None
    assert [name for name, _, _ in scaling.triggers] == ["waiting", "requests"]


@pytest.mark.parametrize(("ttft", "goals"), [(None, []), (200.0, ["--goodput", "e2el:200"])])
def test_the_load_test_asks_for_vectors(ttft: float | None, goals: list[str], served: Any) -> None:
    found = served(PART, demands=[{**TEXTS, **({"ttft_ms": ttft} if ttft else {})}]).plan.benchmark.arguments
    assert {"--backend=openai-embeddings", "--endpoint=/v1/embeddings", "--random-output-len=1"} <= set(found)
    assert "--ignore-eos" not in found
    assert list(found[found.index("--goodput") :] if goals else []) == goals
    assert ("--goodput" in found) == bool(goals)


def test_others_are_told_how_long_vectors_are(served: Any) -> None:
    found = served(PART, demands=[TEXTS])
    (offer,) = [each for each in found.site_plan.offers if isinstance(each, ModelOffer)]
    assert (offer.task, offer.dimension, offer.least_dimension, offer.backend) == ("embed", 1_024, 1_024, "Service")


def test_decisions_follow_from_decisions_that_are_there(served: Any) -> None:
    for part, name in ((PART, "bge-m3"), ({**PART, "model": "qwen3-embedding-4b"}, "qwen3-embedding-4b")):
        found = served(part, demands=[{**TEXTS, "name": name}])
        missing = {
            f"{path}: {because}"
            for path, decision in found.decisions.items()
            for because in decision.because
            if because.startswith("embed.") and because not in found.decisions
        }
        assert missing == set()
