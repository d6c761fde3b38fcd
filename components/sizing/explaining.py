"""The steps of a sizing, from requests to GPUs, each with its formula in words and its sources."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.sizing.card import Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.evidence import INSIDE, OUTSIDE
from aifactory.components.sizing.found import Fitted
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.roofline import Constants
from aifactory.components.sizing.steps import Step


def steps(
    best: Fitted, demand: Demand, shape: Geometry, card: Card, options: Options, constants: Constants
) -> Iterator[Step]:
    """Every link of the chain."""
    yield _peak(demand)
    yield from _memory(best, demand, shape, card, options)
    yield from _speed(best, demand, shape, card, options, constants)
    yield from _count(best, demand, options)


def _peak(demand: Demand) -> Step:
    grown = f", {demand.growth_percent:g} % growth" if demand.growth_percent else ""
    calls = f" x {demand.agentic_factor:g} calls each" if demand.agentic_factor != 1 else ""
    return Step(
        "peak",
        round(demand.peak_calls, 3),
        f"{demand.peak_per_s:g} requests per s{calls}{grown}; the mean is {demand.mean_calls:g}",
    )


def _memory(best: Fitted, demand: Demand, shape: Geometry, card: Card, options: Options) -> Iterator[Step]:
    room, cut = best.memory, best.cut
    yield Step(
        "memory",
        {
            "usable_gib": round(room.usable, 1),
            "weights_gib": round(room.weights, 1),
            "other_gib": round(room.other, 2),
            "kv_gib": round(room.kv, 1),
        },
        f"of each GPU: 90 % of {card.memory_gib:.1f} GiB, less weights in {options.precision} over {cut.gpus} GPUs, "
        "less activations, graphs and buffers",
        (shape.ref, card.ref, f"models.precision/{'nvfp4' if options.precision == 'fp4' else options.precision}"),
        ("layout",),
    )
    yield Step(
        "sequences",
        room.sequences,
        f"requests of {demand.tokens} tokens whose keys and values fit, {room.kv_bytes_per_token / 1024:.1f} KiB a "
        f"token and GPU; one long request may have {room.tokens} tokens",
        (shape.ref,),
        ("memory",),
    )


def _speed(
    best: Fitted, demand: Demand, shape: Geometry, card: Card, options: Options, constants: Constants
) -> Iterator[Step]:
    found = best.speed
    by_memory = found.sequences >= best.memory.sequences
    yield Step(
        "concurrency",
        found.sequences,
        "requests that a replica computes at once: as many as its memory holds"
        if by_memory
        else "requests that a replica computes at once: with one more a token would take longer than "
        f"{demand.itl_ms:g} ms, or the estimate be less sure",
        (),
        ("sequences",),
    )
    yield Step(
        "latency",
        {"itl_ms": round(found.itl_s * 1_000, 1), "prompt_alone_ms": round(found.prefill_s * 1_000)},
        f"a step reads weights, keys and values at {constants.bandwidth:.1%} of the bandwidth or computes at "
        f"{constants.compute:.1%} of the {card.computes_in(options.precision)} peak, plus {shape.layers} layers and "
        f"{found.sequences} requests of overhead; prompts of others are read in between. The time to the first token "
        "under load can't be computed: measure it",
        (card.ref, shape.ref, constants.ref),
        ("concurrency", "layout"),
    )
    tokens, factor = best.tokens, OUTSIDE if best.outside else INSIDE
    yield Step(
        "tokens_per_s",
        {"low": round(tokens.low), "expected": round(tokens.expected), "high": round(tokens.high)},
        f"{found.sequences} requests, a token each {found.itl_s * 1_000:.1f} ms; a factor of {factor:g} to both sides "
        + (f"for want of evidence: {'; '.join(best.outside)}" if best.outside else "holds 83 % of unseen measurements"),
        (constants.ref,),
        ("latency",),
    )


def _count(best: Fitted, demand: Demand, options: Options) -> Iterator[Step]:
    count, cut = best.count, best.cut
    spare = {
        "none": "no spare one",
        "replica": "and one to spare",
        "node": "and one to spare; a lost node's replicas find room elsewhere",
    }[options.redundancy]
    carried = best.tokens.low / demand.output_tokens
    yield Step(
        "layout",
        {"tensor": cut.tensor, "pipeline": cut.pipeline, "gpus": cut.gpus},
        "the fewest GPUs in all that carry the peak within the latencies",
    )
    yield Step(
        "replicas",
        count.replicas,
        f"{demand.peak_calls:g} calls per s over {carried:.2f} that one carries at the slow end of the band: "
        f"{count.needed}, {spare}",
        (),
        ("peak", "tokens_per_s"),
    )
    yield Step(
        "gpus",
        best.gpus,
        f"{count.replicas} replicas of {cut.gpus}",
        (),
        ("replicas", "layout"),
    )
