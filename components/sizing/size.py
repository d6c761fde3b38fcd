"""Sizes one demand on one card: the cut with the fewest GPUs that carries the peak, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components.sizing import explaining, refusing
from aifactory.components.sizing.card import Card
from aifactory.components.sizing.case import Case
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.evidence import Band, band, of_kind, of_work
from aifactory.components.sizing.found import Fitted, Refusal, Rejection
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.known import Known
from aifactory.components.sizing.layouts import Cut, cuts
from aifactory.components.sizing.memory import Memory, memory
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.replicas import Count, count
from aifactory.components.sizing.roofline import Replica, Speed, speed
from aifactory.components.sizing.steps import Step

HALVINGS = 40
"""Of the range of requests at once, until the number is exact to a millionth."""

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
    """Requests that a replica computes at once at most."""
    itl_ms: float
    """Mean time between tokens, as expected."""
    slow_itl_ms: float
    """The same at the slow end that replicas are counted at."""
    ttft_unloaded_ms: float
    tokens_per_s: Band
    """Output tokens of a replica."""
    gpus_at_slow_end: int
    """GPUs if it were as slow as the band allows: more than `gpus` where a doubt costs no replicas."""
    replicas_needed: int
    replicas: int
    replicas_at_mean: int
    gpus: int
    nodes: int
    evidence: tuple[str, ...]
    """Why no measurement stands behind the speed; empty when some do."""
    rejected: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


def size(demand: Demand, shape: Geometry, card: Card, options: Options, known: Known) -> Sizing | Refusal:
    """Replicas on the fewest GPUs that carry the peak at the slow end of the band, with the latencies as expected.

    More demand never takes fewer GPUs, and neither does a slower card of the same kind. Docs: decision 0013.
    """
    case = Case(demand, shape, card, options, known)
    refusal = refusing.before_sizing(case)
    if refusal is not None:
        return Refusal(*refusal)
    found = [fitted(cut, case) for cut in cuts(shape, options)]
    working = [each for each in found if isinstance(each, Fitted)]
    failing = [each for each in found if isinstance(each, Rejection)]
    if not working:
        return Refusal(*refusing.of_all(failing, case))
    best = min(working, key=lambda each: (each.gpus, each.count.nodes, each.cut.gpus))
    others = [each for each in working if each is not best]
    return _sizing(best, others, failing, case)


def fitted(cut: Cut, case: Case) -> Fitted | Rejection:
    """What a replica of this cut carries, or why it can't be."""
    demand, options = case.demand, case.options
    room = memory(case, cut)
    if room.sequences < 1 or room.tokens < case.longest:
        return Rejection(cut, "memory", refusing.no_room(room, case.longest), 0.0, room)
    replica = Replica(
        case.shape, case.card, options.precision, cut.tensor, case.known.speed, cut.pipeline, options.kv_bytes
    )
    alone = _at(replica, 1, case)
    if alone.itl_s * 1_000 > demand.itl_ms:
        reached = alone.itl_s * 1_000
        return Rejection(cut, "itl", f"one request alone takes {reached:.1f} ms a token", reached, room)
    first_s = replica.first_token_s(demand.input_tokens, demand.known_of(demand.input_tokens))
    first_ms = first_s * 1_000
    if demand.ttft_ms and first_ms > demand.ttft_ms:
        return Rejection(cut, "ttft", f"the prompt alone takes {first_ms:.0f} ms", first_ms, room)
    return max(
        (
            _carries(cut, room, _at(replica, most, case), limit, first_s, case)
            for most, limit in _batches(replica, room, case)
        ),
        key=lambda each: each.tokens.planned,
    )


def _at(replica: Replica, sequences: float, case: Case) -> Speed:
    tokens = case.read_tokens
    return speed(replica, sequences, tokens, case.demand.output_tokens, case.demand.known_of(tokens))


def _batches(replica: Replica, room: Memory, case: Case) -> list[tuple[float, str]]:
    """The most requests at once that memory and latency allow, and the most of them that were measured, with what
    limits each.

    A mean number, so a fraction counts: whole ones would let a replica carry less when answers get shorter.
    """
    longest = case.demand.itl_ms / 1_000
    low, high = 1.0, float(room.sequences)
    if _at(replica, high, case).itl_s <= longest:
        low = high
    for _ in range(HALVINGS if low < high else 0):
        middle = (low + high) / 2
        if _at(replica, middle, case).itl_s <= longest:
            low = middle
        else:
            high = middle
    most = float(case.known.evidence.most_sequences)
    limit = "memory" if low >= room.sequences else "latency"
    return [(low, limit), *([(most, "evidence")] if most < low else [])]


def _carries(cut: Cut, room: Memory, found: Speed, limit: str, first_s: float, case: Case) -> Fitted:
    evidence = case.known.evidence
    doubts = (
        *of_kind(case.card, case.options, case.demand, evidence),
        *of_work(case.shape, case.card, cut, found.sequences, case.read_tokens, evidence),
    )
    tokens = band(found.tokens_per_s, doubts, evidence)
    return Fitted(cut, room, found, doubts, limit, first_s, tokens, _count(cut, tokens.planned, case))


def _count(cut: Cut, tokens_per_s: float, case: Case) -> Count:
    demand, options = case.demand, case.options
    carried = tokens_per_s / demand.output_tokens
    return count(demand.peak_calls, demand.mean_calls, carried, cut.gpus, options.gpus_per_node, options.redundancy)


def _sizing(best: Fitted, others: list[Fitted], failing: list[Rejection], case: Case) -> Sizing:
    cut, shape, options = best.cut, case.shape, case.options
    itl_ms = best.speed.itl_s * 1_000
    return Sizing(
        precision=options.precision,
        computes_in=case.card.computes_in(options.precision),
        kv_bytes=case.kv_bytes,
        tensor=cut.tensor,
        pipeline=cut.pipeline,
        data=1,
        expert_parallel=shape.experts > 0 and cut.tensor > 1,
        gpus_per_replica=cut.gpus,
        nodes_per_replica=cut.pipeline,
        memory=best.memory,
        batch=best.batch,
        itl_ms=itl_ms,
        slow_itl_ms=itl_ms * best.tokens.expected / best.tokens.planned,
        ttft_unloaded_ms=best.first_s * 1_000,
        tokens_per_s=best.tokens,
        gpus_at_slow_end=_count(cut, best.tokens.low, case).replicas * cut.gpus,
        replicas_needed=best.count.needed,
        replicas=best.count.replicas,
        replicas_at_mean=best.count.at_mean,
        gpus=best.gpus,
        nodes=best.count.nodes,
        evidence=tuple(doubt.says for doubt in best.doubts),
        rejected=tuple(_rejected(best, others, failing, case)),
        steps=tuple(explaining.steps(best, case)),
    )


def _rejected(best: Fitted, others: list[Fitted], failing: list[Rejection], case: Case) -> Iterator[tuple[str, str]]:
    dearer = sorted(others, key=lambda each: (each.gpus, each.cut.gpus))[:SHOWN]
    for each in dearer:
        yield each.cut.text, f"{each.gpus} GPUs in {each.count.replicas} replicas"
    for failed in failing[:SHOWN]:
        yield failed.cut.text, failed.reason
    if case.shape.latent and best.cut.tensor > 1:
        yield (
            "data-parallel attention",
            "each GPU would keep other requests instead of copies of all; nobody published measurements to size it by",
        )
