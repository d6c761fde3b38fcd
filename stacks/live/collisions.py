"""What stands on the cluster where the plan wants to make something, and the state doesn't hold it."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from msgspec import Struct

from aifactory.components.rows import ClusterRow, HelmRow, KubernetesRow
from aifactory.stacks.assembly.rowset import RowSet
from aifactory.stacks.live.cluster import Cluster, Kind, Thing, Unread
from aifactory.stacks.live.ours import PART, SECRETS, Record, belongs, maker, newest_record
from aifactory.stacks.program import identity

NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)


class Collision(Struct, frozen=True):
    """A row whose object is there, and isn't in the state."""

    row: str
    part: str
    says: str
    """That it is there, and who made it."""
    adopt: str
    """The command that would take it into the state."""


class Collisions(Struct, frozen=True):
    """What is there already, by whose it is."""

    foreign: tuple[Collision, ...]
    """Made by somebody else."""
    leftovers: tuple[Collision, ...]
    """Carries the labels of the very part: an interrupted run made it, or a removal kept it, and the state doesn't
    know."""
    unread: tuple[Unread, ...] = ()
    """What rows need to know and could not be looked at: what is there of it isn't known."""


def collisions(cluster: Cluster, rows: RowSet, held: Collection[str]) -> Collisions:
    """What is there of the rows that the state, which has the row identities `held`, doesn't hold.

    Raises `Unreachable`.

    A kind that the server doesn't know yet stands in nobody's way.
    """
    look = _Look(cluster, rows, held)
    found = look.found()
    return Collisions(
        tuple(collision for collision, ours in found if not ours),
        tuple(collision for collision, ours in found if ours),
        look.unread(),
    )


class _Look:
    """One look at a cluster before rows are made there."""

    def __init__(self, cluster: Cluster, rows: RowSet, held: Collection[str]) -> None:
        self._cluster = cluster
        self._rows = rows
        self._held = held
        self._former = {part.name: {part.name, *part.former_names} for part in rows.parts}
        self._spaces: dict[str, Thing] = {}
        self._needed: set[str] = set()

    def found(self) -> list[tuple[Collision, bool]]:
        """Each collision, and whether it is a leftover of ours."""
        new = [row for row in identity.cluster_rows(self._rows) if row.id not in self._held]
        wanted = sorted({row.namespace for row in new if row.namespace})
        spaces = self._cluster.each(lambda name: self._cluster.thing(NAMESPACE, "", name), wanted)
        self._spaces = {thing.name: thing for thing in spaces if thing is not None}
        # Where there is no namespace there is nothing: a new cluster is asked for its namespaces alone.
        here = [row for row in new if not row.namespace or row.namespace in self._spaces]
        self._needed = {SECRETS.resource if isinstance(row, HelmRow) else str(row.body["apiVersion"]) for row in here}
        return [each for each in self._cluster.each(self._look_at, here) if each is not None]

    def unread(self) -> tuple[Unread, ...]:
        """What could not be looked at of what the rows need: others may keep their groups and Secrets to themselves.

        Secrets are listed for releases alone, each in its namespace.
        """
        return tuple(each for what, each in sorted(self._cluster.unread.items()) if what in self._needed)

    def _look_at(self, row: ClusterRow) -> tuple[Collision, bool] | None:
        return self._release(row) if isinstance(row, HelmRow) else self._object(row)

    def _object(self, row: KubernetesRow) -> tuple[Collision, bool] | None:
        kind = self._cluster.kind(str(row.body["apiVersion"]), str(row.body["kind"]))
        thing = self._cluster.thing(kind, row.namespace, row.name) if kind else None
        if thing is None:
            return None
        ours = belongs(thing, self._rows.factory, self._rows.site) and thing.labels.get(PART) in self._former[row.part]
        says = f"{row.id} exists and is not in the state; {maker(thing)}"
        return self._collision(row, says), ours

    def _release(self, row: HelmRow) -> tuple[Collision, bool] | None:
        record: Record | None = newest_record(self._cluster, row.namespace, row.name)
        if record is None:
            return None
        # Helm's records carry no labels of ours: whose the namespace is, the release is.
        ours = belongs(self._spaces[row.namespace], self._rows.factory, self._rows.site)
        says = f"{row.id} exists and is not in the state; Helm has it in revision {record.revision}, {record.status}"
        return self._collision(row, says), ours

    def _collision(self, row: ClusterRow, says: str) -> Collision:
        return Collision(row.id, row.part, says, import_line(self._rows, row))


def import_line(rows: RowSet, row: ClusterRow) -> str:
    """The command that takes an object that exists into the state, under the URN that our program makes for it.

    By default `pulumi import` protects what it imports, and prints a program; a row has its own protection.
    """
    part = next(part for part in rows.parts if part.name == row.part)
    return shlex.join(
        [
            *("pulumi", "import", row.token, identity.resource_name(row)),
            f"{row.namespace}/{row.name}" if row.namespace else row.name,
            f"--parent={row.part}={identity.part_urn(rows, part)}",
            f"--provider=cluster-provider={identity.provider_urn(rows)}",
            *(f"--stack={rows.stack}", f"--protect={str(row.protect).lower()}", "--generate-code=false"),
        ]
    )


def first_line(rows: RowSet, parts: Collection[str]) -> str:
    """The command that makes the components and the provider that an import needs, in a stack that is new."""
    made = sorted((part for part in rows.parts if part.name in parts), key=lambda part: part.name)
    targets = [
        identity.factory_urn(rows),
        identity.provider_urn(rows),
        *(identity.part_urn(rows, part) for part in made),
    ]
    return shlex.join(["pulumi", "up", f"--stack={rows.stack}", *(f"--target={target}" for target in targets)])
