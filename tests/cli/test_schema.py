"""`aifactory schema`: what editors check while a person types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import call, files_below

SHIPPED = Path(__file__).parents[2] / "blueprints" / "schema"


@pytest.mark.parametrize("document", ["blueprint", "site", "prices", "project"])
def test_a_schema_is_printed_as_it_is_shipped(document: str) -> None:
    ran = call("schema", document)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (SHIPPED / f"{document}.json").read_text(encoding="utf-8")
    assert json.loads(ran.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_blueprint_is_what_is_asked_for_without_a_word() -> None:
    assert call("schema").out == call("schema", "blueprint", "--format", "json").out


def test_all_schemas_are_written_into_a_folder(tmp_path: Path) -> None:
    ran = call("schema", "--out", tmp_path / "deep" / "schemas")
    assert ran.code == 0
    assert set(files_below(tmp_path / "deep" / "schemas")) == {
        "blueprint.json",
        "site.json",
        "prices.json",
        "project.json",
    }
    assert ran.out.splitlines() == [
        str(tmp_path / "deep" / "schemas" / f"{n}.json") for n in ("blueprint", "site", "prices", "project")
    ]
    assert files_below(tmp_path / "deep" / "schemas") == files_below(SHIPPED)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = call("schema", "--out", tmp_path / "file" / "x")
    assert (ran.code, ran.out) == (1, "")
    assert f"{tmp_path / 'file' / 'x'} can't be written: " in ran.err


def test_one_schema_alone_is_not_written_into_a_folder(tmp_path: Path) -> None:
    assert call("schema", "site", "--out", tmp_path).code == 2
