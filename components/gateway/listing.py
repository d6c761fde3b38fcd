"""Which models a caller is told of: those that it may use, and no other name.

Envoy AI Gateway answers /v1/models itself, with every model of the host name and before any authorization
(envoyproxy/ai-gateway#2452). Its processor runs on its own routes alone, so a plain route for that path answers
instead. A token names its tenant before routes are chosen again. A key doesn't make Envoy choose again
(envoyproxy/envoy, api_key_auth.cc), so each tenant with keys has a host name of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aifactory.components.gateway.decided import ListenerPlan, ListPlan, ListRulePlan, ModelPlan
from aifactory.components.gateway.splitting import numbered

MOST_RULES = 14
"""A HTTPRoute has 16, one of which meets requests that nobody has looked at yet."""
MOST_CALLERS = 60
"""A rule of a HTTPRoute has 64 matches."""
MOST_MATCHES = 127
"""All rules of a HTTPRoute have 128, one of which meets requests that nobody has looked at yet. A claim of its policy
has 128 values. Source: the definitions of HTTPRoute and SecurityPolicy."""


def lists(identity: str, listeners: Sequence[ListenerPlan], models: Sequence[ModelPlan]) -> tuple[ListPlan, ...]:
    """Routes of all listeners."""
    return tuple(made for listener in listeners for made in _of(identity, listener, models))


def _of(identity: str, listener: ListenerPlan, models: Sequence[ModelPlan]) -> Iterator[ListPlan]:
    chosen = not listener.tenant  # else its route matches the path alone, and its policy has no claim
    for number, rules in enumerate(_packed(_rules(listener, models), MOST_MATCHES if chosen else 0), 1):
        yield ListPlan(
            name=numbered(f"{identity}-models-{listener.name}", number),
            listener=listener.name,
            rules=tuple(rules),
            chosen=chosen,
            first=number == 1,
        )


def _packed(rules: Iterable[ListRulePlan], most: int) -> list[list[ListRulePlan]]:
    """Rules that fit one route together, with so many callers at most; 0 for any number."""
    packed: list[list[ListRulePlan]] = []
    for rule in rules:
        there = packed[-1] if packed else []
        callers = sum(len(each.callers) for each in there) + len(rule.callers)
        if not there or len(there) == MOST_RULES or (most and callers > most):
            packed.append([])
        packed[-1].append(rule)
    return packed


def _rules(listener: ListenerPlan, models: Sequence[ModelPlan]) -> Iterator[ListRulePlan]:
    """Callers together that see the same."""
    keys = listener.keys.keys if listener.keys else ()
    seen: dict[str, list[str]] = {caller: [] for caller in filter(listener.takes, keys)}
    for model in models:
        for caller in filter(listener.takes, model.callers):
            seen.setdefault(caller, []).extend(model.ids)
    together: dict[tuple[str, ...], list[str]] = {}
    for caller, ids in seen.items():
        together.setdefault(tuple(ids), []).append(caller)
    for same, callers in together.items():
        most = len(callers) if listener.tenant else MOST_CALLERS  # its route matches the path alone
        for start in range(0, len(callers), most):
            yield ListRulePlan(tuple(callers[start : start + most]), same)
