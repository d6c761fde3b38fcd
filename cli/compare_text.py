"""Comparisons for people: tables that fit 100 columns, and Markdown for a comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import wrap

import click

from aifactory.cli.cost_text import band, cut, percent
from aifactory.cli.markdown import folded, plain, table
from aifactory.cli.report import text_columns
from aifactory.cli.variant_text import variant_lines, variant_markdown
from aifactory.components.counting import counted
from aifactory.components.economics.figures import Figure
from aifactory.stacks.estimate.comparing import Comparison
from aifactory.stacks.estimate.options import Option
from aifactory.stacks.estimate.rivals import UNCHECKED, Rival
from aifactory.stacks.estimate.splits import CoreFlex
from aifactory.stacks.estimate.verdicts import Verdict
from aifactory.stacks.estimate.years import Span

NAME = 27
ONE_DECIMAL = 1_000_000
"""Below it thousands have a decimal. Unit: USD."""
MOST_SHOWN_YEARS = 5
"""Columns of the cash flow; what is longer has all of it in JSON and CSV."""


def print_comparison(found: Comparison) -> None:
    """Net present cost, cash flow, verdicts, and what others ask."""
    columns = min(text_columns(), 100)
    for line in comparison_text(found, columns):
        click.echo(line)


def comparison_text(found: Comparison, columns: int) -> Iterator[str]:
    """All of it."""
    yield click.style(f"{found.factory}: build or lease, as of {found.as_of}", fg="green", bold=True)
    yield ""
    yield from present(found)
    yield ""
    yield from flows(found)
    yield from _notes(found, columns)
    yield from verdict_lines(found.verdicts, columns)
    yield from split_lines(found, columns)
    yield from rival_lines(found, columns)
    yield from swing_lines(found, columns)
    if found.variants:
        yield from variant_lines(found.variants, found.estimate)
    yield ""
    yield "prices stay as they are today; a range is low to high"


def present(found: Comparison) -> Iterator[str]:
    """Net present cost of every option."""
    yield f"  {'net present cost':{NAME}}{'years':>6}{'USD low':>17}{'to':>17}{'per M tokens':>15}{'to':>11}"
    for option in found.options:
        for span in option.spans:
            name = cut(_starred(option), NAME - 1) if span is option.spans[0] else ""
            if span.present is None:
                yield f"  {name:{NAME}}{span.years:>6}{'unknown':>17}"
                continue
            each = span.per_million
            rates = f"{each.low:>15,.4f}{each.high:>11,.4f}" if each else ""
            mark = "" if option.complete else " +"
            yield f"  {name:{NAME}}{span.years:>6}{span.present.low:>17,.2f}{span.present.high:>17,.2f}{rates}{mark}"


def flows(found: Comparison) -> Iterator[str]:
    """Expected cash flow over the longest time that is asked about, in thousands."""
    shown = min(found.years[-1], MOST_SHOWN_YEARS)
    heads = "".join(f"{f'year {year}':>10}" for year in range(1, shown + 1))
    yield f"  {'expected cash flow, kUSD':{NAME}}{'at once':>12}{heads}{'left':>9}"
    for option in found.options:
        span = option.spans[-1]
        paid = "".join(f"{_thousands(span.figure('yearly', year)):>10}" for year in range(1, shown + 1))
        first, left = _thousands(span.figure("first")), _thousands(span.figure("left"))
        yield f"  {cut(_starred(option), NAME - 1):{NAME}}{first:>12}{paid}{left:>9}"


def _thousands(usd: Figure) -> str:
    return f"{usd.expected / 1000:,.1f}" if usd.expected < ONE_DECIMAL else f"{usd.expected / 1000:,.0f}"


def _starred(option: Option) -> str:
    return f"{option.name} *" if option.planned else option.name


def _notes(found: Comparison, columns: int) -> Iterator[str]:
    missing = not all(option.complete for option in found.options)
    yield f"  * as planned{'; + something is missing in it' if missing else ''}"
    if found.left_out:
        yield ""
        yield "  not compared, since nobody prices it:"
        for each in found.left_out:
            yield from _wrapped(f"{each.site}, {each.how}: {each.says}", columns, "    ")
    for option in found.options:
        for lack in option.estimate.cost.lacks if option.planned else ():
            yield from _wrapped(f"missing at {option.site}: {lack.says}; {lack.hint}", columns, "  ")


def verdict_lines(verdicts: Iterable[Verdict], columns: int) -> Iterator[str]:
    """Each pair with its four numbers, and what can be said over each time."""
    for (owned, rented), group in groupby(verdicts, key=lambda each: (each.owned, each.rented)):
        pair = list(group)
        yield ""
        yield click.style(f"  {owned} against {rented}", bold=True)
        yield from _wrapped(four(pair[0]), columns, "    ")
        for each in pair:
            yield from _wrapped(f"{counted(each.years, 'year')}, {each.basis}: {each.says}", columns, "    ")


def four(verdict: Verdict) -> str:
    """Rival price, utilisation, life, and whether idle is paid: without these nobody can check a comparison."""
    rent = _rate(verdict.rival_usd_per_gpu_hour)
    own = _rate(verdict.owned_usd_per_gpu_hour)
    return (
        f"rival {rent} USD per GPU-hour, owned {own}; GPUs used to "
        f"{percent(verdict.owned_utilisation.expected)} % owned and {percent(verdict.rented_utilisation.expected)} % "
        f"rented; life {_life(verdict.life_years)}; owned, idle {_idle(verdict.owned_idle_is_paid)}, rented it "
        f"{_idle(verdict.rented_idle_is_paid)}"
    )


def split_lines(found: Comparison, columns: int) -> Iterator[str]:
    """What of each load is worth owning, and what of each owned pool is used."""
    for site in found.estimate.sites:
        if not (site.core_flex or site.break_evens):
            continue
        yield ""
        yield click.style(f"  core and flex at {site.site}", bold=True)
        for even in site.break_evens:
            says = (
                f"pool {even.pool}: {_rate(even.owned)} USD per GPU-hour owned, {_rate(even.rented.usd_per_gpu_hour)} "
                f"at {even.rented.site} ({even.rented.what}); owning pays from {percent(even.share.low)} to "
                f"{percent(even.share.high)} % of use, and it is used to {percent(even.use.expected)} %"
            )
            yield from _wrapped(says, columns, "    ")
        for each in site.core_flex:
            yield from _wrapped(f"{each.part}: {core_text(each)}", columns, "    ")


def core_text(each: CoreFlex) -> str:
    """One model's split, or what is missing for it."""
    if each.core is None or each.flex_hours is None:
        return each.says
    low, expected, high = (f"{end:f}" for end in each.core)
    span = "" if low == high else f" ({low} to {high})"
    even = ""
    if each.break_even is not None:
        even = f", break-even at {percent(each.break_even.expected)} % of the hours"
    flex = f"{each.flex_hours:f} GPU-hours a day"
    return f"core {expected} GPUs{span}, flex {flex}, of {max(each.load):f} GPUs at peak{even}; {each.says}"


