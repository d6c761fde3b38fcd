"""What a removal leaves in the cluster: looked for, waited for, told."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from aifactory.blueprints.load import Loaded, LoadedSite
from aifactory.cli import clusters
from aifactory.cli.deploying import Outcome, Removal
from aifactory.cli.redacting import redacted
from aifactory.cli.work import prepare
from aifactory.components.counting import counted
from aifactory.components.problems import Refused
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.live.cluster import Cluster, Unread
from aifactory.stacks.live.connection import Declined, Unreachable
from aifactory.stacks.live.definitions import delete_unused
from aifactory.stacks.live.ours import Held, HeldRelease, HeldRow, Stays, definitions_of
from aifactory.stacks.live.planned import Planned
from aifactory.stacks.live.remains import Finding, Remains, remains
from aifactory.stacks.program.state import StateRelease

PATIENCE_S = 90
PAUSE_S = 2
"""How long what the cluster is removing already may take, and how often it is looked at. Unit: s."""
_LISTED = 20


class Left(Struct, frozen=True):
    """What a scan after a removal came to."""

    left: tuple[Finding, ...] = ()
    unread: tuple[Unread, ...] = ()
    deleted: tuple[str, ...] = ()
    """CRDs that were deleted, as `plural.group`."""
    unreachable: str = ""
    """Why there was no scan, empty if there was one."""

    @property
    def unexpected(self) -> list[Finding]:
        """What should not be there."""
        return [finding for finding in self.left if not finding.expected]

    @property
    def tells(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.left or self.unread or self.deleted or self.unreachable)

    @property
    def unchecked(self) -> bool:
        """Whether something that this cluster keeps was not looked at."""
        return bool(self.unreachable) or any(not each.silent for each in self.unread)

    def as_data(self) -> dict[str, Any]:
        """As `--format json` prints it."""
        unread = [{"what": each.what, "says": each.says} for each in self.unread]
        if self.unreachable:
            unread = [{"what": "the cluster", "says": self.unreachable}]
        left = [
            {
                "kind": each.kind,
                "group": each.group,
                "namespace": each.namespace,
                "name": each.name,
                "part": each.part,
                "reason": each.reason,
                "expected": each.expected,
                "remove": each.remove,
            }
            for each in self.left
        ]
        return {"left": left, "unchecked": unread, "deleted_definitions": list(self.deleted)}


def look_for_remains(
    loaded: Loaded,
    removal: Removal,
    outcome: Outcome,
    planned: Planned | None,
    kubeconfig: Path | None,
    *,
    remove_definitions: bool,
) -> Left:
    """What remains of a stack that was removed, or that isn't in the state.

    Deletes CRDs that nothing uses any more, if that was asked.
    """
    if removal.reached_by is None:
        return Left()  # what a cloud keeps is in the outcome: rows that stay are protected, or needed by those
    if outcome.result == "absent" and planned is None:
        return Left(unreachable="the blueprint can't be built, and nothing else says what the stack held")
    held = _held(loaded, removal, outcome)
    context = removal.reached_by.context
    try:
        connection = clusters.connect(removal.reached_by, loaded.root, kubeconfig)

        def scan() -> Remains:
            cluster = Cluster(connection)
            return remains(cluster, held, planned, context=context, removing_definitions=remove_definitions)

        found = _settled(scan, removal.stack)
        deleted: list[str] = []
        if remove_definitions:
            deleted = delete_unused(Cluster(connection), found.held)
            found = _settled(scan, removal.stack) if deleted else found
    except (Unreachable, Declined) as error:
        return Left(unreachable=redacted(error.says))
    return Left(found.left, found.unread, tuple(deleted))


def planned_for(loaded: Loaded, blueprint: Path, values: Mapping[str, str], removal: Removal) -> Planned | None:
    """What the blueprint plans for a stack; None if it can't be built."""
    site = removal.site.site.site
    try:
        stack = prepare(blueprint, (site,), values).stacks[removal.stack]
    except Refused:
        return None
    rows = {row.id: _planned(row) for row in stack.rows if isinstance(row, (KubernetesRow, HelmRow))}
    releases = tuple(
        HeldRelease(row.namespace, row.name, row.chart.rpartition("/")[2], row.version, row.part, rows[row.id].stays)
        for row in stack.rows
        if isinstance(row, HelmRow)
    )
    held = Held(loaded.name, site, rows, releases, definitions_of(loaded.catalog, releases))
    return Planned(held, existed=removal.exists)


