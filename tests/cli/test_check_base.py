"""`aifactory check --base`: what changed since a commit of a real repository, or since another folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.command import COMMAND, call, files_below
from support.pull_requests import DAY, OVER, PRICED, against, commit, git, left_over, repository, rewrite, text
from support.written import BLUEPRINT, changed, write_project


@pytest.fixture(autouse=True)
def _temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)


def test_nothing_changed_says_so(tmp_path: Path) -> None:
    path = repository(tmp_path)
    data = against(path, "HEAD")
    assert data["base"] == {
        "name": "HEAD", "commit": git(tmp_path, "rev-parse", "HEAD"), "state": "planned", "problems": [], "notes": []
    }  # fmt: skip
    assert data["changed"]["plan"] == []
    assert data["changed"]["estimate"]["lines"] == data["changed"]["estimate"]["prices"] == []
    cost = data["changed"]["estimate"]["total"]["usd_per_month"]
    assert (cost["before"], cost["direction"], cost["change_percent"]) == (cost["after"], "same", 0.0)
    assert text(path, "HEAD").out.splitlines()[0].endswith("monthly cost stays the same")


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ("fte: 1.0", "fte: 2.0", "rises"),
        ("fte: 1.0", "fte: 0.5", "falls"),
        ("price: 15000.0", "price: 30000.0", "rises"),
    ],
)
def test_cost_moves_by_what_the_line_moves(tmp_path: Path, old: str, new: str, direction: str) -> None:
    path = repository(tmp_path)
    rewrite(tmp_path / "sites" / "lab.yaml", old, new)
    found = against(path, "HEAD")["changed"]["estimate"]
    cost = found["total"]["usd_per_month"]
    assert cost["direction"] == direction
    moved = sum(line["usd_per_month_change"] for line in found["lines"])
    assert cost["change"]["expected"] == pytest.approx(moved, abs=0.02)
    assert cost["after"]["expected"] - cost["before"]["expected"] == pytest.approx(moved, abs=0.02)
    assert cost == found["stacks"]["demo-lab-platform"]["usd_per_month"]
    share = 100 * moved / cost["before"]["expected"]
    assert cost["change_percent"] == pytest.approx(share, abs=0.06)


def test_another_person_costs_ten_thousand_a_month(tmp_path: Path) -> None:
    """120,000 USD a year, one more of them."""
    path = repository(tmp_path)
    rewrite(tmp_path / "sites" / "lab.yaml", "fte: 1.0", "fte: 2.0")
    lines = text(path, "main").out.splitlines()
    assert re.fullmatch(r"against main \([0-9a-f]{12}\): monthly cost rises by 10,000 USD \(\+\d+(\.\d)? %\)", lines[0])
    people = next(line for line in lines if line.startswith("  site: people"))
    assert people.split()[2:] == ["10,000.00", "20,000.00", "+10,000.00"]
    assert max(map(len, lines)) <= 100


def test_a_price_that_changed_is_told_once_with_both_sides(tmp_path: Path) -> None:
    path = repository(tmp_path)
    rewrite(tmp_path / "sites" / "lab.yaml", "usd_per_kwh: 0.19", "usd_per_kwh: 0.25")
    (price,) = against(path, "HEAD")["changed"]["estimate"]["prices"]
    assert (price["name"], price["before"]["expected"], price["after"]["expected"]) == ("energy", 0.19, 0.25)
    assert len(price["items"]) == 2
    assert "0.19 became 0.25 USD/kWh" in " ".join(text(path, "HEAD").out.split())


def test_a_price_that_was_only_read_again_is_told_and_costs_nothing(tmp_path: Path) -> None:
    path = repository(tmp_path)
    rewrite(tmp_path / "sites" / "lab.yaml", 'seen: "2026-11-01"', 'seen: "2026-11-18"')
    found = against(path, "HEAD")["changed"]["estimate"]
    assert {(price["before"]["seen"], price["after"]["seen"]) for price in found["prices"]} == {
        ("2026-11-01", "2026-11-18")
    }
    assert found["total"]["usd_per_month"]["direction"] == "same"


def test_rows_and_decisions_are_those_of_diff(tmp_path: Path) -> None:
    path = repository(tmp_path)
    rewrite(path, "name: product", "name: sales")
    plan = against(path, "HEAD")["changed"]["plan"]
    told = {(change["subject"], change["verb"], change["target"]) for change in plan}
    assert {("row", "added", "Namespace/sales"), ("row", "removed", "Namespace/product")} <= told
    before = tmp_path.parent / f"{tmp_path.name}-before"
    git(tmp_path, "worktree", "add", "-q", str(before), "HEAD")
    other = json.loads(call("diff", before / "factory.yaml", path, "--format", "json").out)
    assert plan == other["changes"]


def test_a_new_finding_denies_and_comes_first(tmp_path: Path) -> None:
    path = repository(tmp_path)
    path.write_text(OVER, encoding="utf-8")
    data = against(path, "HEAD", "--new-only")
    assert data["verdict"] == "denied"
    assert [finding["rule"] for finding in data["changed"]["findings"]["new"]] == ["EST-001"]
    assert text(path, "HEAD").err.startswith("new since HEAD")


def test_findings_of_the_base_deny_unless_new_ones_alone_count(tmp_path: Path) -> None:
    path = repository(tmp_path, OVER)
    name = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert against(path, "HEAD")["verdict"] == "denied"
    data = against(path, "HEAD", "--new-only")
    assert data["verdict"] == "allowed"
    assert [(each["rule"], each["waived_by"]) for each in data["findings"] if each["severity"] == "high"] == [
        ("EST-001", f"base HEAD ({name})")
    ]
    ran = text(path, "HEAD", "--new-only")
    assert (ran.code, ran.out.splitlines()[-1].split(":")[0]) == (0, "allowed")
    assert "of the base" in ran.err


def test_a_finding_is_the_same_wherever_its_line_and_its_place_in_a_list_went(tmp_path: Path) -> None:
    warned = changed(BLUEPRINT, "{name: research, gpus: 8}", "{name: research, gpus: 7}")
    path = repository(tmp_path, warned)
    rewrite(path, "parts:\n", "# a remark\n\nparts:\n")
    rewrite(path, "      - {name: research", "      - {name: another, gpus: 1}\n      - {name: research")
    found = against(path, "HEAD")["changed"]["findings"]
    (same,) = found["same"]
    assert (same["target"], same["line"]) == ("parts[1].tenants[1].gpus", 19)
    assert ["tenants[0]" in each["target"] for each in found["new"]] == [True]
    assert found["gone"] == []


def test_a_second_finding_of_a_kind_is_new(tmp_path: Path) -> None:
    other = PRICED.replace("site: lab", "site: other")
    path = repository(tmp_path, changed(OVER, "[lab]", "[lab, other]"), other=other)
    rewrite(tmp_path / "sites" / "other.yaml", "  support: [DE, NL]", "  support: [DE, NL]\n  colour: red")
    data = against(path, "HEAD", "--new-only")
    assert data["verdict"] == "denied"
    assert [each["rule"] for each in data["changed"]["findings"]["new"]] == ["language"]


def test_a_limit_that_is_passed_by_less_than_before_is_no_new_finding(tmp_path: Path) -> None:
    path = repository(tmp_path, OVER)
    site = tmp_path / "sites" / "lab.yaml"
    rewrite(site, "fte: 1.0", "fte: 0.9")
    assert against(path, "HEAD", "--new-only")["verdict"] == "allowed"
    rewrite(site, "fte: 0.9", "fte: 1.1")
    data = against(path, "HEAD", "--new-only")
    assert data["verdict"] == "denied"
    assert [each["rule"] for each in data["changed"]["findings"]["new"]] == ["EST-001"]


def test_a_finding_that_is_gone_is_told(tmp_path: Path) -> None:
    path = repository(tmp_path, OVER)
    path.write_text(BLUEPRINT, encoding="utf-8")
    found = against(path, "HEAD")["changed"]["findings"]
    assert [each["rule"] for each in found["gone"]] == ["EST-001"]
    assert "gone: " in text(path, "HEAD").out


def test_of_a_new_blueprint_everything_is_new(tmp_path: Path) -> None:
    repository(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(changed(OVER, "name: demo", "name: second"), encoding="utf-8")
    data = against(other, "HEAD", "--new-only")
    assert (data["base"]["state"], data["verdict"]) == ("absent", "denied")
    cost = data["changed"]["estimate"]["stacks"]["second-lab-platform"]["usd_per_month"]
    assert cost["before"] is None
    assert cost["after"]["expected"] > 10_000
    assert data["changed"]["plan"] == [
        {
            "stack": "second-lab-platform", "subject": "stack", "verb": "added", "target": "second-lab-platform",
            "says": "stack second-lab-platform is new", "before": None, "after": None, "fields": [],
        }
    ]  # fmt: skip
    assert re.search(r"everything is new, [\d,]+ USD a month", text(other, "HEAD").out)


@pytest.mark.parametrize("wrong", ["accelerator: b20", "accelerator: h200\n    colour: red", "nodes: 5"])
def test_a_base_that_cannot_be_planned_is_said_and_waives_nothing(tmp_path: Path, wrong: str) -> None:
    old = "nodes: 2" if wrong == "nodes: 5" else "accelerator: h200"
    path = repository(tmp_path, changed(OVER, old, wrong))
    path.write_text(OVER, encoding="utf-8")
    data = against(path, "HEAD", "--new-only")
    assert (data["base"]["state"], data["verdict"]) == ("refused", "denied")
    assert data["base"]["problems"]
    assert (data["changed"]["estimate"], data["changed"]["plan"]) == (None, None)
    assert data["changed"]["findings"]["gone"]
    ran = text(path, "HEAD")
    assert "the base can't be planned" in ran.out
    path.write_text(BLUEPRINT, encoding="utf-8")
    assert against(path, "HEAD", "--new-only")["verdict"] == "allowed"


def test_a_head_that_cannot_be_planned_is_denied_and_nothing_counts_as_gone(tmp_path: Path) -> None:
    path = repository(tmp_path, OVER)
    rewrite(path, "h200", "b20")
    data = against(path, "HEAD", "--new-only")
    assert data["verdict"] == "denied"
    assert data["changed"]["findings"]["gone"] == []
    assert data["changed"]["estimate"] is None
    assert "this can't be planned" in text(path, "HEAD").out


@pytest.mark.parametrize(
    "base", ["mian", "origin/main", "-x", "--output=x", "HEAD~7", "0" * 40, "", "a b", "HEAD:sites"]
)
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_an_unknown_base_is_denied_with_what_to_do(tmp_path: Path, base: str, form: str) -> None:
    path = repository(tmp_path)
    before = files_below(tmp_path)
    ran = call("check", path, f"--base={base}", "--new-only", "--format", form, *DAY)
    assert ran.code == 1
    said = ran.err if form == "text" else ran.out
    assert "no commit, branch or tag that this repository has" in said
    assert "git fetch" in said
    assert files_below(tmp_path) == before


def test_a_shallow_clone_says_that_it_is_shallow(tmp_path: Path) -> None:
    repository(tmp_path / "origin")
    git(tmp_path / "origin", "tag", "first")
    rewrite(tmp_path / "origin" / "sites" / "lab.yaml", "fte: 1.0", "fte: 2.0")
    commit(tmp_path / "origin")
    git(tmp_path, "clone", "-q", "--depth=1", "--no-tags", f"file://{tmp_path}/origin", "clone")
    ran = text(tmp_path / "clone" / "factory.yaml", "first")
    assert ran.code == 1
    assert "this clone is shallow: git fetch --unshallow" in ran.err


def test_no_repository_at_all_is_said(tmp_path: Path) -> None:
    ran = text(write_project(tmp_path), "main")
    assert ran.code == 1
    assert "hint: name a folder that holds a copy of the project" in ran.err
    assert "lies in no git repository" in ran.err


def test_a_machine_without_git_compares_with_folders_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = repository(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no git on PATH" in text(path, "main").err
    assert against(path, tmp_path / "b")["changed"]["plan"] == []


def test_a_folder_is_a_base_too(tmp_path: Path) -> None:
    path = write_project(tmp_path / "now", lab=changed(PRICED, "fte: 1.0", "fte: 2.0"))
    write_project(tmp_path / "before", lab=PRICED)
    data = against(path, tmp_path / "before")
    assert (data["base"]["commit"], data["base"]["state"]) == (None, "planned")
    assert data["changed"]["estimate"]["total"]["usd_per_month"]["change"]["expected"] == 10_000.0


def test_a_folder_without_the_file_is_refused_and_a_project_without_it_makes_it_new(tmp_path: Path) -> None:
    path = write_project(tmp_path / "now", lab=PRICED)
    (tmp_path / "empty").mkdir()
    ran = text(path, tmp_path / "empty")
    assert ran.code == 1
    assert 'holds no "factory.yaml", and no project' in ran.err
    (tmp_path / "empty" / "aifactory.yaml").write_text("aifactory: v1\n")
    assert against(path, tmp_path / "empty")["base"]["state"] == "absent"


def test_both_sides_get_the_same_values_and_one_that_is_new_stays_with_us(tmp_path: Path) -> None:
    declared = "name: demo\nparameters: {people: {type: integer, default: 8}}"
    path = repository(tmp_path, changed(BLUEPRINT, "name: demo", declared).replace("gpus: 8}\n      - {name: p", "gpus: {parameter: people}}\n      - {name: p"))  # fmt: skip # noqa: E501
    assert against(path, "HEAD", "--set", "people=4")["changed"]["plan"] == []
    rewrite(path, "parameters: {", "parameters: {more: {type: integer, default: 1}, ")
    rewrite(path, "{name: product, gpus: 8}", "{name: product, gpus: {parameter: more}}")
    data = against(path, "HEAD", "--set", "people=4", "--set", "more=8")
    assert data["base"]["notes"] == ["parameter more is new, so --set doesn't reach the base"]
    assert data["changed"]["plan"] == []


def test_a_site_that_is_new_is_compared_with_nothing(tmp_path: Path) -> None:
    path = repository(tmp_path)
    other = PRICED.replace("site: lab", "site: other")
    (tmp_path / "sites" / "other.yaml").write_text(other, encoding="utf-8")
    rewrite(path, "sites: [lab]", "sites: [lab, other]")
    found = against(path, "HEAD")["changed"]["estimate"]
    assert found["stacks"]["demo-other-platform"]["usd_per_month"]["before"] is None
    total = found["total"]["usd_per_month"]
    assert total["change"] == found["stacks"]["demo-other-platform"]["usd_per_month"]["after"]
    assert list(against(path, "HEAD", "--site", "lab")["changed"]["estimate"]["stacks"]) == ["demo-lab-platform"]
    only = against(path, "HEAD", "--site", "other")
    assert only["base"]["state"] == "planned"
    assert list(only["changed"]["estimate"]["stacks"]) == ["demo-other-platform"]


def test_a_project_in_a_folder_of_a_repository_is_found_at_its_place(tmp_path: Path) -> None:
    write_project(tmp_path / "infra" / "ai", lab=PRICED)
    (tmp_path / "aifactory.yaml").write_text("this: is another project\n")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    rewrite(tmp_path / "infra" / "ai" / "sites" / "lab.yaml", "fte: 1.0", "fte: 2.0")
    data = against(tmp_path / "infra" / "ai" / "factory.yaml", "HEAD")
    assert data["changed"]["estimate"]["total"]["usd_per_month"]["change"]["expected"] == 10_000.0


def test_a_project_that_the_base_does_not_have_is_new(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "README.md").write_text("nothing\n")
    commit(tmp_path)
    path = write_project(tmp_path / "ai", lab=PRICED)
    assert against(path, "HEAD")["base"]["state"] == "absent"


def test_the_project_of_the_base_ends_where_it_ends_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A marker above the folder of temporary files must not make it a part of another project."""
    path = repository(tmp_path / "a")
    git(tmp_path / "a", "rm", "-q", "--cached", "aifactory.yaml")
    git(tmp_path / "a", "commit", "-q", "-m", "no marker")
    (tmp_path / "outer" / "temporary").mkdir(parents=True)
    (tmp_path / "outer" / "aifactory.yaml").write_text("no: project\n")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "outer" / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert against(path, "HEAD")["changed"]["plan"] == []


