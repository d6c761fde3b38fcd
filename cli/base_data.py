"""What changed since a base, as `check --format json` prints it; its fields are a contract and only grow."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from aifactory.cli.base_judging import Against
from aifactory.cli.diff_text import as_data as changes_data
from aifactory.cli.judgement import finding_of
from aifactory.components.economics.figures import CENT, ZERO
from aifactory.policies.verdict import finding_data
from aifactory.stacks.comparing.estimates import EstimateChanges, FigureChange, LineChange, PriceChange
from aifactory.stacks.estimate.data import line_data, term_data
from aifactory.stacks.estimate.json_numbers import FINE, WHOLE, ends, number

STEPS = {
    "usd_per_month": CENT,
    "tokens_out_per_month": WHOLE,
    "tokens_in_per_month": WHOLE,
    "tokens_per_s": WHOLE,
}
"""What a figure is rounded to when it is shown; others to four decimals."""
_TENTH = Decimal("0.1")


def base_data(against: Against) -> dict[str, Any]:
    """The base itself."""
    return {
        "name": against.name,
        "commit": against.commit or None,
        "state": against.state,
        "problems": [finding_data(finding_of(problem, "")) for problem in against.problems],
        "notes": list(against.notes),
    }


def changed_data(against: Against) -> dict[str, Any]:
    """What changed since. `estimate` and `plan` are null where a side has none."""
    return {
        "estimate": _estimates(against.estimates) if against.estimates else None,
        "plan": changes_data(against.changes)["changes"] if against.changes is not None else None,
        "findings": {
            name: [finding_data(found.finding) for found in getattr(against, name)] for name in ("new", "gone", "same")
        },
    }


def _estimates(found: EstimateChanges) -> dict[str, Any]:
    return {
        "stacks": {
            stack: {change.name: _figure(change) for change in figures} for stack, figures in found.stacks.items()
        },
        "total": {change.name: _figure(change) for change in found.total},
        "lines": [_line(change) for change in found.lines],
        "prices": [_price(change) for change in found.prices],
    }


def _figure(found: FigureChange) -> dict[str, Any]:
    step = STEPS.get(found.name, FINE)
    change = found.change
    return {
        "before": ends(found.before, step) if found.before else None,
        "after": ends(found.after, step) if found.after else None,
        "change": {name: number(end, step) for name, end in zip(("low", "expected", "high"), change, strict=True)}
        if change
        else None,
        "change_percent": percent(found),
        "direction": found.direction if change else None,
        "complete": found.complete,
    }


def percent(found: FigureChange) -> float | None:
    """Change of the expected end in percent, to a tenth. None where it was nothing."""
    return None if found.share is None else float((found.share * 100).quantize(_TENTH, ROUND_HALF_UP))


def _line(found: LineChange) -> dict[str, Any]:
    change = None
    if (found.before is None or found.before.known) and (found.after is None or found.after.known):
        was = found.before.amount.expected if found.before else ZERO
        change = number((found.after.amount.expected if found.after else ZERO) - was, CENT)
    return {
        "stack": found.stack,
        "part": found.part,
        "item": found.item,
        "before": line_data(found.before) if found.before else None,
        "after": line_data(found.after) if found.after else None,
        "usd_per_month_change": change,
    }


def _price(found: PriceChange) -> dict[str, Any]:
    return {
        "stack": found.stack,
        "name": found.name,
        "items": list(found.items),
        "before": term_data(found.before),
        "after": term_data(found.after),
    }
