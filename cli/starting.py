"""What `init` writes: a shipped example, or a small factory from a few answers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files as package_files
from pathlib import Path
from typing import cast

import click
from msgspec import Struct

from aifactory.blueprints.shown import shown
from aifactory.cli.first_aws_site import country_of, regions, rented, sold_elsewhere
from aifactory.cli.first_site import Answers, factory_text, gpus_per_node, site_text
from aifactory.components.catalog import Catalog
from aifactory.components.gpu_node_pool.accelerators import supported
from aifactory.components.names import NAME_CHARS, NAME_PATTERN
from aifactory.components.problems import Problem, Refused, nearest
from aifactory.components.venues import DRAFTED, VENUES, Venue

PROJECT = "aifactory: v1\n"
_FABRICS = ("roce", "infiniband", "efa", "none")
_MOST_NODES = 512
_WORDS_OF_YAML = ("true", "false", "null")


class Question(Struct, frozen=True):
    """One thing that `init` must know."""

    key: str
    words: str
    proposal: str
    problem: Callable[[str], Problem | None]
    """What is wrong with an answer, None when nothing is."""
    flag: str = ""

    @property
    def option(self) -> str:
        """The flag that answers it."""
        return self.flag or f"--{self.key}"


def completed(given: Mapping[str, object], *, ask: bool) -> Answers:
    """The answers, missing ones asked for. Raises `Refused` for wrong ones, and for missing ones if nobody can
    be asked."""
    texts = {key: _text(value) for key, value in given.items() if value not in (None, ())}
    if not texts.get("region", "none"):
        del texts["region"]  # an empty one is none
    _leave_out(texts)
    problems = [question.problem(texts[question.key]) for question in QUESTIONS if question.key in texts]
    if found := [problem for problem in problems if problem is not None]:
        raise Refused(found)
    missing = [question for question in QUESTIONS if question.key not in texts]
    if missing and not ask:
        missing = [question for question in missing if question.key != "country" or not _in_a_region(texts)]
        flags = ", ".join(question.option for question in missing)
        raise Refused([Problem(f"{flags} missing, and no terminal to ask at", hint="add them, or use --from")])
    for question in missing:
        if question.key not in texts:
            texts[question.key] = _asked(question)
            _leave_out(texts)
    return _answers(texts)


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
    library = {path.name.removesuffix(".yaml"): path for path in (shipped / "library").iterdir() if path.is_file()}
    if name not in library:
        raise Refused([Problem(f"{shown(name)} is not a shipped blueprint", hint=nearest(name, library))])
    text = library[name].read_text(encoding="utf-8")
    found = {"aifactory.yaml": PROJECT, "factory.yaml": _without_schema(text)}
    sites = [path for path in (shipped / "sites").iterdir() if path.is_file()]
    for site in sorted(sites, key=lambda path: path.name):
        if re.search(rf"\b{re.escape(site.name.removesuffix('.yaml'))}\b", text):
            written = site.read_text(encoding="utf-8")
            found[f"sites/{site.name}"] = _without_schema(written)
            for prices in sorted(set(re.findall(r"\bprices/[a-z0-9-]+\.yaml", written))):
                listed = (shipped / "sites" / prices).read_text(encoding="utf-8")
                found[f"sites/{prices}"] = _without_schema(listed)
    return found


def write_new(folder: Path, files: Mapping[str, str]) -> None:
    """Write files that don't exist yet. Raises `Refused`, with nothing written, when one does."""
    there = [name for name in files if os.path.lexists(folder / name)]
    if there:
        hint = "choose another folder, or move them away"
        raise Refused([Problem(f"{folder / name} exists already", hint=hint) for name in there])
    written: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise Refused([Problem(f"{folder} can't be written: {error.strerror}")]) from None


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value).strip()


def _asked(question: Question) -> str:
    """The answer of a person; a wrong one is asked for again."""

    def checked(text: str) -> str:
        problem = question.problem(text.strip())
        if problem is not None:
            raise click.UsageError(f"{problem.says}. {problem.hint}".strip())
        return text.strip()

    answer: str = click.prompt(question.words, default=question.proposal, err=True, value_proc=checked)
    return answer


def _leave_out(texts: dict[str, str]) -> None:
    """What follows from other answers, nobody is asked for: a fabric where a kind of place has none, the country of a
    region, and a region where there is none."""
    facts = VENUES.get(texts.get("venue", ""))  # type: ignore[call-overload]
    if facts is None:
        return
    if not facts.fabric:
        texts.setdefault("fabric", "none")
    if not facts.makes_cluster:
        texts.setdefault("region", "")
        return
    if texts.get("region") in regions():
        texts.setdefault("country", country_of(texts["region"]))
    if {"accelerator", "nodes"} <= texts.keys() and _accelerator_problem(texts["accelerator"]) is None:
        baseboard = Catalog.shipped().row("accelerators", texts["accelerator"]).text("form_factor").startswith("SXM")
        texts.setdefault("fabric", "efa" if baseboard and texts["nodes"] != "1" else "none")


def _in_a_region(texts: Mapping[str, str]) -> bool:
    """Whether the kind of place is one whose region says in which country it is."""
    facts = VENUES.get(texts.get("venue", ""))  # type: ignore[call-overload]
    return facts is not None and facts.makes_cluster


