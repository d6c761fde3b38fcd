"""Turns a catalog file into tables of rows, and says which rows have no source or no date.

The result is plain JSON, so that `cache.py` can keep it: `about` is the header; each of `tables` has `rows`
by key, `aliases` with the key they name, and `facts`: for each key its date and its sources in words.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aifactory.components.problems import Path, Problem, nearest

Compiled = dict[str, Any]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_SOURCE_FIELDS = ("source", "src", "sources")
_PRIVATE_HEADER = {"schema", "as_of", "checked", "sources", "units", "rules", "gaps"}


def compiled(
    stem: str, document: dict[str, Any], shape: Mapping[str, Any] | None = None
) -> tuple[Compiled, list[Problem]]:
    """Tables of one file. `shape` is the header of the shipped file that a private file adds to."""
    problems: list[Problem] = []
    if shape is not None:
        problems += _private_header_problems(document, shape)
        document = {**document, "keys": shape["keys"], "main": shape.get("main"), "row_source": {}}
    if not _is_text_by_text(document.get("sources", {})):
        problems.append(Problem("sources is not a mapping of keys to texts", ("sources",)))
        document = {**document, "sources": {}}
    about = {name: value for name, value in document.items() if name not in document.get("keys", {})}
    tables: dict[str, Any] = {}
    for section in document.get("keys", {}):
        table = stem if section == document.get("main") else f"{stem}.{section}"
        tables[table] = {"rows": {}, "aliases": {}, "facts": {}}
        _fill(tables[table], section, document, about, problems)
    return {"about": about, "tables": tables}, problems


def _private_header_problems(document: Mapping[str, Any], shape: Mapping[str, Any]) -> Iterator[Problem]:
    for name in document:
        if name not in _PRIVATE_HEADER and name not in shape["keys"]:
            hint = nearest(name, {*_PRIVATE_HEADER, *shape["keys"]})
            yield Problem(f'"{name}" is not a section of this file', (name,), hint)


def _is_text_by_text(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(inner, str) for inner in value.values())


def _fill(
    table: dict[str, Any],
    section: str,
    document: Mapping[str, Any],
    about: Mapping[str, Any],
    problems: list[Problem],
) -> None:
    for step, key, row in _named_rows(section, document, problems):
        if key in table["rows"]:
            problems.append(Problem(f'"{key}" names two rows', step))
            continue
        date, sources = _date(row, about), list(dict.fromkeys(_sources(row, about, section)))
        if not date:
            problems.append(
                Problem(f'"{key}" has no date', step, "set checked: YYYY-MM-DD, the day someone read the source")
            )
        if not sources:
            problems.append(
                Problem(f'"{key}" has no source', step, "set source to a key of `sources`, or name it in words")
            )
        problems += _field_problems(row, about, step)
        table["rows"][key], table["facts"][key] = row, [date, sources]
        _add_aliases(table, key, row, step, problems)
    for alias in table["aliases"]:
        if alias in table["rows"]:
            problems.append(Problem(f'"{alias}" is an alias and a row', (section, alias)))


def _add_aliases(table: dict[str, Any], key: str, row: Mapping[str, Any], step: Path, problems: list[Problem]) -> None:
    aliases = row.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        problems.append(Problem(f'aliases of "{key}" are not a list of texts', (*step, "aliases")))
        return
    for alias in aliases:
        if table["aliases"].setdefault(alias, key) != key:
            problems.append(
                Problem(f'alias "{alias}" names "{table["aliases"][alias]}" and "{key}"', (*step, "aliases"))
            )


def _named_rows(
    section: str, document: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    content, fields = document.get(section), document["keys"][section]
    if isinstance(content, dict) and not fields:
        for key, row in content.items():
            yield (section, key), key, row if isinstance(row, dict) else {"value": row}
        return
    if content is None:
        return
    if not isinstance(content, list):
        problems.append(Problem(f"{section} is not a list of rows", (section,)))
        return
    for index, row in enumerate(content):
        if not isinstance(row, dict) or row.get(fields[0]) is None:
            problems.append(Problem(f"a row of {section} has no {fields[0]}", (section, index)))
            continue
        yield (section, index), ":".join(str(row[field]) for field in fields if field in row), row


def _date(row: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """The row's own date, else the day it was seen, else the table's."""
    for value in (row.get("checked"), row.get("seen"), about.get("checked"), about.get("as_of")):
        if isinstance(value, str) and _DATE.match(value):
            try:
                return dt.date.fromisoformat(value).isoformat()
            except ValueError:
                continue
    return ""


def _sources(value: Any, about: Mapping[str, Any], section: str) -> list[str]:
    """Every source that a row or one of its fields names, in words; else the table's."""
    known = about.get("sources") or {}
    found = [known.get(name, name) for name in _named(value) if name in known or not _BARE_KEY.match(name)]
    default = (about.get("row_source") or {}).get(section)
    return found or ([default] if default else [])


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for field, inner in value.items():
            if field in _SOURCE_FIELDS:
                yield from (name for name in (inner if isinstance(inner, list) else [inner]) if isinstance(name, str))
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _field_problems(row: Mapping[str, Any], about: Mapping[str, Any], step: Path) -> Iterator[Problem]:
    """Source keys that the file does not explain, and values that name no source."""
    known = about.get("sources") or {}
    for name in _named(row):
        if _BARE_KEY.match(name) and name not in known:
            yield Problem(f'source "{name}" is not explained in `sources`', step)
    for field, inner in row.items():
        if isinstance(inner, dict) and "value" in inner and inner["value"] != "unknown" and inner.get("src") == []:
            yield Problem(
                f"{field} has a value and no source", (*step, field), "name its source, or set value: unknown"
            )
