"""Sizes one demand on one card: the cut with the fewest GPUs that carries the peak, or why there is none."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.sizing import explaining, refusing
from aifactory.components.sizing.card import Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.evidence import MOST_SEQUENCES, Band, band, doubts
from aifactory.components.sizing.found import Fitted, Refusal, Rejection
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.layouts import Cut, cuts
from aifactory.components.sizing.memory import KV_BYTES, Memory, adapters_gib, memory
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.replicas import count
from aifactory.components.sizing.roofline import Constants, Replica, Speed, speed
from aifactory.components.sizing.steps import Step

SHOWN = 4
"""Cuts that a plan names of those that cost more GPUs, and of those that don't work."""


class Sizing(Struct, frozen=True):
    """Replicas for a demand, with every step of the reasoning."""

    precision: str
    computes_in: str
    kv_bytes: int
    """Bytes of an element of keys and values."""
    tensor: int
    pipeline: int
    data: int
    expert_parallel: bool
    gpus_per_replica: int
    nodes_per_replica: int
    memory: Memory
    batch: int
    """Requests that a replica computes at once."""
    itl_ms: float
    ttft_unloaded_ms: float
    tokens_per_s: Band
    """Output tokens of a replica."""
    replicas_needed: int
    replicas: int
    replicas_at_mean: int
    gpus: int
    nodes: int
    evidence: tuple[str, ...]
    """Why no measurement stands behind the speed; empty when some do."""
    rejected: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


def size(demand: Demand, shape: Geometry, card: Card, options: Options, constants: Constants) -> Sizing | Refusal:
    """Replicas that carry the peak at the slow end of the band, within the latencies, on the fewest GPUs."""
    refusal = refusing.before_sizing(shape, card, options)
    if refusal is not None:
        return Refusal(*refusal)
    found = [fitted(cut, demand, shape, card, options, constants) for cut in cuts(shape, card, options)]
    working = [each for each in found if isinstance(each, Fitted)]
    failing = [each for each in found if isinstance(each, Rejection)]
    if not working:
        return Refusal(*refusing.of_all(failing, demand, shape, card, options, constants))
    best = min(working, key=lambda each: (each.gpus, each.count.nodes, each.cut.gpus))
    others = [each for each in working if each is not best]
    return _sizing(best, others, failing, demand, shape, card, options, constants)


def fitted(
    cut: Cut, demand: Demand, shape: Geometry, card: Card, options: Options, constants: Constants
) -> Fitted | Rejection:
    """What a replica of this cut carries, or why it can't be."""
    adapters = adapters_gib(shape, options.lora_adapters, options.lora_rank)
    room = memory(shape, card, options.precision, cut.tensor, cut.pipeline, demand.tokens, adapters, options.kv_bytes)
    longest = max(options.max_model_len, demand.tokens)
    if room.sequences < 1 or room.tokens < longest:
        return Rejection(cut, "memory", refusing.no_room(room, longest), -room.kv, room)
    replica = Replica(shape, card, options.precision, cut.tensor, constants, cut.pipeline, options.kv_bytes)
    alone = _at(replica, 1, demand)
    if alone.itl_s * 1_000 > demand.itl_ms:
        reached = alone.itl_s * 1_000
        return Rejection(cut, "itl", f"one request alone takes {reached:.1f} ms a token", reached, room)
    first_s = alone.prefill_s + replica.step_s(1, demand.input_tokens)
    first_ms = first_s * 1_000
    if demand.ttft_ms and first_ms > demand.ttft_ms:
        return Rejection(cut, "ttft", f"the prompt alone takes {first_ms:.0f} ms", first_ms, room)
    return max(
        (
            _carries(cut, room, _at(replica, most, demand), first_s, demand, shape, card, options)
            for most in _batches(replica, room, demand)
        ),
        key=lambda each: each.tokens.low,
    )


def _at(replica: Replica, sequences: int, demand: Demand) -> Speed:
    return speed(replica, sequences, demand.input_tokens, demand.output_tokens, demand.known_tokens)


def _batches(replica: Replica, room: Memory, demand: Demand) -> list[int]:
    """The most requests at once that memory and latency allow, and the most of them that were measured."""
    low, high = 1, room.sequences
    while low < high:
        middle = (low + high + 1) // 2
        if _at(replica, middle, demand).itl_s * 1_000 <= demand.itl_ms:
            low = middle
        else:
            high = middle - 1
    return sorted({low, min(low, MOST_SEQUENCES)})


def _carries(
    cut: Cut,
    room: Memory,
    found: Speed,
    first_s: float,
    demand: Demand,
    shape: Geometry,
    card: Card,
    options: Options,
) -> Fitted:
    outside = doubts(shape, card, cut.pipeline, found.sequences, demand.input_tokens)
    tokens = band(found.tokens_per_s, outside)
    number = count(
        demand.peak_calls,
        demand.mean_calls,
        tokens.low / demand.output_tokens,
        cut.gpus,
        options.gpus_per_node,
        options.redundancy,
    )
    return Fitted(cut, room, found, outside, first_s, tokens, number)


def _sizing(
    best: Fitted,
    others: list[Fitted],
    failing: list[Rejection],
    demand: Demand,
    shape: Geometry,
    card: Card,
    options: Options,
    constants: Constants,
) -> Sizing:
    cut = best.cut
    dearer = sorted(others, key=lambda each: (each.gpus, each.cut.gpus))[:SHOWN]
    rejected = [(each.cut.text, f"{each.gpus} GPUs in {each.count.replicas} replicas") for each in dearer]
    rejected += [(each.cut.text, each.reason) for each in failing[:SHOWN]]
    return Sizing(
        precision=options.precision,
        computes_in=card.computes_in(options.precision),
        kv_bytes=options.kv_bytes or int(KV_BYTES[options.precision]),
        tensor=cut.tensor,
        pipeline=cut.pipeline,
        data=1,
        expert_parallel=shape.experts > 0 and cut.tensor > 1,
        gpus_per_replica=cut.gpus,
        nodes_per_replica=cut.pipeline,
        memory=best.memory,
        batch=best.speed.sequences,
        itl_ms=best.speed.itl_s * 1_000,
        ttft_unloaded_ms=best.first_s * 1_000,
        tokens_per_s=best.tokens,
        replicas_needed=best.count.needed,
        replicas=best.count.replicas,
        replicas_at_mean=best.count.at_mean,
        gpus=best.gpus,
        nodes=best.count.nodes,
        evidence=best.outside,
        rejected=tuple(rejected),
        steps=tuple(explaining.steps(best, demand, shape, card, options, constants)),
    )
