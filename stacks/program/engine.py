"""The `pulumi` command: found, checked, and run with an environment of our choosing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from pulumi.automation import CommandResult, InvalidVersionError, PulumiCommand
from pulumi.automation.errors import create_command_error

from aifactory.stacks.program.identity import MINIMUM_ENGINE

INSTALL_HINT = (
    f"install Pulumi {MINIMUM_ENGINE} or newer (https://www.pulumi.com/docs/install/) and put it on PATH; "
    "`aifactory doctor` checks it. Nothing else needs it: plan, check, generate and diff work without"
)

# Everything else that begins with PULUMI_ could change what is deployed, or whether its state is kept.
_KEPT = (
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_BACKEND_CREDENTIALS",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_CREDENTIALS_PATH",
    "PULUMI_CREDENTIAL_STORE",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
    "PULUMI_DISABLE_REGISTRY_RESOLVE",
    "PULUMI_HOME",
    "PULUMI_IGNORE_AMBIENT_PLUGINS",
    "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES",
)
_KEPT_PREFIX = "PULUMI_DIY_BACKEND_"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EngineError(Exception):
    """The engine can't do its work here: it is missing, too old, locked out, or failed by itself."""

    def __init__(self, says: str, hint: str = "") -> None:
        super().__init__(says)
        self.says = says
        self.hint = hint


class Locked(EngineError):
    """Somebody else works on the stack. Nothing was begun."""


class Cancelled(Exception):
    """The user stopped a run. What it had begun is finished, and is in the state."""


class Engine(PulumiCommand):
    """The `pulumi` command of this machine. Raises `EngineError` if there is none, or it is too old."""

    def __init__(self, on_cancel: Callable[[], None] | None = None) -> None:
        """`on_cancel` is called whenever a signal is passed on to a running command."""
        if shutil.which("pulumi") is None:
            raise EngineError("the command `pulumi` is not on PATH", INSTALL_HINT)
        try:
            super().__init__()
        except (InvalidVersionError, OSError, subprocess.CalledProcessError) as error:
            says = f"the command `pulumi` on PATH can't be used: {_first_line(str(error))}"
            raise EngineError(says, INSTALL_HINT) from None
        found = self.version
        oldest = tuple(int(step) for step in MINIMUM_ENGINE.split("."))
        if found is None or (found.major, found.minor, found.patch) < oldest:
            raise EngineError(f"the command `pulumi` on PATH is too old: it is version {found}", INSTALL_HINT)
        self.cancelled = False
        self._on_cancel = on_cancel or (lambda: None)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """Run one command. Signals go to it as an interrupt: it finishes what it began, then ends.

        Raises `pulumi.automation.CommandError` if it fails, `Cancelled` if it was stopped.
        """
        command = [self.command, "--non-interactive", *(arg for arg in args if arg != "--non-interactive")]
        environment = {**engine_environment(os.environ), **additional_env, "PULUMI_AUTOMATION_API": "true"}
        # Signals are caught before there is a process: one that comes in between must not end us alone.
        with self._passing_signals() as forward:
            process = subprocess.Popen(  # noqa: S603 - the engine, with arguments of ours
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                # A terminal sends Ctrl-C to the whole group, and a second one kills: it gets ours alone.
                start_new_session=True,
            )
            forward(process)
            with process:
                stdout, stderr = _read(process, on_output, on_error)
        result = CommandResult(stdout=stdout, stderr=stderr, code=process.returncode)
        if process.returncode < 0:
            says = f"the engine was killed by signal {-process.returncode}"
            raise EngineError(says, "run the same again: it first finds out what this run made")
        if self.cancelled:
            raise Cancelled
        if process.returncode:
            raise create_command_error(result)
        return result

    @contextmanager
    def _passing_signals(self) -> Iterator[Callable[[subprocess.Popen[str]], None]]:
        """Catch signals, and pass them on to the process that is then named, also those that came before."""
        running: list[subprocess.Popen[str]] = []
        caught: list[int] = []

        def forward(process: subprocess.Popen[str]) -> None:
            running.append(process)
            if caught:
                process.send_signal(signal.SIGINT)

        if threading.current_thread() is not threading.main_thread():
            yield forward
            return

        def catch(number: int, _frame: object) -> None:
            caught.append(number)
            self.cancelled = True
            for process in running:
                process.send_signal(signal.SIGINT)
            self._on_cancel()

        before = {number: signal.signal(number, catch) for number in _SIGNALS}
        try:
            yield forward
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def engine_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of the engine.

    `KUBECONFIG` is left out: the provider would write it into the state, and removing it later is a change.
    Of the `PULUMI_*` settings only those pass that say where things are and who we are.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name != "KUBECONFIG" and (not name.startswith("PULUMI_") or name in _KEPT or name.startswith(_KEPT_PREFIX))
    }
    return {**kept, "PULUMI_SKIP_UPDATE_CHECK": "true"}


def _read(
    process: subprocess.Popen[str],
    on_output: Callable[[str], Any] | None,
    on_error: Callable[[str], Any] | None,
) -> tuple[str, str]:
    """Both streams to their end; each line goes to its callback too."""
    lines: tuple[list[str], list[str]] = ([], [])

    def consume(stream: IO[str] | None, callback: Callable[[str], Any] | None, into: list[str]) -> None:
        for line in stream or ():
            into.append(line.rstrip())
            if callback:
                callback(into[-1])

    readers = [
        threading.Thread(target=consume, args=(process.stdout, on_output, lines[0])),
        threading.Thread(target=consume, args=(process.stderr, on_error, lines[1])),
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    process.wait()
    return "\n".join(lines[0]), "\n".join(lines[1])


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "no message")
