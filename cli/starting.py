"""What `init` writes: a shipped example, or a small factory from a few answers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.resources import files as package_files
from pathlib import Path

import click

from aifactory.cli.first_site import Answers, factory_text, site_text
from aifactory.components.catalog import Catalog
from aifactory.components.problems import Problem, Refused, nearest

PROJECT = "aifactory: v1\n"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_QUESTIONS: dict[str, tuple[str, str]] = {
    "name": ("Name of the factory", "my-factory"),
    "site": ("Name of the site", "dc1"),
    "venue": ("Kind of place (on-prem, colo)", "on-prem"),
    "country": ("Country of the site, two letters", "DE"),
    "accelerator": ("GPU of the nodes", "h200"),
    "nodes": ("GPU nodes of the site", "4"),
    "fabric": ("Network between the GPUs of nodes (roce, infiniband, none)", "roce"),
    "tenants": ("Teams that share the GPUs, separated by commas", "research"),
}
"""Each answer's question and what is proposed."""


def completed(given: Mapping[str, object], *, ask: bool) -> Answers:
    """The answers, missing ones asked for. Raises `Refused` for wrong ones, and for missing ones if nobody can be
    asked."""
    found = {key: value for key, value in given.items() if value not in (None, ())}
    missing = [key for key in _QUESTIONS if key not in found]
    if missing and not ask:
        flags = ", ".join("--tenant" if key == "tenants" else f"--{key}" for key in missing)
        raise Refused(
            [Problem(f"{flags} missing, and no terminal to ask at", hint="add the flags, or use --from")]
        )
    for key in missing:
        found[key] = click.prompt(_QUESTIONS[key][0], default=_QUESTIONS[key][1], err=True)
    tenants = found["tenants"]
    teams = (
        tenants.split(",")
        if isinstance(tenants, str)
        else list(tenants)
        if isinstance(tenants, tuple)
        else []
    )
    texts = {key: str(found[key]).strip() for key in _QUESTIONS if key != "tenants"}
    return _checked(texts, [team.strip() for team in teams])


def files_from_answers(answers: Answers) -> dict[str, str]:
    """The files of a small factory, by path."""
    return {
        "aifactory.yaml": PROJECT,
        "factory.yaml": factory_text(answers),
        f"sites/{answers.site}.yaml": site_text(answers),
    }


def files_from_example(name: str) -> dict[str, str]:
    """A shipped blueprint with its sites, by path. Raises `Refused` for an unknown name."""
    shipped = package_files("aifactory.blueprints")
    library = {
        path.name.removesuffix(".yaml"): path for path in (shipped / "library").iterdir() if path.is_file()
    }
    if name not in library:
        raise Refused([Problem(f'"{name}" is not a shipped blueprint', hint=nearest(name, library))])
    text = library[name].read_text(encoding="utf-8")
    found = {"aifactory.yaml": PROJECT, "factory.yaml": _without_schema(text)}
    for site in (shipped / "sites").iterdir():
        if re.search(rf"\b{re.escape(site.name.removesuffix('.yaml'))}\b", text):
            found[f"sites/{site.name}"] = _without_schema(site.read_text(encoding="utf-8"))
    return found


def write_new(folder: Path, files: Mapping[str, str]) -> None:
    """Write files that don't exist yet. Raises `Refused`, with nothing written, when one does."""
    there = [name for name in files if os.path.lexists(folder / name)]
    if there:
        hint = "choose another folder, or move them away"
        raise Refused([Problem(f"{folder / name} exists already", hint=hint) for name in there])
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise Refused([Problem(f"{folder} can't be written: {error.strerror}")]) from None


def _without_schema(text: str) -> str:
    """The text without its first line, which names a schema that lies beside the shipped file only."""
    first, _, rest = text.partition("\n")
    return rest if first.startswith("# yaml-language-server:") else text


def _checked(texts: Mapping[str, str], tenants: list[str]) -> Answers:
    problems = [
        Problem(
            f'{key} "{value}" is not a name',
            hint="lower case letters, digits and -, at most 40, a letter first",
        )
        for key, value in [
            ("name", texts["name"]),
            ("site", texts["site"]),
            *(("tenant", team) for team in tenants),
        ]
        if not _NAME.fullmatch(value)
    ]
    catalog = Catalog.shipped()
    for key, table in (("accelerator", "accelerators"), ("country", "countries")):
        if catalog.find(table, texts[key]) is None:
            problems.append(
                Problem(f'"{texts[key]}" is not a known {key}', hint=catalog.hint(table, texts[key]))
            )
    for key, known in (("venue", ("on-prem", "colo")), ("fabric", ("roce", "infiniband", "none"))):
        if texts[key] not in known:
            problems.append(Problem(f'{key} "{texts[key]}" is not allowed', hint=nearest(texts[key], known)))
    if not texts["nodes"].isdecimal() or not 1 <= int(texts["nodes"]) <= 512:
        problems.append(Problem(f'nodes "{texts["nodes"]}" is not a number from 1 to 512'))
    if len(set(tenants)) != len(tenants) or not tenants:
        problems.append(Problem("tenants must be named, each once"))
    if problems:
        raise Refused(problems)
    return Answers(**{**texts, "nodes": int(texts["nodes"])}, tenants=tuple(tenants))  # type: ignore[arg-type]  # keys are Answers' own