def test_what_git_archive_would_leave_out_or_rewrite_is_read_as_committed(tmp_path: Path) -> None:
    path = repository(tmp_path)
    (tmp_path / ".gitattributes").write_text("sites export-ignore\nfactory.yaml filter=boom\n*.yaml export-subst\n")
    commit(tmp_path)
    git(tmp_path, "config", "filter.boom.smudge", "false")
    assert against(path, "HEAD")["base"]["state"] == "planned"


def test_a_link_in_the_base_leads_where_it_leads_now_and_nowhere_outside(tmp_path: Path) -> None:
    path = repository(tmp_path / "a")
    (tmp_path / "a" / "sites" / "lab.yaml").rename(tmp_path / "a" / "real.yaml")
    (tmp_path / "a" / "sites" / "lab.yaml").symlink_to("../real.yaml")
    commit(tmp_path / "a")
    assert against(path, "HEAD")["changed"]["plan"] == []
    (tmp_path / "secret.yaml").write_text(PRICED)
    (tmp_path / "a" / "sites" / "lab.yaml").unlink()
    (tmp_path / "a" / "sites" / "lab.yaml").symlink_to(tmp_path / "secret.yaml")
    commit(tmp_path / "a")
    data = against(path, "HEAD")
    assert data["base"]["state"] == "refused"
    assert any("lies outside the project" in each["message"] for each in data["base"]["problems"])