def print_left(stack: str, left: Left) -> None:
    """What remains, what should not first, with the command that would remove it: to stderr."""
    name = click.style(stack, bold=True)
    for definition in left.deleted:
        click.echo(f"  {click.style('-', fg='red', bold=True)} CRD {definition}: nothing used it", err=True)
    if left.unreachable:
        says = f"what remains in the cluster was not checked: {left.unreachable}"
        click.echo(f"{name}: {click.style(says, fg='red')}", err=True)
        return
    wrong = left.unexpected
    click.echo(f"{name}: {_summary(left)}", err=True)
    for finding in wrong[:_LISTED]:
        click.echo(f"  {click.style('!', fg='red', bold=True)} {finding.row}{_of(finding)}: {finding.reason}", err=True)
        if finding.remove:
            click.echo(f"      {finding.remove}", err=True)
    if len(wrong) > _LISTED:
        click.echo(f"  … and {len(wrong) - _LISTED} more; --format json has all", err=True)
    for text in _grouped([finding for finding in left.left if finding.expected]):
        click.echo(f"  {click.style('=', fg='cyan', bold=True)} {text}", err=True)
    for each in left.unread:
        click.echo(f"  {click.style('?', fg='yellow', bold=True)} not checked: {each.what}: {each.says}", err=True)


def _summary(left: Left) -> str:
    wrong, stays = len(left.unexpected), len(left.left) - len(left.unexpected)
    if wrong:
        says = click.style(
            f"{counted(wrong, 'object')} should be gone and {'is' if wrong == 1 else 'are'} not", fg="red"
        )
        return f"{says}; {stays} {_stay(stays)}" if stays else says
    if stays:
        return f"nothing remains but {counted(stays, 'object')} that {_stay(stays)}"
    return "nothing of it was found where it could be looked for" if left.unread else "nothing of it remains"


def _stay(count: int) -> str:
    return f"{'stays' if count == 1 else 'stay'} as intended"


def _grouped(findings: list[Finding]) -> list[str]:
    """Those that stay for the same reason as one line."""
    groups = Counter((finding.kind, finding.group, finding.part, finding.reason) for finding in findings)
    first = {(each.kind, each.group, each.part, each.reason): each for each in reversed(findings)}
    return [
        f"{first[key].row if count == 1 else f'{count} {key[0]}'}{_of(first[key])}: {key[3]}"
        for key, count in groups.items()
    ]


def _of(finding: Finding) -> str:
    return f" of {finding.part}" if finding.part else ""


def _settled(scan: Callable[[], Remains], stack: str) -> Remains:
    """A scan, repeated while the cluster is still removing what should be gone: helm and the engine don't wait for
    what belongs to what they removed."""
    until = time.monotonic() + PATIENCE_S
    told = False
    while True:
        found = scan()
        leaving = sum(finding.leaving for finding in found.unexpected)
        if not leaving or time.monotonic() >= until:
            return found
        if not told:
            click.echo(f"{stack}: waiting for {counted(leaving, 'object')} that the cluster is removing", err=True)
            told = True
        time.sleep(PAUSE_S)


def _held(loaded: Loaded, removal: Removal, outcome: Outcome) -> Held:
    """What the stack held, and what of it stays."""
    staying = {row.row: row for row in outcome.remains}

    def stays(name: str, *, kept: bool) -> Stays:
        if name in staying:
            return "protected" if staying[name].protected else "needed"
        return "kept" if kept else ""

    rows = {row.row: HeldRow(row.row, row.part, stays(row.row, kept=row.kept)) for row in outcome.rows}
    releases = tuple(_release(one, rows[one.row].stays) for one in outcome.releases)
    site: LoadedSite = removal.site
    return Held(loaded.name, site.site.site, rows, releases, definitions_of(loaded.catalog, releases))


def _release(one: StateRelease, stays: Stays) -> HeldRelease:
    """A release of a state. One that was taken over after a cut may lack its inputs: its row has its place."""
    _, namespace, name = one.row.split("/")
    return HeldRelease(namespace, name, one.chart, one.version, one.part, stays)


def _planned(row: KubernetesRow | HelmRow) -> HeldRow:
    return HeldRow(row.id, row.part, "protected" if row.protect else "kept" if row.retain_on_delete else "")
