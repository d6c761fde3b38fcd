"""Nodes that come and go: how many run, how busy they are, and what that means for money, energy and carbon."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aifactory.cli.work import prepare
from aifactory.components.economics.figures import just
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.energy import made, running, used
from aifactory.stacks.estimate.estimating import cases
from aifactory.stacks.estimate.using import of_pool
from support.source_tree import ROOT

BURST = ROOT / "blueprints" / "library" / "cloud-burst.yaml"


def _case(mean: float, peak: float) -> Case:
    """The flex side under a load. Its nodes have four GPUs, and a replica takes one."""
    text = {"ask_mean": str(mean), "ask_peak": str(peak)}
    work = prepare(BURST, (), text)
    return cases(work.plan, work.loaded, work.stacks)["sto-aws"]


@pytest.mark.parametrize(
    ("mean", "peak", "low", "expected"),
    [
        (1.0, 9.0, 1, 1),  # two replicas at the floor: one node
        (12.0, 20.0, 1, 2),  # 220 tokens x 12 calls: three replicas at 916 tokens/s, and the floor of four is one node
    ],
)
def test_as_many_run_as_the_mean_needs_and_no_fewer_than_the_floor(
    mean: float, peak: float, low: int, expected: int
) -> None:
    case = _case(mean, peak)
    (pool,) = case.pools
    found = running(pool, case).value
    assert Decimal(1) <= found.low <= found.expected <= found.high == pool.nodes
    assert found.low >= low
    assert found.expected <= max(expected, int(found.low))


def test_use_is_that_of_the_nodes_that_run() -> None:
    case = _case(1.0, 9.0)
    (pool,) = case.pools
    of_all, _ = of_pool(pool, case)
    of_running, _ = used(pool, case)
    nodes = running(pool, case).value
    assert abs(of_running.expected - of_all.expected * pool.nodes / nodes.expected) < Decimal("1e-20")
    assert of_running.high <= 1


def test_what_all_nodes_took_to_make_counts_at_the_worse_end() -> None:
    case = _case(1.0, 9.0)
    (pool,) = case.pools
    gpus, nodes = made(case)
    assert nodes == running(pool, case).value
    assert gpus.high == pool.nodes * pool.plan.gpus_per_node
    assert gpus.low < gpus.high
    assert just(0) != nodes
