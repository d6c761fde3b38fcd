"""What the plan of an endpoint must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "END-001",
        "error",
        "An endpoint leads to models",
        "A listener without routes answers 404 to everybody.",
        "Gateway API, HTTPRoute",
    ),
    Rule(
        "END-002",
        "error",
        "A door to the site knows the site's clients",
        "A load balancer without source ranges is open to whoever reaches its address.",
        "Kubernetes documentation, Service, loadBalancerSourceRanges",
    ),
    Rule(
        "END-003",
        "error",
        "Each model has a path of its own",
        "Of two routes with one path the older wins, and the other model gets no request.",
        "Gateway API, HTTPRoute, precedence of matches",
    ),
    Rule(
        "END-004",
        "error",
        "A request may take as long as the longest answer",
        "A shorter timeout cuts a streamed answer off, after its GPU time is spent.",
        "Gateway API, HTTPRoute timeouts",
    ),
    Rule(
        "END-005",
        "error",
        "The host name fits a certificate",
        "A common name has 64 characters at most; many issuers copy the first DNS name into it.",
        "RFC 5280, ub-common-name",
    ),
    Rule(
        "END-006",
        "warning",
        "The endpoint outlives a node",
        "One proxy is gone while its node drains, and each model with it.",
        "Kubernetes documentation, disruptions",
    ),
    Rule(
        "END-007",
        "warning",
        "Somebody may call",
        "An endpoint inside the cluster lets namespaces of tenants and callers through; without any, nobody gets in.",
        "Kubernetes documentation, Network Policies",
    ),
    Rule(
        "END-008",
        "warning",
        "Each served model has a route",
        "A model that no endpoint leads to holds GPUs for nobody.",
        "Gateway API, HTTPRoute",
    ),
)
