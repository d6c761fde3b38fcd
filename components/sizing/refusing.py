"""Why a demand can't be carried, in words that name the number which would change that."""

from __future__ import annotations

import math

from msgspec.structs import replace

from aifactory.components.counting import counted
from aifactory.components.sizing.carrying import replica_of
from aifactory.components.sizing.case import Case
from aifactory.components.sizing.fitting import first_token_s, fitted
from aifactory.components.sizing.formats import GIB
from aifactory.components.sizing.found import Fitted, Kind, Rejection
from aifactory.components.sizing.layouts import Cut, cuts, divides, tensors
from aifactory.components.sizing.memory import memory, weights_gib

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
    if shape.dimension and precision != "bf16":
        return (
            "precision",
            f"{shape.model} makes vectors, and those of {precision} weights differ from those that an index holds",
            "use bf16",
        )
    if precision == "mxfp4" and not shape.experts:
        ways = " or ".join(each for each in ("bf16", "fp8") if card.computes_in(each))
        return (
            "precision",
            f"{shape.model} has no experts, and mxfp4 is for those alone",
            f"use weights stored as {ways}",
        )
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
    joined = options.nodes_at_most_per_replica
    if tensor > node:
        return "heads", f"tensor {tensor} takes more than the {counted(node, 'GPU')} of a node", _other_cut(case)
    if not divides(shape, tensor or node):
        return "heads", f"tensor {tensor or node} doesn't fit {shape.heads} attention heads", _other_cut(case)
    most = min(joined, shape.layers)
    if pipeline > most:
        says = f"pipeline {pipeline} spans {pipeline} nodes, and "
        says += "no fabric joins nodes of the pool" if joined == 1 else f"a replica may span {most} here"
        further = most > 1 and tensor in (0, node) and divides(shape, node)
        fix = f"use pipeline 1 to {most}" if further else "use pipeline 1"
        return "heads", says, fix + (", or give the pool a fabric" if joined == 1 else "")
    says = f"tensor {tensor} leaves GPUs of a node of {node} over, and a replica over nodes takes whole ones"
    return "heads", says, _other_cut(case)


def _other_cut(case: Case) -> str:
    """Cuts near the one that was asked for, of those that hold the model."""
    options, node = case.options, case.options.gpus_per_node
    free = tensors(case.shape, replace(options, tensor=0))
    sizes = [str(size) for size in free if _holds(case, Cut(size, 1))]
    ways = [f"use tensor {' or '.join(sizes)}" + (" with pipeline 1" if options.pipeline > 1 else "")] if sizes else []
    spans = 1 < options.pipeline <= min(options.nodes_at_most_per_replica, case.shape.layers)
    if spans and divides(case.shape, node) and _holds(case, Cut(node, options.pipeline)):
        ways.append(f"use tensor {node} with pipeline {options.pipeline}")
    return ", or ".join(ways) or "leave parallelism out"


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
    demand, floor = case.demand, case.known.speed.floor_ms(case.shape.layers)
    says = f"a token every {demand.itl_ms:g} ms; at {best.cut.text} one request alone takes {best.number:.1f} ms"
    way = f"set itl_ms to {math.ceil(best.number)} or more"
    first = first_token_s(replica_of(best.cut, case), demand)
    if demand.ttft_ms and first * 1_000 > demand.ttft_ms:
        way += f" and ttft_ms to {math.ceil(first * 1_000)} or more"
    if demand.itl_ms <= floor:
        return "itl", f"{says}, and no card does: {case.shape.layers} layers alone take {floor:.1f} ms", way
    quicker = [each for each in _natively(case) if _then(each) == ""]
    return "itl", says, ", or ".join([way, *map(_with_fewer_bits, quicker[:1]), "use a faster card"])


def _with_fewer_bits(case: Case) -> str:
    """The engine makes fp8 of 16 bits while it loads; fewer bits must have been stored."""
    precision = case.options.precision
    return "use precision fp8" if precision == "fp8" else f"use weights that are stored as {precision}"


def _natively(case: Case) -> list[Case]:
    """The case with fewer bits, where the card computes in them."""
    fewer = () if case.shape.dimension else FEWER_BITS[case.options.precision]
    return [
        replace(case, options=replace(case.options, precision=each))
        for each in fewer
        if case.card.computes_in(each) == each
    ]


def _then(case: Case) -> str | None:
    """What must change besides for a case to work: nothing, a latency, or None where nothing helps."""
    found = [fitted(cut, case) for cut in cuts(case.shape, case.options)]
    if any(isinstance(each, Fitted) for each in found):
        return ""
    slow = [each for each in found if isinstance(each, Rejection) and each.kind in ("itl", "ttft")]
    if not slow:
        return None
    best = min(slow, key=lambda each: (each.kind == "itl", each.number))
    number = math.ceil(best.number)
    lesser = replace(case, demand=replace(case.demand, **{f"{best.kind}_ms": float(number)}))
    more = _then(lesser)
    return None if more is None else f" and set {best.kind}_ms to {number} or more{more}"


def _too_large(best: Rejection, case: Case) -> Words:
    options, room, longest = case.options, best.memory, case.longest
    needed = math.ceil(room.for_one(longest) / case.known.memory.share * GIB / 1e9)
    larger = replace(case.card, memory_gib=needed * 1e9 / GIB)
    ways: list[tuple[str, Case]] = []
    if case.demand.tokens <= room.tokens < longest:
        ways.append((f"lower longest_tokens to {room.tokens}", _with(case, max_model_len=room.tokens)))
    ways += [(_with_fewer_bits(each), each) for each in _natively(case) if _holds(each, best.cut)][:1]
    ways += _larger(case)
    ways.append((f"use cards of {needed} GB or more", replace(case, card=larger)))
    whole = weights_gib(case.shape, options.precision, case.known.memory.padding)
    here = f"{counted(best.cut.gpus, 'GPU')} of {case.card.memory_gb:.0f} GB"
    says = f"{whole:.0f} GiB of {options.precision} weights on {here}: {best.reason}"
    told = [f"{text}{more}" for text, each in ways if (more := _then(each)) is not None]
    return "memory", says, ", or ".join(told)


def _with(case: Case, **changes: int) -> Case:
    return replace(case, options=replace(case.options, **changes))


def _larger(case: Case) -> list[tuple[str, Case]]:
    """The smallest node, or row of nodes of eight, that holds the model and one long request."""
    options = case.options
    free = _with(case, tensor=0, pipeline=0)
    alone = ""
    if options.tensor or options.pipeline:
        if any(_holds(case, cut) for cut in cuts(case.shape, free.options)):
            return [("leave parallelism out", free)]
        alone = ", with parallelism left out"
    largest = NODE_SIZES[-1]
    for size in NODE_SIZES:
        if divides(case.shape, size) and _holds(case, Cut(size, 1)):
            text = f"give a replica {size} GPUs, in nodes of {size}{alone}"
            return [(text, _with(free, gpus_per_node=size))]
    for nodes in range(2, MOST_NODES + 1):
        if divides(case.shape, largest) and _holds(case, Cut(largest, nodes)):
            text = f"give a replica {nodes * largest} GPUs: {nodes} nodes of {largest} joined by a fabric{alone}"
            return [(text, _with(free, gpus_per_node=largest, nodes_at_most_per_replica=nodes))]
    return []


def _holds(case: Case, cut: Cut) -> bool:
    return memory(case, cut).holds(case.longest)
