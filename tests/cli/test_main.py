"""The command itself: help, wrong words, pipes, signals, colour, and failures of ours."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from aifactory.cli.main import COMMANDS, cli, main
from support.command import COMMAND, call, spawn
from support.written import write_project

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def help_of(words: list[str], columns: int) -> str:
    """The help text at a width."""
    return spawn(*words, "--help", env={"COLUMNS": str(columns)}).out


def test_help_lists_every_verb_in_the_order_of_work() -> None:
    ran = call("--help")
    assert ran.code == 0
    listed = re.findall(r"^  (\w+)  ", ran.out.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("verb", COMMANDS)
def test_each_verb_has_help_and_a_form_for_machines(verb: str) -> None:
    ran = call(verb, "--help")
    assert ran.code == 0
    assert ran.err == ""
    assert f"Usage: aifactory {verb}" in ran.out
    assert "--format" in ran.out
    assert len(ran.out.splitlines()) > 5


@pytest.mark.parametrize("verb", ["check", "init", "generate"])
def test_help_keeps_to_the_terminal(verb: str) -> None:
    for columns in (80, 120):
        assert all(len(line) <= columns for line in help_of([verb], columns).splitlines())


def test_nothing_heavy_is_imported_for_help() -> None:
    heavy = ("pydantic", "yaml", "pulumi", "jinja2", "msgspec", "importlib.metadata", "asyncio")
    script = "import sys; from aifactory.cli.main import main\ntry:\n main(['--help'])\nexcept SystemExit: pass\n"
    script += f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stderr == "[]\n"


def test_the_version_is_told() -> None:
    ran = call("--version")
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(r"aifactory, version \d+\.\d+\.\d+\n", ran.out)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chek", "x"], 'did you mean "check"?'),
        (["deploy"], "Known: catalog, check, compare, cost, destroy"),
        (["check", "--sit", "a", "x"], "--site"),
        (["check"], "Missing argument 'BLUEPRINT'"),
        (["check", "a", "b"], "unexpected extra argument"),
        (["check", "a", "--format", "xml"], "'xml' is not one of 'text', 'json'"),
        (["check", "a", "--set", "x"], "'x' is not NAME=VALUE"),
        (["check", "a", "--set", "=x"], "'=x' is not NAME=VALUE"),
        (["generate", "a"], "Missing option '--out'"),
        (["explain", "a"], "Missing argument 'PATH'"),
        (["diff", "a"], "Missing argument 'AFTER'"),
        (["init", "--nodes", "0"], "0 is not in the range 1<=x<=512"),
        (["init", "--from", "training-roce", "--tenant", "a"], "drop --tenant"),
        (["schema", "blueprnt"], "'blueprnt' is not one of"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_what_is_known(words: list[str], says: str) -> None:
    ran = call(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert says in ran.err


def test_no_words_at_all_are_answered_with_help() -> None:
    ran = call()
    assert ran.code == 2
    assert "Commands:" in ran.out + ran.err


@pytest.mark.parametrize("words", [["plan"], ["catalog", "accelerators"], ["schema"], ["plan", "--format", "json"]])
def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path, words: list[str]) -> None:
    path = write_project(tmp_path)
    verb = [*words[:1], path, *words[1:]] if words[0] == "plan" else words
    run = subprocess.Popen([COMMAND, *verb], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.read(1)
    run.stdout.close()
    assert run.stderr.read() == b""
    run.stderr.close()
    assert run.wait() in (0, 141)  # 0 when all of it fitted the pipe before it was closed


def test_ctrl_c_ends_with_130_and_one_word(tmp_path: Path) -> None:
    """The signal comes while a question is open. It is let through, whatever started the tests ignores."""
    main_fd, other = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "init", tmp_path],
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    ) as run:
        os.close(other)
        try:
            _read_until(main_fd, "Name of the factory")
            shown = ""
            while "aborted" not in shown and run.poll() is None:
                run.send_signal(signal.SIGINT)  # one that comes before the question waits is not seen at once
                shown += _read_until(main_fd, "aborted", 2)
            shown += "" if "aborted" in shown else _read_until(main_fd, "aborted", 10)
            assert "aborted" in shown
            assert "Traceback" not in shown
            assert run.wait(timeout=60) == 130
        finally:
            run.kill()
            os.close(main_fd)
    assert list(tmp_path.iterdir()) == []


def _read_until(terminal: int, words: str, seconds: float = 60) -> str:
    """What a terminal shows until some words come; pytest fails when they don't."""
    shown = b""
    end = time.monotonic() + seconds
    while words.encode() not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break
    return shown.decode()


def on_a_terminal(words: list[object], **env: str) -> str:
    """What a terminal shows of a whole run."""
    main_fd, other = pty.openpty()
    environment = {**{name: value for name, value in os.environ.items() if name != "NO_COLOR"}, **env}
    run = subprocess.Popen([COMMAND, *map(str, words)], stdin=other, stdout=other, stderr=other, env=environment)
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main_fd, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(main_fd)
    run.wait()
    return shown.decode()


