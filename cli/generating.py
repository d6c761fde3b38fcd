"""Writes the folders of all stacks and says what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from aifactory.cli.plan_text import wrapped
from aifactory.cli.report import tell, text_columns
from aifactory.cli.work import Work
from aifactory.components.counting import counted
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.folder import executables, stack_files
from aifactory.stacks.render.origin import Origin
from aifactory.stacks.render.output import Written, write_all
from aifactory.stacks.render.output_lock import refuse_unfit
from aifactory.stacks.render.project import settings_file


class Generated(Struct, frozen=True):
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
    """Write a folder for each stack that was asked for.

    Raises `Refused`, with nothing written, if `out` or one of the folders can't be written as a whole.
    """
    forbidden = (work.loaded.root, work.loaded.path.resolve().parent)
    refuse_unfit(out, forbidden)
    folders = {out / name: stack_files(stack, origin_of(work, stack)) for name, stack in work.shown.items()}
    programs = {path for stack in work.shown.values() for path in executables(stack)}
    written = write_all(
        folders, handed_over=[settings_file(name) for name in work.shown], executable=programs, forbidden=forbidden
    )
    return Generated(work, out, {folder.name: each for folder, each in written.items()})


def print_generated(generated: Generated) -> None:
    """A line a stack, then what to do next."""
    work = generated.work
    tell(work.warnings, work.loaded.root)
    columns = text_columns()
    for name, written in generated.stacks.items():
        _print_stack(work.stacks[name], written, generated.out / name, columns)
    click.echo("Read README.md in each folder, then: pulumi preview, or ./apply.sh --dry-run")


def _print_stack(stack: Stack, written: Written, folder: Path, columns: int) -> None:
    rows = counted(len(stack.rows), "row")
    files = counted(len(written.written) + len(written.unchanged), "file")
    changed = f"{len(written.written)} written, {len(written.removed)} removed"
    click.echo(f"{click.style(stack.name, fg='green', bold=True)}: {rows} in {files} ({changed})")
    place = stack.plan.place
    click.echo(
        f"  {place.venue} in {', '.join(filter(None, (place.location.city, place.location.country)))}, "
        f"Kubernetes {place.cluster.version}"
    )
    width = max(len(part.name) for part in stack.plan.parts)
    for part in stack.plan.parts:
        head = f"  {part.name:{width}}  "
        click.echo(wrapped(part.plan.in_short, columns, head, " " * len(head)))
    click.echo(f"  files: {folder}\n")


def origin_of(work: Work, stack: Stack) -> Origin:
    """What the folder of a stack tells beside its rows."""
    from importlib.metadata import version  # noqa: PLC0415 - slow to import, and only needed here

    site = stack.plan.place.site
    catalog = work.loaded.catalog
    return Origin(
        digest=work.digest,
        plan={
            **{key: value for key, value in work.data.items() if key != "stacks"},
            "stack": {"name": stack.name, **work.data["stacks"][stack.plan.name]},
        },
        warnings=[
            problem
            for problem in work.plan.findings.problems
            if problem.severity == "warning" and problem.site in ("", site)
        ],
        images=[row.data for table in ("images", "images.doca_driver") for row in catalog.rows(table)],
        deployer={row.key: row.data for row in catalog.rows("aws-deployer")} if stack.layer == "base" else {},
        description=work.loaded.sites[site].blueprint.description,
        version=version("ai-factory-blueprints"),
    )
