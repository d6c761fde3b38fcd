"""`aifactory generate`: whole folders, the same each time, and nothing else touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from aifactory.cli.main import cli
from support.command import call, files_below, spawn
from support.written import BLUEPRINT, SITE, write_project

OTHER = SITE.replace("site: lab", "site: other")
SHIPPED = sorted((Path(__file__).parents[2] / "blueprints" / "library").glob("*.yaml"))


def times(folder: Path) -> dict[str, int]:
    """When each file below a folder was changed."""
    return {path.as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_generated_twice_is_written_once(tmp_path: Path, path: Path) -> None:
    first = json.loads(call("generate", path, "--out", tmp_path / "out", "--format", "json").out)
    before = times(tmp_path / "out")
    second = json.loads(call("generate", path, "--out", tmp_path / "out", "--format", "json").out)
    assert times(tmp_path / "out") == before
    assert second["digest"] == first["digest"]
    for name, stack in second["stacks"].items():
        assert set(stack) == {"folder", "rows", "written", "unchanged", "removed"}
        assert (stack["written"], stack["removed"]) == (0, 0)
        assert stack["unchanged"] == first["stacks"][name]["written"] > (20 if name.endswith("-platform") else 5)
        assert stack["rows"] == first["stacks"][name]["rows"]
        assert (tmp_path / "out" / name / "README.md").is_file()


def test_each_stack_gets_a_folder_and_a_few_lines(tmp_path: Path) -> None:
    path = write_project(tmp_path, BLUEPRINT.replace("[lab]", "[lab, other]"), other=OTHER)
    ran = call("generate", path, "--out", tmp_path / "out")
    assert (ran.code, ran.err) == (0, "")
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["demo-lab-platform", "demo-other-platform"]
    for name in ("demo-lab-platform", "demo-other-platform"):
        assert f"\n{name}: " in f"\n{ran.out}"
        assert str(tmp_path / "out" / name) in ran.out
    assert ran.out.rstrip().splitlines()[-1].startswith("Read README.md")


def test_one_site_is_written_and_the_others_are_left_alone(tmp_path: Path) -> None:
    path = write_project(tmp_path, BLUEPRINT.replace("[lab]", "[lab, other]"), other=OTHER)
    call("generate", path, "--out", tmp_path / "all")
    call("generate", path, "--out", tmp_path / "one", "--site", "other")
    assert [each.name for each in (tmp_path / "one").iterdir()] == ["demo-other-platform"]
    assert files_below(tmp_path / "one" / "demo-other-platform") == files_below(
        tmp_path / "all" / "demo-other-platform"
    )


def test_what_is_no_longer_in_the_blueprint_is_removed_and_counted(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    call("generate", path, "--out", tmp_path / "out")
    before = files_below(tmp_path / "out")
    path.write_text(BLUEPRINT.partition("  - kind: queue")[0], encoding="utf-8")
    data = json.loads(call("generate", path, "--out", tmp_path / "out", "--format", "json").out)
    after = files_below(tmp_path / "out")
    assert data["stacks"]["demo-lab-platform"]["removed"] == len(set(before) - set(after)) > 0


def test_an_edited_file_is_never_lost(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    call("generate", path, "--out", tmp_path / "out")
    readme = tmp_path / "out" / "demo-lab-platform" / "README.md"
    readme.write_text("my notes", encoding="utf-8")
    before = files_below(tmp_path / "out")
    ran = call("generate", path, "--out", tmp_path / "out")
    assert (ran.code, ran.out) == (1, "")
    assert "README.md" in ran.err
    assert files_below(tmp_path / "out") == before


def test_a_blueprint_that_cannot_be_built_writes_nothing_and_keeps_what_is_there(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    call("generate", path, "--out", tmp_path / "out")
    before = times(tmp_path / "out")
    path.write_text(BLUEPRINT.replace("nodes: 2", "nodes: 9"), encoding="utf-8")
    ran = call("generate", path, "--out", tmp_path / "out")
    assert (ran.code, ran.out) == (1, "")
    assert "[GPU-012]" in ran.err
    assert ran.err.rstrip().endswith("Nothing was written.")
    assert times(tmp_path / "out") == before


def test_warnings_are_told_and_kept_in_the_readme(tmp_path: Path) -> None:
    path = write_project(tmp_path, BLUEPRINT.replace("{name: research, gpus: 8}", "{name: research, gpus: 7}"))
    ran = call("generate", path, "--out", tmp_path / "out")
    assert ran.code == 0
    assert "warning: " in ran.err
    assert "QUE-005" in (tmp_path / "out" / "demo-lab-platform" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "7"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"TZ": "Pacific/Kiritimati", "SOURCE_DATE_EPOCH": "1"},
        {"USER": "someone", "HOSTNAME": "elsewhere"},
    ],
)
def test_same_input_same_files_whatever_the_surroundings(tmp_path: Path, env: dict[str, str]) -> None:
    assert call("generate", write_project(tmp_path / "a"), "--out", tmp_path / "a" / "out").code == 0
    elsewhere = write_project(tmp_path / "b" / "deep")
    assert spawn("generate", elsewhere.name, "--out", "../out", env=env, cwd=elsewhere.parent).code == 0
    assert files_below(tmp_path / "a" / "out") == files_below(tmp_path / "b" / "out")


def test_programs_may_be_run_and_nothing_else(tmp_path: Path) -> None:
    call("generate", write_project(tmp_path), "--out", tmp_path / "out")
    folder = tmp_path / "out" / "demo-lab-platform"
    assert (folder / "apply.sh").stat().st_mode & 0o100
    assert not (folder / "README.md").stat().st_mode & 0o111


@pytest.mark.parametrize("columns", [80, 120])
def test_the_summary_fits_the_terminal(tmp_path: Path, columns: int) -> None:
    path = write_project(tmp_path)
    out = spawn("generate", path, "--out", "out", cwd=tmp_path, env={"COLUMNS": str(columns)}).out
    assert all(len(line) <= columns for line in out.splitlines()), out


def test_settings_that_pulumi_wrote_survive_the_next_generate(tmp_path: Path) -> None:
    blueprint = str(Path(__file__).parents[2] / "blueprints" / "library" / "training-roce.yaml")
    words = ["generate", blueprint, "--site", "fra-dc1", "--out", str(tmp_path)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    settings = tmp_path / "training-roce-fra-dc1-platform" / "Pulumi.training-roce-fra-dc1-platform.yaml"
    salted = "encryptionsalt: v1:abc\nconfig:\n  aifactory:kubeconfig: /tmp/other\n"
    settings.write_text(salted)
    again = CliRunner().invoke(cli, [*words, "--set", "pretrain_nodes=2"])
    assert again.exit_code == 0, again.output
    assert settings.read_text() == salted
