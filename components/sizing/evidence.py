"""How far an estimate can be trusted: what was measured, and what lies outside of it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from aifactory.components.catalog import Catalog, Row
from aifactory.components.sizing.card import Card
from aifactory.components.sizing.geometry import Geometry


class Evidence(Struct, frozen=True):
    """What was measured. Source: components/catalog/roofline.yaml, evidence."""

    inside: float
    """Factor of the band where measurements of the kind exist."""
    outside: float
    """Factor of the band elsewhere."""
    holds_percent: int
    """Unseen measurements that the inner band held."""
    most_sequences: int
    """Requests at once."""
    shortest_input: int
    longest_input: int
    """Tokens of prompts."""
    under_load: tuple[str, ...]
    """Cards with measurements at many numbers of concurrent requests."""
    mlperf_alone: tuple[str, ...]
    """Cards with results of MLPerf and no others."""
    too_fast: Mapping[str, str]
    """Models whose measured speed lies below the inner band, and how far."""
    refs: tuple[str, str]
    """Rows of the inner and the outer band."""


def evidence(catalog: Catalog) -> Evidence:
    """The rows of `roofline.evidence`."""

    def row(what: str) -> Row:
        return catalog.row("roofline.evidence", what)

    inside, outside, tokens = row("band inside"), row("band outside"), row("input tokens")
    fast = [row("too fast on vLLM"), row("too fast on any engine")]
    return Evidence(
        inside=inside.number("factor"),
        outside=outside.number("factor"),
        holds_percent=inside.count("holds_percent"),
        most_sequences=row("most concurrent sequences").count("value"),
        shortest_input=tokens.count("low"),
        longest_input=tokens.count("high"),
        under_load=row("cards under load").texts("cards"),
        mlperf_alone=row("cards of MLPerf alone").texts("cards"),
        too_fast={
            model: f"estimated {each.number('low'):g} to {each.number('high'):g} times {each.key}"
            for each in fast
            for model in each.texts("models")
        },
        refs=(inside.ref, outside.ref),
    )


class Band(Struct, frozen=True):
    """A figure with its two ends, and the one that replicas are counted at."""

    low: float
    expected: float
    high: float
    planned: float


class Doubts(Struct, frozen=True):
    """Why no measurement stands behind an estimate; empty when some do."""

    of_work: tuple[str, ...]
    """Doubts about the model, the cut and the requests: they cost replicas."""
    of_card: tuple[str, ...]
    """Doubts about the card: they widen the band, and cost none. Of two cards the faster would else take more GPUs
    for being new."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every doubt."""
        return (*self.of_card, *self.of_work)


def of_work(
    shape: Geometry, card: Card, tensor: int, pipeline: int, sequences: float, input_tokens: float, known: Evidence
) -> tuple[str, ...]:
    """Doubts about the model, the cut and the requests."""
    found = []
    if tensor > card.domain:
        found.append(f"{tensor} GPUs of which {card.domain} are joined by more than PCIe were not measured")
    if pipeline > 1:
        found.append("replicas over several nodes were not measured")
    if sequences > known.most_sequences:
        found.append(f"{sequences:.0f} requests at once, above the {known.most_sequences} that were measured well")
    if input_tokens > known.longest_input:
        found.append(f"prompts of {input_tokens:g} tokens, above the {known.longest_input} that were measured")
    if shape.model in known.too_fast:
        found.append(f"{shape.model} was {known.too_fast[shape.model]}")
    return tuple(found)


def of_card(card: Card, precision: str, known: Evidence) -> tuple[str, ...]:
    """Doubts about the card."""
    found = []
    if card.key in known.mlperf_alone:
        found.append(f"of {card.key} only MLPerf results stand behind it")
    elif card.key not in known.under_load:
        found.append(f"nothing was measured on {card.key}")
    if precision == "fp8" and card.computes_in(precision) != precision:
        found.append(f"{card.key} has no fp8, so the engine unpacks weights to 16 bits, which was not measured")
    return tuple(found)


def band(expected: float, doubts: Doubts, known: Evidence) -> Band:
    """The band around an estimate."""
    factor = known.outside if doubts.all else known.inside
    planned = known.outside if doubts.of_work else known.inside
    return Band(expected / factor, expected, expected * factor, expected / planned)
