"""What a replica of an embedding model carries. A vector is the end of one prompt: no token is written after it, and
nothing is kept for a next one. So its speed is that of reading prompts, many in one step.
"""

from __future__ import annotations

from aifactory.components.sizing.carrying import count_at, no_room, replica_of
from aifactory.components.sizing.case import Case
from aifactory.components.sizing.evidence import Doubt, band, of_kind, of_work
from aifactory.components.sizing.formats import BYTES
from aifactory.components.sizing.found import Fitted, Rejection
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.layouts import Cut
from aifactory.components.sizing.memory import Memory, memory
from aifactory.components.sizing.roofline import Replica, Speed

BATCH_TOKENS = 16_384
"""Tokens that one step reads. Half of the 32768 that vLLM takes for pooling models by itself: a step stays short for
the text that waits for its end. Assumed: matrices of this height reach the compute of the roofline."""
UNMEASURED = "no embedding model is among the measurements"


WAITS = 2
"""Steps until the vector of a text is there at worst: the one that runs, and its own."""


def batch_tokens(texts: int, tokens: int, longest: int) -> int:
    """Tokens of a step of so many texts: an encoder reads a text in one, so the longest fits."""
    return max(texts * tokens, longest)


def flops(shape: Geometry, tokens: float) -> float:
    """Work of one text. In an encoder each token sees all others, in a decoder half of them on average."""
    seen = 4 if shape.encoder else 2
    return 2 * shape.passed_params * tokens + seen * shape.layers * shape.heads * shape.head_dim * tokens**2


def step_s(replica: Replica, texts: float, tokens: float) -> float:
    """Time of a step that reads so many texts of so many tokens."""
    shape, fixed = replica.shape, replica.constants
    compute = texts * flops(shape, tokens) / replica.peak
    read = shape.passed_params * BYTES[replica.precision] / replica.stream
    return max(compute, read) + fixed.per_layer_s * shape.layers + fixed.per_sequence_s * texts


def fitted(cut: Cut, case: Case) -> Fitted | Rejection:
    """What a replica of this cut carries, or why it can't be."""
    demand, room = case.demand, memory(case, cut)
    if not room.holds(case.longest):
        return Rejection(cut, "memory", no_room(room, case.longest), 0.0, room)
    replica, tokens = replica_of(cut, case), case.read_tokens
    alone_s = step_s(replica, 1, demand.input_tokens)
    if demand.ttft_ms and alone_s * 1_000 > demand.ttft_ms:
        reached = alone_s * 1_000
        return Rejection(cut, "ttft", f"one text alone takes {reached:.0f} ms", reached, room)
    texts, limit = _batch(replica, room, case)
    took = step_s(replica, texts, tokens)
    evidence = case.known.evidence
    doubts = (
        Doubt(UNMEASURED, evidence.outside),
        *of_kind(case.card, case.options, demand, evidence),
        *of_work(case.shape, case.card, cut, texts, tokens, evidence),
    )
    carried = band(texts * tokens / took, doubts, evidence)
    found = Speed(texts, 0.0, took, carried.expected)
    return Fitted(cut, room, found, doubts, limit, alone_s, carried, count_at(cut, carried.planned, case))


def _batch(replica: Replica, room: Memory, case: Case) -> tuple[int, str]:
    """Texts of a step, and what limits them."""
    tokens, longest_s = case.read_tokens, case.demand.ttft_ms / 1_000
    most = max(1, BATCH_TOKENS // tokens)
    texts, limit = (most, "batch") if most <= room.sequences else (room.sequences, "memory")
    while longest_s and texts > 1 and WAITS * step_s(replica, texts, tokens) > longest_s:
        texts, limit = texts - 1, "latency"
    return texts, limit