def swing_lines(found: Comparison, columns: int) -> Iterator[str]:
    """What moves the answer, the most first."""
    if found.swings:
        yield ""
        yield click.style("  what moves the answer: one input at either end, all others as expected", bold=True)
        yield f"  {'site':14}{'input':26}{'from':>10}{'to':>10}{'kUSD a month':>20}{'per M tokens':>18}"
        for each in found.swings:
            rates = "-"
            if each.low_per_million is not None and each.high_per_million is not None:
                rates = f"{each.low_per_million:,.2f} to {each.high_per_million:,.2f}"
            usd = f"{each.low_usd / 1000:,.1f} to {each.high_usd / 1000:,.1f}"
            ends = f"{float(each.range.low):>10.4g}{float(each.range.high):>10.4g}"
            yield f"  {cut(each.site, 13):14}{cut(each.key, 25):26}{ends}{usd:>20}{rates:>18}"
    still = ", ".join(f"{each.site}:{each.key}" for each in found.still)
    if still:
        yield from _wrapped(
            f"one number without a range, so not moved (--swing PERCENT moves them): {still}", columns, "  "
        )


def rival_lines(found: Comparison, columns: int) -> Iterator[str]:
    """What others ask for as many GPU hours."""
    options = {option.site: option for option in found.options if option.planned}
    owned = {option.site for option in found.options if option.life}
    shown = [each for each in found.rivals if not owned or each.site in owned]
    for site, group in groupby(shown, key=lambda each: each.site):
        yield ""
        yield click.style(f"  GPU hours of others instead of {site}, {UNCHECKED} and in no verdict", bold=True)
        option = options[site]
        life = f"life {_life(option.life)}; " if option.life else ""
        says = (
            f"GPUs at {site} cost {_rate(option.gpu_hour)} USD per GPU-hour and are used to "
            f"{percent(option.estimate.utilisation.figure.expected)} %; {life}idle {_idle(option.idle_is_paid)} there, "
            "and counts in each row"
        )
        yield from _wrapped(says, columns, "    ")
        yield f"    {'seller':20}{'accelerator':20}{'region':14}{'USD/GPU-h':>10}{'USD a month':>15}{'break-even':>11}"
        for each in group:
            yield _rival(each)