def test_colour_is_for_terminals_and_who_wants_it(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    assert ESCAPE.search(on_a_terminal(["check", path]))
    assert not ESCAPE.search(on_a_terminal(["check", path], NO_COLOR="1"))
    assert ESCAPE.search(on_a_terminal(["check", path], NO_COLOR=""))
    assert not ESCAPE.search(spawn("check", path).out)
    assert not ESCAPE.search(on_a_terminal(["plan", path], NO_COLOR="1"))
    assert not ESCAPE.search(spawn("check", tmp_path / "none.yaml").err)


@pytest.mark.parametrize("columns", ["80", "120"])
def test_on_a_terminal_long_problems_are_folded_between_words(tmp_path: Path, columns: str) -> None:
    path = write_project(tmp_path)
    path.write_text(path.read_text().replace("accelerator: h200", "accelerator: b20"), encoding="utf-8")
    shown = ESCAPE.sub("", on_a_terminal(["check", path], COLUMNS=columns)).replace("\r\n", "\n")
    assert all(len(line) <= int(columns) for line in shown.splitlines())
    assert 'did you mean "b200"? Known: a100, a100-40gb' in " ".join(shown.split())


def test_a_pipe_gets_each_problem_on_a_line(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    path.write_text(path.read_text().replace("accelerator: h200", "accelerator: b20"), encoding="utf-8")
    lines = spawn("check", path).err.splitlines()
    assert lines[0] == 'factory.yaml:9:18: parts[0].accelerator: "b20" is not a known accelerator'
    assert [lines[1][:8], lines[2].strip()] == ["    9 | ", "^"]
    assert lines[3].startswith('hint: did you mean "b200"? Known: ')
    assert len(lines) == 4


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_failure_of_ours_ends_with_3_and_shows_a_traceback_only_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, debug: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("inside")

    monkeypatch.setenv("AIFACTORY_DEBUG", debug)
    monkeypatch.setattr("aifactory.cli.judgement.prepare", fails)
    ran = call("check", write_project(tmp_path))
    assert ran.code == 3
    assert ran.out == ""
    assert "aifactory failed by a defect of its own (RuntimeError)" in ran.err
    assert ("Traceback" in ran.err) is bool(debug)
    assert ("AIFACTORY_DEBUG=1" in ran.err) is not bool(debug)


def test_a_defect_that_ends_in_recursion_or_memory_is_told_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (RecursionError, MemoryError, KeyError):

        def fails(*_: object, error: type[Exception] = error) -> None:
            raise error

        monkeypatch.setattr("aifactory.cli.judgement.prepare", fails)
        ran = call("check", write_project(tmp_path))
        assert (ran.code, ran.out) == (3, "")
        assert error.__name__ in ran.err


def test_main_takes_words_for_tests_and_the_command_line_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["aifactory", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0


def test_a_verb_is_imported_when_it_is_called() -> None:
    context = click.Context(cli)
    assert cli.list_commands(context) == list(COMMANDS)
    assert cli.get_command(context, "nothing") is None
    assert {name: getattr(cli.get_command(context, name), "name", "") for name in COMMANDS} == {n: n for n in COMMANDS}


@pytest.mark.parametrize("name", ["none.yaml", "sites"])
@pytest.mark.parametrize("verb", ["check", "plan", "explain", "generate", "diff"])
def test_a_file_that_is_missing_or_a_folder_is_wrong_input(tmp_path: Path, verb: str, name: str) -> None:
    write_project(tmp_path)
    more = {"explain": ["train"], "generate": ["--out", tmp_path / "out"], "diff": [tmp_path / "factory.yaml"]}
    ran = call(verb, tmp_path / name, *more.get(verb, []))
    assert ran.code == 1
    assert "Traceback" not in ran.err
    expected = "there is no file" if name == "none.yaml" else "no generated stack" if verb == "diff" else "is a folder"
    assert expected in ran.err


def test_an_unreadable_file_is_wrong_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, who reads everything, so the refusal of the system is made here."""
    path = write_project(tmp_path)
    real = os.open

    def refuses(name: object, *rest: object, **more: object) -> int:
        if str(name).endswith("factory.yaml"):
            raise PermissionError(13, "Permission denied")
        return real(name, *rest, **more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(os, "open", refuses)
    ran = call("check", path)
    assert ran.code == 1
    assert "factory.yaml cannot be read: Permission denied" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ["check", "factory.yaml"],
        ["check", "none.yaml"],
        ["plan", "factory.yaml"],
        ["explain", "factory.yaml", "train"],
        ["generate", "factory.yaml", "--out", "out"],
        ["diff", "factory.yaml", "factory.yaml"],
        ["init", "new", "--from", "training-roce"],
        ["catalog"],
        ["catalog", "accelerators"],
        ["catalog", "accelerators", "h200"],
        ["schema"],
        ["schema", "--out", "schemas"],
        ["doctor"],
    ],
)
def test_in_the_form_for_machines_stdout_is_one_json_document(tmp_path: Path, words: list[str]) -> None:
    write_project(tmp_path)
    ran = call(*words, "--format", "json", cwd=tmp_path)
    data = json.loads(ran.out)
    assert isinstance(data, dict)
    if words != ["schema"]:
        assert re.fullmatch(rf"aifactory-{words[0]}/v1", data["schema"])
    assert ran.code == (1 if "none.yaml" in words else 0)
