"""Estimates for people: tables that fit 100 columns, and Markdown for a comment."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from decimal import Decimal

import click

from aifactory.cli.markdown import folded, plain, table
from aifactory.cli.report import text_columns
from aifactory.components.counting import counted
from aifactory.components.economics.figures import MILLION, Figure, total
from aifactory.stacks.estimate.model import FIGURES, Estimate, Line, Result, SiteEstimate

WIDEST_ITEM = 46
LEAST_ITEM = 18
WIDE = 90
"""Columns from which tables have room between their numbers."""
CELL, NARROW_CELL = 16, 14
LABELS: dict[str, tuple[str, str]] = {
    "usd_per_month": ("USD a month", ",.2f"),
    "usd_per_million_output_tokens": ("USD per million output tokens", ",.4f"),
    "energy_kwh_per_month": ("kWh a month", ",.0f"),
    "kwh_per_million_output_tokens": ("kWh per million output tokens", ",.4f"),
    "kg_co2e_per_month": ("kg CO2e a month, operation", ",.1f"),
    "kg_co2e_embodied_per_month": ("kg CO2e a month, embodied", ",.1f"),
    "kg_co2e_per_million_output_tokens": ("kg CO2e per million output tokens", ",.4f"),
    "water_l_per_month": ("litres of water a month", ",.0f"),
    "tokens_out_per_month": ("output tokens a month", ",.0f"),
    "tokens_in_per_month": ("prompt tokens a month", ",.0f"),
    "tokens_per_s": ("output tokens/s at full load", ",.0f"),
    "utilisation": ("share of GPUs' time that is used", ",.3f"),
}
"""How figures are called, and shown."""
ELSEWHERE = ("tokens_in_per_month", "utilisation")
"""Figures that the table leaves out: models show the one, and the head of a site the other."""


def print_estimate(found: Estimate) -> None:
    """Every site: utilisation first, then figures, lines, models and tenants; what is missing at the end."""
    for site in found.sites:
        for line in site_text(site, min(text_columns(), 100)):
            click.echo(line)
        click.echo()
    if len(found.sites) > 1:
        click.echo(click.style(f"all sites: {_all_sites(found)}", bold=True))
    click.echo(f"prices as of {found.as_of}; a range is low to high, and gates count the dearer end")
    click.echo("where from: aifactory explain BLUEPRINT cost, energy, models.NAME ...")


def _all_sites(found: Estimate) -> str:
    """What all sites cost, and that something is missing in it."""
    lacks = any(site.cost.lacks for site in found.sites)
    cost = total(site.cost.figure for site in found.sites)
    return f"{band(cost)} USD a month{' + what is missing' if lacks else ''}"


def site_text(site: SiteEstimate, columns: int) -> Iterator[str]:
    """One site."""
    yield click.style(site.stack, fg="green", bold=True)
    use = site.utilisation.figure
    yield f"  {counted(site.gpus, 'GPU')}, used to {percent(use.expected)} % in the mean; all costs are divided by that"
    yield ""
    yield from figures(site, columns)
    yield ""
    yield from lines(site.lines, columns)
    if site.models:
        yield ""
        yield from models(site, columns)
    if site.tenants:
        yield ""
        yield from tenants(site, columns)
    made_up = examples(site)
    if made_up:
        yield ""
        yield from fold(f"figures are examples: {made_up}", columns, "  ")
    if site.lacks:
        yield ""
        yield click.style("  missing, and in no figure above:", fg="yellow")
        for lack in site.lacks:
            yield from fold(lack.says, columns, "    ")
            yield from fold(lack.hint, columns, "      ")


def examples(site: SiteEstimate) -> str:
    """Sources that were made up to show the form, empty where there are none."""
    return "; ".join(sorted({term.source for term in site.terms if term.example}))


def fold(text: str, columns: int, indent: str) -> Iterator[str]:
    """A text over as many lines as it takes."""
    return iter(textwrap.wrap(text, columns, initial_indent=indent, subsequent_indent=indent))


def _rows(site: SiteEstimate) -> Iterator[tuple[str, Result | None, str]]:
    """Label, figure and form of each row. Tokens are shown by the million."""
    for name, field in FIGURES.items():
        (label, form), result = LABELS[name], getattr(site, field)
        if name == "tokens_out_per_month":
            yield f"{label}, millions", _millions(result), ",.1f"
        elif name not in ELSEWHERE:
            yield label, result, form


def figures(site: SiteEstimate, columns: int) -> Iterator[str]:
    """What the site comes to."""
    cell = CELL if columns >= WIDE else NARROW_CELL
    yield f"  {'':34}{'low':>{cell}}{'expected':>{cell}}{'high':>{cell}}"
    for name, result, form in _rows(site):
        if result is None or (result.lacks and not result.figure.high):
            yield f"  {name:34}{'unknown':>{cell}}"
            continue
        ends = result.figure
        mark = " +" if result.lacks else ""
        yield (
            f"  {name:34}"
            + "".join(f"{format(end, form):>{cell}}" for end in (ends.low, ends.expected, ends.high))
            + mark
        )
    if site.lacks:
        yield "  + something is missing in it"


def lines(found: Iterable[Line], columns: int) -> Iterator[str]:
    """What is paid for, dearest first, those without a price at the end."""
    item = max(LEAST_ITEM, min(WIDEST_ITEM, columns - 54))
    yield f"  {'what':{item}}{'quantity':>14} {'unit':9}{'USD a month':>14}{'to':>13}"
    for line in _dearest_first(found):
        what = cut(line.item if line.part == "site" else f"{line.part}: {line.item}", item - 1)
        quantity = f"{line.quantity.expected:,.2f}".removesuffix(".00")
        if line.known:
            yield f"  {what:{item}}{quantity:>14} {line.unit:9}{line.amount.low:>14,.2f}{line.amount.high:>13,.2f}"
        else:
            yield f"  {what:{item}}{quantity:>14} {line.unit:9}" + click.style(f"{'no price':>14}", fg="yellow")


def models(site: SiteEstimate, columns: int) -> Iterator[str]:
    """What models cost."""
    name, usd, each_m, left = (24, 14, 12, 14) if columns >= WIDE else (18, 13, 11, 12)
    yield (
        f"  {'model':{name}}{'GPUs':>5}{'used':>6}{'USD a month':>{usd}}{'in, per M':>{each_m}}{'out, per M':>{each_m}}"
        f"{'margin':>{left}}"
    )
    for each in site.models:
        into = f"{each.usd_per_million_in.expected:.4f}" if each.usd_per_million_in else "-"
        out = f"{each.usd_per_million_out.expected:.4f}" if each.usd_per_million_out else "-"
        margin = "-"
        if each.margin_per_month and not site.cost.lacks:
            income, cost = each.margin_per_month
            margin = f"{income.expected - cost.expected:,.0f}"
        yield (
            f"  {cut(each.part, name - 1):{name}}{each.gpus:>5}{percent(each.utilisation.expected):>5}%"
            f"{each.usd_per_month.expected:>{usd},.2f}{into:>{each_m}}{out:>{each_m}}{margin:>{left}}"
        )


def tenants(site: SiteEstimate, columns: int) -> Iterator[str]:
    """What tenants cost."""
    name, cell = (24, 14) if columns >= WIDE else (20, 13)
    yield f"  {'tenant':{name}}{'GPUs':>5}{'USD a month':>{cell}}{'to':>{cell}}{'budget':>{cell}}{'pays for':>{cell}}"
    for each in site.tenants:
        budget = f"{each.budget_usd_per_month.high:,.2f}" if each.budget_usd_per_month else "-"
        pays = f"{each.gpus_of_budget} GPUs" if each.gpus_of_budget is not None else "-"
        yield (
            f"  {cut(each.tenant, name - 1):{name}}{_trimmed(each.gpus):>5}{each.usd_per_month.low:>{cell},.2f}"
            f"{each.usd_per_month.high:>{cell},.2f}{budget:>{cell}}{pays:>{cell}}"
        )


def markdown(found: Estimate) -> Iterator[str]:
    """Fit for a comment of a pull request."""
    yield f"**{found.factory}**: {_all_sites(found)}"
    yield ""
    heads = ("stack", "USD a month", "USD per M tokens", "kWh per M", "kg CO2e per M", "used", "missing")
    yield from table(heads, map(_cells, found.sites))
    for site in found.sites:
        yield ""
        if made_up := examples(site):
            yield f"Figures of `{site.site}` are examples: {plain(made_up)}."
            yield ""
        yield from folded(f"{site.stack}: {counted(len(site.lines), 'line')}", _lines_table(site))
    yield ""
    yield f"As of {found.as_of}. Low to high; gates count the dearer end."


def _cells(site: SiteEstimate) -> tuple[str, ...]:
    """A site as a row of the table."""
    return (
        f"`{site.stack}`",
        f"{band(site.cost.figure)}{' +' if site.cost.lacks else ''}",
        _rate(site.usd_per_million),
        _rate(site.kwh_per_million),
        _rate(site.kg_per_million),
        f"{percent(site.utilisation.figure.expected)} %",
        str(len(site.lacks)) if site.lacks else "",
    )


def _lines_table(site: SiteEstimate) -> Iterator[str]:
    """Lines with the day of each price."""
    yield "| what | quantity | unit | USD a month | price of |"
    yield "|---|---:|---|---:|---|"
    for line in _dearest_first(site.lines):
        amount = band(line.amount) if line.known else f"no price: {line.lacks.says}" if line.lacks else ""
        dated = line.price.seen if line.price else ""
        yield f"| {plain(line.item)} | {line.quantity.expected:,.2f} | {line.unit} | {plain(amount)} | {dated} |"


def _dearest_first(found: Iterable[Line]) -> list[Line]:
    """Lines by what they cost, those without a price at the end."""
    return sorted(found, key=lambda line: (not line.known, -line.amount.expected, line.item))


def band(figure: Figure) -> str:
    """`1,000.00 to 2,000.00`, or one number."""
    if figure.is_one_number:
        return f"{figure.high:,.2f}"
    return f"{figure.low:,.2f} to {figure.high:,.2f}"


def percent(share: Decimal) -> str:
    """A share in percent: `5`, `0.4`."""
    value = share * 100
    return f"{value:.0f}" if value >= 1 or not value else f"{value:.1f}"


def _trimmed(number: Decimal) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _rate(result: Result | None) -> str:
    return "unknown" if result is None else f"{result.figure.low:.4f} to {result.figure.high:.4f}"


def _millions(result: Result) -> Result:
    return Result(result.figure.over(MILLION), result.unit, result.formula)


def cut(text: str, columns: int) -> str:
    """A text that fits so many columns."""
    return text if len(text) <= columns else f"{text[: columns - 1]}…"