def _venue_problems(answers: Answers) -> list[Problem]:
    """What its kind of place has no room for."""
    facts = VENUES[answers.venue]
    found = []
    if not facts.fabric and answers.fabric != "none":
        found.append(Problem(f"a site of venue {answers.venue} has no fabric", hint="--fabric none, or another venue"))
    elif facts.makes_cluster != (answers.fabric == "efa") and answers.fabric != "none":
        hint = "--fabric efa or none" if facts.makes_cluster else "--fabric roce, infiniband or none"
        found.append(Problem(f"a site of venue {answers.venue} has no fabric {answers.fabric}", hint=hint))
    if answers.region and not facts.makes_cluster:
        found.append(Problem(f"a site of venue {answers.venue} is in no region", hint="drop --region, or --venue aws"))
    if answers.region and facts.makes_cluster and answers.country != country_of(answers.region):
        says = f"{answers.region} is in {country_of(answers.region)}, not in {answers.country}"
        found.append(Problem(says, hint="drop --country: it follows from the region"))
    efa = answers.fabric == "efa"
    if answers.region and not found and rented(answers.accelerator, answers.region, efa=efa) is None:
        says = f"no source says that {answers.region} sells {answers.accelerator}{' with EFA' if efa else ''}"
        found.append(Problem(says, hint=sold_elsewhere(answers.accelerator, answers.region, efa=efa)))
    if facts.nodes_at_most and answers.nodes > facts.nodes_at_most:
        says = f"{answers.nodes} nodes; a site of venue {answers.venue} has {facts.nodes_at_most} at most"
        found.append(Problem(says, hint=f"name {facts.nodes_at_most} or fewer, or another venue"))
    return found


def _answers(texts: Mapping[str, str]) -> Answers:
    answers = Answers(
        name=texts["name"],
        site=texts["site"],
        venue=cast("Venue", texts["venue"]),
        country=texts["country"],
        accelerator=texts["accelerator"],
        nodes=int(texts["nodes"]),
        fabric=texts["fabric"],
        tenants=tuple(_names(texts["tenants"])),
        region=texts["region"],
    )
    if wrong := _venue_problems(answers):
        raise Refused(wrong)
    gpus = answers.nodes * gpus_per_node(answers)
    if len(answers.tenants) > gpus:
        says = f"{len(answers.tenants)} tenants share {gpus} GPUs"
        raise Refused([Problem(says, hint="name at most one tenant a GPU, or more nodes")])
    return answers


def _name_problem(text: str) -> Problem | None:
    if text in _WORDS_OF_YAML:
        return Problem(f'"{text}" is a word of YAML with a meaning of its own', hint="choose another name")
    if len(text) <= NAME_CHARS and re.fullmatch(NAME_PATTERN, text):
        return None
    hint = f"lower-case letters, digits and -, a letter first, at most {NAME_CHARS} characters"
    return Problem(f"{shown(text)} is not a name", hint=hint)


def _choice_problem(what: str, known: Sequence[str]) -> Callable[[str], Problem | None]:
    def problem(text: str) -> Problem | None:
        return None if text in known else Problem(f"{shown(text)} is not a {what}", hint=nearest(text, known))

    return problem


def _country_problem(text: str) -> Problem | None:
    catalog = Catalog.shipped()
    if catalog.find("countries", text) is not None:
        return None
    return Problem(f"{shown(text)} is not a country", hint=catalog.hint("countries", text))


def _region_problem(text: str) -> Problem | None:
    """Empty is the region of a place that is in none."""
    known = regions()
    if not text or text in known:
        return None
    return Problem(f"{shown(text)} is not a region of AWS that is read up on", hint=nearest(text, known))


def _accelerator_problem(text: str) -> Problem | None:
    catalog = Catalog.shipped()
    row, known = catalog.find("accelerators", text), supported(catalog)
    if row is not None and row.key in known:
        return None
    names = [name for name in catalog.short_names("accelerators") if catalog.row("accelerators", name).key in known]
    return Problem(f"{shown(text)} is not a GPU that pools run", hint=nearest(text, names, shown=20))


def _nodes_problem(text: str) -> Problem | None:
    if text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_NODES)) and 1 <= int(text) <= _MOST_NODES:
        return None
    return Problem(f"{shown(text)} is not a number of nodes", hint=f"1 to {_MOST_NODES}")


def _tenants_problem(text: str) -> Problem | None:
    names = _names(text)
    wrong = next(filter(None, map(_name_problem, names)), None)
    if wrong is None and len(set(names)) != len(names):
        return Problem("a tenant is named twice", hint="name each once")
    return wrong or (None if names else Problem("no tenant is named", hint="name one at least"))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


QUESTIONS = (
    Question("name", "Name of the factory", "my-factory", _name_problem),
    Question("site", "Name of the site", "dc1", _name_problem),
    Question("venue", f"Kind of place ({', '.join(DRAFTED)})", "on-prem", _choice_problem("venue", DRAFTED)),
    Question("region", "Region of AWS", "eu-north-1", _region_problem),
    Question("country", "Country of the site, two letters", "DE", _country_problem),
    Question("accelerator", "GPU of the nodes", "h200", _accelerator_problem),
    Question("nodes", "GPU nodes of the site", "4", _nodes_problem),
    Question(
        "fabric",
        f"Network between the GPUs of nodes ({', '.join(_FABRICS)})",
        "roce",
        _choice_problem("fabric", _FABRICS),
    ),
    Question(
        "tenants",
        "Teams that share the GPUs, separated by commas",
        "research",
        _tenants_problem,
        flag="--tenant",
    ),
)
"""What `init` asks, in this order."""


def _without_schema(text: str) -> str:
    """The text without its first line, which names a schema that lies beside the shipped file only."""
    first, _, rest = text.partition("\n")
    return rest if first.startswith("# yaml-language-server:") else text
