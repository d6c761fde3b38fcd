"""The flex side of the shipped blueprint that bursts: what may go there, when, and what refuses it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from aifactory.blueprints.load import load
from aifactory.components.problems import Problem, Refused
from aifactory.stacks.planning.factory import plan_factory
from support import shipped

Edit = tuple[str, str]
BLUEPRINT = (shipped.LIBRARY / "cloud-burst.yaml").read_text(encoding="utf-8")
FLEX = "    data_classes: [public]\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the shipped sites."""
    root = tmp_path_factory.mktemp("burst")
    shutil.copytree(shipped.LIBRARY.parent / "sites", root / "sites")
    (root / "aifactory.yaml").write_text("aifactory: v1\n", encoding="utf-8")
    return root


def errors(project: Path, *edits: Edit) -> list[Problem]:
    """What refuses the blueprint after edits of its text."""
    text = BLUEPRINT
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = project / "factory.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        return list(plan_factory(load(path)).findings.errors)
    except Refused as refused:
        return list(refused.problems)


CUSTOMER: Edit = ("      data_class: public\n      requests", "      data_class: customer\n      requests")
NO_CLASS: Edit = ("      data_class: public\n      requests", "      requests")
CASES: list[tuple[str, list[Edit], str, str]] = [
    ("customer data there", [CUSTOMER], "FLX-001", "ask serves llama-3.1-8b for requests of class customer"),
    ("no class", [NO_CLASS], "FLX-001", "ask serves llama-3.1-8b for requests of no stated class"),
    ("a tier without a class", [("    data_class: public                   # metrics of public questions\n", "")],
     "FLX-001", "disks holds data of no stated class"),
    ("telemetry of another class", [("    data_class: public\n    signals", "    data_class: customer\n    signals")],
     "FLX-001", "watch holds data of class customer"),
    ("a model of the door with another class",
     [("      - name: ask\n        legs", "      - name: ask\n        data_class: customer\n        legs")],
     "FLX-001", "model ask of door answers requests of class customer"),
    ("a request that goes on with another class", [CUSTOMER], "FLX-002", "have class customer, and sto-aws is a flex"),
    ("nodes that are there all the time", [("    flex: {usd_per_hour: 40.0}\n", "")],
     "FLX-003", "pool flex holds its nodes all the time"),
    ("more money than is allowed", [("unanswered, usd_per_hour: 40.0", "unanswered, usd_per_hour: 39.0")],
     "FLX-003", "may cost 40 USD per hour together, and the flex side 39"),
    ("nodes without a bound", [("    flex: {usd_per_hour: 40.0}\n", "    flex: {}\n")],
     "FLX-003", "pool flex says no bound of its cost"),
    ("a share of the requests", [("model: llama-3.1-8b, order: 1}", "model: llama-3.1-8b}")],
     "FLX-004", "ask-anywhere asks sto-aws beside or before the core"),
]  # fmt: skip


def test_the_blueprint_as_it_is_shipped_is_planned(project: Path) -> None:
    assert errors(project) == []


@pytest.mark.parametrize(("edits", "rule", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_may_not_burst_is_refused(project: Path, edits: list[Edit], rule: str, says: str) -> None:
    text = [(problem.rule, problem.says, problem.hint) for problem in errors(project, *edits)]
    found = [problem for problem in text if problem[0] == rule and says in problem[1]]
    assert found, text
    assert all(hint for _, _, hint in found)


def test_the_same_data_stays_at_core_sites_without_a_word(project: Path) -> None:
    """Both as core sites: the rules of the flex side are silent, and residency holds alone."""
    flex = BLUEPRINT[BLUEPRINT.index("  flex:\n") : BLUEPRINT.index("  parameters:\n    sto-aws")]
    edits = [(flex, ""), ("core: {sites: [fra-dc1]}", "core: {sites: [fra-dc1, sto-aws]}"), CUSTOMER]
    rules = {problem.rule for problem in errors(project, *edits)}
    assert rules
    assert not any(rule.startswith("FLX") for rule in rules)


LANGUAGE: list[tuple[str, Edit, str, tuple[Any, ...]]] = [
    ("a site on both sides", ("core: {sites: [fra-dc1]}", "core: {sites: [fra-dc1, sto-aws]}"),
     "is a core site, too", ("placement", "flex", "sites", 0)),
    ("a class without rules", (FLEX, "    data_classes: [publik]\n"),
     "has no rules", ("placement", "flex", "data_classes", 0)),
    ("no class at all", (FLEX, "    data_classes: []\n"), "", ("placement", "flex", "data_classes")),
    ("classes left out", (FLEX, ""), "", ("placement", "flex", "data_classes")),
    ("a condition that nobody can keep", ("core: unanswered", "core: busy"),
     "", ("placement", "flex", "when", "core")),
    ("a site that has no file", ("    sites: [sto-aws]\n    data", "    sites: [sto-awz]\n    data"),
     "there is no site file", ("placement", "flex", "sites", 0)),
    ("a site twice", ("    sites: [sto-aws]\n    data", "    sites: [sto-aws, sto-aws]\n    data"),
     "is named twice", ("placement", "flex", "sites", 1)),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "says", "path"), [case[1:] for case in LANGUAGE], ids=[case[0] for case in LANGUAGE])
def test_the_language_says_where_it_is_wrong(project: Path, edit: Edit, says: str, path: tuple[Any, ...]) -> None:
    found = errors(project, edit)
    assert any(problem.path == path and says in problem.says for problem in found), found


def test_the_plan_says_when_and_for_which_data(project: Path) -> None:
    decisions = {
        path: each
        for name in ("fra-dc1", "sto-aws")
        for path, each in shipped.stacks()[f"cloud-burst-{name}-platform"].plan.decisions.items()
    }
    there = decisions["cluster.flex.data_classes"]
    assert there.value == ("public",)
    assert "no replica at a core site answers, for 40 USD per hour at most" in there.reason
    assert decisions["door.burst.llama-3.1-8b-anywhere"].value == "sto-aws"
