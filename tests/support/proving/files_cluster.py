"""A cluster of files, a project that goes onto it, and the real engine between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from benchmarks.factories import write_factory
from support.proving import plugins
from support.proving.empty_server import EmptyServer
from support.proving.files_provider import FOLDER
from support.proving.processes import CALM
from support.proving.tools import paths

COMMAND = Path(sys.executable).with_name("aifactory")
LIMIT_S = 240


class FilesCluster:
    """A project with about `rows` rows at one site. Raises `Missing` if there is no engine."""

    def __init__(self, folder: Path, rows: int, state: Path | None = None) -> None:
        engine = paths("pulumi")["pulumi"]
        self.folder = folder / "cluster"
        self.state = state or folder / "state"
        self.project = folder / "project"
        (self.folder / "objects").mkdir(parents=True)
        self.project.mkdir()
        self.blueprint = write_factory(self.project, rows)
        site = next(self.project.glob("sites/*"))
        described = yaml.safe_load(site.read_text(encoding="utf-8"))
        described["state"]["backend"] = f"file://{self.state}"
        site.write_text(json.dumps(described), encoding="utf-8")
        context = described["cluster"]["kubeconfig"]["context"]
        self._kubeconfig = folder / "kubeconfig"
        self._server = EmptyServer()
        self._server.write_kubeconfig(self._kubeconfig, [context])
        binaries = folder / "bin"
        binaries.mkdir()
        plugins.write_module(binaries / plugins.KUBERNETES, "support.proving.files_provider")
        self.environment = {
            **os.environ,
            **CALM,
            "PATH": os.pathsep.join([str(binaries), str(engine.parent), os.environ["PATH"]]),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "of-a-test",
            "XDG_CACHE_HOME": str(folder / "caches"),
            FOLDER: str(self.folder),
        }

    def close(self) -> None:
        """End the server that is looked at before a run."""
        self._server.close()

    def begin(self, verb: str, *options: str, limit: str = "") -> subprocess.Popen[str]:
        """Start a verb; `limit` is shell that sets a limit for it and its children."""
        given = [] if verb == "outputs" else ["--kubeconfig", str(self._kubeconfig)]
        agreed = ["--yes"] if verb in ("up", "destroy") else []
        command = [str(COMMAND), verb, str(self.blueprint), *given, *agreed, *options]
        if limit:
            command = ["/bin/sh", "-c", f'{limit}; exec "$@"', "sh", *command]
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, verb: str, *options: str, limit: str = "") -> tuple[int, str]:
        """Exit code and stderr of a verb."""
        process = self.begin(verb, *options, limit=limit)
        try:
            _, said = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
        return process.returncode, said

    def data(self, verb: str, *options: str) -> dict[str, Any]:
        """What a verb prints as JSON about the only stack; it must end well."""
        process = self.begin(verb, "--format", "json", *options)
        try:
            printed, said = process.communicate(timeout=LIMIT_S)
        finally:
            process.kill()
        assert process.returncode == 0, said
        stack: dict[str, Any] = next(iter(json.loads(printed)["stacks"].values()))
        return stack

    def break_at(self, create: int, how: str) -> None:
        """Let the next run meet a fault at its n-th create."""
        (self.folder / "fault.json").write_text(json.dumps({"at": create, "how": how}), encoding="utf-8")

    def mend(self) -> None:
        """Let the next run meet none."""
        (self.folder / "fault.json").unlink(missing_ok=True)

    @property
    def objects(self) -> dict[str, Any]:
        """The objects that are there."""
        return {path.stem: json.loads(path.read_text()) for path in (self.folder / "objects").glob("*.json")}

    @property
    def said(self) -> Counter[str]:
        """How often the provider did what."""
        log = self.folder / "log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
        return Counter(line.partition("\t")[0] for line in lines)

    @property
    def rows_in_state(self) -> list[str]:
        """URNs of the rows that the state holds, more than once if it does."""
        return [one["urn"] for one in self.latest.get("resources") or [] if "$kubernetes:" in one["urn"]]

    @property
    def latest(self) -> dict[str, Any]:
        """The state, as the engine stores it."""
        file = next((self.state / ".pulumi" / "stacks" / "aifactory").glob("*.json"))
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"]
        return found
