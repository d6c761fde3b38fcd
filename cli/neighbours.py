"""Bases of other factories at a site: each would make a network of the same addresses, on the same ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import structs

from aifactory.cli.deploying import Known, Runner
from aifactory.cli.work import Work
from aifactory.components import names
from aifactory.components.problems import Problem
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.program.deployment import read_only, stacks_beside
from aifactory.stacks.program.identity import FACTORY_TYPE


def neighbours(work: Work, runner: Runner, known: Mapping[str, Known | None]) -> list[Problem]:
    """What refuses a base that isn't there yet: another factory has one at the site. Raises `EngineError`.

    Bases whose states lie in other backends aren't seen.
    """
    found = []
    for name, stack in work.shown.items():
        held = known.get(name)
        if stack.layer == "base" and (held is None or not held.rows):
            found += [_refused(stack, other) for other in _others(name, stack, runner)]
    return found


def _others(name: str, stack: Stack, runner: Runner) -> Iterator[str]:
    """Factories that have a base at the site of a stack."""
    site = stack.plan.place.site
    target = runner.target(name, stack.plan.place.state)
    for beside in stacks_beside(runner.engine, target):
        if not beside.endswith(f"-{site}-base"):
            continue
        for one in read_only(runner.engine, structs.replace(target, stack=beside)):
            factory = str(one["urn"]).rpartition("::")[2]
            # Names have hyphens: only with its factory does the name of a stack say its site.
            if one["type"] == FACTORY_TYPE and names.stack_name(factory, site, "base") == beside:
                yield factory


def _refused(stack: Stack, other: str) -> Problem:
    site = stack.plan.place.site
    return Problem(
        f"factory {other} has a base at {site}: this one would make a second network of the same addresses, and a "
        "transit gateway or a peer routes to one of them alone",
        ("aws", "vpc", "cidr"),
        f"give {stack.plan.factory} a site file of its own, with another name and cidr; or put its parts into the "
        f"blueprint of {other}; or remove that first: aifactory destroy BLUEPRINT --site {site}",
        site=site,
        document="site",
    )
