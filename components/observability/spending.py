"""What tenants spend: a sum that begins anew when the door's own does, alerts and a chart."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.observability.alert import Alert, Group, Record
from aifactory.components.observability.decided import ObservabilityPlan, WatchedBudget
from aifactory.components.observability.panel import Curve, Panel
from aifactory.components.observability.texts import ASKED, DOOR, any_of, matcher, quoted

SPENT = "tenant:spend_usd:month"
WINDOW_S = 30 * 86_400
"""Month of a limit: windows of 30 days, counted from 1970. Source: envoyproxy/ratelimit src/utils/utilities.go,
UnitToDivider (commit 04f202f0f518)."""
EVERY_S = 60
ALL = 0.98
"""Share at which all is spent. The door counts each request; the first that a proxy sees of a tenant and a model is
where its series begins, so it is in no rate, and what was asked while Prometheus was away isn't either."""


def groups(plan: ObservabilityPlan) -> Iterator[Group]:
    """Records and alerts of all tenants with a limit of spend a month."""
    budgets = plan.watched.budgets
    if budgets:
        alerts = tuple(alert for budget in budgets for alert in _alerts(budget, plan.limit.budget_percent))
        yield Group(f"{plan.identity}-budgets", alerts, tuple(map(_record, budgets)), EVERY_S)


def _labels(budget: WatchedBudget) -> tuple[tuple[str, str], ...]:
    return (("gateway", budget.gateway), ("tenant", budget.tenant))


def _record(budget: WatchedBudget) -> Record:
    """The sum so far, if it is of this window, and what the last minute cost. It outlives restarts of Prometheus, and
    needs no more history than a day."""
    own = f"{SPENT}{matcher(**dict(_labels(budget)))}"
    window = f"scalar(floor(vector(time() / {WINDOW_S})))"
    of_this = f"floor(last_over_time(timestamp({own})[1d:1m]) / {WINDOW_S}) == {window}"
    before = f"(last_over_time({own}[1d]) and ({of_this})) or on() vector(0)"
    costs = " + ".join(_costs(budget))
    return Record(SPENT, f"({before}) + on() ({costs})", _labels(budget))


def _costs(budget: WatchedBudget) -> Iterator[str]:
    """USD of the last minute, by model and kind of token."""
    for ids, read, written in budget.prices:
        for kind, usd in (("input", read), ("output", written)):
            if usd:
                labels = (
                    f"{DOOR}={quoted(budget.gateway)}",
                    # A client that signs in with a key is its tenant and a name behind a dot.
                    f"tenant_id=~{quoted(f'{budget.tenant}([.].+)?')}",
                    f"{ASKED}=~{any_of(ids)}",
                    f'gen_ai_token_type="{kind}"',
                )
                series = f"gen_ai_client_token_usage_token_sum{{{','.join(labels)}}}"
                yield f"(sum(rate({series}[5m])) or vector(0)) * {usd * EVERY_S:.10g} / 1e6"


def _alerts(budget: WatchedBudget, percent: int) -> Iterator[Alert]:
    spent = f"{SPENT}{matcher(**dict(_labels(budget)))}"
    yield Alert(
        "TenantBudgetNearlySpent",
        f"{spent} > {budget.usd * percent / 100:.12g}",
        "5m",
        "warning",
        f"Tenant {budget.tenant} has spent over {percent} percent of its {budget.usd:.12g} USD of these 30 days at "
        f"gateway {budget.gateway}.",
        _labels(budget),
    )
    yield Alert(
        "TenantBudgetSpent",
        f"{spent} > {budget.usd * ALL:.12g}",
        "1m",
        "critical",
        f"Tenant {budget.tenant} has spent its {budget.usd:.12g} USD of these 30 days: gateway {budget.gateway} "
        "refuses its requests until the window ends or the limit is raised.",
        _labels(budget),
    )


def panels(plan: ObservabilityPlan, door: str) -> Iterator[Panel]:
    """Shares of what tenants of a door may spend."""
    curves = tuple(
        Curve(f"{SPENT}{matcher(**dict(_labels(budget)))} / {budget.usd:.12g}", budget.tenant)
        for budget in plan.watched.budgets
        if budget.gateway == door
    )
    if curves:
        yield Panel(f"{door}: spent of 30 days", "percentunit", curves)
