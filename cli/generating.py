"""Writes the folders of all stacks and says what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aifactory.cli.report import counted, rendered
from aifactory.cli.work import Work
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.folder import EXECUTABLE, stack_files
from aifactory.stacks.render.output import Written, write


@dataclass(frozen=True, slots=True)
class Generated:
    """What was written, by stack."""

    work: Work
    out: Path
    stacks: dict[str, Written]

    def as_data(self) -> dict[str, Any]:
        """As `generate --format json` prints it."""
        return {
            "schema": "aifactory-generate/v1",
            "digest": self.work.digest,
            "stacks": {
                name: {
                    "folder": str(self.out / name),
                    "rows": len(self.work.stacks[name].rows),
                    "written": len(written.written),
                    "unchanged": len(written.unchanged),
                    "removed": len(written.removed),
                }
                for name, written in self.stacks.items()
            },
        }


def generate_all(work: Work, out: Path) -> Generated:
    """Write a folder for each stack that was asked for. Raises `Refused` before anything is lost."""
    forbidden = [work.loaded.root, work.loaded.path.resolve().parent]
    return Generated(
        work, out, {name: _write(work, stack, out / name, forbidden) for name, stack in work.shown.items()}
    )


def print_generated(generated: Generated) -> None:
    """A line a stack, then what to do next."""
    work = generated.work
    warnings = [problem for problem in work.plan.findings.problems if problem.severity == "warning"]
    for text in rendered(warnings, work.loaded.root):
        click.echo(text, err=True)
    for name, written in generated.stacks.items():
        stack = work.stacks[name]
        rows = counted(len(stack.rows), "row")
        files = counted(len(written.written) + len(written.unchanged), "file")
        changed = f"{len(written.written)} written, {len(written.removed)} removed"
        click.echo(f"{click.style(name, fg='green', bold=True)}: {rows} in {files} ({changed})")
        click.echo(f"  {generated.out / name}")
    click.echo("Read README.md in each folder, then: pulumi preview, or ./apply.sh --dry-run")


def _write(work: Work, stack: Stack, folder: Path, forbidden: list[Path]) -> Written:
    plan_data = {key: value for key, value in work.data.items() if key != "stacks"}
    plan_data["stack"] = {"name": stack.name, **work.data["stacks"][stack.name]}
    site = stack.plan.place.site
    warnings = [
        problem
        for problem in work.plan.findings.problems
        if problem.severity == "warning" and problem.site in ("", site)
    ]
    files = stack_files(stack, work.digest, plan_data, warnings)
    return write(folder, files, executable=EXECUTABLE, forbidden=forbidden)
