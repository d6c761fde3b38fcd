"""A project with a site at AWS: the verbs as a user types them, the real engine, an account that is a folder, and, as
the API of the cluster that the base makes, a real API server."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aifactory.cli.work import Work, prepare
from aifactory.components.rows import CloudRow, HelmRow
from support.aws_sites import AWS, write_project
from support.proving import plugins
from support.proving.aws_account import Account
from support.proving.aws_provider import FOLDER
from support.proving.charts import write_chart
from support.proving.control_plane import TOKEN, ControlPlane
from support.proving.processes import CALM
from support.proving.provider import CHARTS, HELM
from support.proving.tools import paths
from support.schemas import Schemas

SITE = "sto-lab"
BASE, PLATFORM = f"demo-{SITE}-base", f"demo-{SITE}-platform"
PASSPHRASE = "canary-passphrase-of-the-state"
_SIGN_IN = """\
#!/bin/sh
[ "$1 $2" = "eks get-token" ] || {{ echo "aws $*: not here" >&2; exit 2; }}
{signs_in}
"""
_LEFT_OUT = ("PULUMI_", "KUBE", "COVERAGE_", "AWS_")


class AwsYard:
    """The project, and what its runs meet. Raises Missing without the tools."""

    def __init__(self, folder: Path, plane: ControlPlane | None, schemas: Schemas | None = None) -> None:
        """Without `plane` the cluster of the base is one that nobody answers for."""
        tools = paths("pulumi", "helm")
        self.root = folder / "project"
        self.blueprint = write_project(self.root)
        self.account = Account(folder / "account")
        self.account.give(*AWS["admins"])
        self.bin = folder / "bin"
        self._home = folder
        self._helm = tools["helm"]
        plugins.make(self.bin, tools["pulumi"], plugins.REAL)
        plugins.write_module(self.bin / plugins.AWS, plugins.CLOUD)
        (self.bin / "helm").symlink_to(self._helm)
        self.work: Work = prepare(self.blueprint)
        self._write_command("exit 2")
        if plane is not None and schemas is not None:
            self._serve(plane, schemas)

    def _serve(self, plane: ControlPlane, schemas: Schemas) -> None:
        """Let the plane be the cluster: its address and authority in what AWS says, its token by what signs in."""
        authority = base64.b64encode((plane.folder / "certificates" / "apiserver.crt").read_bytes())
        self.account.serve(plane.api.url, authority.decode())
        version = "client.authentication.k8s.io/v1beta1"
        credential = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": TOKEN}}
        self._write_command(f"printf '%s' '{json.dumps(credential)}'")
        for row in self.work.stacks[PLATFORM].rows:
            if isinstance(row, HelmRow):
                write_chart(self._home / "charts", row.chart, row.version, row.crds, [], schemas)

    def _write_command(self, signs_in: str) -> None:
        """An `aws` of its own: it signs in to the plane or not at all, and does nothing else."""
        command = self.bin / "aws"
        command.write_text(_SIGN_IN.format(signs_in=signs_in), encoding="utf-8")
        command.chmod(0o755)

    @property
    def base_rows(self) -> list[CloudRow]:
        """The rows of the base, in order of making."""
        return list(self.work.stacks[BASE].cloud_rows)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment of a run: nothing of this machine's user, and no way to an account but the folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
        return {
            **kept,
            **CALM,
            "HOME": str(self._home),
            "PATH": os.pathsep.join([str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PULUMI_HOME": str(self._home / "pulumi"),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            CHARTS: str(self._home / "charts"),
            HELM: str(self._helm),
            FOLDER: str(self.account.folder),
            "NO_COLOR": "1",
            **(more or {}),
        }

    def words(self, verb: str, *options: str) -> list[str]:
        """Command line of a verb."""
        agreed = ["--yes"] if verb in ("up", "destroy") else []
        return [str(Path(sys.executable).with_name("aifactory")), verb, str(self.blueprint), *agreed, *options]

    def run(self, verb: str, *options: str, code: int = 0) -> tuple[str, str]:
        """What a verb prints and says; it must end with `code`."""
        ran = self.call(self.words(verb, *options), self.root)
        assert ran.returncode == code, f"{verb}: {ran.returncode}\n{ran.stdout[-2_000:]}\n{ran.stderr[-6_000:]}"
        return ran.stdout, ran.stderr

    def data(self, verb: str, *options: str, code: int = 0) -> dict[str, Any]:
        """What a verb prints as JSON, by stack."""
        printed, _ = self.run(verb, "--format", "json", *options, code=code)
        found: dict[str, Any] = json.loads(printed)["stacks"]
        return found

    def call(self, words: list[str], cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run any command to its end."""
        ran = subprocess.run(
            words, env=self.environment(more), cwd=cwd, capture_output=True, text=True, check=False, timeout=600
        )
        assert PASSPHRASE not in ran.stdout + ran.stderr
        return ran

    def pulumi(self, folder: Path, *words: str, code: int = 0) -> str:
        """What `pulumi` prints in a folder, on the state of the verbs."""
        backend = f"file://{self.root / 'state'}"
        ran = self.call(["pulumi", "--non-interactive", *words], folder, PULUMI_BACKEND_URL=backend)
        assert ran.returncode == code, ran.stdout[-3_000:] + ran.stderr[-3_000:]
        return ran.stdout

    def state(self, stack: str) -> list[dict[str, Any]]:
        """Resources in the state of a stack."""
        path = self.root / "state" / ".pulumi" / "stacks" / "aifactory" / f"{stack}.json"
        if not path.is_file():
            return []
        found = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}
        return list(found.get("resources") or [])
