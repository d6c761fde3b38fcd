"""`aifactory check`: the verdict for people and for CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aifactory.cli import judgement
from aifactory.stacks.estimate.gates import rules as estimate_rules
from aifactory.stacks.planning.passes import rules
from support.command import call, files_below, spawn
from support.written import BLUEPRINT, SITE, write_project

SHIPPED = Path(__file__).parents[2] / "blueprints" / "library"
OTHER = SITE.replace("site: lab", "site: other")
LEFT_OPEN = {
    # L40S is unmeasured, metrics have no copy, some prices of the region were read months ago.
    "cloud-burst": ("SRV-011", "SRV-017", "STO-022", "EST-006"),
    "edge-slm": ("SRV-011", "SRV-017", "SRV-018"),  # one node, and a digest that is the user's to set
    "inference-l4": ("SRV-011", "SRV-017", "SRV-018", "GTW-006", "GTW-015", "STO-022"),  # one node, a workbench
    # A digest is the user's to set; metrics have no copy; some prices were read months ago.
    "public-inference": ("SRV-017", "STO-022", "EST-006"),
    "rag-private": ("SRV-011", "SRV-017"),  # embedding models are unmeasured, digests are the user's to set
    # A digest is the user's to set; offload wears the example's drives; costs are examples.
    "sovereign-inference": ("SRV-017", "STO-053", "EST-012"),
}
"""Rules that warn about a shipped blueprint, and mean to."""
FINDING = {
    "rule",
    "severity",
    "stack",
    "target",
    "message",
    "remediation",
    "file",
    "line",
    "column",
    "waived_by",
}


def checked(path: Path, *words: str) -> dict[str, Any]:
    """The verdict of a blueprint as data."""
    ran = call("check", path, *words, "--format", "json")
    assert ran.err == ""
    data: dict[str, Any] = json.loads(ran.out)
    expected = {"allowed": 0, "denied": 1, "error": 3, "undecided": 4}
    assert ran.code == expected[data["verdict"]]
    return data


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_blueprint_is_allowed_and_says_what_is_left_to_decide(path: Path) -> None:
    data = checked(path)
    found = {(finding["rule"], finding["severity"]) for finding in data["findings"]}
    assert (data["verdict"], found) == ("allowed", {(rule, "medium") for rule in LEFT_OPEN.get(path.stem, ())})


def test_the_verdict_has_the_fields_of_the_contract(tmp_path: Path) -> None:
    data = checked(write_project(tmp_path))
    assert set(data) == {"schema", "verdict", "findings", "rules", "digests"}
    assert data["schema"] == "aifactory-check/v1"
    assert {rule["id"] for rule in data["rules"]} == set(rules()) | set(estimate_rules())
    assert {rule["level"] for rule in data["rules"]} == {"mandatory", "advisory"}
    assert all(set(rule) == {"id", "level", "evaluated", "count"} for rule in data["rules"])
    assert set(data["digests"]) == {"plan", "data", "rules"}
    assert all(digest.startswith("sha256:") and len(digest) == 71 for digest in data["digests"].values())


def test_a_finding_of_a_rule_names_stack_place_and_cure(tmp_path: Path) -> None:
    data = checked(write_project(tmp_path, BLUEPRINT.replace("nodes: 2", "nodes: 5")))
    finding = next(finding for finding in data["findings"] if finding["rule"] == "GPU-012")
    assert set(finding) == FINDING
    assert (finding["severity"], finding["stack"], finding["target"]) == ("high", "demo-lab-platform", "parts[0].nodes")
    assert (finding["file"], finding["line"], finding["column"]) == ("factory.yaml", 10, 12)
    assert "5 nodes" in finding["message"]
    assert finding["remediation"]
    assert finding["waived_by"] == ""
    rule = next(rule for rule in data["rules"] if rule["id"] == "GPU-012")
    assert (rule["level"], rule["count"]) == ("mandatory", 1)
    assert rule["evaluated"] >= 1
    assert data["digests"].keys() == {"rules"}


def test_input_that_does_not_load_is_denied_by_the_language(tmp_path: Path) -> None:
    data = checked(write_project(tmp_path, BLUEPRINT.replace("h200", "b20")))
    assert data["verdict"] == "denied"
    (finding,) = data["findings"]
    assert (finding["rule"], finding["severity"], finding["stack"]) == ("language", "high", "")
    assert (finding["target"], finding["file"], finding["line"]) == ("parts[0].accelerator", "factory.yaml", 9)
    assert data["rules"] == []


def test_a_warning_is_shown_and_allows(tmp_path: Path) -> None:
    path = write_project(tmp_path, BLUEPRINT.replace("{name: research, gpus: 8}", "{name: research, gpus: 7}"))
    data = checked(path)
    assert data["verdict"] == "allowed"
    assert {finding["severity"] for finding in data["findings"]} == {"medium"}
    ran = call("check", path)
    assert ran.code == 0
    assert ran.out.startswith("allowed: 0 problems, 1 warning; ")
    assert "warning: parts[1].tenants[0]" in ran.err


def test_a_verdict_over_no_rule_at_all_is_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours does that; a plan whose rules never ran must not be allowed all the same."""
    monkeypatch.setattr(judgement, "_counts", lambda *_: [])
    path = write_project(tmp_path)
    assert checked(path)["verdict"] == "undecided"
    ran = call("check", path)
    assert (ran.code, ran.out) == (4, "undecided: 0 problems, 0 warnings; no rule was reached\n")


