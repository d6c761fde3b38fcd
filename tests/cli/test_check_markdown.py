"""`aifactory check --format markdown`: a verdict fit for a comment, with and without a base."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.command import call
from support.pull_requests import DAY, OVER, PRICED, repository, rewrite
from support.written import BLUEPRINT, changed, write_project


@pytest.fixture(autouse=True)
def _temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)


def test_markdown_has_a_headline_a_table_and_new_findings_first(tmp_path: Path) -> None:
    path = repository(tmp_path)
    path.write_text(OVER, encoding="utf-8")
    rewrite(tmp_path / "sites" / "lab.yaml", "fte: 1.0", "fte: 2.0")
    ran = call("check", path, "--base", "main", "--format", "markdown", *DAY)
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (1, "")
    assert re.fullmatch(
        r"### demo against main \([0-9a-f]{12}\): monthly cost rises by 10,000 USD \(\+.* %\)", lines[0]
    )
    assert lines[2].startswith("**denied**; findings: 1 new, ")
    table = next(line for line in lines if line.startswith("| demo-lab-platform |"))
    assert "+10,000.00 (" in table
    assert ran.out.index("#### New findings") < ran.out.index("<details>")
    assert ran.out.count("<details>") == ran.out.count("</details>")


def test_markdown_without_a_base_has_verdict_findings_and_costs(tmp_path: Path) -> None:
    path = write_project(tmp_path, OVER, lab=PRICED)
    ran = call("check", path, "--format", "markdown", *DAY)
    assert ran.out.startswith("### demo: denied\n")
    assert "- **error** EST-001 factory.yaml:3: " in ran.out
    assert "| `demo-lab-platform` |" in ran.out


def test_input_that_does_not_load_has_markdown_too(tmp_path: Path) -> None:
    ran = call("check", write_project(tmp_path, BLUEPRINT.replace("h200", "b20")), "--format", "markdown")
    assert (ran.code, ran.err) == (1, "")
    assert "- **error** language factory.yaml:9: " in ran.out


def test_hostile_names_are_no_markup(tmp_path: Path) -> None:
    """Of the base, of a group of nodes, and of what a source says."""
    hostile = "a|<b>`@octocat [x](y)"
    now = changed(PRICED, "source: quote of a vendor", f"source: '{hostile}'").replace("fte: 1.0", "fte: 2.0")
    path = write_project(tmp_path / "now", lab=now)
    write_project(tmp_path / "base" / hostile, lab=PRICED)
    out = call("check", path, "--base", hostile, "--format", "markdown", *DAY, cwd=tmp_path / "base").out
    assert "a\\|&lt;b&gt;\\`@&#8203;octocat \\[x\\](y)" in out.splitlines()[0]
    assert out.count("a\\|&lt;b&gt;") > 1
    for raw in ("<b>", "@octocat", "[x](y)"):
        assert raw not in out
