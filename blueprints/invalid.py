"""Turns what a model refuses into problems with a place, a value and a next step."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aifactory.blueprints.document import Document
from aifactory.blueprints.shown import shown
from aifactory.components.problems import Path, Problem, nearest

_TEXT_WANTED = {"string_type"}
_NUMBER_WANTED = {"int_type", "float_type", "int_from_float"}


def problems_of(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """The problems of one refused document, in the order of the file."""
    found = [_problem(details, document, model) for details in error.errors(include_url=False)]
    unique = {(problem.path, problem.says): problem for problem in found}
    return sorted(
        unique.values(), key=lambda problem: (problem.at.line, problem.at.column) if problem.at else (0, 0)
    )


def _problem(details: ErrorDetails, document: Document, model: type[BaseModel]) -> Problem:
    path = real_path(details["loc"], document.data)
    kind = details["type"]
    at = document.key_at(path) if kind == "extra_forbidden" else document.at(path)
    says, hint = _words(details, path, document, model)
    return Problem(says, path, hint, at)


def real_path(loc: tuple[int | str, ...], data: object) -> Path:
    """A pydantic location as a path in the document: without the tags that unions add."""
    path: list[int | str] = []
    value = data
    for index, step in enumerate(loc):
        if (isinstance(value, Mapping) and step in value) or (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            value = value[step]
        elif index < len(loc) - 1 or _is_tag(step, value):
            continue
        else:
            value = None
        path.append(step)
    return tuple(path)


def _is_tag(step: int | str, value: object) -> bool:
    """Whether the last step names a member of a union of plain types, such as `int` or `literal['auto']`."""
    return not isinstance(value, Mapping) and not isinstance(step, int)


def _words(details: ErrorDetails, path: Path, document: Document, model: type[BaseModel]) -> tuple[str, str]:
    kind, context = details["type"], details.get("ctx", {})
    value = shown(document.raw(path) if document.raw(path) is not None else details["input"])
    field = str(path[-1]) if path else "the document"
    if kind == "extra_forbidden":
        known = fields_at(model, details["loc"][:-1])
        return f'"{field}" is not a known field', nearest(field, known)
    if kind == "missing":
        return f'"{field}" is missing', f"add {field}: with a value"
    if kind == "catalog_name":
        return str(details["msg"]), str(context.get("hint", ""))
    if kind == "value_error":
        says, _, hint = str(context.get("error", details["msg"])).partition("; ")
        return says, hint
    if kind == "literal_error":
        expected = str(context.get("expected", ""))
        return f"{value} is not allowed here", _choices(str(details["input"]), expected)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _tag_words(details, context)
    if kind in _TEXT_WANTED:
        raw = document.raw(path)
        quoted = f': "{raw}"' if raw is not None else ""
        return f"{value} is not text", f"write it in quotes{quoted}" if quoted else "write one line of text"
    if kind in _NUMBER_WANTED:
        return (
            f"{value} is not a number of the right kind",
            f"{details['msg']}; numbers have no unit and no quotes",
        )
    return f"{value}: {_lower(details['msg'])}", ""


def _tag_words(details: ErrorDetails, context: Mapping[str, Any]) -> tuple[str, str]:
    discriminator = str(context.get("discriminator", "'kind'")).strip("'")
    if details["type"] == "union_tag_not_found":
        return f'"{discriminator}" is missing', f"add {discriminator}: to say what this is"
    expected = str(context.get("expected_tags", ""))
    tag = str(context.get("tag", ""))
    return f"{shown(tag)} is not a known {discriminator}", _choices(tag, expected)


def _choices(given: str, expected: str) -> str:
    names = [name.strip().strip("'") for name in expected.replace(" or ", ", ").split(",")]
    return nearest(given, [name for name in names if name])


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def fields_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The fields that a model, or a model inside it, knows at a pydantic location."""
    current: list[type[BaseModel]] = [model]
    for step in loc:
        inner = [field for each in current if (field := each.model_fields.get(str(step))) is not None]
        if inner:
            current = [found for field in inner for found in models_in(field.annotation)]
        elif tagged := [each for each in current if _has_tag(each, step)]:
            current = tagged
    return tuple(dict.fromkeys(name for each in current for name in each.model_fields))


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation speaks of, through lists, maps, unions and `Annotated`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, UnionType, list, dict):
        return [found for inner in get_args(annotation) for found in models_in(inner)]
    return []


def _has_tag(model: type[BaseModel], step: int | str) -> bool:
    return any(step in get_args(field.annotation) for field in model.model_fields.values())
