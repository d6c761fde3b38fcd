"""The chain of one decision: value, reason, what it follows from, and the facts at the end of each branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from aifactory.blueprints.shown import shown
from aifactory.components.base import Decision
from aifactory.components.problems import Problem, Refused, nearest


class Link(Struct, frozen=True):
    """One decision of a chain; `depth` counts how far it lies from the one that was asked for."""

    depth: int
    decision: Decision
    repeated: bool
    """Whether the chain showed it above already, and stops here."""


def chain(decisions: Mapping[str, Decision], path: str) -> Iterator[Link]:
    """The decision at `path` and all it follows from, depth first. Each is followed once."""
    seen: set[str] = set()
    pending = [(0, path)]
    while pending:
        depth, name = pending.pop()
        decision = decisions[name]
        repeated = name in seen
        seen.add(name)
        yield Link(depth, decision, repeated)
        if not repeated:
            pending.extend((depth + 1, cause) for cause in reversed(decision.because) if cause in decisions)


def matching(decisions: Mapping[str, Decision], path: str) -> list[str]:
    """The paths that `path` names: itself, or all below it (`train` names `train.nodes`).

    Raises `Refused` with the nearest spelling when there is none.
    """
    found = [path] if path in decisions else [name for name in decisions if name.startswith(f"{path}.")]
    if not found:
        raise Refused([Problem(f"nothing was decided about {shown(path)}", hint=_nearest(decisions, path))])
    return found


def _nearest(decisions: Mapping[str, Decision], path: str) -> str:
    """The nearest path, with what else is known of its part; the parts, when no part is called so."""
    part = path.partition(".")[0]
    of_part = [name for name in decisions if name.startswith(f"{part}.")]
    return nearest(path, _with_beginnings(of_part) if of_part else {name.partition(".")[0] for name in decisions})


def _with_beginnings(paths: Iterable[str]) -> set[str]:
    """`train.driver` and `train.driver.version` of `train.driver.version`."""
    steps = (path.split(".") for path in paths)
    return {".".join(each[:count]) for each in steps for count in range(2, len(each) + 1)}
