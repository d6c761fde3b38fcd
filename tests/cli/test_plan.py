"""`aifactory plan`: decisions with reasons, for people and as data."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from aifactory.cli.plan_text import assigned_text, value_text, wrapped
from support.command import call, spawn
from support.written import BLUEPRINT, SITE, write_project

SHIPPED = sorted((Path(__file__).parents[2] / "blueprints" / "library").glob("*.yaml"))
OTHER = SITE.replace("site: lab", "site: other")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_plan_fits_the_terminal_and_gives_each_value_a_reason(path: Path, columns: int) -> None:
    lines = spawn("plan", path, env={"COLUMNS": str(columns)}).out.splitlines()
    wide = [line for line in lines if len(line) > columns]
    assert all(" " not in line.strip() for line in wide), wide  # a word longer than the terminal stays whole
    decisions = [
        index for index, line in enumerate(lines) if line.startswith("  ") and " = " in line and line[2] != " "
    ]
    assert len(decisions) > 50
    assert all(lines[index + 1].startswith("      ") for index in decisions)
    assert lines[-1].startswith("plan sha256:")


def test_each_stack_begins_with_its_place_and_each_part_with_its_rows(tmp_path: Path) -> None:
    lines = call("plan", write_project(tmp_path)).out.splitlines()
    assert lines[0] == "demo-lab-platform"
    assert lines[1].startswith("  on-prem in Köln, Kubernetes 1.35.6, ")
    assert [line.split()[1] for line in lines if line.startswith("  ") and line.endswith("rows)")] == [
        "(cluster,",
        "(fabric,",
        "(gpu-node-pool,",
        "(queue,",
    ]


def test_details_add_alternatives_and_facts(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    plain, details = call("plan", path).out, call("plan", path, "--details").out
    assert "facts: accelerators/nvidia-h200-sxm" in details
    assert "      not " in details
    assert "facts: " not in plain
    assert "      not " not in plain


def test_one_site_is_shown_and_the_digest_is_still_that_of_all(tmp_path: Path) -> None:
    path = write_project(tmp_path, BLUEPRINT.replace("[lab]", "[lab, other]"), other=OTHER)
    both, one = (json.loads(call("plan", path, "--format", "json", *words).out) for words in ((), ("--site", "other")))
    assert list(both["stacks"]) == ["demo-lab-platform", "demo-other-platform"]
    assert list(one["stacks"]) == ["demo-other-platform"]
    assert one["digest"] == both["digest"]
    assert one["stacks"]["demo-other-platform"] == both["stacks"]["demo-other-platform"]


def test_the_plan_as_data_holds_no_number_that_a_reader_might_round(tmp_path: Path) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is a fraction")

    json.loads(call("plan", write_project(tmp_path), "--format", "json").out, parse_float=refuse)


def test_an_override_is_shown_with_its_reason(tmp_path: Path) -> None:
    patch = "patch: {metadata: {labels: {a: b}}}, reason: the site asks for it"
    override = f"overrides: [{{row: Cohort.kueue.x-k8s.io/teams, {patch}}}]"
    path = write_project(tmp_path, BLUEPRINT.replace("    pools: [train]\n", f"    pools: [train]\n    {override}\n"))
    ran = call("plan", path)
    assert ran.code == 0, ran.err
    assert "  overridden: Cohort.kueue.x-k8s.io/teams: the site asks for it\n" in ran.out


def test_what_cannot_be_built_is_told_and_no_plan_is_shown(tmp_path: Path) -> None:
    ran = call("plan", write_project(tmp_path, BLUEPRINT.replace("nodes: 2", "nodes: 9")))
    assert (ran.code, ran.out) == (1, "")
    assert "[GPU-012] (at lab)" in ran.err
    assert ran.err.splitlines()[-1].endswith(" problem.") or ran.err.splitlines()[-1].endswith(" problems.")


def test_warnings_go_to_stderr_beside_the_plan(tmp_path: Path) -> None:
    ran = call(
        "plan", write_project(tmp_path, BLUEPRINT.replace("{name: research, gpus: 8}", "{name: research, gpus: 7}"))
    )
    assert ran.code == 0
    assert "warning: " in ran.err
    assert "warning: " not in ran.out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ("", "none"),
        ([], "none"),
        ({}, "none"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (Decimal("81.6"), "81.6"),
        (["a", 1], "a, 1"),
        ([{"a": 1}, {}], "2 items"),
        ({"a": 1, "b": None, "c": True}, "a=1, b=none, c=yes"),
        ({"a": {"b": 1}, "c": {}, "d": [1, 2], "e": [[1]]}, "a={b=1}, c=none, d=[1, 2], e=[1 item]"),
        ({"a": {"b": {"c": 1}, "d": [2]}}, "a={…}"),
        ("x" * 200, "x" * 159 + "…"),
    ],
)
def test_a_value_is_shown_on_one_line(value: object, text: str) -> None:
    assert value_text(value) == text


def test_a_long_assignment_is_folded_below_its_path() -> None:
    text = assigned_text("a.path", ["word"] * 12, 40, "  ", "because ")
    assert text.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines() == [
        "  because a.path = word, word, word,",
        "        word, word, word, word, word,",
        "        word, word, word, word",
    ]


def test_a_word_that_is_longer_than_the_line_is_not_broken() -> None:
    assert wrapped("a " + "x-" * 30, 20, "  ").splitlines() == ["  a", "  " + "x-" * 30]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_blueprint_is_shown_as_data_one_plan_a_site(path: Path) -> None:
    done = call("plan", path, "--format", "json")
    assert done.code == 0, done.err
    sites = [stack["site"] for stack in json.loads(done.out)["stacks"].values()]
    assert sites
    assert len(sites) == len(set(sites)), "a site with a base has one plan, too"
