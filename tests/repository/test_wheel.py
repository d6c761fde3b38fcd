"""The wheel is whole: in an empty environment, outside the repository, without a network."""

import json
import sys
import zipfile
from pathlib import Path

import pytest

from support.installed import build_wheel, dependencies, files_below, install, run
from support.source_tree import ROOMS, ROOT

EXAMPLES = sorted(path.stem for path in (ROOT / "blueprints" / "library").glob("*.yaml"))
OURS = Path(sys.executable).with_name("aifactory")
"""The command of the repository's own environment."""
ANSWERS = (
    *("--name", "lab", "--site", "lab-1", "--venue", "on-prem", "--country", "DE", "--accelerator", "h200"),
    *("--nodes", "4", "--fabric", "none", "--tenant", "research"),
)
DATA = (
    "blueprints/schema",
    "blueprints/library",
    "blueprints/sites",
    "components/catalog",
    "stacks/render/templates",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def aifactory(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that has our wheel and what it depends on."""
    return install(wheel, tmp_path_factory.mktemp("environment"))


def test_the_wheel_holds_every_data_file_of_the_rooms(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        f"aifactory/{path.relative_to(ROOT).as_posix()}"
        for folder in DATA
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert len(wanted) > 20
    assert wanted - held == set()


def test_the_wheel_holds_the_rooms_their_types_and_the_licence_and_nothing_else(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in held if ".dist-info" not in name} == {"aifactory"}
    assert {name.split("/")[1] for name in held if ".dist-info" not in name} == {*ROOMS, "__init__.py"}
    assert {f"aifactory/{room}/py.typed" for room in ROOMS} <= set(held)
    assert {name.rpartition("/")[2] for name in held if "/licenses/" in name} == {"LICENSE", "NOTICE"}
    assert not [name for name in held if name.endswith(".pyc") or "/test" in name]


def test_the_environment_has_what_the_wheel_depends_on_and_no_tool_of_ours(aifactory: Path) -> None:
    assert {"pulumi", "pulumi-kubernetes", "pydantic", "click", "msgspec", "pyyaml"} <= dependencies(
        "ai-factory-blueprints"
    )
    assert not list(aifactory.parents[1].glob("lib/python*/site-packages/pytest*"))


def test_it_says_what_it_can_do(aifactory: Path, tmp_path: Path) -> None:
    done = run(aifactory, "--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "generate" in done.stdout


def test_it_runs_its_own_code_and_not_that_of_the_repository(aifactory: Path, tmp_path: Path) -> None:
    python = aifactory.with_name("python")
    done = run(python, "-c", "import aifactory.cli.main as m; print(m.__file__)", folder=tmp_path)
    assert Path(done.stdout.strip()).is_relative_to(aifactory.parents[1]), done.stderr


@pytest.mark.parametrize("what", ["blueprint", "site", "prices", "project"])
def test_it_prints_its_schemas(aifactory: Path, tmp_path: Path, what: str) -> None:
    done = run(aifactory, "schema", what, folder=tmp_path)
    assert json.loads(done.stdout) == json.loads((ROOT / "blueprints" / "schema" / f"{what}.json").read_bytes())


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_project_started_from_an_example_generates_the_bytes_that_the_repository_does(
    aifactory: Path, tmp_path: Path, example: str
) -> None:
    done(aifactory, "init", "--from", example, folder=tmp_path)
    checked = done(aifactory, "check", "factory.yaml", "--format", "json", folder=tmp_path)
    assert json.loads(checked)["verdict"] == "allowed"
    for command, out in ((aifactory, "out"), (OURS, "ours")):
        done(command, "generate", "factory.yaml", "--out", out, folder=tmp_path)
    assert files_below(tmp_path / "out") == files_below(tmp_path / "ours") != {}


def test_a_project_started_from_answers_passes_its_check_and_generates(aifactory: Path, tmp_path: Path) -> None:
    done(aifactory, "init", *ANSWERS, folder=tmp_path)
    done(aifactory, "check", "factory.yaml", folder=tmp_path)
    done(aifactory, "generate", "factory.yaml", "--out", "out", folder=tmp_path)
    assert files_below(tmp_path / "out")


def done(command: Path, *arguments: str, folder: Path) -> str:
    """Output of a command that must succeed."""
    ended = run(command, *arguments, folder=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
