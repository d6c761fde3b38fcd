"""What a run finds on PATH, and what of this machine it can see."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.proving import plugins


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH with one empty folder."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def made(tmp_path: Path) -> set[str]:
    folder = plugins.make(tmp_path / "bin", tmp_path / "pulumi", tmp_path / "provider.py")
    return {path.name for path in folder.iterdir()}


def test_each_plugin_that_is_missing_has_a_stand_in(nothing: Path, tmp_path: Path) -> None:
    assert made(tmp_path) == {"pulumi", plugins.LANGUAGE, plugins.ANALYZER, plugins.KUBERNETES}
    assert str(tmp_path / "provider.py") in (tmp_path / "bin" / plugins.KUBERNETES).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [plugins.LANGUAGE, plugins.ANALYZER, plugins.KUBERNETES])
def test_nothing_stands_in_for_a_plugin_on_path(nothing: Path, tmp_path: Path, name: str) -> None:
    plugins.write(nothing / name, "real.py")
    assert made(tmp_path) == {"pulumi", plugins.LANGUAGE, plugins.ANALYZER, plugins.KUBERNETES} - {name}


def test_a_stand_in_gets_its_arguments_as_they_are(tmp_path: Path) -> None:
    script = tmp_path / "a script.py"
    script.write_text("import sys\nprint(sys.argv[1:])\n", encoding="utf-8")
    plugins.write(tmp_path / "tool", script)
    ran = subprocess.run([tmp_path / "tool", "a b", "$HOME"], capture_output=True, text=True, check=True)
    assert ran.stdout == "['a b', '$HOME']\n"


def test_a_run_sees_no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PULUMI_ACCESS_TOKEN", "KUBECONFIG", "PYTHONPATH", "AIFACTORY_SCHEMAS"):
        monkeypatch.setenv(name, "canary")
    found = plugins.environment(tmp_path / "bin", tmp_path / "home", tmp_path / "state")
    assert "canary" not in found.values()
    assert found["PULUMI_BACKEND_URL"] == f"file://{tmp_path / 'state'}"
    assert found["PATH"].split(os.pathsep)[0] == str(tmp_path / "bin")
    assert Path(found["PULUMI_HOME"]).is_relative_to(tmp_path)
