"""Rules of a model, split so that each fits a route: Envoy AI Gateway takes 15 rules in one, and the HTTPRoute that it
makes of them 64 matches in a rule and 128 in all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aifactory.components.gateway.decided import RoutePlan, RulePlan

MOST_RULES = 15
MOST_MATCHES = 127
"""One of 128 is that of its own rule for requests that nothing matches."""
MOST_MATCHES_OF_A_RULE = 60


def numbered(name: str, number: int) -> str:
    """Name of one of several routes that stand for one. A number in front: no name of a user begins with a digit, and
    Envoy cuts the label of a cluster at the first dot (envoyproxy/gateway#9576)."""
    return name if number == 1 else f"{number}-{name}"


def routes(
    name: str, ids: tuple[str, ...], callers: Mapping[str, tuple[str, ...]], parallel: Mapping[str, int]
) -> tuple[RoutePlan, ...]:
    """Routes of one model. `callers` are header values by tenant; a tenant in `parallel` gets a rule of its own for all
    names, since each rule has a circuit breaker of its own."""
    packed: list[list[RulePlan]] = [[]]
    for rule in _rules(ids, callers, parallel):
        matches = sum(each.matches for each in packed[-1])
        if len(packed[-1]) == MOST_RULES or matches + rule.matches > MOST_MATCHES:
            packed.append([])
        packed[-1].append(rule)
    return tuple(RoutePlan(numbered(name, number), tuple(rules)) for number, rules in enumerate(packed, 1))


def _rules(
    ids: tuple[str, ...], callers: Mapping[str, tuple[str, ...]], parallel: Mapping[str, int]
) -> Iterator[RulePlan]:
    together = tuple(value for tenant, values in callers.items() if tenant not in parallel for value in values)
    for number, called in enumerate(ids):
        yield from _chunks(f"alias-{number}" if number else "model", called, together)
    for tenant, limit in parallel.items():
        yield RulePlan(f"model.{tenant}", ids, callers[tenant], limit)


def _chunks(name: str, called: str, values: tuple[str, ...]) -> Iterator[RulePlan]:
    for number, start in enumerate(range(0, len(values), MOST_MATCHES_OF_A_RULE), 1):
        chunk = values[start : start + MOST_MATCHES_OF_A_RULE]
        yield RulePlan(name if number == 1 else f"{name}.{number}", (called,), chunk)
