"""Quotas as numbers: they follow the GPUs, and never promise more than the pools have."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aifactory.components.offers import PoolOffer
from aifactory.components.pods import allocatable
from aifactory.components.queue import quota
from support.offered import Outcome, fabric, outcome, pool, queue

UNITS = {"": 1, "k": 10**3, "M": 10**6, "Mi": 1, "Gi": 1024, "Ti": 1024**2, "Pi": 1024**3}


def number(text: str) -> int:
    """A quantity as a number: memory in MiB, all else as it counts."""
    digits, unit = re.fullmatch(r"(\d+)(\D*)", text).groups()  # type: ignore[union-attr]  # a quantity matches
    return int(digits) * UNITS[unit]


def promised(found: Outcome) -> dict[tuple[str, str], int]:
    """Nominal quotas of all tenants and the cohort, summed by flavor and resource."""
    sums: dict[tuple[str, str], int] = {}
    plan = found.plans["teams"]
    for quotas in [plan.spare, *(tenant.quotas for tenant in plan.tenants)]:
        for flavor in quotas:
            for each in flavor.quotas:
                key = (flavor.flavor, each.resource)
                sums[key] = sums.get(key, 0) + number(each.nominal)
    return sums


def capacity(offer: PoolOffer) -> dict[tuple[str, str], int]:
    """What a pool has for pods, by flavor and resource."""
    node = allocatable(offer)
    devices = dict(offer.slice_resources) or {offer.gpu_resource: offer.gpus_per_node}
    each = {"cpu": node.cpus, "memory": node.memory_mib, **devices}
    return {(f"teams-{offer.pool}", name): amount * offer.nodes for name, amount in each.items()}


POOLS = st.builds(
    lambda name, nodes, per_node, cpus, gib, slices: pool(
        name,
        nodes,
        gpus_per_node=per_node,
        cpus_per_node=cpus,
        memory_gib_per_node=gib,
        slice_resources=(("nvidia.com/mig-1g.18gb", per_node * 7),) if slices else (),
        fabric="",
    ),
    st.just("train"),
    st.integers(1, 600),
    st.sampled_from([1, 2, 4, 8, 16, 72]),
    st.integers(1, 512),
    st.integers(1, 8_192),
    st.booleans(),
)
SHARE = st.one_of(st.none(), st.integers(0, 200))
TENANTS = st.lists(st.tuples(st.integers(0, 400), SHARE, SHARE), min_size=1, max_size=6)


@settings(max_examples=300, deadline=None)
@given(POOLS, TENANTS)
def test_quotas_of_an_accepted_plan_sum_to_what_the_pool_has(
    offer: PoolOffer, tenants: list[tuple[int, int | None, int | None]]
) -> None:
    written: list[dict[str, Any]] = [
        {"name": f"t{index}", "gpus": gpus, "borrow_gpus": borrow, "lend_gpus": lend}
        for index, (gpus, borrow, lend) in enumerate(tenants)
    ]
    found = outcome([queue(tenants=written)], [offer])
    given_gpus = sum(gpus for gpus, _, _ in tenants)
    assert ("QUE-001" in found.broken) == (given_gpus > offer.gpus)
    if not found.errors:
        assert promised(found) == capacity(offer)


@settings(max_examples=100, deadline=None)
@given(POOLS, TENANTS)
def test_nobody_hopes_for_more_than_there_is(
    offer: PoolOffer, tenants: list[tuple[int, int | None, int | None]]
) -> None:
    written = [
        {"name": f"t{index}", "gpus": gpus, "borrow_gpus": borrow, "lend_gpus": lend}
        for index, (gpus, borrow, lend) in enumerate(tenants)
    ]
    found = outcome([queue(tenants=written)], [offer])
    for offered in found.site_plan.offers:
        for tenant in getattr(offered, "tenants", ()):
            assert tenant.gpus <= tenant.gpus_at_most <= offer.gpus
            assert tenant.gpus == sum(share.gpus for share in tenant.shares)


def test_cpu_and_memory_follow_the_gpus() -> None:
    (flavor,) = outcome([queue()]).plans["teams"].tenants[1].quotas
    assert [(each.resource, each.nominal) for each in flavor.quotas] == [
        ("cpu", "364"),
        ("memory", "4032Gi"),
        ("nvidia.com/gpu", "16"),
    ]


def test_what_nobody_is_guaranteed_belongs_to_the_cohort() -> None:
    (flavor,) = outcome([queue()]).plans["teams"].spare
    assert [each.nominal for each in flavor.quotas] == ["182", "2016Gi", "8"]


def test_slices_are_counted_in_place_of_the_gpus_they_were_cut_from() -> None:
    offers = (fabric(), pool(slice_resources=(("nvidia.com/mig-1g.18gb", 56),)))
    plan = outcome([queue()], offers).plans["teams"]
    assert plan.covered == ("cpu", "memory", "nvidia.com/mig-1g.18gb")
    assert plan.tenants[1].quotas[0].quotas[2].nominal == "112"


def test_a_flavor_has_no_quota_on_what_its_pool_lacks() -> None:
    offers = (pool(fabric=""), pool("mig", 2, fabric="", slice_resources=(("nvidia.com/mig-1g.18gb", 56),)))
    tenants = [{"name": "a", "gpus": {"train": 8, "mig": 8}}]
    plan = outcome([queue(pools=["train", "mig"], tenants=tenants)], offers).plans["teams"]
    amounts = {
        (flavor.flavor, each.resource): each.nominal for flavor in plan.tenants[0].quotas for each in flavor.quotas
    }
    assert amounts["teams-train", "nvidia.com/mig-1g.18gb"] == "0"
    assert amounts["teams-mig", "nvidia.com/gpu"] == "0"
    assert amounts["teams-mig", "nvidia.com/mig-1g.18gb"] == "56"


def test_a_stock_knows_its_gpus() -> None:
    assert quota.stock("f", pool(nodes=3)).gpus == 24
