"""Power of racks and sites."""

from decimal import Decimal

import pytest

from aifactory.components.gpu_node_pool import power
from support.planning import group, place

SERVICE = {
    **group("h200", 2, group="service", gpus_per_node=0, nics=[], nic_model=None, kw_per_node=0.8),
    "accelerator": None,
}


def test_cpu_nodes_and_nodes_of_other_pools_count_as_on() -> None:
    service = {**SERVICE, "racks": [{"rack": "hgx-h200-r1", "block": "b1", "nodes": ["svc-1", "svc-2"]}]}
    at = place(nodes=[group(), service])
    budget = power.budget(at, at.nodes[0], {"hgx-h200-001"})
    assert budget.kw_used == Decimal("11.8")
    assert budget.nodes_in("hgx-h200-r1") == 3  # (44 - 11.8) / 10.2
    assert budget.nodes_in("hgx-h200-r2") == 4


@pytest.mark.parametrize(("total", "nodes"), [(None, 51), (100.0, 9), (5.0, 0)])
def test_the_site_powers_its_total_or_all_its_racks(total: float | None, nodes: int) -> None:
    at = place(power={"racks": 12, "kw_per_rack": 44.0, "kw_total": total, "pue": 1.2, "usd_per_kwh": 0.1})
    assert power.budget(at, at.nodes[0], ()).nodes == nodes


@pytest.mark.parametrize(("value", "text"), [("40.80", "40.8"), ("44.0", "44"), ("100", "100"), ("0", "0")])
def test_kilowatts_are_shown_as_people_write_them(value: str, text: str) -> None:
    assert power.shown(Decimal(value)) == text
