"""Figures of an estimate explained, as data and as text; decisions come first where both have a name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import click

from aifactory.blueprints.shown import shown
from aifactory.cli.explain_text import explained as explained_decision
from aifactory.cli.plan_text import wrapped
from aifactory.cli.report import text_columns
from aifactory.cli.work import Work
from aifactory.components.catalog import Catalog
from aifactory.components.counting import counted
from aifactory.components.economics.figures import Figure
from aifactory.components.problems import Problem, Refused, nearest, resembling
from aifactory.stacks.estimate.data import lack_data, term_data
from aifactory.stacks.estimate.estimating import cases, of_site
from aifactory.stacks.estimate.explaining import ALIASES, ROOTS, Explained, Explaining, meant
from aifactory.stacks.estimate.json_numbers import ends
from aifactory.stacks.estimate.model import FORMULAS, Term
from aifactory.stacks.estimate.working import ENDS, FINE, FINER, Step, written
from aifactory.stacks.planning.model import StackPlan

_CENTS = ",.2f"
_FINE_UNDER = 100
"""Numbers under it have all their decimals."""
_BETWEEN = (" over ", ", ", " to ", "; ")
"""What stands between catalog rows where a value comes of several."""


def explained(work: Work, path: str) -> dict[str, Any]:
    """What `path` names: decisions, else figures of the estimate, by stack. Raises `Refused` with the nearest."""
    try:
        return explained_decision(work, path)
    except Refused as refused:
        figures = _figures(work, path)
        if figures is not None:
            return {"path": path, "stacks": {}, "figures": figures}
        raise _with_figures(refused, path, _names(work)) from None


def _names(work: Work) -> set[str]:
    """Parts that something was decided about."""
    decided = (path for stack in work.shown.values() for path in stack.plan.decisions)
    return {path.partition(".")[0] for path in decided}


def _with_figures(refused: Refused, path: str, parts: set[str]) -> Refused:
    """The refusal of a path that names no decision; where it could mean a figure, with those, too."""
    (problem, *_) = refused.problems
    first = path.partition(".")[0]
    if first in parts:
        return refused
    close = resembling(first, {*parts, *ROOTS, *ALIASES})
    of_estimate = close is not None and close not in parts
    known = problem.hint[problem.hint.find("Known:") :] if of_estimate else problem.hint
    guess = f'did you mean "{close}"? ' if of_estimate else ""
    return Refused([Problem(problem.says, hint=f"{guess}{known}; of the estimate: {', '.join(ROOTS)}")])


def _figures(work: Work, path: str) -> dict[str, list[dict[str, Any]]] | None:
    """Figures by stack, None when the path begins like none. Raises `Refused` when it ends like none."""
    if meant(path).partition(".")[0] not in ROOTS:
        return None
    known: list[str] = []
    found: dict[str, list[dict[str, Any]]] = {}
    plans: dict[str, StackPlan] = {stack.plan.place.site: stack.plan for stack in work.shown.values()}
    every = cases(work.plan, work.loaded, work.stacks)
    for site, plan in plans.items():
        here = Explaining(of_site(every[site]), every[site])
        figures = here.matching(path)
        if figures:
            found[plan.name] = [figure_data(each, work.loaded.catalog) for each in figures]
        known += here.paths
    if not found:
        says = f"no figure of the estimate is called {shown(path)}"
        raise Refused([Problem(says, hint=nearest(meant(path), set(known), shown=24))])
    return found


def figure_data(found: Explained, catalog: Catalog) -> dict[str, Any]:
    """One figure as JSON."""
    return {
        "path": found.path,
        "title": found.title,
        "value": _ends(found.figure),
        "unit": found.unit,
        "formula": found.formula,
        "text": found.text or FORMULAS[found.formula],
        "steps": [_step_data(each) for each in found.steps],
        "inputs": [
            {**term_data(term), **ends(term.value, FINER), "sources": _sources(term, catalog)} for term in found.inputs
        ],
        "sums": [
            {"path": each.path, "title": each.title, "value": _ends(each.figure), "unit": each.unit}
            for each in found.sums
        ],
        "missing": [lack_data(each) for each in found.lacks],
    }


def _step_data(found: Step) -> dict[str, Any]:
    return {
        "what": found.what,
        "formula": found.formula,
        "worked": dict(zip(ENDS, found.worked, strict=True)),
        "value": _ends(found.figure),
        "unit": found.unit,
    }


def _ends(figure: Figure | None) -> dict[str, float | int] | None:
    return ends(figure, FINE) if figure else None


def _sources(term: Term, catalog: Catalog) -> list[str]:
    """What the catalog rows behind a value are read from; empty where it comes of a site or a contract."""
    pieces = [term.source]
    for between in _BETWEEN:
        pieces += [piece for each in pieces for piece in each.split(between) if between in each]
    tables = set(catalog.tables())
    refs = [piece.partition("/") for piece in dict.fromkeys(pieces)]
    rows = [catalog.find(table, key) for table, slash, key in refs if slash and table in tables]
    return list(dict.fromkeys(source for row in rows if row is not None for source in row.sources))


def print_figures(found: dict[str, Any]) -> None:
    """Print figures by stack."""
    columns = text_columns()
    for stack, figures in found["figures"].items():
        click.echo(click.style(stack, fg="green", bold=True))
        for figure in figures:
            _print_figure(figure, columns)
            click.echo()


def _print_figure(figure: dict[str, Any], columns: int) -> None:
    unit = figure["unit"]
    band = band_text(figure["value"], unit)
    head = wrapped(f"{figure['path']} = {band}", columns, "  ", "      ")
    click.echo("  " + click.style(figure["path"], bold=True) + head.strip().removeprefix(figure["path"]))
    lines = [f"{figure['title']}; {figure['formula']}: {figure['text']}"]
    for each in figure["steps"]:
        lines += _step_lines(each)
    for line in lines:
        click.echo(wrapped(line, columns, "      ", "          "))
    for each in figure["sums"]:
        amount = "no price" if each["value"] is None else band_text(each["value"], each["unit"])
        name = f"{each['path']}: " if each["path"] and each["path"] != each["title"] else ""
        click.echo(wrapped(f"+ {name}{each['title']} = {amount}", columns, "      ", "          "))
    for each in figure["inputs"]:
        click.echo(wrapped(_input_text(each), columns, "      ", "          "))
    for each in figure["missing"]:
        says = wrapped(f"missing: {each['says']}; {each['hint']}", columns, "      ", "          ")
        click.echo(click.style(says, fg="yellow"))


def _step_lines(each: dict[str, Any]) -> list[str]:
    """A step once where its ends are one, else end by end."""
    what = f"{each['what']} = {each['formula']}"
    worked, value = each["worked"], each["value"]
    if value["low"] == value["high"] and len(set(worked.values())) == 1:
        return [what, f"  = {worked['expected']} = {amount_text(value['expected'], each['unit'])} {each['unit']}"]
    return [what, *(f"  {end}: {worked[end]} = {amount_text(value[end], each['unit'])} {each['unit']}" for end in ENDS)]


def _input_text(each: dict[str, Any]) -> str:
    """A value with all that makes it worth believing, or not."""
    marks = [mark for mark in ("assumed", "example") if each[mark]]
    unsourced = "of this estimate" if each["unit"].endswith("/month") else "by definition"
    source = [each["source"] or unsourced, *([f"seen {each['seen']}"] if each["seen"] else [])]
    first, *others = each["sources"] or [""]
    cited = f": {first}" + (f", and {counted(len(others), 'source')} more" if others else "") if first else ""
    numbers = dict.fromkeys(number_text(each[end]) for end in ENDS)
    return f"input {each['name']} = {' / '.join(numbers)} {each['unit']}; {', '.join((*marks, *source))}{cited}"


def band_text(value: dict[str, Any] | None, unit: str) -> str:
    """`1.00 USD/month`, or its ends with what is expected."""
    if value is None:
        return "unknown"
    low, expected, high = (amount_text(value[end], unit) for end in ENDS)
    return f"{expected} {unit}" if low == high else f"{low} to {high} {unit}, expected {expected}"


def amount_text(value: float, unit: str) -> str:
    """Cents of money, four decimals of unit costs and shares, else what is needed."""
    if "million" in unit or unit == "share":
        return f"{value:,.4f}"
    if unit == "USD/month":
        return format(value, _CENTS)
    return number_text(value if abs(value) < _FINE_UNDER else round(value, 2))


def number_text(value: float) -> str:
    """A number to six decimals, without those that say nothing."""
    return written(Decimal(repr(value)))
