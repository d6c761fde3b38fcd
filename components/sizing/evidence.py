"""How far an estimate can be trusted: what was measured, and what lies outside of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from aifactory.components.catalog import Catalog, Row
from aifactory.components.sizing.card import Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.layouts import Cut
from aifactory.components.sizing.options import Options


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
    widest: int
    """GPUs that share a layer."""
    apart: tuple[float, float]
    """How many times too fast the one system over several nodes was estimated, by the cut that is assumed of it."""
    under_load: tuple[str, ...]
    """Cards with measurements at many numbers of concurrent requests."""
    mlperf_alone: tuple[str, ...]
    """Cards with results of MLPerf and no others."""
    too_fast: Mapping[str, tuple[str, float]]
    """Models whose measured speed lies below the inner band: how far in words, and at most."""
    refs: tuple[str, str, str]
    """Rows of the inner band, the outer band, and the most requests at once."""


def evidence(catalog: Catalog) -> Evidence:
    """The rows of `roofline.evidence`."""

    def row(what: str) -> Row:
        return catalog.row("roofline.evidence", what)

    inside, outside, tokens = row("band inside"), row("band outside"), row("input tokens")
    most, apart = row("most concurrent sequences"), row("several nodes")
    fast = [row("too fast on vLLM"), row("too fast on any engine")]
    return Evidence(
        inside=inside.number("factor"),
        outside=outside.number("factor"),
        holds_percent=inside.count("holds_percent"),
        most_sequences=most.count("value"),
        widest=row("most GPUs of a layer").count("value"),
        apart=(apart.number("low"), apart.number("high")),
        shortest_input=tokens.count("low"),
        longest_input=tokens.count("high"),
        under_load=row("cards under load").texts("cards"),
        mlperf_alone=row("cards of MLPerf alone").texts("cards"),
        too_fast={
            model: (
                f"estimated {each.number('low'):g} to {each.number('high'):g} times {each.key}",
                each.number("high"),
            )
            for each in fast
            for model in each.texts("models")
        },
        refs=(inside.ref, outside.ref, most.ref),
    )


class Band(Struct, frozen=True):
    """A figure with its two ends, and the one that replicas are counted at."""

    low: float
    expected: float
    high: float
    planned: float


class Doubt(Struct, frozen=True):
    """Why no measurement stands behind an estimate."""

    says: str
    factor: float = 0.0
    """Replicas are counted at the expected speed over this. 0: it widens the band and costs no replicas."""


def of_work(
    shape: Geometry, card: Card, cut: Cut, sequences: float, input_tokens: float, known: Evidence
) -> Iterator[Doubt]:
    """Doubts about the model, the cut and the requests: they cost replicas."""
    far = known.outside
    if cut.tensor > card.domain:
        yield Doubt(f"{cut.tensor} GPUs of which {card.domain} are joined by more than PCIe were not measured", far)
    if cut.tensor > known.widest:
        yield Doubt(f"{cut.tensor} GPUs on one layer, above the {known.widest} that were measured", far)
    if cut.pipeline > 1:
        low, high = known.apart
        yield Doubt(f"the one system over several nodes was estimated {low:g} to {high:g} times too fast", high)
    if sequences > known.most_sequences:
        many = f"{sequences:.0f} requests at once"
        yield Doubt(f"{many}, above the {known.most_sequences} that were measured well", far)
    if input_tokens > known.longest_input:
        yield Doubt(f"prompts of {input_tokens:g} tokens, above the {known.longest_input} that were measured", far)
    if shape.model in known.too_fast:
        words, most = known.too_fast[shape.model]
        yield Doubt(f"{shape.model} was {words}", max(far, most))


def of_kind(card: Card, options: Options, demand: Demand, known: Evidence) -> Iterator[Doubt]:
    """Doubts about the card and what makes requests cheaper. They cost no replicas: of two cards the faster would else
    take more of itself for being new, and of two demands the lesser."""
    if card.key in known.mlperf_alone:
        yield Doubt(f"of {card.key} only MLPerf results stand behind it")
    elif card.key not in known.under_load:
        yield Doubt(f"nothing was measured on {card.key}")
    if options.precision in ("fp8", "fp4") and card.computes_in(options.precision) != options.precision:
        has = f"{card.key} has no {options.precision}"
        yield Doubt(f"{has}, so the engine unpacks weights to 16 bits, which was not measured")
    if demand.prefix_hit_percent:
        yield Doubt("prompts that were computed before were not measured")
    if options.lora_adapters:
        yield Doubt("adapters were not measured")


def band(expected: float, doubts: tuple[Doubt, ...], known: Evidence) -> Band:
    """The band around an estimate."""
    planned = max([known.inside, *(doubt.factor for doubt in doubts)])
    factor = max(planned, known.outside) if doubts else known.inside
    return Band(expected / factor, expected, expected * factor, expected / planned)
