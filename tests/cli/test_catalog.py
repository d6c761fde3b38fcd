"""`aifactory catalog`: facts, each with source and date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import call
from support.written import write_project

PRIVATE = """\
schema: accelerators/v1
as_of: 2026-11-21
checked: 2026-11-21
sources: {own: measured in our lab}
accelerators:
  - {id: own-gpu, vendor: nvidia, src: [own]}
"""


def test_tables_are_listed_with_their_sizes() -> None:
    ran = call("catalog")
    assert (ran.code, ran.err) == (0, "")
    sizes = dict(line.split() for line in ran.out.splitlines())
    assert int(sizes["accelerators"]) > 20
    data = json.loads(call("catalog", "--format", "json").out)
    assert set(data) == {"schema", "tables"}
    assert data["tables"] == {name: int(size) for name, size in sizes.items()}


def test_rows_are_listed_with_what_else_they_are_called() -> None:
    ran = call("catalog", "accelerators")
    assert "nvidia-h200-sxm                h200" in ran.out.splitlines()
    data = json.loads(call("catalog", "accelerators", "--format", "json").out)
    row = next(row for row in data["rows"] if row["key"] == "nvidia-h200-sxm")
    assert row["aliases"] == ["h200"]
    assert row["checked"].startswith("20")
    assert len(data["rows"]) == len(ran.out.splitlines())


@pytest.mark.parametrize("name", ["h200", "nvidia-h200-sxm"])
def test_one_row_is_shown_with_all_its_sources(name: str) -> None:
    ran = call("catalog", "accelerators", name)
    assert ran.out.startswith("accelerators/nvidia-h200-sxm, checked 20")
    assert "value: 141" in ran.out
    data = json.loads(call("catalog", "accelerators", name, "--format", "json").out)
    assert set(data) == {"schema", "row", "checked", "sources", "data"}
    assert data["data"]["memory_gb"]["value"] == 141
    assert len(data["sources"]) == ran.out.count("\n- ") - ran.out.partition("sources:")[0].count("\n- ")


@pytest.mark.parametrize("table", ["accelerators", "trains", "countries", "drivers"])
def test_each_row_of_a_table_can_be_shown(table: str) -> None:
    rows = json.loads(call("catalog", table, "--format", "json").out)["rows"]
    for row in rows[:12]:
        assert call("catalog", table, row["key"]).code == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["accelerator"], 'did you mean "accelerators"?'),
        (["acc"], 'did you mean "accelerators"?'),
        (["accelerators", "b20"], 'did you mean "b200"?'),
        (["accelerators", "B200"], 'did you mean "b200"?'),
        (["../x"], "Known: accelerators"),
    ],
)
def test_a_misspelled_name_gets_the_nearest(words: list[str], hint: str) -> None:
    ran = call("catalog", *words)
    assert (ran.code, ran.out) == (1, "")
    assert hint in ran.err
    assert ran.err.rstrip().endswith("1 problem.")


def test_inside_a_project_its_own_facts_are_among_them(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "accelerators.yaml").write_text(PRIVATE, encoding="utf-8")
    assert call("catalog", "accelerators", "own-gpu", cwd=tmp_path).code == 1
    (tmp_path / "aifactory.yaml").write_text("aifactory: v1\ncatalog: [facts]\n", encoding="utf-8")
    ran = call("catalog", "accelerators", "own-gpu", cwd=tmp_path / "sites")
    assert ran.out.startswith("accelerators/own-gpu, checked 2026-11-21")
    assert "- measured in our lab" in ran.out


def test_a_broken_project_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "aifactory.yaml").write_text("aifactory: v1\ncatalog: [none]\n", encoding="utf-8")
    ran = call("catalog", cwd=tmp_path)
    assert ran.code == 1
    assert ran.err.startswith('aifactory.yaml:2:11: catalog[0]: there is no folder "none"')
