"""How far an estimate can be trusted: what was measured, and what lies outside of it."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.sizing.card import RACK_DOMAIN, Card
from aifactory.components.sizing.geometry import Geometry

INSIDE, OUTSIDE = 1.5, 2.0
"""Factors of the band: the first holds 83 % of unseen measurements, the second 96 %. Source: roofline.yaml."""

MOST_SEQUENCES = 128
SHORTEST_INPUT, LONGEST_INPUT = 128, 8_192
_TOO_FAST = "estimated 1.5 to 1.8 times too fast on vLLM"
TOO_FAST = {
    "deepseek-v3": _TOO_FAST,
    "deepseek-r1": _TOO_FAST,
    "qwen3-235b-a22b": _TOO_FAST,
    "glm-5": "estimated 1.2 to 2.5 times too fast",
}
"""Models whose measured speed lies below the inner band. Source: roofline.yaml, evidence; glm-5: docs/accuracy.md."""
MEASURED_VENDORS = ("nvidia", "amd")


class Band(Struct, frozen=True):
    """A figure with its two ends."""

    low: float
    expected: float
    high: float


def doubts(shape: Geometry, card: Card, pipeline: int, sequences: int, input_tokens: int) -> tuple[str, ...]:
    """Why no measurement stands behind an estimate; empty when some do."""
    found = []
    if card.vendor not in MEASURED_VENDORS:
        found.append(f"nothing of {card.vendor} was measured")
    elif card.vendor != "nvidia":
        found.append(f"of {card.vendor} only MLPerf results stand behind it")
    if card.domain > RACK_DOMAIN:
        found.append(f"{card.domain} accelerators in one domain were not measured")
    if pipeline > 1:
        found.append("replicas over several nodes were not measured")
    if sequences > MOST_SEQUENCES:
        found.append(f"{sequences} requests at once, above the {MOST_SEQUENCES} that were measured well")
    if not SHORTEST_INPUT <= input_tokens <= LONGEST_INPUT:
        found.append(f"prompts of {input_tokens} tokens, outside of {SHORTEST_INPUT} to {LONGEST_INPUT}")
    if shape.model in TOO_FAST:
        found.append(f"{shape.model} was {TOO_FAST[shape.model]}")
    return tuple(found)


def band(expected: float, outside: tuple[str, ...]) -> Band:
    """The band around an estimate."""
    factor = OUTSIDE if outside else INSIDE
    return Band(expected / factor, expected, expected * factor)
