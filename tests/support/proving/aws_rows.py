"""Whether AWS would take rows: each is held to the SDK, to the API's words, and to what the rows it reads from give."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Json, Ref, SecretRef, refs
from support.proving import aws_api
from support.proving.aws_schema import STRING, Type, UnknownToken, output, resource
from support.proving.aws_values import ANY, Mistake, mistakes

_SCALAR = ("string", "boolean", "integer", "number")
Rows = Mapping[str, CloudRow]


def check_rows(rows: Iterable[CloudRow]) -> list[str]:
    """All that is wrong with the rows of a stack, each told with the row's id."""
    listed = list(rows)
    by_id = {row.id: row for row in listed}
    twice = [
        f"{row}: there are {count} rows of this id" for row, count in Counter(r.id for r in listed).items() if count > 1
    ]
    return [*twice, *(each for row in listed for each in check_row(row, by_id)), *_partitions(listed)]


def check_row(row: CloudRow, others: Rows | None = None) -> list[str]:
    """All that is wrong with a row; `others` are the rows that it may read from, by id."""
    known = {row.id: row} if others is None else others
    try:
        found = [*mistakes(row.token, row.properties, partial(_later, known)), *_references(row, known)]
    except UnknownToken as unknown:
        return [f"{row.id}: {unknown}"]
    return [f"{row.id}: {each}" for each in found]


def untagged(rows: Iterable[CloudRow], wanted: Iterable[str]) -> list[str]:
    """Taggable rows that lack a tag, with what they lack."""
    found = []
    for row in rows:
        given = row.properties.get("tags")
        missing = sorted(set(wanted) - set(given if isinstance(given, dict) else ()))
        if resource(row.token).taggable and missing:
            found.append(f"{row.id}: no tag {', '.join(missing)}")
    return found


def untaggable(rows: Iterable[CloudRow]) -> list[str]:
    """Tokens of rows that take no tags."""
    return sorted({row.token for row in rows if not resource(row.token).taggable})


def _later(rows: Rows, value: object) -> Type | None:
    """The type of a leaf that isn't text yet. A wrong reference is told elsewhere, so it passes for anything."""
    if isinstance(value, Ref):
        found = _output(rows, value)
        return found if isinstance(found, Type) else ANY
    if isinstance(value, Format | Json):
        return STRING
    return (
        Type("object", name="the reference to a Secret, which no cloud reads") if isinstance(value, SecretRef) else None
    )


def _references(row: CloudRow, rows: Rows) -> Iterator[Mistake]:
    inside = [each for each in _leaves(row.properties, "") if isinstance(each[1], Ref | Format | Json)]
    for where, value in inside:
        for ref in sorted(refs(value), key=lambda ref: (ref.row, ref.path)):
            found = _output(rows, ref)
            if isinstance(found, str):
                yield Mistake(where, found)
            elif ref.row == row.id:
                yield Mistake(where, "refers to its own row")
            elif isinstance(value, Format) and found.kind not in _SCALAR:
                yield Mistake(where, f"puts {ref.path} of {ref.row} into a text, and that is {found}")
        if isinstance(value, Json):
            yield from (Mistake(where, says) for says in aws_api.wrong_places(_text(value.tree)))
        if isinstance(value, Format):
            yield from (Mistake(where, says) for says in aws_api.wrong_places(_text(value)))


def _output(rows: Rows, ref: Ref) -> Type | str:
    """The type of what a reference stands for, or why there is no such thing."""
    if ref.row not in rows:
        return f"refers to {ref.row}, and there is no such row"
    token = rows[ref.row].token
    try:
        found = output(token, ref.path)
    except UnknownToken as unknown:
        return str(unknown)
    return found or f"refers to {ref.path} of {ref.row}, and {token} has no such output"


def _leaves(tree: object, where: str) -> Iterator[tuple[str, object]]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _leaves(value, f"{where}.{name}" if where else str(name))
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from _leaves(value, f"{where}[{index}]")
    else:
        yield where, tree


def _text(tree: object) -> str:
    """All literal text of a tree, and a mark for what isn't known."""
    if isinstance(tree, Format):
        return "".join(part if isinstance(part, str) else "\N{REPLACEMENT CHARACTER}" for part in tree.parts)
    if isinstance(tree, dict | list | tuple):
        parts = tree.values() if isinstance(tree, dict) else tree
        return "\n".join(_text(each) for each in parts)
    return tree if isinstance(tree, str) else json.dumps(tree) if isinstance(tree, int | float) else ""


def _partitions(rows: Iterable[CloudRow]) -> Iterator[str]:
    """A stack is in one partition: nothing of one can name anything of another."""
    named: dict[str, str] = {}
    for row in rows:
        for _, value in _leaves(row.properties, ""):
            text = _text(value.tree if isinstance(value, Json) else value)
            for partition in aws_api.partitions():
                if f"arn:{partition}:" in text:
                    named.setdefault(partition, row.id)
    if len(named) > 1:
        yield "rows name several partitions: " + ", ".join(f"{partition} in {row}" for partition, row in named.items())
