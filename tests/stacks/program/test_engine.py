"""The `pulumi` command: found or refused, run with our environment, stopped gently."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandError
from pulumi.automation.errors import StackNotFoundError

from aifactory.stacks.program.engine import Cancelled, Engine, EngineError, engine_environment

Tool = Path


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """A `pulumi` of our own, alone on PATH beside the system's tools. Tests write what it does."""
    path = tmp_path / "bin" / "pulumi"
    path.parent.mkdir()
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    does(path, "")
    return path


def does(tool: Tool, script: str, version: str = "v3.255.0") -> None:
    """Make the tool answer `version`, and run a script for anything else."""
    tool.write_text(f'#!/bin/sh\nif [ "$1" = version ]; then echo {version}; exit 0; fi\n{script}\n')
    tool.chmod(0o755)


def run(*args: str) -> tuple[str, str]:
    result = Engine().run(list(args), "/", {"ADDED": "yes"})
    return result.stdout, result.stderr


def test_no_engine_is_said_with_what_is_missing_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError) as missing:
        Engine()
    assert missing.value.says == "the command `pulumi` is not on PATH"
    assert "3.250.0 or newer" in missing.value.hint
    assert "https://www.pulumi.com/docs/install/" in missing.value.hint


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("v3.249.9", "too old: it is version 3.249.9"),
        ("v3.9.0", "too old: it is version 3.9.0"),
        ("v2.300.0", "2.300.0"),
        ("v4.0.0", "4.0.0"),
        ("soon", "can't be used"),
    ],
)
def test_an_engine_of_another_age_is_refused(tool: Tool, version: str, says: str) -> None:
    does(tool, "", version)
    with pytest.raises(EngineError, match=says.replace(".", r"\.")):
        Engine()


def test_an_engine_that_does_not_run_is_refused(tool: Tool) -> None:
    tool.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(EngineError, match="can't be used"):
        Engine()


@pytest.mark.parametrize("version", ["v3.250.0", "v3.255.0", "v3.1000.0"])
def test_an_engine_from_the_oldest_tried_on_is_taken(tool: Tool, version: str) -> None:
    does(tool, "", version)
    assert Engine().version is not None


def test_a_command_is_run_without_questions_and_its_lines_are_told(tool: Tool) -> None:
    does(tool, 'echo "$@"; echo "in $ADDED" >&2; cat')
    out: list[str] = []
    err: list[str] = []
    result = Engine().run(["stack", "ls", "--non-interactive"], "/", {"ADDED": "yes"}, out.append, err.append)
    assert (result.stdout, result.stderr) == ("--non-interactive stack ls", "in yes")
    assert (out, err) == (["--non-interactive stack ls"], ["in yes"])


def test_a_command_that_fails_says_what_it_printed(tool: Tool) -> None:
    does(tool, 'echo "error: no stack named x found" >&2; exit 255')
    with pytest.raises(StackNotFoundError, match="no stack named x found"):
        run("stack", "select")
    does(tool, "echo broken >&2; exit 1")
    with pytest.raises(CommandError, match="broken"):
        run("up")


def test_the_ambient_kubeconfig_and_what_changes_the_engine_are_kept_from_it() -> None:
    ambient = {
        "KUBECONFIG": "/somewhere",
        "PULUMI_K8S_ENABLE_PATCH_FORCE": "true",
        "PULUMI_SKIP_CHECKPOINTS": "true",
        "PULUMI_STACK": "other",
        "PULUMI_CONFIG_PASSPHRASE": "canary-passphrase",
        "PULUMI_HOME": "/opt/pulumi",
        "PULUMI_DIY_BACKEND_GZIP": "true",
        "AWS_PROFILE": "prod",
        "PATH": "/bin",
    }
    assert engine_environment(ambient) == {
        "PULUMI_CONFIG_PASSPHRASE": "canary-passphrase",
        "PULUMI_HOME": "/opt/pulumi",
        "PULUMI_DIY_BACKEND_GZIP": "true",
        "AWS_PROFILE": "prod",
        "PATH": "/bin",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def test_the_engine_really_runs_with_that_environment(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/somewhere")
    monkeypatch.setenv("PULUMI_STACK", "other")
    does(tool, "env | sort")
    names = {line.partition("=")[0] for line in run("about")[0].splitlines()}
    assert {"ADDED", "PATH", "PULUMI_AUTOMATION_API", "PULUMI_SKIP_UPDATE_CHECK"} <= names
    assert not names & {"KUBECONFIG", "PULUMI_STACK"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on_as_an_interrupt_and_what_was_begun_is_awaited(
    tool: Tool, tmp_path: Path, number: signal.Signals
) -> None:
    started = tmp_path / "started"
    does(tool, f"trap 'echo finished; exit 1' INT\ntouch {started}\nwhile true; do sleep 0.02; done")
    told: list[str] = []
    engine = Engine(lambda: told.append("stopping"))

    def interrupt() -> None:
        while not started.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    threading.Thread(target=interrupt).start()
    printed: list[str] = []
    with pytest.raises(Cancelled):
        engine.run(["up"], "/", {}, printed.append)
    assert printed == ["finished"]
    assert told == ["stopping"]
    assert signal.getsignal(number) is before


def test_a_signal_that_comes_before_the_engine_runs_stops_it_too(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    does(tool, f"trap 'echo finished; exit 1' INT\ntouch {started}\nfor _ in $(seq 200); do sleep 0.05; done")
    start = subprocess.Popen

    def interrupted(*args: Any, **options: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        process = start(*args, **options)
        while not started.exists():  # it sets its trap first
            time.sleep(0.01)
        return process

    engine = Engine()
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    printed: list[str] = []
    with pytest.raises(Cancelled):
        engine.run(["up"], "/", {}, printed.append)
    assert printed == ["finished"]


def test_a_terminals_interrupt_reaches_the_engine_through_us_alone(tool: Tool) -> None:
    does(tool, "ps -o sid= -p $$")
    session = int(run("up")[0])
    assert session != os.getsid(0)


def test_an_engine_runs_on_another_thread_too(tool: Tool) -> None:
    does(tool, "echo ran")
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(run("up")[0]))
    thread.start()
    thread.join()
    assert found == ["ran"]


def test_text_that_is_not_utf8_is_no_failure(tool: Tool) -> None:
    does(tool, r"printf '\377ok\n'")
    assert run("up")[0] == "\ufffdok"


def test_the_engine_is_found_without_importing_the_kubernetes_sdk() -> None:
    says = "import aifactory.stacks.program.engine, sys; print('pulumi_kubernetes' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", says], check=True, capture_output=True, text=True)
    assert printed.stdout == "False\n"
