"""Why a demand can't be carried, in words that name the number which would change that."""

from __future__ import annotations

import math

from msgspec.structs import replace

from aifactory.components.sizing.case import Case
from aifactory.components.sizing.formats import GIB
from aifactory.components.sizing.found import Kind, Rejection
from aifactory.components.sizing.layouts import Cut, cuts, divides, tensors
from aifactory.components.sizing.memory import Memory, memory, weights_gib
from aifactory.components.sizing.roofline import Replica, speed

Words = tuple[Kind, str, str]
"""Kind, what is wrong, and what would fix it."""

FEWER_BITS = {"bf16": ("fp8", "fp4"), "fp8": ("fp4",), "fp4": (), "mxfp4": ()}
NODE_SIZES = (1, 2, 4, 8)
"""GPUs of the nodes that are sold, of those that a hint names."""
MOST_NODES = 8


def before_sizing(case: Case) -> Words | None:
    """What is wrong whatever the demand is."""
    card, shape, precision = case.card, case.shape, case.options.precision
    if card.unknown:
        return (
            "unknown",
            f"no source states {', '.join(card.unknown)} of {card.key}",
            "use another accelerator, or add the figure with its source to a private catalog folder",
        )
    if not card.computes_in(precision):
        possible = [each for each in ("fp8", "bf16") if card.computes_in(each)]
        return (
            "precision",
            f"{card.key} doesn't compute in {precision}, and the engine doesn't unpack it there",
            f"use precision {' or '.join(possible)}, or another card" if possible else "use another card",
        )
    if precision == "mxfp4" and not shape.experts:
        return "precision", f"{shape.model} has no experts, and mxfp4 is for those alone", "use bf16, fp8 or fp4"
    if shape.experts and case.options.lora_adapters:
        return (
            "adapters",
            f"{shape.model} has experts: the engine spreads those over GPUs or has adapters, and not both",
            "serve a dense model, or weights that the adapter was merged into",
        )
    return None if list(cuts(shape, case.options)) else _uncut(case)


def _uncut(case: Case) -> Words:
    """Why the cut that was asked for can't be made."""
    shape, options = case.shape, case.options
    node, tensor, pipeline = options.gpus_per_node, options.tensor, options.pipeline
    sizes = " or ".join(map(str, tensors(shape, replace(options, tensor=0))))
    if tensor > node:
        return "heads", f"tensor {tensor} takes more than the {node} GPUs of a node", f"use tensor {sizes}"
    if tensor and not divides(shape, tensor):
        return "heads", f"tensor {tensor} doesn't fit {shape.heads} attention heads", f"use tensor {sizes}"
    if pipeline > shape.layers:
        return "heads", f"pipeline {pipeline} cuts {shape.layers} layers", f"use pipeline {shape.layers} or less"
    if pipeline > options.nodes_at_most_per_replica:
        joined = options.nodes_at_most_per_replica
        says = f"pipeline {pipeline} spans {pipeline} nodes, and "
        says += "no fabric joins nodes of the pool" if joined == 1 else f"a replica may span {joined} here"
        return "heads", says, "use pipeline 1" + (", or give the pool a fabric" if joined == 1 else f" to {joined}")
    if divides(shape, node):
        says = f"tensor {tensor} leaves GPUs of a node of {node} over, and a replica over nodes takes whole ones"
        return "heads", says, f"use tensor {node} with pipeline {pipeline}, or pipeline 1"
    return "heads", f"nodes of {node} GPUs don't fit {shape.heads} attention heads", f"use pipeline 1, tensor {sizes}"


def no_room(room: Memory, longest: int) -> str:
    """Why a cut has no room."""
    if room.kv <= 0:
        return f"weights take {room.weights:.1f} GiB of {room.usable - room.other:.1f} GiB a GPU"
    if room.sequences < 1:
        return f"{room.kv:.1f} GiB are left a GPU, less than one request keeps"
    return f"{room.tokens} tokens fit, and the longest request has {longest}"


def of_all(failing: list[Rejection], case: Case) -> Words:
    """Why no cut works: the failure of the one that came nearest."""
    for kind in ("ttft", "itl"):
        near = [each for each in failing if each.kind == kind]
        if near:
            best = min(near, key=lambda each: (math.ceil(each.number), each.cut.gpus))
            return _first_token(best, case) if kind == "ttft" else _too_slow(best, case)
    return _too_large(max(failing, key=lambda each: each.cut.gpus), case)


