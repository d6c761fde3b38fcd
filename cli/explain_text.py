"""Chains of decisions as data and as text."""

from __future__ import annotations

from typing import Any

import click

from aifactory.cli.plan_text import assigned_text, value_text, wrapped
from aifactory.cli.report import text_columns
from aifactory.cli.work import Work
from aifactory.components.base import Decision
from aifactory.components.counting import counted
from aifactory.components.problems import Position, Refused
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.planning.data import data_of
from aifactory.stacks.planning.explain import Link, chain, matching

_DEEPEST = 12
"""Steps of a chain that are indented; deeper ones would leave no room for words."""


def explained(work: Work, path: str) -> dict[str, Any]:
    """The chains of all values that `path` names, by stack. Raises `Refused` when no stack has one."""
    stacks: dict[str, Any] = {}
    refused: Refused | None = None
    for name, stack in work.shown.items():
        try:
            paths = matching(stack.plan.decisions, path)
        except Refused as problem:
            refused = problem
            continue
        stacks[name] = {
            each: [_link(work, stack, link) for link in chain(stack.plan.decisions, each)] for each in paths
        }
    if not stacks and refused is not None:
        raise refused
    return {"path": path, "stacks": stacks}


def print_explained(found: dict[str, Any]) -> None:
    """Print the chains, the one asked for first, what it follows from indented below.

    Chains that are the same at several sites are printed once.
    """
    columns = text_columns()
    told: list[tuple[list[str], dict[str, Any]]] = []
    for stack, chains in found["stacks"].items():
        same = next((stacks for stacks, others in told if others == chains), None)
        if same is None:
            told.append(([stack], chains))
        else:
            same.append(stack)
    for stacks, chains in told:
        click.echo(click.style("\n".join(stacks), fg="green", bold=True))
        for links in chains.values():
            for link in links:
                _print_link(link, columns)
            click.echo()


def _link(work: Work, stack: Stack, link: Link) -> dict[str, Any]:
    decision = link.decision
    return {
        "depth": link.depth,
        "path": decision.path,
        "value": data_of(decision.value),
        "reason": decision.reason,
        "rejected": [{"value": data_of(other.value), "reason": other.reason} for other in decision.rejected],
        "facts": [] if link.repeated else [_fact(work, ref) for ref in decision.facts],
        **_written(work, stack, decision),
        "repeated": link.repeated,
    }


def _fact(work: Work, ref: str) -> dict[str, Any]:
    table, _, key = ref.partition("/")
    row = work.loaded.catalog.row(table, key)
    return {"row": ref, "sources": list(row.sources), "checked": row.checked}


def _written(work: Work, stack: Stack, decision: Decision) -> dict[str, str]:
    """Where a value was written. For the value of a parameter also its name, and where that was set."""
    if not decision.source:
        return {"written": "", "parameter": "", "set": ""}
    loaded, site = work.loaded, stack.plan.place.site
    written = _place(loaded.position(decision.source, decision.document, site))
    of_site = decision.document == "site"
    used = None if of_site else loaded.document.raw((*decision.source, "parameter"))
    if used is None:
        return {"written": written, "parameter": "", "set": ""}
    own, default = ("placement", "parameters", site, used), ("parameters", used, "default")
    at = default if loaded.document.raw(own) is None else own
    given = "--set" if used in work.given else _place(loaded.position(at))
    return {"written": written, "parameter": used, "set": given}


def _place(at: Position) -> str:
    return f"{at.file}:{at.line}:{at.column}"


def _parameter_text(link: dict[str, Any]) -> str:
    return f" as parameter {link['parameter']}, set by {link['set']}" if link["parameter"] else ""


def _fact_text(fact: dict[str, Any]) -> str:
    """A fact with its first source; `catalog` shows the others."""
    first, *others = fact["sources"]
    more = f", and {counted(len(others), 'source')} more" if others else ""
    return f"fact {fact['row']}, checked {fact['checked']}: {first}{more}"


def _print_link(link: dict[str, Any], columns: int) -> None:
    indent = "  " + "  " * min(link["depth"], _DEEPEST)
    arrow = "because " if link["depth"] else ""
    click.echo(assigned_text(link["path"], link["value"], columns, indent, arrow))
    if link["repeated"]:
        click.echo(f"{indent}    (shown above)")
        return
    lines = [link["reason"]]
    lines += [f"not {value_text(other['value'])}: {other['reason']}" for other in link["rejected"]]
    lines += [f"written at {link['written']}{_parameter_text(link)}"] if link["written"] else []
    lines += [_fact_text(fact) for fact in link["facts"]]
    for line in lines:
        click.echo(wrapped(line, columns, f"{indent}    ", f"{indent}      "))
