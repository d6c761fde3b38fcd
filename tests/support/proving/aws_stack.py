"""A stack of rows of AWS: the real engine, a program that registers the rows, and an account that is a folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aifactory.components.rows import CloudRow
from aifactory.stacks.assembly.codec import encode
from support.proving import plugins
from support.proving.aws_account import Account
from support.proving.aws_provider import FOLDER
from support.proving.cli import Cli, project

ROWS = "PROVING_AWS_ROWS"
TESTS = plugins.HERE.parents[1]
PROGRAM = """\
import json, os, sys
sys.path.insert(0, os.environ["PROVING_AWS_TESTS"])
from support.proving.aws_program import register
register(json.load(open(os.environ["PROVING_AWS_ROWS"])))
"""


class AwsStack:
    """One stack, and the account that it is made in."""

    def __init__(self, cli: Cli, folder: Path, rows: Iterable[CloudRow], region: str = "eu-north-1") -> None:
        self.account = Account(folder / "account", region)
        self.region = region
        self._cli = cli
        plugins.write_module(cli.plugins / plugins.AWS, plugins.CLOUD)
        self._file = folder / "rows.json"
        self._project = project(folder / "project", PROGRAM, "aws")
        cli.environment |= {
            FOLDER: str(self.account.folder),
            ROWS: str(self._file),
            "PROVING_AWS_TESTS": str(TESTS),
        }
        self.write(rows)
        cli.run("pulumi stack init dev", self._project)

    def write(self, rows: Iterable[CloudRow], **settings: str) -> None:
        """Let the program register these from now on."""
        told = {"provider": {"region": self.region, **settings}, "rows": [encode(row, 0) for row in rows]}
        self._file.write_text(json.dumps(told), encoding="utf-8")

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
