"""The view of doors notices what it is there to notice."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from support import doors
from support.gateways import KEYS, OIDC, POOL, SMALL, leads, planned, provider

BOTH = {"oidc": OIDC, "keys": KEYS}
LEGS = ({"part": "sort"}, {"provider": "frontier", "order": 1})


def bodies(**fields: Any) -> list[dict[str, Any]]:
    made = planned(**{"sign_in": BOTH, "providers": [provider()], "models": [leads(*LEGS)], **fields})
    return deepcopy(list(made.objects.values()))


def body(made: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in made if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def test_a_sound_gateway_has_no_gaps() -> None:
    made = bodies()
    assert doors.callers(made) == {"llama-8b": {"triage"}}
    assert {way.place for way in doors.ways(made)} == {"lab", "frontier"}
    assert (doors.half_open(made), doors.unguarded(made)) == (set(), [])
    assert doors.misplaced(made, Catalog.shipped()) == []


def test_a_listener_without_a_policy_or_with_an_open_one_is_found() -> None:
    made = bodies()
    body(made, "SecurityPolicy", "door-tokens")["spec"]["authorization"]["defaultAction"] = "Allow"
    assert doors.unguarded(made) == ["door/tokens"]
    made = [each for each in bodies() if each["metadata"]["name"] != "door-keys-triage"]
    assert doors.unguarded(made) == ["door/keys-triage"]
    made = bodies()
    body(made, "SecurityPolicy", "door-tokens")["spec"]["jwt"]["optional"] = True
    assert doors.unguarded(made) == ["door/tokens"]


def test_a_list_of_models_without_a_token_is_found() -> None:
    made = bodies()
    body(made, "SecurityPolicy", "door-models-tokens")["spec"]["jwt"]["optional"] = True
    assert doors.unguarded(made) == ["door-models-tokens"]


SHARED = {
    "providers": [],
    "models": [
        leads({"part": "sort"}, name="small"),
        leads({"part": "chat"}, name="large"),
        leads({"part": "sort"}, name="both", id="both", aliases=["all"], tenants=["assist", "triage"]),
    ],
}


def test_each_caller_is_told_of_what_it_may_use() -> None:
    made = bodies(**SHARED)
    assist, triage = {"llama-70b", "both", "all"}, {"llama-8b", "both", "all"}
    assert doors.told(made) == {"assist": assist, "assist.app": assist, "triage": triage, "triage.mail": triage}
    assert doors.told(made) == doors.usable(made)


@pytest.mark.parametrize("listener", ["tokens", "keys-assist"])
def test_a_list_that_names_what_others_may_use_is_found(listener: str) -> None:
    every = {"llama-70b", "llama-8b", "both", "all"}
    caller = "assist" if listener == "tokens" else "assist.app"
    made = [each for each in bodies(**SHARED) if each["metadata"]["name"] != f"door-models-{listener}"]
    assert doors.told(made)[caller] == every
    made = bodies(**SHARED)
    for rule in body(made, "HTTPRoute", f"door-models-{listener}")["spec"]["rules"]:
        rule["matches"][0]["method"] = "GET"  # any other is answered by the route of a model, with all names
    assert doors.told(made)[caller] == every


def test_a_list_that_no_policy_lets_through_is_found() -> None:
    made = bodies(**SHARED)
    rules = body(made, "SecurityPolicy", "door-models-tokens")["spec"]["authorization"]["rules"]
    rules[0]["principal"]["headers"][0]["values"].remove("assist")
    assert doors.told(made)["assist"] == set()


def test_a_key_does_not_choose_among_lists() -> None:
    """Envoy chooses the route before it reads a key, and not again."""
    made = bodies(**SHARED)
    spec = body(made, "HTTPRoute", "door-models-keys-assist")["spec"]
    spec["rules"][0]["matches"][0]["headers"] = [{"type": "Exact", "name": doors.TENANT, "value": "assist.app"}]
    assert doors.told(made)["assist.app"] == {"llama-70b", "llama-8b", "both", "all"}


def test_a_gateway_that_believes_its_clients_is_found() -> None:
    made = bodies()
    body(made, "ClientTrafficPolicy", "door")["spec"]["headers"]["earlyRequestHeaders"]["remove"].remove(doors.TENANT)
    assert doors.unguarded(made) == ["door believes x-tenant-id"]


def test_a_tenant_that_only_a_policy_or_only_a_route_knows_is_found() -> None:
    made = bodies()
    rule = body(made, "SecurityPolicy", "door-tokens")["spec"]["authorization"]["rules"][0]
    rule["principal"]["headers"][0]["values"].append("mallory")
    assert doors.half_open(made) == {("llama-8b", "mallory")}
    assert doors.callers(made) == {"llama-8b": {"triage"}}


def test_a_place_that_the_class_does_not_allow_or_that_nobody_knows_is_found() -> None:
    for label, value in ((doors.COUNTRY, "US"), (doors.OPERATOR, "US"), (doors.COUNTRY, None), (doors.OPERATOR, None)):
        made = bodies()
        labels = body(made, "Backend", "door-frontier")["metadata"]["labels"]
        labels.pop(label)
        if value:
            labels[label] = value
        assert doors.misplaced(made, Catalog.shipped()) == ["door-model leads customer data to frontier"]
    made = bodies()
    del body(made, "AIGatewayRoute", "door-model")["metadata"]["annotations"]
    assert doors.misplaced(made, Catalog.shipped()) == ["door-model leads to frontier without a class"]


def test_a_pool_is_where_its_route_is() -> None:
    made = bodies(offers=(POOL, SMALL), models=None, providers=[])
    assert doors.callers(made) == {"llama-70b": {"assist"}, "llama-8b": {"triage"}}
    body(made, "AIGatewayRoute", "door-chat")["metadata"]["labels"][doors.COUNTRY] = "US"
    assert doors.misplaced(made, Catalog.shipped()) == ["door-chat leads customer data to lab"]
