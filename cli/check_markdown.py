"""The verdict as Markdown, fit for a comment of a pull request: what matters first, details folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from aifactory.cli.base_judging import Against, Found
from aifactory.cli.base_text import (
    amount_text,
    change_text,
    headline,
    line_amounts,
    moved_figures,
    ordered_lines,
    percent_text,
    price_text,
    rows_text,
)
from aifactory.cli.cost_text import LABELS
from aifactory.cli.cost_text import markdown as cost_markdown
from aifactory.cli.judgement import Judgement
from aifactory.cli.markdown import comment, first, folded, plain, table
from aifactory.components.counting import counted
from aifactory.policies.verdict import MANDATORY
from aifactory.stacks.comparing.changes import Change
from aifactory.stacks.comparing.estimates import EstimateChanges, FigureChange

LISTED = 40
"""Findings, lines or decisions of a kind that are written out."""


def check_markdown(judgement: Judgement) -> str:
    """Verdict, findings and the table of costs."""
    factory = f"{plain(judgement.plan.factory)}: " if judgement.plan else ""
    sections: list[Iterable[str]] = [
        [f"### {factory}{judgement.verdict.outcome}", "", plain(click.unstyle(judgement.in_short()))],
        _list(_found(judgement), "finding"),
    ]
    if judgement.estimate is not None:
        sections.append(cost_markdown(judgement.estimate))
    return comment(sections)


def against_markdown(judgement: Judgement, against: Against) -> str:
    """What changed since a base: headline, table of money, new findings; the rest folded."""
    factory = f"{plain(judgement.plan.factory)} against " if judgement.plan else "Against "
    counts = ", ".join(
        f"{len(found)} {word}"
        for found, word in ((against.new, "new"), (against.same, "as before"), (against.gone, "gone"))
    )
    head = [
        f"### {factory}{plain(against.title)}: {plain(headline(judgement, against))}",
        "",
        f"**{judgement.verdict.outcome}**; findings: {counts}",
        *(f"\n{plain(note)}" for note in against.notes),
    ]
    estimates = against.estimates
    waived = "that don't count" if _waives(judgement) else "as at the base"
    problems = [f"- {plain(problem.says)}" for problem in against.problems] if against.state == "refused" else []
    sections: list[Iterable[str]] = [
        head,
        _money(estimates) if estimates else (),
        _titled("#### New findings", list(_list(against.new, "finding"))),
        _folded("The base can't be planned", list(first(problems, LISTED, "problems"))),
        _folded(f"{counted(len(against.same), 'finding')} {waived}", list(_list(against.same, "finding"))),
        _folded(f"{counted(len(against.gone), 'finding')} gone", list(_list(against.gone, "finding"))),
        _folded("Energy, carbon and tokens", list(_figures(estimates)) if estimates else []),
        *(_details(estimates) if estimates else ()),
        _plan(against.changes or ()),
    ]
    if judgement.estimate is not None:
        sections.append([f"Prices as of {judgement.estimate.as_of}; expected figures; gates count the dearer end."])
    return comment(sections)


def _waives(judgement: Judgement) -> bool:
    return any(finding.waived_by for finding in judgement.verdict.findings)


def _found(judgement: Judgement) -> list[Found]:
    return list(map(Found, judgement.problems, judgement.verdict.findings))


def _list(found: Sequence[Found], what: str) -> Iterator[str]:
    """Findings, those that deny first; one at several sites is told once."""
    merged: dict[str, list[str]] = {}
    for each in sorted(found, key=lambda each: each.finding.severity not in MANDATORY):
        finding = each.finding
        place = f"{plain(finding.file)}:{finding.line}: " if finding.file else ""
        level = "error" if finding.severity in MANDATORY else "warning"
        fix = f"<br>{plain(finding.remediation)}" if finding.remediation else ""
        text = f"- **{level}** {plain(finding.rule)} {place}{plain(finding.message)}"
        sites = merged.setdefault(f"{text}\0{fix}", [])
        if each.problem.site:
            sites.append(plain(each.problem.site))
    lines = []
    for text, sites in merged.items():
        says, _, fix = text.partition("\0")
        where = f" (at {', '.join(sites)})" if sites else ""
        lines.append(f"{says}{where}{fix}")
    yield from first(lines, LISTED, f"{what}s")


def _titled(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield title
        yield ""
        yield from lines


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from folded(title, lines)


def _money(estimates: EstimateChanges) -> Iterator[str]:
    """Before, now and change of every stack, and of all together."""
    rows = [_money_row(plain(stack), figures) for stack, figures in estimates.stacks.items()]
    if len(rows) > 1:
        rows.append(_money_row("**all**", estimates.total))
    yield from table(("USD a month", "before", "now", "change", "now at most"), rows, numbers=4)
    if not all(each.complete for figures in estimates.stacks.values() for each in figures if each.name == _COST):
        yield ""
        yield "A figure with + lacks prices."


_COST = "usd_per_month"


def _money_row(name: str, figures: Sequence[FigureChange]) -> tuple[str, ...]:
    cost = next(each for each in figures if each.name == _COST)
    mark = "" if cost.complete else " +"
    return (
        name,
        amount_text(_COST, cost.before),
        f"{amount_text(_COST, cost.after)}{mark}",
        _change(cost),
        amount_text(_COST, cost.after, "high"),
    )


def _change(found: FigureChange) -> str:
    return f"{change_text(found)} ({percent_text(found)})" if found.share else change_text(found)


def _figures(estimates: EstimateChanges) -> Iterator[str]:
    """All other figures that differ."""
    every = {**estimates.stacks, **({"all": estimates.total} if len(estimates.stacks) > 1 else {})}
    rows = [
        (
            plain(stack),
            LABELS[each.name][0],
            amount_text(each.name, each.before),
            amount_text(each.name, each.after),
            _change(each),
        )
        for stack, figures in every.items()
        for each in moved_figures(figures)
        if each.name != _COST
    ]
    if rows:
        yield from table(("stack", "figure", "before", "now", "change"), rows, numbers=3)


def _details(estimates: EstimateChanges) -> Iterator[Iterable[str]]:
    """Lines of money and prices that differ."""
    if estimates.lines:
        rows = [
            (plain(each.stack), plain(each.part), plain(each.item), *line_amounts(each))
            for each in ordered_lines(estimates.lines)[:LISTED]
        ]
        lines = list(table(("stack", "part", "what", "before", "now", "change"), rows, numbers=3))
        more = len(estimates.lines) - LISTED
        lines += ["", f"… and {more} more lines"] if more > 0 else []
        yield folded(f"{counted(len(estimates.lines), 'line')} of cost differ", lines)
    if estimates.prices:
        prices = [f"- {plain(price_text(each))}" for each in estimates.prices]
        yield folded(f"{counted(len(prices), 'price')} changed", first(prices, LISTED, "prices"))


def _plan(found: Sequence[Change]) -> Iterator[str]:
    """Stacks, parts and decisions that differ, and rows: as many as a person reads."""
    if not found:
        return
    told = [f"- {plain(change.stack)}: {plain(change.says)}" for change in found if change.subject != "row"]
    rows = [f"- {plain(change.stack)}: {plain(change.says)}" for change in found if change.subject == "row"]
    title = f"Plan: {counted(len(told), 'change')}; rows: {rows_text(found)}"
    yield from folded(title, [*first(told, LISTED, "changes"), *first(rows, LISTED, "rows")])
