"""Makes the reference pages of the documentation from the code: commands, documents, planner rules, rows."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from aifactory.blueprints.schema import DOCUMENTS, models_below
from aifactory.blueprints.site import SITES
from aifactory.blueprints.spots import models_in
from aifactory.blueprints.texts import field_texts
from aifactory.cli.main import COMMANDS, cli
from aifactory.components.catalog.keys import CatalogName
from aifactory.components.parts import PARTS
from aifactory.components.venues import RULES as VENUE_RULES

HEAD = "<!-- Generated from the code by tests/repository/test_reference.py; run it with --update-golden. -->\n\n"


def pages() -> dict[str, str]:
    """The pages by file name, for docs/reference/."""
    found = {f"{name}.md": HEAD + document_page(name) for name in DOCUMENTS}
    found["commands.md"] = HEAD + commands_page()
    found["rules.md"] = HEAD + rules_page()
    return found


def commands_page() -> str:
    """Every verb with its help, 100 columns wide."""
    codes = "0 allowed; 1 findings, or input wrong; 2 command line wrong; 3 the checker itself failed; 4 undecided"
    parts = [f"# Commands\n\nExit codes: {codes}.\n"]
    # Commands keep the help option of the first context that asked: it must be the one that users get.
    settings = {**cli.context_settings, "max_content_width": 100, "terminal_width": 100}
    context = click.Context(cli, info_name="aifactory", **settings)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, max_content_width=100, terminal_width=100)
        parts.append(f"\n## {name}\n\n```text\n{command.get_help(inner)}\n```\n")
    return "".join(parts)


def rules_page() -> str:
    """Every planner rule: what it keeps, why, and where that comes from."""
    lines = ["# Planner rules\n\nAn error refuses the plan. A warning is shown and counted.\n"]
    tables = [(part.kind, part.planner.RULES) for part in PARTS]
    for kind, rules in [*tables, ("venue", VENUE_RULES)]:
        lines.append(f"\n## {kind}\n\n| rule | level | what it keeps | why | source |\n|---|---|---|---|---|\n")
        lines.extend(
            f"| {rule.id} | {rule.level} | {_cell(rule.title)} | {_cell(rule.why)} | {_cell(rule.source)} |\n"
            for rule in rules
        )
    return "".join(lines)


def document_page(document: str) -> str:
    """Every field of a kind of document, model by model."""
    root = DOCUMENTS[document]
    roots = [root, *(SITES.values() if document == "site" else ())]
    below = {each for start in roots for each in models_below(start)} - set(roots)
    models = [*roots, *sorted(below, key=lambda each: (each.__name__, each.__module__))]
    parts = [f"# {document.capitalize()}\n\n{' '.join((root.__doc__ or '').split())}\n"]
    for model in models:
        parts.append(f"\n## {model.__name__}\n\n{' '.join((model.__doc__ or '').split())}\n\n")
        parts.append("| field | type | default | |\n|---|---|---|---|\n")
        parts.extend(_field_rows(model))
    return "".join(parts)


def _field_rows(model: type[BaseModel]) -> Iterator[str]:
    texts = field_texts(model)
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {_type(field)} | {_default(field)} | {_cell(texts.get(name, ''))} |\n"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel) or (isinstance(value, list) and value and isinstance(value[0], BaseModel)):
        return "see text"
    return f"`{value}`" if value not in (None, "", [], {}) else "none"


def _type(field: FieldInfo) -> str:
    name = next((meta for meta in field.metadata if isinstance(meta, CatalogName)), None)
    if name is not None:
        return f"a key of the catalog's `{name.table}`"
    return _cell(" or ".join(dict.fromkeys(_types(field.annotation))))


def _types(annotation: Any) -> Iterator[str]:
    origin = get_origin(annotation)
    if origin is Annotated:
        name = next((meta for meta in get_args(annotation)[1:] if isinstance(meta, CatalogName)), None)
        if name is not None:
            yield f"a key of the catalog's `{name.table}`"
        else:
            yield from _types(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for inner in get_args(annotation):
            if inner is not type(None):
                yield from _types(inner)
    elif origin is Literal:
        yield from (f"`{value}`" for value in get_args(annotation))
    elif origin is list:
        yield f"list of {' or '.join(dict.fromkeys(_types(get_args(annotation)[0])))}"
    elif origin is dict:
        yield f"map to {' or '.join(dict.fromkeys(_types(get_args(annotation)[1])))}"
    elif models := models_in(annotation):
        yield f"[{models[0].__name__}](#{models[0].__name__.lower()})"
    else:
        yield {"str": "text", "int": "integer", "float": "number", "bool": "true or false"}.get(
            getattr(annotation, "__name__", ""), "any"
        )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
