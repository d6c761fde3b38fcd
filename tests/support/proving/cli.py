"""The `pulumi` command as a user types it: with a home, plugins and state of its own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from support.export_states import as_text
from support.proving import plugins, tools
from support.proving.empty_server import EmptyServer
from support.shipped import ROOT

PATIENCE_S = 240


class Cli:
    """Runs commands below one folder. Raises `tools.Missing` without the engine."""

    def __init__(self, folder: Path, provider: Path) -> None:
        """`provider` is the script that stands in for the kubernetes provider."""
        self.folder = folder
        self.plugins = plugins.make(folder / "bin", tools.paths("pulumi")["pulumi"], provider)
        self.environment = plugins.environment(self.plugins, folder / "home", folder / "state")
        self._server: EmptyServer | None = None
        self.environment["PULUMI_SKIP_CONFIRMATIONS"] = "true"  # so that commands can stand as they are documented

    def run(self, command: str, cwd: Path, code: int = 0, **variables: str) -> str:
        """What a shell command prints, with errors. It must end with `code`."""
        ran = subprocess.run(
            ["sh", "-ec", command],
            cwd=cwd,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert ran.returncode == code, f"{command}: {ran.returncode}\n{ran.stdout}"
        return ran.stdout

    def start(self, command: str, cwd: Path) -> subprocess.Popen[str]:
        """A command that goes on while its test does something."""
        return subprocess.Popen(
            shlex.split(command),
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def exported(self, cwd: Path, stack: str, **variables: str) -> Any:
        """The state of a stack."""
        command = f"pulumi stack export --stack {stack} 2>/dev/null"  # warnings of the engine are no part of it
        return json.loads(self.run(command, cwd, 0, **variables))

    def state(self, cwd: Path, stack: str, **variables: str) -> str:
        """The state of a stack without what belongs to one run; see `export_states`."""
        return as_text(self.exported(cwd, stack, **variables), [])

    def kubeconfig(self, contexts: Iterable[str]) -> Path:
        """A kubeconfig at its usual place. Its cluster has nothing: what the provider makes is in the state alone."""
        file = self.folder / "home" / ".kube" / "config"
        if self._server is None:
            self._server = EmptyServer()
        self._server.write_kubeconfig(file, contexts)
        return file

    def close(self) -> None:
        """End what was started."""
        if self._server is not None:
            self._server.close()


def checkout(folder: Path) -> Path:
    """What a user clones: a copy of the repository, with the environment of these tests."""
    folder.mkdir(parents=True)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    for room in (".pkg", "blueprints", "cli", "components", "policies", "stacks"):
        shutil.copytree(ROOT / room, folder / room, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def project(folder: Path, program: str, name: str = "aifactory", options: str = "") -> Path:
    """A Pulumi project of one's own, run by the Python on PATH unless `options` name another."""
    folder.mkdir(parents=True, exist_ok=True)
    runtime = f"{{name: python, options: {{toolchain: pip{options}}}}}"
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: {runtime}\n", encoding="utf-8")
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    return folder


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
