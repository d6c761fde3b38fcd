"""Hundreds of made-up factories that serve: GPUs add up, every selector finds its pods, and nothing is a traceback."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from pydantic import ValidationError

from aifactory.blueprints.site import Site
from aifactory.components.catalog import Catalog
from aifactory.components.rows import KubernetesRow
from aifactory.stacks.planning.place import place_of
from support import doors
from support.flows import wrong_flows
from support.generating import MADE_UP
from support.generating_models import Factory, served_factories
from support.graph import unreached
from support.planning import Planned, plan_site
from support.served import gpus_add_up

EXAMPLES = 300
SHARE_THAT_PLANS = 0.6
HITS = 50


def planned(factory: Factory) -> Planned:
    site, parts, demand = factory
    return plan_site(parts, place_of(Site.model_validate(site), "2026.11"), demand=demand)


def closed_doors(result: Planned) -> list[str]:
    """What is wrong with a gateway, seen from rows alone."""
    stack = result.stack  # assembled anew each time
    bodies = [dict(stack.plain_tree(row)) for row in stack.rows if isinstance(row, KubernetesRow)]
    if not doors.of(bodies, "SecurityPolicy"):
        return []
    odd = doors.half_open(bodies)
    return [*doors.unguarded(bodies), *doors.misplaced(bodies, Catalog.shipped()), *(str(pair) for pair in odd)]


def test_most_made_up_factories_serve_and_the_rest_is_refused_with_problems(capsys: Any) -> None:
    outcomes: Counter[str] = Counter()
    hits: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, **MADE_UP)
    @given(served_factories())
    def build(factory: Factory) -> None:
        try:
            result = planned(factory)
        except ValidationError:  # refused by a model, in words
            outcomes["refused by a model"] += 1
            return
        if result.errors:
            assert all(problem.says for problem in result.errors)
            outcomes["refused by the planner"] += 1
            hits.update({f"refused by {problem.rule}" for problem in result.errors})
            return
        assert result.stack_plan is not None, "no plan, and no problem that says why"
        assert gpus_add_up(result.stack_plan, result.stack.rows) == []
        assert unreached(result.stack) == []
        assert wrong_flows(result.stack) == []
        assert closed_doors(result) == []
        outcomes["planned"] += 1
        hits.update({factory[0]["venue"], *(part.kind for part in result.stack_plan.parts)})
        hits.update({part["stack"] for part in factory[1] if part["kind"] == "serving"})

    build()
    total = sum(outcomes.values())
    with capsys.disabled():
        print(f"\nmade-up factories that serve: {dict(outcomes)}, hits {dict(sorted(hits.items()))}")  # noqa: T201
    assert outcomes["planned"] / total >= SHARE_THAT_PLANS
    wanted = ("on-prem", "colo", "serving", "endpoint", "gateway", "queue", "gpu-node-pool", "llm-d", "kserve")
    assert {name: hits[name] for name in wanted if hits[name] < HITS} == {}
