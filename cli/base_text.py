"""What changed since a base, for people at a terminal: sentences and tables that fit 100 columns."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import click

from aifactory.blueprints.shown import shown
from aifactory.cli.base_data import percent
from aifactory.cli.base_judging import Against, Found
from aifactory.cli.cost_text import LABELS
from aifactory.cli.judgement import Judgement
from aifactory.cli.report import tell, text_columns
from aifactory.components.counting import counted
from aifactory.components.economics.figures import Figure
from aifactory.stacks.comparing.changes import Change
from aifactory.stacks.comparing.estimates import EstimateChanges, FigureChange, LineChange, PriceChange

LISTED = 8
"""Lines of a kind that a terminal shows."""
SHOWN = Decimal("0.000001")
"""Step to which prices are shown. Unit: USD."""
_ROUND_FROM = 100
"""Amounts from which cents say nothing. Unit: USD."""


def print_against(judgement: Judgement, against: Against, root: Path) -> None:
    """New findings and those of the base to stderr; changes, findings that are gone and the verdict to stdout."""
    columns = min(text_columns(), 100)
    for line in changes_text(judgement, against, columns):
        click.echo(line)
    if against.new:
        click.echo(click.style(f"new since {shown_name(against)}:", bold=True), err=True)
        tell([found.problem for found in against.new], root)
    if any(found.finding.waived_by for found in _shown_same(judgement)):
        click.echo(f"{counted(len(against.same), 'finding')} of the base don't count (--new-only)", err=True)
    elif against.same:
        click.echo(click.style(f"as at {shown_name(against)}:", bold=True), err=True)
        tell([found.problem for found in against.same], root)
    for found in against.gone:
        says = f"gone: {found.finding.message} [{found.finding.rule}]"
        click.echo(click.style(_fold(says, columns), fg="green"))
    new, same, gone = (len(each) for each in (against.new, against.same, against.gone))
    click.echo(f"findings: {new} new, {same} as before, {gone} gone")
    click.echo(judgement.in_short())


def _shown_same(judgement: Judgement) -> list[Found]:
    return list(map(Found, judgement.problems, judgement.verdict.findings))


def shown_name(against: Against) -> str:
    """The base, harmless to a terminal."""
    return shown(against.title).strip('"')


def changes_text(judgement: Judgement, against: Against, columns: int) -> Iterator[str]:
    """The headline, then what changed stack by stack."""
    yield click.style(_fold(f"against {shown_name(against)}: {headline(judgement, against)}", columns), bold=True)
    for note in against.notes:
        yield _fold(note, columns)
    if against.state == "refused":
        for problem in against.problems[:LISTED]:
            yield _fold(f"at the base: {problem.says}", columns)
    estimates = against.estimates
    found = against.changes or ()
    names = list(dict.fromkeys((*(estimates.stacks if estimates else ()), *(change.stack for change in found))))
    for name in names:
        lines = [*_figures(estimates, name), *_changes([change for change in found if change.stack == name], columns)]
        if lines:
            yield click.style(name, fg="green", bold=True)
            yield from lines
    if estimates and len(estimates.stacks) > 1:
        yield click.style("all stacks", fg="green", bold=True)
        yield from figure_rows(estimates.total)
    if estimates:
        yield from _lines(estimates.lines, columns)
        yield from _prices(estimates.prices, columns)


def headline(judgement: Judgement, against: Against) -> str:
    """What a reviewer reads first, in one sentence."""
    if against.state == "unreadable":
        return "there is no such base, so nothing is compared"
    if judgement.work is None:
        return "this can't be planned, so costs are not compared"
    if against.state == "refused":
        return f"the base can't be planned ({counted(len(against.problems), 'problem')}), so costs are not compared"
    assert against.estimates is not None  # noqa: S101 - both sides have one
    cost = against.estimates.cost
    says = _new(cost) if against.state == "absent" else _moved(cost)
    return says if cost.complete else f"{says}, as far as prices are known"


def _new(cost: FigureChange) -> str:
    after = cost.after
    return f"everything is new, {usd(after.expected)} a month" if after else "everything is new"


def _moved(cost: FigureChange) -> str:
    low, expected, high = cost.change or (Decimal(0),) * 3
    if cost.direction == "same":
        return "monthly cost stays the same"
    if cost.direction == "moves":
        return f"monthly cost moves: low {_signed_usd(low)}, expected {_signed_usd(expected)}, high {_signed_usd(high)}"
    what, by = ("monthly cost", expected) if expected else ("the dearer end of monthly cost", high or low)
    share = f" ({percent_text(cost)})" if expected and cost.share is not None else ""
    return f"{what} {cost.direction} by {usd(abs(by))}{share}"


def usd(amount: Decimal) -> str:
    """`1,402 USD`, and cents where they say anything."""
    if 0 < amount < Decimal("0.005"):
        return "less than 0.01 USD"
    return f"{amount:,.0f} USD" if amount >= _ROUND_FROM else f"{amount:,.2f} USD"


def _signed_usd(amount: Decimal) -> str:
    return f"{'-' if amount < 0 else '+'}{usd(abs(amount))}"


def percent_text(found: FigureChange) -> str:
    """`+12 %`, `-0.4 %`; empty where it was nothing before."""
    value = percent(found)
    if value is None:
        return ""
    return f"{value:+,.0f} %" if abs(value) >= 10 else f"{value:+.1f} %"


def amount_text(name: str, figure: Figure | None, end: str = "expected") -> str:
    """A figure as its table shows it."""
    return format(getattr(figure, end), LABELS[name][1]) if figure else "-"


def change_text(found: FigureChange, end: int = 1) -> str:
    """What an end of a figure changes by, with its sign."""
    change = found.change
    if change is None:
        return "new" if found.before is None else "gone"
    text = format(change[end], f"+{LABELS[found.name][1]}")
    return "0" if not any(digit in text for digit in "123456789") else text


def moved_figures(figures: Sequence[FigureChange]) -> list[FigureChange]:
    """Cost, and all that differs."""
    found = [each for each in figures if each.before or each.after]
    return [each for each in found if each.name == "usd_per_month" or each.before != each.after]


def figure_rows(figures: Sequence[FigureChange]) -> Iterator[str]:
    """Figures at their expected end, and money at the dearer end, too, which gates read."""
    found = moved_figures(figures)
    if not found:
        return
    yield f"  {'':36}{'base':>17}{'now':>17}{'change':>16}"
    for each in found:
        mark = "" if each.complete else " +"
        yield (
            f"  {LABELS[each.name][0]:36}{amount_text(each.name, each.before):>17}"
            f"{amount_text(each.name, each.after):>17}{change_text(each):>16}{percent_text(each):>9}{mark}"
        ).rstrip()
        if each.name == "usd_per_month":
            yield (
                f"  {'  at the dearer end':36}{amount_text(each.name, each.before, 'high'):>17}"
                f"{amount_text(each.name, each.after, 'high'):>17}{change_text(each, 2):>16}"
            )
    if not all(each.complete for each in found):
        yield "  + something is missing in it"


def _figures(estimates: EstimateChanges | None, stack: str) -> Iterator[str]:
    figures = estimates.stacks.get(stack, ()) if estimates else ()
    if any(each.before != each.after for each in figures):
        yield from figure_rows(figures)


def _changes(found: Sequence[Change], columns: int) -> Iterator[str]:
    for change in found:
        if change.subject != "row":
            yield _fold(change.says, columns, "  ")
    if any(change.subject == "row" for change in found):
        yield f"  rows: {rows_text(found)}"


def rows_text(found: Sequence[Change]) -> str:
    """`3 added, 1 changed, 0 removed`."""
    count = Counter(change.verb for change in found if change.subject == "row")
    return f"{count['added']} added, {count['changed']} changed, {count['removed']} removed"


def ordered_lines(found: Sequence[LineChange]) -> list[LineChange]:
    """Lines, what moves most money first; those without a price at the end."""
    moved = [(line_change(each), each) for each in found]
    priced = sorted(((change, each) for change, each in moved if change is not None), key=lambda each: -abs(each[0]))
    return [*(each for _, each in priced), *(each for change, each in moved if change is None)]


def line_change(found: LineChange) -> Decimal | None:
    """What a line changes by at its expected end. None: a side has no price."""
    sides = [side for side in (found.before, found.after) if side is not None]
    if not all(side.known for side in sides):
        return None
    before, after = (side.amount.expected if side else Decimal(0) for side in (found.before, found.after))
    return after - before


def line_amounts(found: LineChange) -> tuple[str, str, str]:
    """Before, after and change of a line."""
    before, after = (
        "-" if side is None else f"{side.amount.expected:,.2f}" if side.known else "no price"
        for side in (found.before, found.after)
    )
    change = line_change(found)
    return before, after, "?" if change is None else f"{change:+,.2f}"


def _lines(found: Sequence[LineChange], columns: int) -> Iterator[str]:
    if not found:
        return
    yield click.style("what is paid for, USD a month", bold=True)
    item = max(18, columns - 52)
    for each in ordered_lines(found)[:LISTED]:
        what = textwrap.shorten(f"{each.part}: {each.item}", item - 1, placeholder="…")
        before, after, change = line_amounts(each)
        yield f"  {what:{item}}{before:>16}{after:>16}{change:>16}"
    if len(found) > LISTED:
        yield f"  and {len(found) - LISTED} more; --format json has all"


def _prices(found: Sequence[PriceChange], columns: int) -> Iterator[str]:
    if not found:
        return
    yield click.style("prices", bold=True)
    for each in found[:LISTED]:
        yield _fold(price_text(each), columns, "  ")
    if len(found) > LISTED:
        yield f"  and {len(found) - LISTED} more; --format json has all"


def price_text(found: PriceChange) -> str:
    """One price that changed, in words."""
    before, after = found.before, found.after
    if before.value != after.value:
        moved = f"{_value(before.value)} became {_value(after.value)} {after.unit}"
    else:
        moved = f"still {_value(after.value)} {after.unit}"
    dates = f", read {before.seen or 'without a day'}, now {after.seen or 'without a day'}"
    source = f", from {after.source}" if before.source != after.source else ""
    others = f" and {len(found.items) - 1} more" if found.items[1:] else ""
    where = f"{found.items[0]}{others}, {found.stack}"
    return f"{found.name} ({where}): {moved}{dates if before.seen != after.seen else ''}{source}"


def _value(figure: Figure) -> str:
    ends = (figure.low,) if figure.is_one_number else (figure.low, figure.high)
    return " to ".join(f"{end.quantize(SHOWN, ROUND_HALF_UP):,f}".rstrip("0").rstrip(".") for end in ends)


def _fold(text: str, columns: int, indent: str = "") -> str:
    return textwrap.fill(text, columns, initial_indent=indent, subsequent_indent=f"{indent}    ")
