"""Files for people: YAML names its schema, links lead somewhere, every text file ends as it should."""

import json
from pathlib import Path

import pytest

from support.link_rules import dead_links
from support.source_tree import ROOT, SourceTree

SCHEMA_LINE = "# yaml-language-server: $schema="
SHIPPED = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        ROOT / "aifactory.yaml",
        *ROOT.glob("blueprints/library/**/*.yaml"),
        *ROOT.glob("blueprints/sites/**/*.yaml"),
    )
)
"""Every blueprint, fragment, site and project file that we ship."""


def test_blueprints_sites_and_the_project_file_are_shipped() -> None:
    assert {path.rpartition("/")[0] for path in SHIPPED} >= {"", "blueprints/library", "blueprints/sites"}


@pytest.mark.parametrize("path", SHIPPED)
def test_a_shipped_file_names_its_schema_in_its_first_line(path: str) -> None:
    first = (ROOT / path).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(SCHEMA_LINE), f"{path}: the first line is not {SCHEMA_LINE}…"
    schema = (ROOT / path).parent / first.removeprefix(SCHEMA_LINE).strip()
    assert json.loads(schema.read_text(encoding="utf-8"))["$schema"].startswith("https://json-schema.org/")


def test_every_link_between_our_texts_leads_somewhere() -> None:
    assert list(dead_links(SourceTree())) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a](gone.md)", "no such file"),
        ("[a](b.md#gone)", "no such heading in b.md"),
        ("[a](#gone)", "no such heading in a.md"),
        ("[a](b.md#lanes-and-why)", ""),
        ("[a](https://example.org/gone)", ""),
        ("`[a](gone.md)`\n\n```text\n[a](gone.md)\n```", ""),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.md").write_text(text)
    (tmp_path / "b.md").write_text("## Lanes, and why\n")
    assert [found.rpartition(": ")[2] for found in dead_links(SourceTree(tmp_path))] == ([says] if says else [])


def test_every_text_file_ends_in_one_newline_and_has_no_carriage_return() -> None:
    wrong = []
    for path in SourceTree().files("*.py", "*.yaml", "*.md", "*.toml", "*.json", "*.j2", "*.txt", "Makefile"):
        data = path.read_bytes()
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("tests/data/"):
            continue
        if data and (not data.endswith(b"\n") or data.endswith(b"\n\n") or b"\r" in data):
            wrong.append(name)
    assert wrong == []
