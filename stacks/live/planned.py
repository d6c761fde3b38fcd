"""What a stack once held by what its blueprint plans: its state says nothing any more after a removal."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, structs

from aifactory.stacks.live.cluster import Thing
from aifactory.stacks.live.ours import Held, HeldRelease, belongs


class Planned(Struct, frozen=True):
    """What a blueprint plans for a stack."""

    held: Held
    existed: bool
    """Whether the stack has a state, though an empty one: so it was deployed."""


def once_held(held: Held, planned: Planned, things: Iterable[Thing]) -> Held:
    """What a stack held for sure, and of the plan what nobody else made.

    An object that is there is ours by its labels. A release has none: it goes by its namespace. Where that is gone,
    what it left behind is ours if the stack was deployed; else somebody else's release of that name would be blamed,
    and its definitions deleted.
    """
    there = {thing.row: belongs(thing, held.factory, held.site) for thing in things}

    def ours(row: str) -> bool:
        return there.get(row, planned.existed)

    def ours_by_namespace(release: HeldRelease) -> bool:
        return ours(f"Namespace/{release.namespace}")

    rows = {name: row for name, row in planned.held.rows.items() if ours(name)}
    known = {release.row for release in held.releases}
    more = [one for one in planned.held.releases if one.row not in known and ours_by_namespace(one)]
    definitions = {name: one for name, one in planned.held.definitions.items() if ours_by_namespace(one)}
    return structs.replace(
        held,
        rows={**rows, **held.rows},
        releases=(*held.releases, *more),
        definitions={**definitions, **held.definitions},
    )
