"""Planner rules: what a plan must keep, each with an id, so that a finding can be looked up, counted and waived."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Rule(Struct, frozen=True):
    """A truth the planner keeps. An `error` refuses the plan, a `warning` is shown and counted."""

    id: str
    level: Literal["error", "warning"]
    title: str
    why: str
    source: str


def table(*rules: Rule) -> dict[str, Rule]:
    """Rules by id; the same id twice is our mistake."""
    found = {rule.id: rule for rule in rules}
    if len(found) != len(rules):
        raise ValueError("two rules share an id")
    return found
