"""The steps of a sizing, from requests to GPUs, each with its formula in words and its sources."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.sizing.case import Case
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.found import Fitted
from aifactory.components.sizing.steps import Step

PUBLISHED = {"fp4": "nvfp4"}
"""Names of formats in the table `models.precision`, where they differ."""

SPARE = {
    "none": "no spare one",
    "replica": "and one to spare",
    "node": "and one to spare; replicas of a lost node have room elsewhere, and load again there",
}


def steps(best: Fitted, case: Case) -> Iterator[Step]:
    """Every link of the chain."""
    yield peak_step(case.demand)
    yield from memory_steps(best, case)
    yield _concurrency(best, case)
    yield _latency(best, case)
    yield tokens_step(best, case, f"each token after {best.speed.itl_s * 1_000:.1f} ms")
    yield _prompts(best, case)
    yield from count_steps(best, case)


def peak_step(demand: Demand) -> Step:
    """Calls at peak."""
    grown = f", {demand.growth_percent:g} % growth" if demand.growth_percent else ""
    calls = f" x {demand.agentic_factor:g} calls each" if demand.agentic_factor != 1 else ""
    return Step(
        "peak",
        round(demand.peak_calls, 3),
        f"{demand.peak_per_s:g} requests per s{calls}{grown}; over the day {demand.mean_calls:g}",
    )


def memory_steps(best: Fitted, case: Case) -> Iterator[Step]:
    """What weights leave of a GPU, and how many requests that holds."""
    room, fixed, card, shape = best.memory, case.known.memory, case.card, case.shape
    precision = case.options.precision
    yield Step(
        "memory",
        {
            "usable_gib": round(room.usable, 1),
            "weights_gib": round(room.weights, 1),
            "other_gib": round(room.other, 2),
            **({"adapters_gib": round(room.adapters, 2)} if room.adapters else {}),
            "kv_gib": round(room.kv, 1),
        },
        f"of each GPU: {fixed.share:.0%} of {card.memory_gib:.1f} GiB, less weights in {precision} over "
        f"{best.cut.gpus} GPUs, less {fixed.other_gib:g} GiB of activations and graphs"
        + (f" and {fixed.collectives_gib:g} of buffers for collectives" if best.cut.gpus > 1 else "")
        + (f", less {case.options.lora_adapters} adapters of rank {case.options.lora_rank}" if room.adapters else ""),
        (shape.ref, card.ref, f"models.precision/{PUBLISHED.get(precision, precision)}", *fixed.refs),
        ("layout",),
    )
    if case.shape.encoder:
        return
    yield Step(
        "sequences",
        room.sequences,
        f"requests of {case.demand.tokens} tokens whose keys and values fit, {case.kv_bytes} bytes an element, "
        f"{room.kv_bytes_per_token / 1024:.1f} KiB a token and GPU; one long request may have {room.tokens} tokens",
        (shape.ref,),
        ("memory",),
    )


def _concurrency(best: Fitted, case: Case) -> Step:
    why = {
        "memory": "as many as its memory holds",
        "latency": f"with more a token would take longer than {case.demand.itl_ms:g} ms",
        "evidence": "more of them were not measured well, and would be counted at half their speed",
    }[best.limit]
    facts = case.known.evidence.refs[2:] if best.limit == "evidence" else ()
    return Step(
        "concurrency", best.batch, f"requests that a replica computes at once at peak: {why}", facts, ("sequences",)
    )


def _latency(best: Fitted, case: Case) -> Step:
    found, fixed = best.speed, case.known.speed
    hits = case.demand.prefix_hit_percent
    return Step(
        "latency",
        {
            "itl_ms": round(best.itl_ms, 1),
            "itl_ms_at_slow_end": round(best.slow_itl_ms, 1),
            "prompt_alone_ms": round(found.prefill_s * 1_000),
        },
        f"a step reads weights, keys and values at {fixed.bandwidth:.1%} of the bandwidth or computes at "
        f"{fixed.compute:.1%} of the {case.card.computes_in(case.options.precision)} peak, plus {case.shape.layers} "
        f"layers and {best.batch} requests of overhead; prompts of others are read in between"
        + (f", {hits:g} % of each known already" if hits else "")
        + ". itl_ms is what to expect at peak; were it as slow as replicas are counted for, the peak would be carried "
        "with the other figure. The time to the first token under load can't be computed: measure it",
        (case.card.ref, case.shape.ref, fixed.ref),
        ("concurrency", "layout"),
    )


def tokens_step(best: Fitted, case: Case, pace: str) -> Step:
    """Speed with its band; `pace` says how it comes about."""
    tokens, evidence, doubts = best.tokens, case.known.evidence, best.doubts
    factor = tokens.expected / tokens.low
    if doubts:
        says = "; ".join(doubt.says for doubt in doubts)
        why = f"a factor of {factor:g} to both sides for want of evidence: {says}"
    else:
        why = f"a factor of {factor:g} to both sides holds {evidence.holds_percent} % of unseen measurements"
    if tokens.planned > tokens.low:
        why += (
            f". Replicas are counted at the expected speed over {tokens.expected / tokens.planned:g}: doubts about a "
            "card, or about what makes requests cheaper, cost none"
        )
    return Step(
        "tokens_per_s",
        {
            "low": round(tokens.low),
            "expected": round(tokens.expected),
            "high": round(tokens.high),
            "planned": round(tokens.planned),
        },
        f"{best.speed.sequences:.1f} requests at once, {pace}; {why}",
        (
            case.known.speed.ref,
            *(evidence.refs[:2] if tokens.planned > tokens.low else evidence.refs[bool(doubts) :][:1]),
        ),
        ("latency",),
    )


def _prompts(best: Fitted, case: Case) -> Step:
    """What reading prompts takes of the time of a replica: by it the cost of prompts and answers is told apart."""
    found = best.speed
    read_s = found.prefill_s / best.cut.pipeline / case.demand.output_tokens
    return Step(
        "prompt_percent",
        round(100 * found.tokens_per_s * read_s, 1),
        f"of the time of a replica that reads prompts: {found.prefill_s * 1_000:.0f} ms for each, and "
        f"{found.tokens_per_s / case.demand.output_tokens:.2f} of them a second",
        (case.known.speed.ref,),
        ("tokens_per_s",),
    )


def count_steps(best: Fitted, case: Case) -> Iterator[Step]:
    """The cut, and the replicas and GPUs that follow."""
    count, cut = best.count, best.cut
    carried = best.tokens.planned / case.counted_tokens
    asked = case.options.tensor or case.options.pipeline
    yield Step(
        "layout",
        {"tensor": cut.tensor, "pipeline": cut.pipeline, "gpus": cut.gpus},
        ("as written; " if asked else "the fewest GPUs in all that carry the peak, with ")
        + "latencies as expected within those asked for",
    )
    yield Step(
        "replicas",
        count.replicas,
        f"{case.demand.peak_calls:g} calls per s over {carried:.2f} that one carries at the expected speed over "
        f"{best.tokens.expected / best.tokens.planned:g}: {count.needed}, {SPARE[case.options.redundancy]}",
        (),
        ("peak", "tokens_per_s"),
    )
    yield Step("gpus", best.gpus, f"{count.replicas} replicas of {cut.gpus}", (), ("replicas", "layout"))