def test_a_rule_that_had_nothing_to_judge_is_counted_as_never_evaluated(tmp_path: Path) -> None:
    data = checked(write_project(tmp_path))
    idle = [rule["id"] for rule in data["rules"] if rule["evaluated"] == 0]
    assert "TRN-001" in idle
    applied = len(data["rules"]) - len(idle)
    assert f"; {applied} of {len(data['rules'])} rules applied, " in call("check", tmp_path / "factory.yaml").out


def test_a_failure_of_the_check_is_an_error_and_never_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(judgement, "prepare", fails)
    ran = call("check", write_project(tmp_path), "--format", "json")
    data = json.loads(ran.out)
    assert (ran.code, data["verdict"]) == (3, "error")
    assert data["findings"][0]["severity"] == "critical"
    assert "RuntimeError" in ran.err


def test_one_site_can_be_judged_by_itself(tmp_path: Path) -> None:
    blueprint = BLUEPRINT.replace("[lab]", "[lab, other]")
    both = call("check", write_project(tmp_path, blueprint, other=OTHER.replace("9000", "8000")))
    path = write_project(tmp_path, blueprint, other=OTHER.replace("kw_per_rack: 44.0", "kw_per_rack: 1"))
    denied = call("check", path)
    assert (both.code, denied.code) == (0, 1)
    assert "(at other)" in denied.err
    assert call("check", path, "--site", "lab").code == 0
    assert call("check", path, "--site", "other").code == 1
    assert call("check", path, "--site", "lab", "--site", "other").code == 1


def test_an_unknown_site_is_refused_with_the_nearest(tmp_path: Path) -> None:
    ran = call("check", write_project(tmp_path), "--site", "lba")
    assert ran.code == 1
    assert ran.err == '"lba" is not a site of this blueprint\nhint: did you mean "lab"? Known: lab\n'


def test_a_parameter_can_be_set(tmp_path: Path) -> None:
    text = BLUEPRINT.replace("name: demo", "name: demo\nparameters: {count: {type: integer, default: 2}}")
    path = write_project(tmp_path, text.replace("nodes: 2", "nodes: {parameter: count}"))
    assert call("check", path).code == 0
    ran = call("check", path, "--set", "count=9")
    assert ran.code == 1
    assert "9 nodes" in ran.err


def test_the_check_writes_nothing(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    before = files_below(tmp_path)
    call("check", path)
    call("check", path, "--format", "json")
    assert files_below(tmp_path) == before


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"PYTHONHASHSEED": "0"}, "."),
        ({"PYTHONHASHSEED": "4242"}, "sites"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0"}, "."),
        ({"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "."),
        ({"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}, "/"),
        ({"TZ": "Pacific/Kiritimati"}, "/"),
        ({"PYTHONIOENCODING": "latin-1"}, "."),
        ({"COLUMNS": "40", "NO_COLOR": "1"}, "."),
    ],
)
@pytest.mark.parametrize("verb", ["check", "plan", "explain"])
def test_same_input_same_bytes_whatever_the_surroundings(
    tmp_path: Path, verb: str, env: dict[str, str], folder: str
) -> None:
    """Hash seed, locale, time zone, encoding, folder; and another place of the project in the file system."""
    words = ["train", "--format", "json"] if verb == "explain" else ["--format", "json"]
    blueprint = BLUEPRINT.replace("gpus: 8}", "gpus: 7}")  # with warnings
    path = write_project(tmp_path / "a", blueprint)
    elsewhere = write_project(tmp_path / "b" / "ü", blueprint)
    plain = call(verb, path, *words)
    assert plain.code == 0
    assert spawn(verb, elsewhere, *words, env=env, cwd=tmp_path / "a" / folder) == plain


def test_comments_and_the_order_of_keys_change_no_digest(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    before = checked(path)["digests"]
    text = BLUEPRINT.replace("name: demo\n", "").replace("parts:\n", "# a remark\n\nparts:\n") + "name: demo\n"
    text = text.replace("    nodes: 2\n    fabric: rdma\n", "    fabric: rdma\n    nodes: 2\n")
    path.write_text(text, encoding="utf-8")
    assert checked(path)["digests"] == before
    path.write_text(BLUEPRINT.replace("gpus: 8}", "gpus: 4}"), encoding="utf-8")
    assert checked(path)["digests"]["plan"] != before["plan"]
