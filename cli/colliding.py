"""What stands on clusters where `up` would make something: found before the engine starts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from msgspec import Struct

from aifactory.cli import clusters
from aifactory.cli.deploying import Known
from aifactory.cli.reaching import WHERE
from aifactory.cli.redacting import redacted
from aifactory.cli.work import Work
from aifactory.components.given import Kubeconfig
from aifactory.components.problems import Problem
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.live.cluster import Cluster, Unread
from aifactory.stacks.live.collisions import Collision, Collisions, collisions, first_line
from aifactory.stacks.live.connection import Declined, Unreachable
from aifactory.stacks.program.engine import EngineError

_REACHING = "deploying needs it; check the network, the context and its credentials"


class Met(Struct, frozen=True):
    """What was found on the cluster of one stack."""

    rows: RowSet
    found: Collisions
    exists: bool
    """Whether the stack exists, so that objects can be imported into it."""
    unreachable: str = ""
    """That it can't be reached, or not looked at, and why; empty if it was."""
    silent: bool = False
    """Whether nobody answers there, or lets us in."""


def met(
    work: Work,
    known: Mapping[str, Known | None],
    ways: Mapping[str, Kubeconfig],
    kubeconfig: Path | None,
    without: Collection[str] = (),
) -> dict[str, Met]:
    """What stands in the way of each stack; `known` is what its state has, `ways` how its cluster is reached.

    A cluster that isn't there yet holds nothing.

    `without` are sites that can't be asked.
    """
    found: dict[str, Met] = {}
    for name, stack in work.shown.items():
        if stack.plan.place.site in without or name not in ways:
            continue
        rows, state = row_set(stack, work.digest), known[name]
        try:
            connection = clusters.connect(ways[name], work.loaded.root, kubeconfig)
            cluster = Cluster(connection)
            # Asked for the answer alone: a cluster that is gone must be told even if the state has every row, and
            # each group is read here once, not by every thread that looks for an object of it.
            cluster.kinds()
            there = collisions(cluster, rows, state.rows if state is not None else ())
            found[name] = Met(rows, there, state is not None)
        except (Unreachable, Declined) as error:
            silent = isinstance(error, Unreachable)
            why = f"can't be {'reached' if silent else 'looked at'}: {redacted(error.says)}"
            found[name] = Met(rows, Collisions((), ()), state is not None, why, silent)
    return found


def refuse_unreachable(found: Mapping[str, Met]) -> None:
    """Raises `EngineError` if clusters can't be reached: nothing is wrong with what was written."""
    says = [f"the cluster of {each.rows.site} {each.unreachable}" for each in found.values() if each.silent]
    if says:
        raise EngineError("\n".join(says), _REACHING)


def problems(work: Work, found: Mapping[str, Met], *, refresh: bool) -> list[Problem]:
    """What refuses `up`: clusters that can't be looked at, foreign objects, and leftovers unless `refresh` is asked."""
    told: list[Problem] = []
    for each in found.values():
        if each.unreachable:
            says = f"the cluster of {each.rows.site} {each.unreachable}"
            told.append(Problem(says, WHERE, _REACHING, site=each.rows.site, document="site"))
        told.extend(_unread(each, one) for one in each.found.unread)
        parts = {one.part for one in each.found.foreign}
        told.extend(
            _foreign(work, each, one, () if index or each.exists else parts)
            for index, one in enumerate(each.found.foreign)
        )
        if not refresh:
            told.extend(_leftover(work, each, one) for one in each.found.leftovers)
    return told


def _unread(here: Met, one: Unread) -> Problem:
    hint = "what is there would be in the way unseen; wait for that API, or let the user of the context list it"
    says = f"not looked at: {one.what}: {redacted(one.says)}"
    return Problem(says, WHERE, hint, site=here.rows.site, document="site")


def _foreign(work: Work, here: Met, one: Collision, parents: Collection[str]) -> Problem:
    """`parents` are parts that have to be made before, for a stack that doesn't exist yet."""
    hint = "rename ours, let the site provide it, or adopt it; in the generated folder of the stack:"
    commands = (*([first_line(here.rows, parents)] if parents else ()), one.adopt)
    at = clusters.part_position(work, here.rows.stack, one.part)
    return Problem(one.says, (), hint, at, site=here.rows.site, commands=commands)


def _leftover(work: Work, here: Met, one: Collision) -> Problem:
    says = f"{one.says}, for the same part: a run was interrupted, or it was kept on delete"
    at = clusters.part_position(work, here.rows.stack, one.part)
    return Problem(
        says, (), f"run it again as: aifactory up --refresh {work.loaded.path.name}", at, site=here.rows.site
    )
