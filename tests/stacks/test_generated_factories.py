"""Hundreds of made-up factories: most plan, the rest is refused in words, and nothing is ever a traceback."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aifactory.blueprints.site import Site
from aifactory.components.names import stack_name
from aifactory.components.problems import Refused
from aifactory.stacks.assembly.codec import decode, encode
from aifactory.stacks.planning.data import stack_data
from aifactory.stacks.planning.place import place_of
from support.generating import MADE_UP, factories
from support.planning import Planned, plan_site

EXAMPLES = 400
SHARE_THAT_PLANS = 0.7
HITS = 50


def planned(site: dict[str, Any], parts: list[dict[str, Any]]) -> Planned:
    return plan_site(parts, place_of(Site.model_validate(site), "2026.11"))


def test_most_made_up_factories_plan_and_the_rest_is_refused_with_problems(
    record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes: Counter[str] = Counter()
    hits: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, **MADE_UP)
    @given(factories())
    def build(factory: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
        site, parts = factory
        try:
            result = planned(site, parts)
        except ValidationError:  # refused by a model, in words
            outcomes["refused by a model"] += 1
            return
        if result.errors:
            assert all(problem.says for problem in result.errors)
            outcomes["refused by the planner"] += 1
            return
        assert result.stack_plan is not None, "no plan, and no problem that says why"
        rows = result.stack.rows
        assert len({row.id for row in rows}) == len(rows), "two rows share an identity"
        outcomes["planned"] += 1
        hits.update({site["venue"], *(part.kind for part in result.stack_plan.parts)})

    build()
    total = sum(outcomes.values())
    with capsys.disabled():
        print(f"\nmade-up factories: {dict(outcomes)}, hits {dict(sorted(hits.items()))}")  # noqa: T201 - the counts
    record_property("outcomes", dict(outcomes))
    assert outcomes["planned"] / total >= SHARE_THAT_PLANS
    wanted = ("on-prem", "colo", "cluster", "fabric", "gpu-node-pool", "queue", "training")
    assert {name: hits[name] for name in wanted if hits[name] < HITS} == {}


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(factories(), st.randoms(use_true_random=False))
def test_a_plan_does_not_depend_on_the_order_of_keys_or_parts(
    factory: tuple[dict[str, Any], list[dict[str, Any]]], random: Any
) -> None:
    site, parts = factory

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            items = [(key, shuffled(inner)) for key, inner in value.items()]
            random.shuffle(items)
            return dict(items)
        return [shuffled(inner) for inner in value] if isinstance(value, list) else value

    def outcome(site: dict[str, Any], parts: list[dict[str, Any]]) -> str:
        try:
            result = planned(site, parts)
            if result.errors or result.stack_plan is None:
                return json.dumps(sorted((problem.rule, problem.says) for problem in result.errors))
            rows = [encode(row, result.stack.steps[row.id]) for row in result.stack.rows]
            return json.dumps([stack_data(result.stack_plan), rows])
        except (ValidationError, Refused) as error:
            return type(error).__name__

    again = list(parts)
    random.shuffle(again)
    assert outcome(shuffled(site), [shuffled(part) for part in again]) == outcome(site, parts)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(factories())
def test_every_row_survives_being_written_and_read(
    factory: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    site, parts = factory
    try:
        result = planned(site, parts)
    except ValidationError:
        return
    if result.errors or result.stack_plan is None:
        return
    assert result.stack.name == stack_name("demo", site["site"])
    for row in result.stack.rows:
        assert decode(json.loads(json.dumps(encode(row, 0)))) == (row, 0)
