"""What stands on clusters where `up` would make something: found before the engine starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from msgspec import Struct

from aifactory.cli import clusters
from aifactory.cli.redacting import redacted
from aifactory.cli.work import Work
from aifactory.components.problems import Problem
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.collisions import Collision, Collisions, collisions, first_line
from aifactory.stacks.live.connection import Declined, Unreachable


class Met(Struct, frozen=True):
    """What was found on the cluster of one stack."""

    rows: RowSet
    found: Collisions
    exists: bool
    """Whether the stack exists, so that objects can be imported into it."""
    unreachable: str = ""
    """That it can't be reached, or not looked at, and why; empty if it was."""


def met(
    work: Work, held: Mapping[str, frozenset[str] | None], kubeconfig: Path | None, without: Collection[str] = ()
) -> dict[str, Met]:
    """What stands in the way of each stack; `held` are identities of the rows that its state has.

    `without` are sites that can't be asked.
    """
    found: dict[str, Met] = {}
    for name, stack in work.shown.items():
        if stack.plan.place.site in without:
            continue
        rows, state = row_set(stack, work.digest), held[name]
        try:
            connection = clusters.connect(stack.plan.place.cluster.kubeconfig, work.loaded.root, kubeconfig)
            cluster = Cluster(connection)
            cluster.kinds()
            there = collisions(cluster, rows, state or frozenset())
            found[name] = Met(rows, there, state is not None)
        except (Unreachable, Declined) as error:
            what = "reached" if isinstance(error, Unreachable) else "looked at"
            why = f"can't be {what}: {redacted(error.says)}"
            found[name] = Met(rows, Collisions((), ()), state is not None, why)
    return found


def problems(work: Work, found: Mapping[str, Met], *, refresh: bool) -> list[Problem]:
    """What refuses `up`: clusters that don't answer, foreign objects, and leftovers unless `refresh` is asked."""
    told: list[Problem] = []
    for each in found.values():
        if each.unreachable:
            says = f"the cluster of {each.rows.site} {each.unreachable}"
            hint = "deploying needs it; check the network, the context and its credentials"
            told.append(Problem(says, ("cluster", "kubeconfig"), hint, site=each.rows.site, document="site"))
        parts = {one.part for one in each.found.foreign}
        told.extend(
            _foreign(work, each, one, () if index or each.exists else parts)
            for index, one in enumerate(each.found.foreign)
        )
        if not refresh:
            told.extend(_leftover(work, each, one) for one in each.found.leftovers)
    return told


def _foreign(work: Work, here: Met, one: Collision, parents: Collection[str]) -> Problem:
    """`parents` are parts that have to be made before, for a stack that doesn't exist yet."""
    hint = "rename ours, let the site provide it, or adopt it; in the generated folder of the stack: "
    first = f"{first_line(here.rows, parents)} && " if parents else ""
    at = clusters.part_position(work, here.rows.stack, one.part)
    return Problem(one.says, (), f"{hint}{first}{one.adopt}", at, site=here.rows.site)


def _leftover(work: Work, here: Met, one: Collision) -> Problem:
    says = f"{one.says}, for the same part: a run that was interrupted left it"
    at = clusters.part_position(work, here.rows.stack, one.part)
    return Problem(
        says, (), f"run it again as: aifactory up --refresh {work.loaded.path.name}", at, site=here.rows.site
    )
