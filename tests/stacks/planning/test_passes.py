"""The passes over real parts: what is derived, what refuses, and that one mistake is one problem."""

from __future__ import annotations

from typing import Any

import pytest

from support.planning import group, place, plan_site

POOL: dict[str, Any] = {
    "kind": "gpu-node-pool",
    "name": "train",
    "accelerator": "h200",
    "nodes": 2,
    "fabric": "rdma",
}
QUEUE: dict[str, Any] = {
    "kind": "queue",
    "name": "teams",
    "pools": ["train"],
    "tenants": [{"name": "ml", "gpus": 16}],
}
RUN: dict[str, Any] = {
    "kind": "training",
    "name": "run",
    "pool": "train",
    "tenant": "ml",
    "nodes": 2,
    "image": "registry.example.com/a/b:1",
}


@pytest.mark.parametrize(
    ("parts", "planned"),
    [
        ([POOL], ["cluster", "fabric", "gpu-node-pool"]),
        ([{**POOL, "nodes": 1, "fabric": "none"}], ["cluster", "gpu-node-pool"]),
        ([RUN, QUEUE, POOL], ["cluster", "fabric", "gpu-node-pool", "queue", "training"]),
        ([POOL, {"kind": "fabric", "name": "rails"}], ["cluster", "fabric", "gpu-node-pool"]),
        ([POOL, {"kind": "cluster", "webhook_replicas": 3}], ["cluster", "fabric", "gpu-node-pool"]),
    ],
)
def test_site_parts_are_derived_unless_written(parts: list[dict[str, Any]], planned: list[str]) -> None:
    stack = plan_site(parts).stack_plan
    assert stack is not None
    assert [part.kind for part in stack.parts] == planned


@pytest.mark.parametrize(
    "mistake",
    [{"accelerator": "b200"}, {"nodes": 99}, {"accelerator": "mi300x"}],
)
def test_a_pool_that_cannot_be_built_is_the_only_problem(mistake: dict[str, Any]) -> None:
    result = plan_site([{**POOL, **mistake}, QUEUE, RUN])
    assert result.stack_plan is None
    assert len(result.errors) == 1, [problem.says for problem in result.errors]


def test_a_part_stands_at_its_sites_only() -> None:
    here = plan_site([POOL, {**QUEUE, "sites": ["elsewhere"]}])
    assert "teams" not in here.plans
    assert "teams" in plan_site([POOL, {**QUEUE, "sites": ["lab"]}]).plans


def test_a_rename_changes_no_choice_of_nodes_and_no_object() -> None:
    at = place(nodes=[group(nodes=8)])
    pools = [{**POOL, "name": name, "nodes": 4} for name in ("a", "b")]
    renamed = [pools[0] | {"name": "z", "renamed_from": "a"}, pools[1]]
    before, after = plan_site(pools, at), plan_site(renamed, at)
    assert set(before.rows) == set(after.rows)
    assert before.plans["a"].nodes == after.plans["z"].nodes
