"""One refresh from its arguments to its file: refused early, written last, and never over a file that is there."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from aifactory.cli import refreshing
from aifactory.cli.price_sources import GPUHUNT, source
from aifactory.components.catalog import Catalog
from aifactory.components.names import NAME_CHARS, NAME_PATTERN
from aifactory.components.problems import Problem, Refused, nearest


class Asked(Struct, frozen=True):
    """What to ask of whom, and where the answer goes."""

    table: str
    of: str
    regions: tuple[str, ...]
    out: Path
    today: dt.date
    as_prices: bool = False
    """Whether the file is one of prices, as a site names it, and not one of the catalog's form."""


def checked(
    table: str | None,
    name: str | None,
    of: str | None,
    regions: tuple[str, ...],
    out: Path | None,
    *,
    prices: bool = False,
) -> Asked:
    """Raises `Refused` with all that is wrong, before anything is asked."""
    problems = []
    if of is None:
        problems.append(Problem("--region and --out are of --refresh", hint="add --refresh price-list"))
    if table not in refreshing.TABLES:
        hint = nearest(table or "", refreshing.TABLES)
        problems.append(Problem(f"{table or 'no table'} is not one whose prices can be asked for", hint=hint))
    elif of == GPUHUNT and table != refreshing.ACCELERATORS:
        problems.append(
            Problem("gpuhunt knows instances alone", hint=f"of {refreshing.ACCELERATORS}, or --refresh price-list")
        )
    if name is not None:
        problems.append(Problem("a refresh is of a whole table", hint=f"leave {name} out"))
    if not regions:
        problems.append(Problem("no region is named", hint="add --region eu-north-1; it may be repeated"))
    today = dt.datetime.now(dt.UTC).date()
    file = out or Path(f"{table}-{today.isoformat()}.yaml" if prices else f"{table}.{today.isoformat()}.yaml")
    if prices and not (len(file.stem) <= NAME_CHARS and re.fullmatch(NAME_PATTERN, file.stem)):
        says = f"a price file is named as it is called, and {file.stem} is no name"
        problems.append(Problem(says, hint="name it such as --out prices-2026-11.yaml"))
    if file.exists():
        problems.append(Problem(f"{file} is there already", hint="name another by --out: nothing is overwritten"))
    elif not file.resolve().parent.is_dir():
        problems.append(Problem(f"{file.parent} is not a folder", hint="make it first"))
    if problems or table is None or of is None:
        raise Refused(problems)
    return Asked(table, of, tuple(dict.fromkeys(regions)), file, today, prices)


def run(asked: Asked, *, as_json: bool) -> Iterator[str]:
    """Ask, write the file, and say what moved. Raises `Refused`, and has then written nothing."""
    catalog, asks = Catalog.shipped(), source(asked.of)
    found = refreshing.changes(catalog, asked.table, asked.regions, asks, asked.today)
    if asked.as_prices:
        document = refreshing.price_file(asked.out.stem, found, asks, asked.today)
    else:
        document = refreshing.document(asked.table, found, asks, asked.today)
    text = file_text(document)
    _write(asked.out, text)
    if as_json:
        data = refreshing.as_data(asked.table, found, asked.out.as_posix())
        yield json.dumps(data, indent=2, ensure_ascii=False)
        return
    yield from refreshing.text_lines(found)
    moved = sum(1 for each in found if each.new is not None and each.new != each.old)
    yield f"{asked.out}: {sum(1 for each in found if each.new is not None)} prices, {moved} of them new or moved"


def file_text(document: dict[str, Any]) -> str:
    """The document as a catalog file, one row a line, so that two files compare line by line."""
    lines = []
    for name, value in document.items():
        if isinstance(value, list):
            lines += [f"{name}:", *(f"- {_flow(row)}" for row in value)]
        else:
            lines.append(f"{name}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """JSON is YAML; a Decimal keeps its digits."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return json.dumps(value, ensure_ascii=False)


def _write(file: Path, text: str) -> None:
    """Whole or not at all, and never over a file that came meanwhile."""
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
    except FileExistsError:
        raise Refused([Problem(f"{file} is there already", hint="name another by --out")]) from None
    except OSError as error:
        file.unlink(missing_ok=True)
        raise Refused([Problem(f"{file} can't be written: {error.strerror}", hint="name another by --out")]) from None
