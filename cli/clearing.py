"""What a cluster that goes has outside of it: whose it is, and its removal while its controllers are still at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from aifactory.cli import clusters
from aifactory.cli.redacting import redacted
from aifactory.components.capabilities import GO_LAST
from aifactory.components.catalog import Catalog
from aifactory.components.catalog.trains import releases
from aifactory.components.counting import counted
from aifactory.components.given import Kubeconfig
from aifactory.components.problems import Problem, Refused
from aifactory.stacks.live.cluster import Cluster, Thing
from aifactory.stacks.live.connection import Declined, Unreachable
from aifactory.stacks.live.deleting import delete
from aifactory.stacks.live.ours import Held
from aifactory.stacks.live.outside import BALANCER, Outside, balancers, claim_of, volumes
from aifactory.stacks.live.stuck import removal_line, why_leaving
from aifactory.stacks.program.engine import EngineError
from aifactory.stacks.program.state import StateRow

PATIENCE_S = 900
PAUSE_S = 2
"""How long controllers may take, and how often the cluster is looked at. Unit: s. A network load balancer takes AWS a
few minutes, and its addresses some more."""
Say = Callable[[str], None]
Answer = TypeVar("Answer")


class Stuck(Struct, frozen=True):
    """Something outside of the cluster that is still there."""

    row: str
    says: str
    remove: str
    """The command that would remove it, or its object, empty where there is none."""

    def as_data(self) -> dict[str, str]:
        """As `--format json` prints it."""
        return {"row": self.row, "says": self.says, "remove": self.remove}


class Clearing(Struct, frozen=True):
    """How the cluster of a platform is cleared of what it has outside, before its base goes."""

    way: Kubeconfig
    charts: frozenset[str]
    """Charts whose releases go last."""
    whole: bool
    """Whether the base goes too, and so everything must."""
    claims: frozenset[str] = frozenset()
    """Claims of others that were named."""
    stays: tuple[Outside, ...] = ()
    """Volumes that stay in the account by the word of their class, when the cluster goes."""


def last_charts(catalog: Catalog) -> frozenset[str]:
    """Charts of the releases that go last, of any train."""
    trains = (row.key for row in catalog.rows("trains"))
    return frozenset(one.chart for train in trains for one in releases(catalog, train) if one.provides in GO_LAST)


def volumes_there(way: Kubeconfig, root: Path, kubeconfig: Path | None, site: str) -> list[Outside]:
    """Volumes that drivers of the cluster have made. Raises `EngineError` if that can't be found out."""
    return _asked(way, root, kubeconfig, site, volumes)


def of_others(found: Iterable[Outside], rows: Sequence[StateRow]) -> list[str]:
    """Claims whose volumes would go with the cluster, and that nothing of the stack's makes or holds."""
    known = {row.row for row in rows}
    return sorted(
        one.claim_row
        for one in found
        if one.claim[1] and one.goes and not {one.claim_row, f"Namespace/{one.claim[0]}"} & known
    )


def refuse_claims(claims: Iterable[str], named: Sequence[str], site: str) -> None:
    """Raises `Refused` for each claim of others that was not named: nothing is removed before it is."""
    unnamed = [claim for claim in claims if claim not in named]
    if unnamed:
        raise Refused(
            Problem(
                f"{claim} is not of this factory, and its data would go with the cluster of {site}",
                hint=f"copy what is needed, then let it go with all that is in it: --remove-protected {claim}",
                site=site,
            )
            for claim in unnamed
        )


def clear(clearing: Clearing, root: Path, kubeconfig: Path | None, site: str, say: Say) -> list[Stuck]:
    """Remove what the cluster has outside, and wait until it is gone. Returns what is still there.

    If the base stays, nothing of others is touched: what is being removed already is waited for, and Services of
    others come back as what keeps their controller. Raises `EngineError` if the cluster can't be asked.
    """
    until, told = time.monotonic() + PATIENCE_S, ""
    while True:
        left = _asked(clearing.way, root, kubeconfig, site, lambda cluster: _round(cluster, clearing))
        waits = [one for one in left if clearing.whole or one.thing.leaving]
        if not waits or time.monotonic() >= until:
            return _asked(clearing.way, root, kubeconfig, site, partial(_stuck, left=left, clearing=clearing))
        if (what := _counts(waits)) != told:
            say(f"waiting for {what} outside of the cluster to be removed")
            told = what
        time.sleep(PAUSE_S)


def _round(cluster: Cluster, clearing: Clearing) -> list[Outside]:
    """Ask for the removal of all that may go. Returns what is there then."""
    for one in _there(cluster, clearing) if clearing.whole else ():
        claimed = one.what != BALANCER
        thing = one.thing if not claimed else claim_of(cluster, one) if one.claim_row in clearing.claims else None
        if thing is not None and not thing.leaving:
            delete(cluster, thing)
    return _there(cluster, clearing)


def _there(cluster: Cluster, clearing: Clearing) -> list[Outside]:
    made = [one for one in volumes(cluster) if one.goes] if clearing.whole else []
    return [*balancers(cluster), *made]


def _stuck(cluster: Cluster, *, left: Sequence[Outside], clearing: Clearing) -> list[Stuck]:
    return [_why(cluster, one, clearing) for one in left]


def _why(cluster: Cluster, one: Outside, clearing: Clearing) -> Stuck:
    thing: Thing = one.thing
    held = Held("", "", {})
    if one.what != BALANCER and (claim := claim_of(cluster, one)) is not None:
        thing = claim
    named = f"{one.what}{f' {one.handle}' if one.handle else ''}"
    if thing.leaving:
        says = f"its {named} is still there: {why_leaving(cluster, thing, held)}"
    elif clearing.whole:
        says = f"its {named} is still there, and nobody removes it"
    else:
        says = f"has a {named}, and is of others: its controller stays with it"
    return Stuck(thing.row, says, removal_line(thing, clearing.way.context))


def _counts(found: Sequence[Outside]) -> str:
    kinds = [one.what for one in found]
    return " and ".join(counted(kinds.count(what), what) for what in sorted(set(kinds)))


def _asked(way: Kubeconfig, root: Path, kubeconfig: Path | None, site: str, ask: Callable[[Cluster], Answer]) -> Answer:
    """An answer of the cluster. Raises `EngineError` if it gives none, or not all of it."""
    try:
        cluster = Cluster(clusters.connect(way, root, kubeconfig))
        answer = ask(cluster)
    except (Unreachable, Declined) as error:
        raise _unknown(site, error.says) from None
    if cluster.unread:
        raise _unknown(site, "; ".join(f"{one.what}: {one.says}" for one in cluster.unread.values()))
    return answer


def _unknown(site: str, says: str) -> EngineError:
    return EngineError(
        f"what the cluster of {site} has outside of it is not known: {redacted(says)}",
        "let it be asked, and run destroy again: its load balancers and volumes would stay behind, and be paid for",
    )
