"""Why a demand can't be carried, in words that name the number which would change that."""

from __future__ import annotations

import math

from aifactory.components.sizing.card import COMPUTES, GIB, Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.found import Kind, Rejection
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.layouts import allowed, cuts, divides
from aifactory.components.sizing.memory import UTILIZATION, Memory, adapters_gib, memory, weights_gib
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.roofline import Constants, Replica, speed

Words = tuple[Kind, str, str]
"""Kind, what is wrong, and what would fix it."""

FEWER_BITS = {"bf16": ("fp8", "fp4"), "fp8": ("fp4",), "fp4": (), "mxfp4": ()}
MOST_GPUS, GPUS_OF_A_NODE = 128, 8


def before_sizing(shape: Geometry, card: Card, options: Options) -> Words | None:
    """What is wrong whatever the demand is."""
    if card.unknown:
        return (
            "unknown",
            f"no source states {', '.join(card.unknown)} of {card.key}",
            "use another accelerator, or add the figure with its source to a private catalog folder",
        )
    computes = card.computes_in(options.precision)
    native = COMPUTES[options.precision][0]
    if options.precision == "fp8" and computes != "fp8":
        return (
            "precision",
            f"{card.key} doesn't compute in fp8",
            f"use {'bf16' if card.computes_in('bf16') else 'another card'}, or a card with fp8",
        )
    if not computes:
        return "precision", f"{card.key} computes neither in {native} nor in bf16", "use another card"
    if options.precision == "mxfp4" and not shape.experts:
        return "precision", f"{shape.model} has no experts, and mxfp4 is for those alone", "use bf16, fp8 or fp4"
    if not list(cuts(shape, card, options)):
        wanted = f"tensor {options.tensor}" + (f", pipeline {options.pipeline}" if options.pipeline > 1 else "")
        sizes = ", ".join(map(str, allowed(shape, card, options)))
        return (
            "heads",
            f"{wanted} doesn't fit {shape.heads} attention heads on nodes of {options.gpus_per_node} GPUs",
            f"use tensor {sizes}" + (" and pipeline 1" if options.pipeline > 1 else ""),
        )
    return None


def no_room(room: Memory, longest: int) -> str:
    """Why a cut has no room."""
    if room.kv <= 0:
        return f"weights take {room.weights:.1f} GiB of {room.usable - room.other:.1f} GiB a GPU"
    if room.sequences < 1:
        return f"{room.kv:.1f} GiB are left a GPU, less than one request keeps"
    return f"{room.tokens} tokens fit, and the longest request has {longest}"


def of_all(
    failing: list[Rejection],
    demand: Demand,
    shape: Geometry,
    card: Card,
    options: Options,
    constants: Constants,
) -> Words:
    """Why no cut works: the failure of the one that came nearest."""
    for kind in ("ttft", "itl"):
        near = [each for each in failing if each.kind == kind]
        if near:
            best = min(near, key=lambda each: (math.ceil(each.number), each.cut.gpus))
            return _too_slow(best, demand, shape, card, options, constants)
    return _too_large(failing, demand, shape, card, options)


def _too_slow(
    best: Rejection, demand: Demand, shape: Geometry, card: Card, options: Options, constants: Constants
) -> Words:
    reached = math.ceil(best.number)
    if best.kind == "ttft":
        return (
            "ttft",
            (
                f"a first token within {demand.ttft_ms:g} ms; at {best.cut.text} the prompt of {demand.input_tokens} "
                f"tokens alone takes {best.number:.0f} ms"
            ),
            f"set ttft_ms to {reached} or more, shorten prompts, or use a faster card",
        )
    quicker = [
        precision
        for precision in FEWER_BITS[options.precision]
        if card.computes_in(precision) == precision
        and _alone_ms(best, precision, demand, shape, card, constants, options.kv_bytes) <= demand.itl_ms
    ]
    says = f"a token every {demand.itl_ms:g} ms; at {best.cut.text} one request alone takes {best.number:.1f} ms"
    ways = [f"set itl_ms to {reached} or more", *(f"use precision {each}" for each in quicker[:1]), "use a faster card"]
    return "itl", says, ", or ".join(ways)


def _alone_ms(
    best: Rejection,
    precision: str,
    demand: Demand,
    shape: Geometry,
    card: Card,
    constants: Constants,
    kv_bytes: int,
) -> float:
    replica = Replica(shape, card, precision, best.cut.tensor, constants, best.cut.pipeline, kv_bytes)
    return speed(replica, 1, demand.input_tokens, demand.output_tokens).itl_s * 1_000


def _too_large(failing: list[Rejection], demand: Demand, shape: Geometry, card: Card, options: Options) -> Words:
    best = max(failing, key=lambda each: each.cut.gpus)
    most = best.cut.gpus
    longest = max(options.max_model_len, demand.tokens)
    whole = weights_gib(shape, options.precision)
    adapters = adapters_gib(shape, options.lora_adapters, options.lora_rank)
    room = best.memory
    smaller = [
        precision
        for precision in FEWER_BITS[options.precision]
        if card.computes_in(precision) == precision
        and _holds(shape, card, precision, most, demand, longest, adapters, options.kv_bytes)
    ]
    ways = [f"lower longest_tokens to {room.tokens}"] if demand.tokens <= room.tokens < longest else []
    ways += [f"use precision {smaller[0]}"] if smaller else []
    if enough := _gpus_that_hold(shape, card, options, demand, longest, adapters):
        ways.append(f"give a replica {enough} GPUs: nodes of {enough}, or several nodes joined by a fabric")
    kept = longest * room.kv_bytes_per_token / GIB
    ways.append(f"use cards of more than {(room.weights + room.other + kept) / UTILIZATION:.0f} GiB")
    says = f"{whole:.0f} GiB of {options.precision} weights on {most} GPU{'s' if most > 1 else ''} of "
    return "memory", f"{says}{card.memory_gib:.0f} GiB: {best.reason}", ", or ".join(ways)


def _gpus_that_hold(
    shape: Geometry, card: Card, options: Options, demand: Demand, longest: int, adapters: float
) -> int:
    """The smallest power of two of GPUs that holds the model and one long request; 0 when none does, or the card has
    no nodes of so many that are joined."""
    gpus = 1
    while gpus <= MOST_GPUS:
        tensor = min(gpus, GPUS_OF_A_NODE)
        if card.domain not in (1, 0) and tensor > card.domain:
            return 0
        if divides(shape, tensor) and _holds(
            shape, card, options.precision, gpus, demand, longest, adapters, options.kv_bytes
        ):
            return gpus
        gpus *= 2
    return 0


def _holds(
    shape: Geometry,
    card: Card,
    precision: str,
    gpus: int,
    demand: Demand,
    longest: int,
    adapters: float,
    kv_bytes: int,
) -> bool:
    tensor = min(gpus, GPUS_OF_A_NODE)
    room: Memory = memory(shape, card, precision, tensor, max(1, gpus // tensor), demand.tokens, adapters, kv_bytes)
    return room.sequences >= 1 and room.tokens >= longest