def _rival(rival: Rival) -> str:
    use = f"{percent(rival.break_even.low)}-{percent(rival.break_even.high)} %" if rival.break_even else "-"
    return (
        f"    {cut(rival.vendor, 19):20}{cut(rival.accelerator, 19):20}{cut(rival.region, 13):14}"
        f"{rival.price.value.expected:>10.4f}{rival.month.expected:>15,.2f}{use:>11}"
    )


def markdown(found: Comparison) -> Iterator[str]:
    """Fit for a comment of a pull request."""
    yield f"**{found.factory}**: build or lease, as of {found.as_of}"
    yield ""
    heads = ("option", "years", "net present USD", "USD per M tokens", "at once", "year 1", "left")
    rows = (_cells(option, span) for option in found.options for span in option.spans)
    yield from table((*heads, "USD per GPU-hour", "used"), rows, numbers=8)
    yield ""
    yield "\\* as planned"
    for verdict in found.verdicts:
        yield ""
        head = f"**{plain(verdict.owned)}** against **{plain(verdict.rented)}**, {counted(verdict.years, 'year')}"
        yield f"- {head}, {verdict.basis}: {plain(verdict.says)}. {plain(four(verdict))}."
    if found.variants:
        yield from variant_markdown(found.variants)
    if found.rivals:
        yield ""
        yield from folded(f"GPU hours of others, {UNCHECKED} and in no verdict", _rivals_table(found))


def _cells(option: Option, span: Span) -> tuple[str, ...]:
    """An option over some years as a row of the table."""
    return (
        plain(_starred(option)),
        str(span.years),
        band(span.present) if span.present else "unknown",
        _rate(span.per_million),
        band(span.figure("first")),
        band(span.figure("yearly", 1)),
        band(span.figure("left")),
        _rate(option.gpu_hour),
        f"{percent(option.estimate.utilisation.figure.expected)} %",
    )


def _rivals_table(found: Comparison) -> Iterator[str]:
    yield "| instead of | seller | accelerator | region | USD per GPU-hour | seen | USD a month | break-even use |"
    yield "|---|---|---|---|---:|---|---:|---:|"
    for each in found.rivals:
        use = f"{percent(each.break_even.low)} to {percent(each.break_even.high)} %" if each.break_even else "-"
        yield (
            f"| {each.site} | {plain(each.vendor)} | {each.accelerator} | {plain(each.region)} | "
            f"{each.price.value.expected:.4f} | {each.price.seen} | {each.month.expected:,.2f} | {use} |"
        )


def _rate(figure: Figure | None) -> str:
    if figure is None:
        return "unknown"
    low, high = f"{figure.low:,.2f}", f"{figure.high:,.2f}"
    return low if low == high else f"{low} to {high}"


def _life(years: Figure | None) -> str:
    if years is None:
        return "none"
    low, high = f"{float(years.low):g}", f"{float(years.high):g}"
    return f"{low} years" if low == high else f"{low} to {high} years"


def _idle(paid: bool) -> str:
    return "is paid" if paid else "is not paid"


def _wrapped(text: str, columns: int, indent: str) -> list[str]:
    return wrap(text, columns, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)
