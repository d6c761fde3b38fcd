"""Options of the verbs that work through the engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Verb = TypeVar("Verb", bound=Callable[..., Any])

kubeconfig = click.option(
    "kubeconfig",
    "--kubeconfig",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Use this kubeconfig on this machine, instead of the one that the site names.",
)
refresh = click.option(
    "refresh", "--refresh", is_flag=True, help="Read from the cluster first what became of the objects."
)


def yes(what: str) -> Callable[[Verb], Verb]:
    """`--yes`: do it without asking."""
    return click.option("yes", "--yes", "-y", is_flag=True, help=f"{what} without asking.")


def may_go(what: str) -> Callable[[Verb], Verb]:
    """`--remove-protected ROW`: a row that holds data, named."""
    return click.option("named", "--remove-protected", metavar="ROW", multiple=True, help=what)


def require_answer(verb: str, *, yes: bool) -> None:
    """Refuse to act when nobody can be asked and `--yes` was not given. Raises `click.UsageError`."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError(f"{verb} changes clusters, and there is no terminal to ask at; add --yes")


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether the user agrees. The question goes to stderr: stdout is for data."""
    return yes or click.confirm(question, err=True)
