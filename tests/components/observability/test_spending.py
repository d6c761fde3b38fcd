"""What tenants spend is summed in the door's own windows, and somebody hears of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from aifactory.components.observability import alerts
from aifactory.components.observability.alert import Group
from aifactory.components.offers import GatewayOffer, PricedModel
from support.watching import CHAT, DOOR, GATE, exported, series_of, watched

PRICED = PricedModel(("llama-3.3-70b", "chat"), ("chat",), 0.6, 2.4)
PAID = replace(GATE, priced=(PRICED,), budgets=(("assist", 40_000.0),))


def budgets(*gates: GatewayOffer, **limits: int) -> list[Group]:
    plan = watched(offers=(CHAT, DOOR, *gates), limits=limits).plan
    return [group for group in alerts.groups(plan) if group.name == "watch-budgets"]


def test_without_a_limit_of_spend_nothing_is_summed() -> None:
    assert budgets(GATE) == []
    assert budgets(replace(PAID, budgets=())) == []
    assert "tenant-spend" not in watched(offers=(CHAT, DOOR, GATE)).plan.watched.exporters


def test_tokens_are_summed_at_the_price_of_each_kind_by_the_names_that_requests_carry() -> None:
    (group,) = budgets(PAID)
    (record,) = group.records
    assert group.interval_s == 60
    assert record.labels == (("gateway", "door"), ("tenant", "assist"))
    # By hand: 0.6 and 2.4 USD a million tokens, times the 60 s of an evaluation.
    assert "* 36 / 1e6" in record.expression
    assert "* 144 / 1e6" in record.expression
    assert record.expression.count('gen_ai_original_model=~"llama-3\\\\.3-70b|chat"') == 2
    assert record.expression.count('tenant_id=~"assist([.].+)?"') == 2
    assert {exported()[name] for name in series_of(record.expression)} == {"tenant-spend", "ai-gateway"}


def test_a_share_of_the_budget_warns_and_all_of_it_calls() -> None:
    (group,) = budgets(PAID)
    nearly, spent = group.alerts
    assert (nearly.name, nearly.severity) == ("TenantBudgetNearlySpent", "warning")
    assert (spent.name, spent.severity) == ("TenantBudgetSpent", "critical")
    own = 'tenant:spend_usd:month{gateway="door",tenant="assist"}'
    assert nearly.expression == f"{own} > 32000"
    assert spent.expression == f"{own} > 39200"
    (lower,) = budgets(PAID, budget_percent=50)
    assert lower.alerts[0].expression == f"{own} > 20000"


@pytest.mark.parametrize("usd", [1_000_000.0, 12_345_678.0])
def test_a_large_budget_is_written_whole(usd: float) -> None:
    (group,) = budgets(replace(PAID, budgets=(("assist", usd),)))
    limit = float(group.alerts[0].expression.rpartition("> ")[2])
    assert limit == pytest.approx(usd * 0.8, rel=1e-9)


def test_a_price_that_nobody_knows_adds_nothing() -> None:
    unknown = replace(PRICED, ids=("other",), input_usd=None, output_usd=None)
    (group,) = budgets(replace(PAID, priced=(PRICED, unknown)))
    assert "other" not in group.records[0].expression


def test_the_plan_says_what_spend_is_compared_with() -> None:
    decision = watched(offers=(CHAT, DOOR, PAID)).site_plan.decisions["watch.budgets"]
    assert decision.value == {"door/assist": 40_000.0}
    assert "windows of 30 days" in decision.reason
