"""Programs run in a process of their own, get their stack's settings, and end with the run, in order or not."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.proving.cli import PATIENCE_S, Cli, alive, project
from support.proving.plugins import HERE

pytestmark = pytest.mark.engine

TELLS = """\
import json, os, pulumi, sys
config = pulumi.Config()
told = {
    "stack": [pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()],
    "config": [config.require("plain"), config.require_int("number")],
    "dry": pulumi.runtime.is_dry_run(),
    "root": pulumi.get_root_directory(),
    "cwd": os.getcwd(),
    "python": [sys.executable, os.environ.get("VIRTUAL_ENV")],
    "path": sys.path,
    "main": [__name__, sys.argv],
}
open(os.environ["TOLD"], "w").write(json.dumps(told))
pulumi.export("secret", config.require_secret("hidden"))
pulumi.export("plain", config.require("plain"))
"""
WAITS = """\
import os, pathlib, time
pathlib.Path(os.environ["TOLD"]).write_text(str(os.getpid()))
time.sleep(600)
"""


def told(cli: Cli, tmp_path: Path) -> Path:
    """The file into which a program writes what it has to tell."""
    file = tmp_path / "told"
    cli.environment["TOLD"] = str(file)
    return file


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_program_gets_its_stacks_settings(cli: Cli, tmp_path: Path) -> None:
    folder, file = project(tmp_path / "project", TELLS, "mine"), told(cli, tmp_path)
    settings = "pulumi config set plain moon && pulumi config set number 3 && pulumi config set --secret hidden word"
    cli.run(f"pulumi stack init dev && {settings} && pulumi preview", folder)
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["stack"] == ["organization", "mine", "dev"]
    assert found["config"] == ["moon", 3]
    assert found["dry"] is True
    assert (found["root"], found["cwd"]) == (str(folder), str(folder))
    assert found["main"] == ["__main__", ["."]]
    assert str(HERE) not in found["path"], "modules of the stand-in would shadow the program's"
    cli.run("pulumi up --skip-preview", folder)
    assert json.loads(file.read_text(encoding="utf-8"))["dry"] is False
    assert json.loads(cli.run("pulumi stack output --json 2>/dev/null", folder)) == {
        "plain": "moon",
        "secret": "[secret]",
    }
    assert '"word"' not in json.dumps(cli.exported(folder, "dev"))


def test_a_program_runs_where_main_says_by_the_python_that_options_name(cli: Cli, tmp_path: Path) -> None:
    folder, file = project(tmp_path / "project", "", options=", virtualenv: .venv"), told(cli, tmp_path)
    with (folder / "Pulumi.yaml").open("a", encoding="utf-8") as description:
        description.write("main: stacks/\n")
    (folder / "stacks").mkdir()
    (folder / "__main__.py").rename(folder / "stacks" / "__main__.py")
    (folder / "stacks" / "__main__.py").write_text(TELLS, encoding="utf-8")
    (folder / ".venv").symlink_to(sys.prefix)
    settings = "pulumi config set plain moon && pulumi config set number 3 && pulumi config set --secret hidden word"
    cli.run(f"pulumi stack init dev && {settings} && pulumi preview", folder)
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["python"] == [str(folder / ".venv/bin/python"), str(folder / ".venv")]
    assert (found["root"], found["cwd"]) == (str(folder), str(folder / "stacks"))


def test_an_environment_that_is_missing_is_named_with_the_commands_that_make_it(cli: Cli, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "", options=", virtualenv: .venv")
    printed = cli.run("pulumi stack init dev && pulumi preview", folder, code=1)
    assert "The 'virtualenv' option in Pulumi.yaml is set to \".venv\"" in printed
    assert "doesn't exist" in printed
    assert f"python3 -m venv {folder / '.venv'}" in printed


def test_an_error_that_a_program_tells_comes_without_a_traceback(cli: Cli, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", 'import pulumi\nraise pulumi.RunError("no moon today")\n')
    printed = cli.run("pulumi stack init dev && pulumi preview", folder, code=1)
    assert "error: no moon today" in printed
    assert "Traceback" not in printed


def test_any_other_error_comes_with_the_programs_part_of_the_traceback(cli: Cli, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", 'def moon():\n    raise ValueError("no moon")\n\n\nmoon()\n')
    printed = cli.run("pulumi stack init dev && pulumi preview", folder, code=1)
    assert "Program failed with an unhandled exception" in printed
    assert "line 5, in <module>" in printed
    assert "ValueError: no moon" in printed
    assert "language_program.py" not in printed
    assert "runpy" not in printed


def test_a_folder_without_a_program_is_named(cli: Cli, tmp_path: Path) -> None:
    folder = project(tmp_path / "project", "")
    (folder / "__main__.py").unlink()
    printed = cli.run("pulumi stack init dev && pulumi preview", folder, code=1)
    assert f"unable to find main python program `__main__.py` in `{folder}`" in printed


def test_a_program_that_is_killed_fails_the_run(cli: Cli, tmp_path: Path) -> None:
    program = "import os, pulumi, signal\npulumi.export('a', 1)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    folder = project(tmp_path / "project", program)
    printed = cli.run("pulumi stack init dev && pulumi up --skip-preview", folder, code=1)
    assert "program exited with non-zero exit code: -1" in printed
    assert "outputs" not in json.dumps(cli.exported(folder, "dev"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_no_program_outlives_the_engine(cli: Cli, tmp_path: Path, number: signal.Signals) -> None:
    folder, file = project(tmp_path / "project", WAITS), told(cli, tmp_path)
    cli.run("pulumi stack init dev", folder)
    engine = cli.start("pulumi up --skip-preview", folder)
    try:
        wait_for(lambda: file.is_file() and file.read_text(encoding="utf-8") != "")
        program = int(file.read_text(encoding="utf-8"))
        assert alive(program)
        engine.send_signal(number)
        engine.wait(PATIENCE_S)
        wait_for(lambda: not alive(program))
    finally:
        engine.kill()
        engine.communicate()
    assert engine.returncode != 0