def test_a_tree_that_climbs_out_of_its_folder_writes_nothing(tmp_path: Path) -> None:
    """A tree object whose entry is called `..`: git itself makes none, and a hostile pack may hold one."""
    path = repository(tmp_path / "a")
    blob = git(tmp_path / "a", "rev-parse", "HEAD:factory.yaml")
    inner = b"100644 evil.yaml\0" + bytes.fromhex(blob)
    folder = _object(tmp_path / "a", inner)
    tree = _object(tmp_path / "a", b"40000 ..\0" + bytes.fromhex(folder))
    made = git(tmp_path / "a", "commit-tree", "-m", "evil", tree)
    ran = text(path, made)
    assert ran.code == 1
    assert "the commit holds a file called" in ran.err
    assert not list(tmp_path.parent.rglob("evil.yaml"))


def _object(folder: Path, content: bytes) -> str:
    ran = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        cwd=folder, input=content, capture_output=True, check=True,
    )  # fmt: skip
    return ran.stdout.decode().strip()


def test_it_works_inside_a_hook_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = repository(tmp_path / "a")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    assert against(path, "HEAD")["base"]["state"] == "planned"


def test_nothing_is_written_and_nothing_stays(tmp_path: Path) -> None:
    path = repository(tmp_path)
    before = files_below(tmp_path)
    for form in ("text", "json", "markdown"):
        assert call("check", path, "--base", "HEAD", "--format", form, *DAY).code == 0
    assert files_below(tmp_path) == before
    assert left_over() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_is_temporary_goes_when_the_run_is_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    """Git is replaced by one that lists files and then never answers, so that the run is caught in its middle."""
    path = repository(tmp_path / "a")
    (tmp_path / "bin").mkdir()
    slow = f'#!/bin/sh\ncase "$*" in *cat-file*) exec sleep 60;; esac\nexec {shutil.which("git")} "$@"\n'
    (tmp_path / "bin" / "git").write_text(slow)
    (tmp_path / "bin" / "git").chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    run = subprocess.Popen(
        [COMMAND, "check", str(path), "--base", "HEAD"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 30
    while not left_over() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_over()
    time.sleep(0.2)
    run.send_signal(number)
    run.communicate(timeout=30)
    assert run.returncode == (130 if number == signal.SIGINT else 128 + number)
    assert left_over() == []


def test_new_only_needs_a_base(tmp_path: Path) -> None:
    ran = call("check", write_project(tmp_path), "--new-only")
    assert ran.code == 2
    assert "--new-only needs a base" in ran.err


def test_a_day_that_is_none_is_a_finding_on_our_side(tmp_path: Path) -> None:
    ran = call("check", repository(tmp_path), "--base", "HEAD", "--as-of", "yesterday", "--format", "json")
    data = json.loads(ran.out)
    assert (ran.code, data["verdict"]) == (1, "denied")
    assert any("is not a day" in finding["message"] for finding in data["findings"])
