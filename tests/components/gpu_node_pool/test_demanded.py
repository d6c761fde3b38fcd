"""How many nodes models need: packing as arithmetic, and what a pool that follows a demand decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.gpu_node_pool.demanded import nodes_for, packed
from aifactory.components.offers import GpuDemand, PoolCard, QuotaDemand
from support.planning import group, place

CHAT = GpuDemand("chat", "train", "", 5, 4, 2, 1, spare_node=True)
BIG = GpuDemand("big", "train", "", 2, 1, 16, 2, spare_node=True)


@pytest.mark.parametrize(
    ("replicas", "nodes"),
    [
        ([], 0),
        ([(2, 1, 4)], 1),
        ([(2, 1, 5)], 2),
        ([(8, 1, 3)], 3),
        ([(4, 1, 1), (2, 1, 2)], 1),
        ([(2, 1, 3), (4, 1, 1)], 2),
        ([(3, 1, 3)], 2),
        ([(16, 2, 2)], 4),
        ([(16, 2, 1), (1, 1, 8)], 3),
        ([(9, 1, 2), (1, 1, 1)], 3),
        ([(2, 1, 4_000_000), (1, 1, 8)], 1_000_001),
    ],
)
def test_replicas_are_packed_into_whole_nodes(replicas: list[tuple[int, int, int]], nodes: int) -> None:
    assert packed(replicas, 8) == nodes


@pytest.mark.parametrize(
    ("models", "nodes"),
    [
        ([CHAT], 2),
        ([GpuDemand("chat", "train", "", 9, 8, 2, 1, spare_node=True)], 3),
        ([GpuDemand("chat", "train", "", 8, 8, 2, 1, spare_node=False)], 2),
        ([BIG], 4),
        ([BIG, CHAT], 6),
    ],
)
def test_a_lost_node_leaves_room_for_what_is_needed(models: list[GpuDemand], nodes: int) -> None:
    assert nodes_for(models, 8) == nodes


@given(st.lists(st.tuples(st.integers(1, 8), st.just(1), st.integers(1, 30)), max_size=6), st.integers(0, 5))
def test_packing_holds_every_replica_and_more_of_them_take_no_fewer_nodes(
    replicas: list[tuple[int, int, int]], which: int
) -> None:
    nodes = packed(replicas, 8)
    assert nodes * 8 >= sum(gpus * number for gpus, _, number in replicas)
    if replicas:
        gpus, span, number = replicas[which % len(replicas)]
        assert packed([*replicas, (gpus, span, number)], 8) >= nodes


@given(st.lists(st.tuples(st.integers(1, 10), st.just(1), st.integers(0, 30)), max_size=6))
def test_packing_many_at_once_is_packing_them_one_by_one(replicas: list[tuple[int, int, int]]) -> None:
    left: list[int] = []
    for gpus, _, number in sorted(replicas, reverse=True):
        for _ in range(number):
            place = next((place for place, free in enumerate(left) if free >= gpus), len(left))
            left += [8] if place == len(left) else []
            left[place] -= gpus
    assert packed(replicas, 8) == len(left)


def test_a_pool_tells_what_its_nodes_are_before_it_has_any(pools: Any) -> None:
    found = pools([{"nodes": 2, "fabric": "rdma"}])
    cards = [offer for offer in found.site_plan.offers if isinstance(offer, PoolCard)]
    assert cards == [PoolCard("train", "train", "nvidia-h200-sxm", 8, 8, several_join=True, whole_gpus=True)]


def test_a_pool_that_follows_a_demand_has_the_nodes_of_models_and_of_guarantees(pools: Any) -> None:
    offers = [CHAT, QuotaDemand("teams", "train", 12)]
    found = pools([{"nodes": "demand", "workload": "inference"}], offers=offers)
    assert found.plans["train"].racks[0].nodes
    decision = found.decisions["train.demand"]
    assert decision.value == 4
    assert decision.because == ("chat.gpus",)
    assert "2 nodes of 8 GPUs for models (chat 5 x 2)" in decision.reason
    assert "2 for 12 GPUs guaranteed to jobs" in decision.reason


def test_what_models_reserve_by_demand_counts_for_a_pool_that_follows_quotas(pools: Any) -> None:
    mine = GpuDemand("chat", "train", "assist", 5, 4, 2, 1, spare_node=True)
    offers = [mine, QuotaDemand("teams", "train", 8, by_demand=("assist",))]
    found = pools([{"nodes": "quotas", "workload": "inference"}], offers=offers)
    assert found.decisions["train.demand"].value == 3


def test_reservations_and_needs_are_added_by_tenant_not_weighed_against_each_other(pools: Any) -> None:
    small = GpuDemand("small", "train", "a", 4, 4, 2, 1, spare_node=False)
    large = GpuDemand("large", "train", "b", 8, 8, 2, 1, spare_node=False)
    offers = [small, large, QuotaDemand("teams", "train", 16, (("a", 16),), ("b",))]
    found = pools([{"nodes": "demand", "workload": "inference"}], offers=offers)
    assert found.decisions["train.demand"].value == 4


def test_a_model_of_no_tenant_is_no_guarantee(pools: Any) -> None:
    found = pools([{"nodes": "quotas", "workload": "inference"}], offers=[CHAT])
    assert found.only().rule == "GPU-020"


def test_one_rack_short_says_the_nodes_that_are_missing(pools: Any) -> None:
    where = place(nodes=[group("h200", 4)])
    many = GpuDemand("chat", "train", "", 24, 23, 2, 1, spare_node=True)
    found = pools([{"nodes": "demand", "workload": "inference"}], offers=[many], at=where)
    problem = found.only()
    assert problem.rule == "GPU-012"
    assert "pool train wants 7 nodes" in problem.says
    assert "4 left" in problem.says
    assert problem.hint == "take the load of 3 nodes off demand or quotas, or add 3 nodes"
