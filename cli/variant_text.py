"""Variants for people: a table that fits 100 columns, and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import click

from aifactory.cli.cost_text import band, cut
from aifactory.cli.markdown import plain, table
from aifactory.components.counting import counted
from aifactory.stacks.estimate.model import Estimate
from aifactory.stacks.estimate.varying import Variant

WIDEST = 46
SHOWN = 60
"""Rows that a person reads; JSON and CSV have all."""


def variant_lines(variants: Sequence[Variant], planned: Estimate) -> Iterator[str]:
    """What each combination costs, and how far that is from the plan."""
    base = sum((site.cost.figure.expected for site in planned.sites), Decimal(0))
    yield ""
    yield click.style(f"  what if: {counted(len(variants), 'variant')}", bold=True)
    yield f"  {'':{WIDEST}}{'USD a month':>16}{'change':>17}{'per M tokens':>17}"
    for each in variants[:SHOWN]:
        if each.refused:
            yield f"  {cut(_values(each), WIDEST - 1):{WIDEST}} {cut(f'refused: {each.refused}', 50)}"
            continue
        rate = each.per_million
        shown = f"{rate.expected:>17,.4f}" if rate else f"{'-':>17}"
        cost = each.cost.expected
        yield f"  {cut(_values(each), WIDEST - 1):{WIDEST}}{cost:>16,.2f}{cost - base:>+17,.2f}{shown}"
    if len(variants) > SHOWN:
        yield f"  and {len(variants) - SHOWN} more, which --format json and csv have"


def variant_markdown(variants: Sequence[Variant]) -> Iterator[str]:
    """All of them as a table."""
    yield ""
    yield from table(("what if", "USD a month", "USD per M tokens"), map(_cells, variants), numbers=2)


def _cells(variant: Variant) -> tuple[str, str, str]:
    """A choice as a row of the table."""
    name = plain(_values(variant))
    if variant.refused:
        return name, f"refused: {plain(variant.refused)}", ""
    return name, band(variant.cost), band(variant.per_million) if variant.per_million else "-"


def _values(variant: Variant) -> str:
    return " ".join(f"{name}={value}" for name, value in variant.values)
