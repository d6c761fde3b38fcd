"""What each row waits for: what its part named, its namespace, and the release that brings its kind."""

from __future__ import annotations

from aifactory.components import names
from aifactory.components.rows import HelmRow, KubernetesRow, Row
from aifactory.stacks.assembly.trees import References, references

_CAPABILITY = "capability:"


class Links:
    """The links between the rows of one stack."""

    def __init__(self, rows: dict[str, Row], elsewhere: frozenset[str] = frozenset()) -> None:
        """`elsewhere` are rows of the layer below, which is there before this one begins."""
        self._rows = rows
        self._elsewhere = elsewhere
        self.references: References = references(rows)
        self._provider: dict[str, str] = {}
        self._crd_owner: dict[str, str] = {}
        self._crd_groups: set[str] = set()
        for row in rows.values():
            if isinstance(row, HelmRow):
                self._provider.update(dict.fromkeys(row.provides, row.id))
                self._crd_owner.update(dict.fromkeys(row.crds, row.id))
                self._crd_groups.update(crd.partition(".")[2] for crd in row.crds)

    def of(self, row: Row) -> tuple[str, ...]:
        """Identities of the rows that `row` waits for, sorted, without itself."""
        found = set(self._named(row))
        if isinstance(row, (KubernetesRow, HelmRow)) and row.namespace:
            found.add(names.object_id("v1", "Namespace", "", row.namespace))
        if isinstance(row, KubernetesRow):
            found.add(self._kind_owner(row))
        found.update(ref.row for ref in self.references.get(row.id, ()))
        found.discard(row.id)
        return tuple(sorted(name for name in found if name in self._rows))

    def _named(self, row: Row) -> list[str]:
        """What the part named. A capability that the site gives is there already, so nothing waits for it."""
        found = []
        for name in row.after:
            if name.startswith(_CAPABILITY):
                found.append(self._provider.get(name.removeprefix(_CAPABILITY), ""))
            elif name in self._rows:
                found.append(name)
            elif name in self._elsewhere:
                continue
            else:
                raise KeyError(f"{row.id} waits for {name}, which is not a row of its stack")
        return found

    def _kind_owner(self, row: KubernetesRow) -> str:
        group = str(row.body["apiVersion"]).rpartition("/")[0]
        if group not in self._crd_groups:
            return ""
        kind = str(row.body["kind"]).lower()
        for plural in (f"{kind}s", f"{kind}es", f"{kind.removesuffix('y')}ies"):
            if owner := self._crd_owner.get(f"{plural}.{group}"):
                return owner
        return ""
