"""A verdict over findings: allowed, denied, undecided or error, and the exit code that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

Outcome = Literal["allowed", "denied", "undecided", "error"]

EXIT_CODES: dict[Outcome, int] = {"allowed": 0, "denied": 1, "error": 3, "undecided": 4}
"""What a command exits with. 2 is left to a wrong command line."""

MANDATORY = ("critical", "high")
"""Severities that deny. Medium and low are shown, and deny nothing."""


class Finding(Struct, frozen=True):
    """One thing that a rule, or the language itself, found."""

    rule: str
    """Id of the rule; `language` for what the models and files refuse."""
    severity: Literal["critical", "high", "medium", "low"]
    stack: str
    target: str
    """What it is about: a path in the blueprint, or the identity of a row."""
    message: str
    remediation: str
    file: str = ""
    line: int = 0
    column: int = 0
    waived_by: str = ""


class RuleCount(Struct, frozen=True):
    """How often a rule was evaluated, and how often it found something."""

    id: str
    level: Literal["mandatory", "advisory"]
    evaluated: int
    count: int


class Verdict(Struct, frozen=True):
    """What was judged, by which rules, with which outcome."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    rules: tuple[RuleCount, ...]

    @property
    def exit_code(self) -> int:
        """Exit code of the command that judged."""
        return EXIT_CODES[self.outcome]


def judge(findings: Sequence[Finding], rules: Sequence[RuleCount]) -> Verdict:
    """The verdict. Denied by any mandatory finding that isn't waived; undecided when no rule was evaluated."""
    denies = any(finding.severity in MANDATORY and not finding.waived_by for finding in findings)
    evaluated = any(rule.evaluated for rule in rules)
    outcome: Outcome = "denied" if denies else "allowed" if evaluated else "undecided"
    return Verdict(outcome, tuple(findings), tuple(sorted(rules, key=lambda rule: rule.id)))


def as_data(verdict: Verdict, digests: Mapping[str, str]) -> dict[str, Any]:
    """The verdict as `check --format json` prints it; its fields are a contract and only grow."""
    return {
        "schema": "aifactory-check/v1",
        "verdict": verdict.outcome,
        "findings": [finding_data(finding) for finding in verdict.findings],
        "rules": [
            {"id": rule.id, "level": rule.level, "evaluated": rule.evaluated, "count": rule.count}
            for rule in verdict.rules
        ],
        "digests": dict(digests),
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """One finding."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "stack": finding.stack,
        "target": finding.target,
        "message": finding.message,
        "remediation": finding.remediation,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "waived_by": finding.waived_by,
    }
