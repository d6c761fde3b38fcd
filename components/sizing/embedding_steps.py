"""The steps of sizing an embedding model, where they differ from those of models that write text."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.sizing.case import Case
from aifactory.components.sizing.embedding import BATCH_TOKENS, WAITS
from aifactory.components.sizing.explaining import count_steps, memory_steps, peak_step, tokens_step
from aifactory.components.sizing.found import Fitted
from aifactory.components.sizing.steps import Step


def steps(best: Fitted, case: Case) -> Iterator[Step]:
    """Every link of the chain."""
    yield peak_step(case.demand)
    yield from memory_steps(best, case)
    yield _concurrency(best, case)
    yield _latency(best, case)
    yield tokens_step(best, case, f"read in a step of {best.speed.prefill_s * 1_000:.1f} ms")
    yield Step("prompt_percent", 100.0, "a vector is made of a text alone: nothing is written", (), ("tokens_per_s",))
    yield from count_steps(best, case)


def _concurrency(best: Fitted, case: Case) -> Step:
    why = {
        "batch": f"a step reads {BATCH_TOKENS} tokens at most, texts of {case.read_tokens} tokens each",
        "latency": f"a text waits for {WAITS} steps at worst, and may for {case.demand.ttft_ms:g} ms",
        "memory": "keys and values of more texts have no room until they are read",
    }[best.limit]
    return Step("concurrency", best.batch, f"texts that one step reads at peak: {why}", (), ("memory",))


def _latency(best: Fitted, case: Case) -> Step:
    shape, fixed = case.shape, case.known.speed
    sees = "each token sees all others" if shape.encoder else "each token sees those before it"
    return Step(
        "latency",
        {"text_alone_ms": round(best.first_s * 1_000, 1), "step_ms": round(best.speed.prefill_s * 1_000, 1)},
        f"a step computes at {fixed.compute:.1%} of the {case.card.computes_in(case.options.precision)} peak what "
        f"{shape.passed_params / 1e9:.2f} B parameters do with each token, and attention, in which {sees}, plus "
        f"{shape.layers} layers and {best.batch} texts of overhead. No token is written and none is waited for: a text "
        "that comes while a step runs waits for its end. Time under load can't be computed: measure it",
        (case.card.ref, shape.ref, fixed.ref),
        ("concurrency", "layout"),
    )
