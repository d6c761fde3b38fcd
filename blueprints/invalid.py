"""Turns what a model refuses into problems with a place, a value and a next step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aifactory.blueprints.document import Document
from aifactory.blueprints.limits import DEFAULT
from aifactory.blueprints.spots import Spot, spot
from aifactory.blueprints.wording import MISMATCHES, Refusal, none_of, words
from aifactory.components.masking import is_private
from aifactory.components.problems import Path, Position, Problem
from aifactory.components.spec import MISFITS, Misfit

_READ = 20 * DEFAULT.problems
"""Errors of pydantic that are looked at; what lies behind is only counted."""

_AT_THE_KEY = ("extra_forbidden", "missing")


class _Error(Struct, frozen=True):
    details: ErrorDetails
    spot: Spot


def problems_of(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """The problems of one refused document, in the order of its files; at most 100, and a count."""
    details = error.errors(include_url=False)
    errors = [_Error(each, spot(model, each["loc"])) for each in details[:_READ]]
    found = [problem for group in _by_union(errors) for problem in _problems(group, document)]
    unique = list({(problem.path, problem.says): problem for problem in found}.values())
    unique.sort(key=lambda problem: _order(problem.at))
    left = len(unique) + len(details) - len(errors) - DEFAULT.problems
    if left <= 0:
        return unique
    shown = unique[: DEFAULT.problems]
    return [*shown, Problem(f"{left} more problems follow", (), "correct these first", shown[-1].at)]


def _by_union(errors: Iterable[_Error]) -> Iterator[list[_Error]]:
    """Errors one by one, those of the members of one union together."""
    for union, group in groupby(errors, key=lambda error: error.spot.union):
        if union is None:
            yield from ([error] for error in group)
        else:
            yield list(group)


def _problems(group: Sequence[_Error], document: Document) -> Iterator[Problem]:
    """A problem for each error. A union of plain types has one, about the member nearest to the value."""
    mismatches = [error for error in group if error.details["type"] in MISMATCHES and _at_union(error)]
    if len(group) > 1 and len(mismatches) == len(group):
        refusal = _refusal(group[0], document)
        says, hint = none_of(refusal, [error.details for error in group])
        yield Problem(says, refusal.path, hint, document.at(refusal.path))
        return
    for error in group:
        if len(group) == 1 or error not in mismatches:
            yield from _one(error, document)


def _at_union(error: _Error) -> bool:
    return error.spot.path == error.spot.union


def _one(error: _Error, document: Document) -> Iterator[Problem]:
    refusal = _refusal(error, document)
    kind, path = refusal.kind, refusal.path
    if kind == MISFITS:
        misfits: Iterable[Misfit] = error.details.get("ctx", {}).get("misfits", ())
        for misfit in misfits:
            at = (*path, *misfit.at)
            yield Problem(misfit.says, at, misfit.hint, document.at(at))
        return
    says, hint = words(refusal)
    if path in document.bound:
        hint = f"{hint}; the value is that of parameter {document.bound[path]}".removeprefix("; ")
    if kind in _AT_THE_KEY or refusal.spot.is_key:
        yield Problem(says, path, hint, document.key_at(path))
    else:
        yield Problem(says, path, hint, document.at(path))


def _refusal(error: _Error, document: Document) -> Refusal:
    details, place = error.details, error.spot
    path: Path = place.path
    if details["type"].startswith("union_tag"):
        path = (*path, str(details.get("ctx", {}).get("discriminator", "kind")).strip("'"))
    raw = None if details["type"] == "missing" else document.raw(path)
    return Refusal(details, place, path, raw, is_private(path) and not place.is_key)


def _order(at: Position | None) -> tuple[str, int, int]:
    return (at.file, at.line, at.column) if at else ("", 0, 0)