def _first_token(best: Rejection, case: Case) -> Words:
    demand = case.demand
    says = f"a first token within {demand.ttft_ms:g} ms; at {best.cut.text} the prompt of {demand.input_tokens} tokens "
    says += f"alone takes {best.number:.0f} ms"
    return "ttft", says, f"set ttft_ms to {math.ceil(best.number)} or more, shorten prompts, or use a faster card"


def _too_slow(best: Rejection, case: Case) -> Words:
    demand = case.demand
    quicker = [each for each in _natively(case) if _alone_ms(best.cut, each) <= demand.itl_ms]
    says = f"a token every {demand.itl_ms:g} ms; at {best.cut.text} one request alone takes {best.number:.1f} ms"
    way = f"set itl_ms to {math.ceil(best.number)} or more"
    first_ms = _replica(best.cut, case).first_token_s(demand.input_tokens, demand.known_of(demand.input_tokens)) * 1_000
    if demand.ttft_ms and first_ms > demand.ttft_ms:
        way += f" and ttft_ms to {math.ceil(first_ms)} or more"
    return "itl", says, ", or ".join([way, *map(_with_fewer_bits, quicker[:1]), "use a faster card"])


def _with_fewer_bits(case: Case) -> str:
    """The engine makes fp8 of 16 bits while it loads; fewer bits must have been stored."""
    precision = case.options.precision
    return "use precision fp8" if precision == "fp8" else f"use weights that are stored as {precision}"


def _natively(case: Case) -> list[Case]:
    """The case with fewer bits, where the card computes in them."""
    return [
        replace(case, options=replace(case.options, precision=each))
        for each in FEWER_BITS[case.options.precision]
        if case.card.computes_in(each) == each
    ]


def _alone_ms(cut: Cut, case: Case) -> float:
    return speed(_replica(cut, case), 1, case.read_tokens, case.demand.output_tokens).itl_s * 1_000


def _replica(cut: Cut, case: Case) -> Replica:
    options = case.options
    return Replica(
        case.shape, case.card, options.precision, cut.tensor, case.known.speed, cut.pipeline, options.kv_bytes
    )


def _too_large(best: Rejection, case: Case) -> Words:
    options, room, longest = case.options, best.memory, case.longest
    whole = weights_gib(case.shape, options.precision, case.known.memory.padding)
    ways = [f"lower longest_tokens to {room.tokens}"] if case.demand.tokens <= room.tokens < longest else []
    ways += [_with_fewer_bits(each) for each in _natively(case) if _holds(each, best.cut)][:1]
    ways += _larger(case)
    needed = room.for_one(longest) / case.known.memory.share
    slow = _alone_ms(best.cut, case) > case.demand.itl_ms
    ways.append(f"use {'faster ' if slow else ''}cards of {math.ceil(needed * GIB / 1e9)} GB or more")
    many = f"{best.cut.gpus} GPU{'s' if best.cut.gpus > 1 else ''}"
    says = f"{whole:.0f} GiB of {options.precision} weights on {many} of {case.card.memory_gb:.0f} GB: {best.reason}"
    return "memory", says, ", or ".join(ways)


def _larger(case: Case) -> list[str]:
    """The smallest node, or row of nodes of eight, that holds the model and one long request."""
    options = case.options
    if options.tensor or options.pipeline:
        free = replace(options, tensor=0, pipeline=0)
        if any(_holds(case, cut) for cut in cuts(case.shape, free)):
            return ["leave parallelism out"]
    alone = ", with parallelism left out" if options.tensor or options.pipeline else ""
    largest = NODE_SIZES[-1]
    for size in NODE_SIZES:
        if divides(case.shape, size) and _holds(case, Cut(size, 1)):
            return [f"give a replica {size} GPUs, in nodes of {size}{alone}"]
    for nodes in range(2, MOST_NODES + 1):
        if divides(case.shape, largest) and _holds(case, Cut(largest, nodes)):
            return [f"give a replica {nodes * largest} GPUs: {nodes} nodes of {largest} joined by a fabric{alone}"]
    return []


def _holds(case: Case, cut: Cut) -> bool:
    room = memory(case, cut)
    return room.sequences >= 1 and room.tokens >= case.longest
