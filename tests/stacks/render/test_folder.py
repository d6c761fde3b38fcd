"""`generate` as a whole: all stacks or none, the same bytes everywhere, and an interrupted run is finished."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aifactory.cli.generating import generate_all
from aifactory.components.problems import Refused
from aifactory.stacks.render import output
from support import shipped

WORK = "training-roce"
STACKS = [name for name in shipped.STACKS if name.startswith(WORK)]


def tree(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Content, mode and time of every file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            there = path.stat()
            found[str(path.relative_to(folder))] = (path.read_bytes(), there.st_mode & 0o777, there.st_mtime_ns)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path: data for path, (data, _, _) in tree(folder).items()}


def generate(out: Path) -> None:
    generate_all(shipped.works()[WORK], out)


def test_every_stack_gets_a_folder_with_all_that_its_readers_look_for(tmp_path: Path) -> None:
    generate(tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(STACKS)
    found = tree(tmp_path / "out")
    for name in STACKS:
        here = {path.removeprefix(f"{name}/") for path in found if path.startswith(f"{name}/")}
        assert {
            "Pulumi.yaml",
            f"Pulumi.{name}.yaml",
            "__main__.py",
            "plan.json",
            "rows.json",
            "README.md",
            "apply.sh",
            "images.txt",
            "argocd/root.yaml",
            "hosts/README.md",
            ".aifactory.json",
        } <= here
        programs = {path for path, (_, mode, _) in found.items() if path.startswith(f"{name}/") and mode & 0o100}
        assert programs == {f"{name}/apply.sh", f"{name}/hosts/set-01/install.sh"}
        assert set(json.loads(found[f"{name}/.aifactory.json"][0])["files"]) == here - {".aifactory.json"}


def test_a_second_run_changes_nothing_not_even_a_time(tmp_path: Path) -> None:
    generate(tmp_path)
    before = tree(tmp_path)
    generate(tmp_path)
    assert tree(tmp_path) == before


def test_nothing_is_written_if_one_stack_is_refused(tmp_path: Path) -> None:
    generate(tmp_path)
    first, second = (tmp_path / name for name in STACKS)
    (first / "apply.sh").unlink()
    (second / "README.md").write_text("edited")
    (second / "images.txt").write_text("edited")
    before = tree(tmp_path)
    with pytest.raises(Refused) as refused:
        generate(tmp_path)
    assert tree(tmp_path) == before
    assert sorted(problem.says.partition(": ")[0] for problem in refused.value.problems) == [
        str(second / "README.md"),
        str(second / "images.txt"),
    ]


def test_problems_of_all_stacks_are_told_at_once(tmp_path: Path) -> None:
    generate(tmp_path)
    for name in STACKS:
        (tmp_path / name / "README.md").write_text("edited")
    with pytest.raises(Refused) as refused:
        generate(tmp_path)
    assert len(refused.value.problems) == len(STACKS)


def test_a_first_run_that_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out" / STACKS[1]).mkdir(parents=True)
    (tmp_path / "out" / STACKS[1] / "README.md").write_text("of somebody else")
    with pytest.raises(Refused):
        generate(tmp_path / "out")
    assert contents(tmp_path / "out") == {f"{STACKS[1]}/README.md": b"of somebody else"}
    assert not (tmp_path / "out" / STACKS[0]).exists()


@pytest.mark.parametrize("made", ["link", "file", "project", "above"])
def test_an_unfit_folder_is_refused_before_anything_is_written(made: str, tmp_path: Path) -> None:
    root = shipped.works()[WORK].loaded.root
    out = {"project": root, "above": root.parent}.get(made, tmp_path / "out")
    if made == "link":
        (tmp_path / "there").mkdir()
        out.symlink_to(tmp_path / "there")
    elif made == "file":
        out.write_text("x")
    with pytest.raises(Refused):
        generate(out)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(WORK)]
    assert not any((out / name).exists() for name in STACKS)


class Stopped(BaseException):
    """As a kill: nothing cleans up after it but what the process does itself."""


@pytest.fixture
def replacing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Renames are counted down, and the run stops when none is left."""
    left = [10**9]
    real = os.replace

    def replace(*args: object) -> None:
        if not left[0]:
            raise Stopped
        left[0] -= 1
        real(*args)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(output.os, "replace", replace)
    return left


@pytest.mark.parametrize("renames", [0, 1, 2, 40, 78, 79, 80, 100, 150])
def test_an_interrupted_run_is_finished_by_the_next(renames: int, replacing: list[int], tmp_path: Path) -> None:
    generate(tmp_path / "wanted")
    replacing[0] = renames
    with pytest.raises(Stopped):
        generate(tmp_path / "out")
    replacing[0] = 10**9
    generate(tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "wanted")


ENVIRONMENTS = [
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC"},
    {"PYTHONHASHSEED": "77", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "COLUMNS": "40"},
]


def test_hash_seed_locale_time_zone_and_folder_change_no_byte(tmp_path: Path) -> None:
    found = []
    for number, environment in enumerate(ENVIRONMENTS):
        project = tmp_path / f"project {number}" / ("x" * number)
        shutil.copytree(shipped.ROOT / "blueprints", project / "blueprints")
        shutil.copy(shipped.ROOT / "aifactory.yaml", project)
        blueprint = project / "blueprints" / "library" / f"{WORK}.yaml"
        cwd = project if number else tmp_path
        named = blueprint.relative_to(project) if number else blueprint
        ran = subprocess.run(
            [
                sys.executable,
                "-c",
                "from aifactory.cli.main import main; main()",
                "generate",
                str(named),
                "--out",
                "out",
            ],
            cwd=cwd,
            env={
                **{key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "PYTHONPATH")},
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        found.append(contents(cwd / "out"))
    assert found[0] == found[1]
    assert str(tmp_path).encode() not in b"".join(found[0].values())
