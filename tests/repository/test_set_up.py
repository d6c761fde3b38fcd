"""Set-up of `.venv`: done once, gone on with after an interruption, and clear when it can't be done."""

import ast
import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from support.source_tree import ROOT

SCRIPT = ROOT / "requirements" / "install.py"


class SetUp:
    """The set-up of a small repository, with pip and venv replaced by notes of what was asked of them."""

    def __init__(self, root: Path) -> None:
        (root / "requirements").mkdir()
        (root / ".venv" / "bin").mkdir(parents=True)
        for name in ("run.txt", "dev.txt"):
            (root / "requirements" / name).write_text("")
        (root / "pyproject.toml").write_text("")
        shutil.copy(SCRIPT, root / "requirements")
        self.root = root
        self.asked: list[str] = []
        self.pip: Callable[..., None] = lambda *arguments: None
        self.usable = True

    def run(self, level: str) -> list[str]:
        """Bring `.venv` to a level; returns what was asked of pip and venv on the way."""
        self.asked.clear()
        module = load(self.root / "requirements" / "install.py")
        module.__dict__.update(create=self._create, usable=lambda: self.usable, pip=self._pip, say=lambda text: None)
        module.__dict__["install"](level)
        return self.asked

    def _create(self) -> None:
        self.asked.append("venv")

    def _pip(self, *arguments: str) -> None:
        self.asked.append(arguments[-1])
        self.pip(*arguments)
        (self.root / ".venv" / "bin" / "python").touch()


def load(path: Path) -> ModuleType:
    """The set-up script as a module."""
    spec = importlib.util.spec_from_file_location("install", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def set_up(tmp_path: Path) -> SetUp:
    """A small repository that is not set up."""
    return SetUp(tmp_path)


def test_a_lock_is_installed_and_then_the_project(set_up: SetUp) -> None:
    assert set_up.run("run") == ["requirements/run.txt", "."]


def test_a_second_set_up_has_nothing_to_do(set_up: SetUp) -> None:
    set_up.run("dev")
    assert set_up.run("dev") == []


def test_what_a_developer_has_is_enough_for_a_user_and_not_the_other_way_round(set_up: SetUp) -> None:
    assert set_up.run("run") == ["requirements/run.txt", "."]
    assert set_up.run("dev") == ["requirements/dev.txt", "."]
    assert set_up.run("run") == []


@pytest.mark.parametrize("name", ["requirements/dev.txt", "pyproject.toml"])
def test_a_changed_lock_or_project_is_installed_anew(set_up: SetUp, name: str) -> None:
    set_up.run("dev")
    (set_up.root / name).write_text("changed")
    assert set_up.run("run") == ["requirements/dev.txt", "."]


def test_an_interrupted_set_up_is_done_anew_at_the_next_call(set_up: SetUp) -> None:
    set_up.run("run")
    (set_up.root / "requirements" / "run.txt").write_text("changed")

    def interrupted(*arguments: str) -> None:
        raise KeyboardInterrupt

    set_up.pip = interrupted
    with pytest.raises(KeyboardInterrupt):
        set_up.run("run")
    set_up.pip = lambda *arguments: None
    assert set_up.run("run") == ["venv", "requirements/run.txt", "."]


def test_an_environment_that_was_moved_is_made_anew(set_up: SetUp) -> None:
    set_up.run("run")
    record = set_up.root / ".venv" / "aifactory-installed.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"root": "/somewhere/else"}))
    assert set_up.run("run") == ["venv", "requirements/run.txt", "."]


def test_an_environment_without_a_python_that_works_is_made_anew(set_up: SetUp) -> None:
    set_up.usable = False
    assert set_up.run("run") == ["venv", "requirements/run.txt", "."]


def test_a_record_that_cannot_be_read_is_as_none(set_up: SetUp) -> None:
    set_up.run("run")
    (set_up.root / ".venv" / "aifactory-installed.json").write_text("{")
    assert set_up.run("run") == ["requirements/run.txt", "."]


def test_a_machine_whose_every_python_is_too_old_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(SCRIPT)
    monkeypatch.setattr(module, "answers", lambda python, test: False)
    with pytest.raises(module.Stopped, match=r"needs Python 3\.11 or newer, and this is .*make PYTHON="):
        module.newest_enough()


def test_a_newer_python_on_the_path_is_taken_when_the_first_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = tmp_path / "python3.12"
    newer.symlink_to(sys.executable)
    module = load(SCRIPT)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "answers", lambda python, test: python == str(newer))
    assert module.newest_enough() == str(newer)


def test_a_python_without_venv_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(SCRIPT)
    monkeypatch.setattr(module, "newest_enough", lambda: "python3")
    monkeypatch.setattr(module, "answers", lambda python, test: "ensurepip" not in test)
    with pytest.raises(module.Stopped, match="apt install python3-venv"):
        module.create()


def test_a_pip_that_fails_stops_the_set_up_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    module = load(SCRIPT)
    monkeypatch.setattr(module, "PYTHON", "false")
    with pytest.raises(module.Stopped, match="run the same command again"):
        module.pip("--requirement", "requirements/run.txt")


def test_the_script_parses_on_the_pythons_that_it_refuses() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))
