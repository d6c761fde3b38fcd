"""The evaluation of network policies notices what it is there to notice."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from support import shipped
from support.flows import API_SERVER, WORLD, End, Policy, passes, wrong_flows

STACK = "sovereign-inference-fra-dc1-platform"
DENY = ("a", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
POD = End("a", {"app": "x"})
BLOCK = {"ipBlock": {"cidr": "10.0.0.0/8"}}
BUT_FOR = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/24"]}}


@pytest.mark.parametrize(
    ("rule", "source", "target", "port", "passed"),
    [
        ({"egress": [{"ports": [{"port": 443, "protocol": "TCP"}]}]}, POD, WORLD, 443, True),
        ({"egress": [{"ports": [{"port": 443, "protocol": "TCP"}]}]}, POD, WORLD, 80, False),
        ({"egress": [{"to": [{"podSelector": {}}]}]}, POD, End("b", {"app": "x"}), 80, False),
        ({"egress": [{"to": [{"namespaceSelector": {}}]}]}, POD, End("b", {"app": "x"}), 80, True),
        ({"egress": [{"to": [BLOCK]}]}, POD, API_SERVER, 6_443, True),
        ({"egress": [{"to": [BUT_FOR]}]}, POD, API_SERVER, 6_443, False),
        ({"egress": [{}]}, POD, API_SERVER, 6_443, True),
        ({"egress": []}, POD, WORLD, 443, False),
        ({"ingress": [{"from": [{"podSelector": {}}]}]}, End("b", {"app": "y"}), POD, 80, False),
        ({"ingress": [{"from": [{"namespaceSelector": {}}]}]}, End("b", {"app": "y"}), POD, 80, True),
    ],
)
def test_policies_are_read_as_kubernetes_reads_them(
    rule: dict[str, Any], source: End, target: End, port: int, passed: bool
) -> None:
    kinds = ["Egress"] if "egress" in rule else ["Ingress"]
    found: list[tuple[str, Policy]] = [
        DENY,
        ("a", {"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": kinds, **rule}),
    ]
    assert passes(found, source, target, port) == passed


def without(name: str) -> list[str]:
    """Wrong flows of a stack that lacks the policies of one name."""
    stack = shipped.stacks()[STACK]
    rows = tuple(row for row in stack.rows if not (row.id.startswith("NetworkPolicy.") and row.id.endswith(f"/{name}")))
    return wrong_flows(replace(stack, rows=rows))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("allowed", "a proxy to Deployment.apps/assist/chat: blocked"),
        ("chat-epp", "Deployment.apps/assist/chat-epp to the API server: blocked"),
        ("gate-clients", "10.60.0.0/16 to a proxy: blocked"),
    ],
)
def test_a_policy_that_is_missing_shows(name: str, says: str) -> None:
    assert wrong_flows(shipped.stacks()[STACK]) == []
    assert says in without(name)
