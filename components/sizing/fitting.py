"""What one cut carries, or why it can't be."""

from __future__ import annotations

from aifactory.components.sizing import embedding
from aifactory.components.sizing.carrying import count_at, no_room, replica_of
from aifactory.components.sizing.case import Case
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.evidence import band, of_kind, of_work
from aifactory.components.sizing.found import Fitted, Rejection
from aifactory.components.sizing.layouts import Cut
from aifactory.components.sizing.memory import Memory, memory
from aifactory.components.sizing.roofline import Replica, Speed, speed

HALVINGS = 40
"""Of the range of requests at once, until the number is exact to a millionth."""


def fitted(cut: Cut, case: Case) -> Fitted | Rejection:
    """What a replica of this cut carries, or why it can't be."""
    if case.shape.dimension:
        return embedding.fitted(cut, case)
    demand = case.demand
    room = memory(case, cut)
    if not room.holds(case.longest):
        return Rejection(cut, "memory", no_room(room, case.longest), 0.0, room)
    replica = replica_of(cut, case)
    alone = _at(replica, 1, case)
    if alone.itl_s * 1_000 > demand.itl_ms:
        reached = alone.itl_s * 1_000
        return Rejection(cut, "itl", f"one request alone takes {reached:.1f} ms a token", reached, room)
    first_s = first_token_s(replica, demand)
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
    return Fitted(cut, room, found, doubts, limit, first_s, tokens, count_at(cut, tokens.planned, case))


def first_token_s(replica: Replica, demand: Demand) -> float:
    """Seconds to the first token where nobody else asks."""
    return replica.first_token_s(demand.input_tokens, demand.known_of(demand.input_tokens))
