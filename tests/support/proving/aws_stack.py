"""A stack of rows of AWS: the real engine, the product's own program, and an account that is a folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aifactory.components.rows import CloudRow
from aifactory.stacks.assembly.rowset import CloudEntry, ClusterEntry, PartEntry, RowSet, to_data
from support.proving import plugins
from support.proving.aws_account import Account
from support.proving.aws_identity import ACCOUNT
from support.proving.aws_provider import FOLDER
from support.proving.cli import Cli, project

ROWS = "PROVING_AWS_ROWS"
PROGRAM = f"""\
import json, os
from pathlib import Path
from aifactory.stacks.assembly.rowset import from_data
from aifactory.stacks.program.adapter import register_stack
register_stack(from_data(json.loads(Path(os.environ["{ROWS}"]).read_text())), Path.cwd())
"""
ABOVE = 4
"""Resources beside the rows: the stack, the factory, its part and the provider."""


class AwsStack:
    """One stack, and the account that it is made in."""

    def __init__(self, cli: Cli, folder: Path, rows: Iterable[CloudRow], region: str = "eu-north-1") -> None:
        self.account = Account(folder / "account", region)
        self._cli = cli
        plugins.write_module(cli.plugins / plugins.AWS, plugins.CLOUD)
        self._file = folder / "rows.json"
        self._project = project(folder / "project", PROGRAM, "aws")
        cli.environment |= {FOLDER: str(self.account.folder), ROWS: str(self._file)}
        self.write(rows, region)
        cli.run("pulumi stack init dev", self._project)

    def write(self, rows: Iterable[CloudRow], region: str = "") -> None:
        """Let the program register these from now on."""
        data = to_data(base_of(rows, region or self.account.region))
        self._file.write_text(json.dumps(data), encoding="utf-8")

    def run(self, command: str, code: int = 0) -> str:
        """What `pulumi COMMAND` prints; it must end with `code`."""
        return self._cli.run(f"pulumi {command} --color never", self._project, code)

    def up(self, code: int = 0) -> str:
        """Make what the rows say."""
        return self.run("up --yes --skip-preview --non-interactive", code)

    def start(self, command: str) -> subprocess.Popen[str]:
        """A command that goes on while its test does something."""
        return self._cli.start(f"pulumi {command} --color never", self._project)

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The AWS resources of the state."""
        found = self._cli.exported(self._project, "dev")["deployment"].get("resources", [])
        return [one for one in found if one["type"].startswith("aws:")]


def base_of(rows: Iterable[CloudRow], region: str) -> RowSet:
    """A base of rows made by hand, all of one part."""
    listed = tuple(rows)
    return RowSet(
        stack="dev",
        factory="acme",
        site="sto-aws",
        plan_digest="sha256:0",
        cluster=ClusterEntry("", "aifactory", "acme-sto-aws"),
        parts=(PartEntry("cluster", "cluster", 1, ""),),
        rows=listed,
        steps={row.id: 0 for row in listed},
        outputs={"plan_digest": "sha256:0"},
        layer="base",
        cloud=CloudEntry("aws", ACCOUNT, region),
    )
