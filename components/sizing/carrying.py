"""What a cut is made into: a replica, the number of them, and why there is no room for one."""

from __future__ import annotations

from aifactory.components.sizing.case import Case
from aifactory.components.sizing.layouts import Cut
from aifactory.components.sizing.memory import Memory
from aifactory.components.sizing.replicas import Count, count
from aifactory.components.sizing.roofline import Replica


def count_at(cut: Cut, tokens_per_s: float, case: Case) -> Count:
    """Replicas where each gives so many tokens per s: of answers, or of texts that become
    vectors."""
    demand, options = case.demand, case.options
    carried = tokens_per_s / case.counted_tokens
    return count(demand.peak_calls, demand.mean_calls, carried, cut.gpus, options.gpus_per_node, options.redundancy)


def replica_of(cut: Cut, case: Case) -> Replica:
    """A replica that is cut so."""
    options = case.options
    return Replica(
        case.shape, case.card, options.precision, cut.tensor, case.known.speed, cut.pipeline, options.kv_bytes
    )


def no_room(room: Memory, longest: int) -> str:
    """Why a cut has no room."""
    if room.kv <= 0:
        return f"weights take {room.weights:.1f} GiB of {room.usable - room.other:.1f} GiB a GPU"
    if room.sequences < 1:
        return f"{room.kv:.1f} GiB are left a GPU, less than one request keeps"
    return f"{room.tokens} tokens fit, and the longest request has {longest}"
