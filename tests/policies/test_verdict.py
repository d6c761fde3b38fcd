from __future__ import annotations

import pytest
from msgspec.structs import replace

from aifactory.policies.verdict import Finding, Outcome, RuleCount, as_data, judge

FINDING = Finding("FAB-001", "high", "demo-lab-platform", "parts[0]", "wrong MTU", "set 9000", "f.yaml", 3, 5)
COUNTED = RuleCount("FAB-001", "mandatory", 2, 1)


@pytest.mark.parametrize(
    ("findings", "rules", "outcome", "code"),
    [
        ([], [COUNTED], "allowed", 0),
        ([FINDING], [COUNTED], "denied", 1),
        ([replace(FINDING, severity="critical")], [COUNTED], "denied", 1),
        ([replace(FINDING, severity="medium")], [COUNTED], "allowed", 0),
        ([replace(FINDING, waived_by="W-1")], [COUNTED], "allowed", 0),
        ([FINDING], [], "denied", 1),
        ([], [], "undecided", 4),
        ([], [replace(COUNTED, evaluated=0)], "undecided", 4),
    ],
)
def test_a_verdict_follows_from_findings_and_from_what_was_judged(
    findings: list[Finding], rules: list[RuleCount], outcome: Outcome, code: int
) -> None:
    verdict = judge(findings, rules)
    assert (verdict.outcome, verdict.exit_code) == (outcome, code)


def test_the_data_of_a_verdict_has_the_fields_of_the_contract() -> None:
    data = as_data(judge([FINDING], [COUNTED]), {"plan": "sha256:0"})
    assert list(data) == ["schema", "verdict", "findings", "rules", "digests"]
    assert {
        "rule",
        "severity",
        "stack",
        "target",
        "message",
        "remediation",
        "file",
        "line",
        "waived_by",
    } <= set(data["findings"][0])
    assert data["rules"] == [{"id": "FAB-001", "level": "mandatory", "evaluated": 2, "count": 1}]
