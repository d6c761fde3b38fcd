"""Spans go to a collector that keeps them, from whoever a request passes, and to no other."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.offers import EndpointOffer
from aifactory.components.rows import KubernetesRow
from aifactory.stacks.assembly.stack import Stack
from support import gateways, shipped
from support.schemas import Schemas
from support.watching import CHAT, COLLECTOR, DOOR, watched

TRACED = [name for name in shipped.STACKS if name.startswith(("sovereign-inference", "edge-slm"))]
QUIET = "inference-l4-muc-lab1-platform"
TAGS = {"aifactory.site", "gen_ai.request.model", "http.request.id"}


def objects(stack: Stack, kind: str) -> list[Any]:
    """Objects of a kind."""
    rows = [row for row in stack.rows if isinstance(row, KubernetesRow) and row.body["kind"] == kind]
    return [stack.plain_tree(row) for row in rows]


def words_of(tree: Any) -> list[str]:
    """Every text of a tree."""
    if isinstance(tree, dict):
        return [word for value in tree.values() for word in words_of(value)]
    if isinstance(tree, (list, tuple)):
        return [word for value in tree for word in words_of(value)]
    return [str(tree)]


@pytest.mark.parametrize("name", TRACED)
def test_every_server_and_every_proxy_of_a_traced_stack_sends_to_the_collector(name: str) -> None:
    stack = shipped.stacks()[name]
    servers = [part for part in stack.plan.parts if part.kind == "serving"]
    flag = "--otlp-traces-endpoint=http://watch-gateway-collector.watch.svc:4317"
    for part in servers:
        words = [word for program in part.plan.programs for word in program.args]  # type: ignore[attr-defined]
        assert flag in words
    (proxy,) = objects(stack, "EnvoyProxy")
    tracing = proxy["spec"]["telemetry"]["tracing"]
    assert tracing["samplingRate"] == 100  # the collector keeps a share, once
    assert tracing["provider"]["backendRefs"] == [
        {"name": "watch-gateway-collector", "namespace": "watch", "port": 4317}
    ]
    gateway = any(part.kind == "gateway" for part in stack.plan.parts)
    assert set(tracing["customTags"]) == TAGS | ({"tenant.id"} if gateway else set())
    (grant,) = [each for each in objects(stack, "ReferenceGrant") if each["metadata"]["namespace"] == "watch"]
    assert grant["spec"]["to"] == [{"group": "", "kind": "Service", "name": "watch-gateway-collector"}]
    collectors = {each["metadata"]["name"] for each in objects(stack, "OpenTelemetryCollector")}
    assert "watch-gateway" in collectors  # whose Service has -collector behind its name


def test_without_a_collector_nobody_sends() -> None:
    stack = shipped.stacks()[QUIET]
    assert not [part for part in stack.plan.parts if part.kind == "observability"]
    assert "tracing" not in objects(stack, "EnvoyProxy")[0]["spec"]["telemetry"]
    text = " ".join(word for kind in ("InferenceService", "HTTPRoute") for word in words_of(objects(stack, kind)))
    assert "otlp" not in text
    assert "x-aifactory-model" not in text


def test_a_collector_that_keeps_no_traces_gets_none() -> None:
    assert gateways.planned(also=[COLLECTOR]).sound.spans is not None
    assert gateways.planned(also=[replace(COLLECTOR, traces=False)]).sound.spans is None
    (offer,) = [each for each in watched(signals=["logs"]).site_plan.offers if type(each) is type(COLLECTOR)]
    assert not offer.traces


@pytest.mark.parametrize("name", TRACED)
def test_a_tag_is_read_from_no_header_that_a_client_could_write(name: str) -> None:
    stack = shipped.stacks()[name]
    (proxy,) = objects(stack, "EnvoyProxy")
    tags = proxy["spec"]["telemetry"]["tracing"]["customTags"]
    read = {each["requestHeader"]["name"] for each in tags.values() if "requestHeader" in each} - {"x-request-id"}
    assert read
    (traffic,) = objects(stack, "ClientTrafficPolicy")
    removed = set(traffic["spec"]["headers"].get("earlyRequestHeaders", {}).get("remove", ()))
    for header in read - removed:
        assert objects(stack, "HTTPRoute"), header  # else nobody replaces what a client wrote
        for route in objects(stack, "HTTPRoute"):
            for rule in route["spec"]["rules"]:
                (mark,) = [each for each in rule["filters"] if each["type"] == "RequestHeaderModifier"]
                assert [each["name"] for each in mark["requestHeaderModifier"]["set"]] == [header]


@pytest.mark.parametrize("name", TRACED)
def test_policies_let_spans_from_servers_and_proxies_in_and_no_one_else(name: str) -> None:
    stack = shipped.stacks()[name]
    policies = {(row["metadata"]["namespace"], row["metadata"]["name"]): row for row in objects(stack, "NetworkPolicy")}
    label = "kubernetes.io/metadata.name"
    peers = [peer for rule in policies["watch", "allowed"]["spec"]["ingress"] for peer in rule.get("from", ())]
    named = {peer["namespaceSelector"]["matchLabels"][label] for peer in peers if "namespaceSelector" in peer}
    models = {part.plan.namespace for part in stack.plan.parts if part.kind == "serving"}  # type: ignore[attr-defined]
    tenants = {
        row["metadata"]["name"]
        for row in objects(stack, "Namespace")
        if "aifactory.io/tenant" in row["metadata"]["labels"]
    }
    assert named == {"envoy-gateway-system", "monitoring"} | models | tenants
    for namespace in models:
        for rule in policies[namespace, "allowed"]["spec"]["egress"]:
            to = [
                peer
                for peer in rule.get("to", ())
                if peer.get("namespaceSelector", {}).get("matchLabels", {}).get(label) == "watch"
            ]
            if to:
                assert {port["port"] for port in rule["ports"]} <= {4317, 4318}
        assert "watch" in words_of(policies[namespace, "allowed"]["spec"]["egress"])


@pytest.mark.schema
def test_the_server_takes_a_gateway_that_traces(schemas: Schemas) -> None:
    made = gateways.planned(also=[COLLECTOR], **gateways.FULL).objects
    assert made["EnvoyProxy/door"]["spec"]["telemetry"]["tracing"]["customTags"]["tenant.id"]
    assert {name: found for name, body in made.items() if (found := schemas.problems(body))} == {}


@pytest.mark.parametrize(("doors", "grants"), [((CHAT, DOOR), 1), ((CHAT,), 0)])
def test_a_grant_is_made_where_a_door_needs_it(doors: tuple[object, ...], grants: int) -> None:
    made = [name for name in watched(offers=doors).bodies if name.startswith("ReferenceGrant/")]
    assert len(made) == grants


def test_a_renamed_gateway_offers_the_name_that_its_proxies_carry() -> None:
    made = gateways.planned(name="front", renamed_from="door")
    (offer,) = made.ctx.offers(EndpointOffer)
    assert offer.gateway == "door"
    assert "Gateway.gateway.networking.k8s.io/door/door" in made.rows
