"""Protected rows: which may go because they were named, and which a run would lose without a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import click

from aifactory.components.problems import Problem, Refused
from aifactory.stacks.assembly.rowset import RowSet
from aifactory.stacks.program.identity import resource_rows
from aifactory.stacks.program.state import StateRow

_ALIKE = 0.9


def named_urns(state: Iterable[StateRow], named: Sequence[str]) -> list[str]:
    """URNs of the protected rows that were named."""
    return [row.urn for row in state if row.protected and row.row in named]


def check_names(named: Sequence[str], protected: Mapping[str, Sequence[str]]) -> None:
    """Check names against the protected rows of each stack.

    Raises `Refused` for one that several stacks have, and for one that is misspelled. One that no stack has is gone
    already, by an earlier run with the same words: that is said, and is no problem.
    """
    every = sorted({row for rows in protected.values() for row in rows})
    problems = []
    for name in named:
        having = [stack for stack, rows in protected.items() if name in rows]
        meant = [] if having else get_close_matches(name, every, n=1, cutoff=_ALIKE)
        if len(having) > 1:
            says = f'"{name}" is a protected row of {" and of ".join(having)}'
            problems.append(Problem(says, hint="say of which: --site NAME"))
        elif meant:
            says = f'"{name}" is not a protected row of what is deployed'
            problems.append(Problem(says, hint=f'did you mean "{meant[0]}"?'))
        elif not having:
            click.echo(f"{name}: no protected row of that name is deployed, so there is nothing to let go", err=True)
    if problems:
        raise Refused(problems)


def refuse_losses(state: Sequence[StateRow], rows: RowSet, named: Sequence[str]) -> None:
    """Raises `Refused` for each protected row that the blueprint has no longer and that is not in `named`.

    Told before anything is changed: the engine would refuse in the middle of the run.
    """
    kept = {row.id for row in resource_rows(rows)}
    leaving = [row for row in state if row.protected and row.row not in kept and row.row not in named]
    if leaving:
        raise Refused(
            Problem(
                f"{row.row} of {row.part} is protected, since it holds data, and the blueprint has it no longer",
                hint=f"bring it back, or let it go with all that is in it: --remove-protected {row.row}",
                site=rows.site,
            )
            for row in leaving
        )
