"""A real API server with the real definitions takes a gateway with everything, changes with a weight, and a pool that
is gone and comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aifactory.components.rows import KubernetesRow
from support.gateways import FULL, LARGE, SMALL, Planned, leads, planned, provider, weighed
from support.proving import applied
from support.proving.applied import body
from support.proving.control_plane import ControlPlane
from support.proving.tools import Missing
from support.schemas import Schemas

pytestmark = pytest.mark.cluster

ROUTE = "AIGatewayRoute.aigateway.envoyproxy.io/door/door-{}"
POLICY = "BackendTrafficPolicy.gateway.envoyproxy.io/door/door{}"
BACKENDS = ("Backend.gateway.envoyproxy.io/door/door-{}", "AIServiceBackend.aigateway.envoyproxy.io/door/door-{}")
RULES = 4
"""One for each of three names, and one for the tenant with a bound."""
ORDERS = [("sort", 0), ("think", 0), ("frontier", 1), ("blue", 2), ("claude", 3)]
STEPS = [leg | {"order": order} for order, leg in enumerate(({"part": "sort"}, {"part": "think"}))]
LINE: dict[str, Any] = {
    "offers": (SMALL, LARGE),
    "providers": [provider()],
    "models": [leads(*STEPS, {"provider": "frontier", "model": "gpt-5", "order": 2}, id="auto")],
}
"""A pool for each order, and a provider when both are gone."""

LONGEST = {
    "ClientTrafficPolicy.gateway.envoyproxy.io/door/door",
    "EnvoyProxy.gateway.envoyproxy.io/envoy-gateway-system/door",
}
"""Rows that know how long the longest answer of any model is."""


class Door:
    """A gateway on a server, changed as an `up` changes it: what is planned no more goes."""

    def __init__(self, plane: ControlPlane, schemas: Schemas) -> None:
        """Nothing is there yet."""
        self._plane = plane
        self._schemas = schemas
        self._rows: dict[str, KubernetesRow] = {}
        self._kinds: set[str] = set()

    def become(self, made: Planned) -> dict[str, Any]:
        """Objects as the server has them then, by row; without status, which this ground writes anew."""
        rows = made.rows
        kinds = {f"{row.body['apiVersion']}/{row.body['kind']}" for row in rows.values()}
        if not kinds <= self._kinds:
            applied.define(self._plane, list(rows.values()), self._schemas)
            self._kinds |= kinds
        assert applied.apply(self._plane, list(rows.values())) == []
        for name in self._rows.keys() - rows.keys():
            self._remove(self._rows[name])
        self._rows = rows
        return self.seen()

    def seen(self) -> dict[str, Any]:
        """What stands there now."""
        return {name: _content(self._plane.api.get(body(row))) for name, row in self._rows.items()}

    def _remove(self, row: KubernetesRow) -> None:
        self._plane.api.delete(body(row))
        self._plane.wait(lambda: self._plane.api.get(body(row)) is None, f"{row.id} is gone")


def _content(found: Any) -> Any:
    assert found is not None
    marks = {key: found["metadata"].get(key) for key in ("labels", "annotations")}
    return {key: found[key] for key in found.keys() - {"metadata", "status"}} | marks


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory, schemas: Schemas) -> Iterator[Door]:
    """One control plane for all of these: each test says what stands on it first."""
    try:
        plane = ControlPlane(tmp_path_factory.mktemp("plane"))
    except Missing as missing:
        pytest.skip(str(missing))
    with plane:
        yield Door(plane, schemas)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Rows that came, went or differ."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def orders(found: Mapping[str, Any], route: str) -> list[list[tuple[str, int]]]:
    """Places of each rule with their priorities, as Envoy AI Gateway reads them."""
    rules = found[ROUTE.format(route)]["spec"]["rules"]
    return [[(leg["name"].removeprefix("door-"), leg["priority"]) for leg in rule["backendRefs"]] for rule in rules]


def merged(base: Any, over: Any) -> Any:
    """A policy over that of its gateway, as mergeType StrategicMerge has it: maps meet, of all else the nearer holds.

    Source: envoyproxy/gateway internal/utils/merge.go. No list of ours stands in both.
    """
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}


def policy_of(found: Mapping[str, Any], target: str) -> Any:
    """What holds for a route or a rule: its own policy over the gateway's."""
    gateway, own = (found[POLICY.format(name)]["spec"] for name in ("", f"-{target}"))
    assert own["mergeType"] == "StrategicMerge"
    assert not _lists(gateway) & _lists(own)
    return merged(gateway, own)


def _lists(tree: Any, at: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Paths of lists, but for what a policy is of."""
    if isinstance(tree, dict):
        return set().union(*(_lists(value, (*at, key)) for key, value in tree.items() if key != "targetRefs"))
    # Triggers of a retry are the route's own: whoever has an order next asks it for more.
    return {at} if isinstance(tree, list) and at != ("retry", "retryOn", "triggers") else set()


def without(part: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same blueprint once a pool is taken out: orders close up, and what is left of an order gets all of it."""
    gone: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    for leg in fields["models"][-1]["legs"]:
        (gone if leg.get("part") == part else left).append(dict(leg))
    numbers = {order: number for number, order in enumerate(sorted({leg.get("order", 0) for leg in left}))}
    alone = {order for order in numbers if [leg.get("order", 0) for leg in left].count(order) == 1}
    for leg in left:
        order = leg.get("order", 0)
        leg.update({"order": numbers[order], **({"weight": 100} if order in alone else {})})
    assert gone
    models = [*fields["models"][:-1], {**fields["models"][-1], "legs": left}]
    return {**fields, "models": models, "offers": [offer for offer in fields["offers"] if offer.part != part]}


@pytest.mark.parametrize("reach", ["site", "cluster"])
def test_an_api_server_takes_a_gateway_with_everything(door: Door, reach: str) -> None:
    made = planned(**FULL, reach=reach)
    assert door.become(made).keys() == made.rows.keys()


def test_another_weight_changes_one_route_and_back(door: Door) -> None:
    before, canary, back = (door.become(planned(**weighed(*shares))) for shares in ((100, 0), (90, 10), (100, 0)))
    assert back == before
    assert changed(before, canary) == changed(canary, back) == {ROUTE.format("model")}


def test_the_order_of_failover_stands_on_the_server_with_what_lets_proxies_follow_it(door: Door) -> None:
    found = door.become(planned(**FULL))
    assert orders(found, "auto") == [ORDERS] * RULES
    for target in ("auto", "auto.model.triage"):
        policy = policy_of(found, target)
        assert policy["retry"]["numRetries"] == 1 + max(order for _, order in ORDERS)
        assert policy["retry"]["numAttemptsPerPriority"] == 1
        assert set(policy["retry"]["retryOn"]["httpStatusCodes"]) == {429, 502, 503}
        assert policy["healthCheck"]["passive"]["maxEjectionPercent"] == 100
        assert policy["rateLimit"] == found[POLICY.format("")]["spec"]["rateLimit"]
        assert policy["circuitBreaker"]["maxParallelRequests"] == (4096 if target == "auto" else 16)


@pytest.mark.parametrize("part", ["sort", "think"])
def test_a_dead_pool_leaves_the_order_of_the_rest_and_comes_back(door: Door, part: str) -> None:
    before = door.become(planned(**FULL))
    after = door.become(planned(**without(part, FULL)))
    assert changed(before, after) == {ROUTE.format("auto"), *(each.format(part) for each in BACKENDS)}
    assert orders(after, "auto") == [[place for place in ORDERS if place[0] != part]] * RULES
    assert policy_of(after, "auto") == policy_of(before, "auto")
    assert door.become(planned(**FULL)) == before


@pytest.mark.parametrize(
    ("part", "left", "besides"),
    [("sort", [("think", 0), ("frontier", 1)], set()), ("think", [("sort", 0), ("frontier", 1)], LONGEST)],
)
def test_an_order_that_dies_is_closed_up(door: Door, part: str, left: list[tuple[str, int]], besides: set[str]) -> None:
    """One try less is left, and nothing else of the policy. The large model has the longest answers: proxies that end
    wait no longer for them, and streams may be silent for less."""
    before = door.become(planned(**LINE))
    after = door.become(planned(**without(part, LINE)))
    expected = {ROUTE.format("model"), POLICY.format("-model"), *(each.format(part) for each in BACKENDS)}
    assert changed(before, after) == expected | besides
    assert orders(after, "model") == [left]
    one, other = (policy_of(found, "model") for found in (before, after))
    assert (one["retry"].pop("numRetries"), other["retry"].pop("numRetries")) == (3, 2)
    assert one == other
    assert door.become(planned(**LINE)) == before


@pytest.mark.parametrize(
    ("fields", "rule", "says"),
    [
        ({**LINE, "offers": (SMALL,)}, "", '"think" is no part that serves a model'),
        (
            {**LINE, "models": [leads(*STEPS[:1], {"provider": "frontier", "order": 2})]},
            "GTW-019",
            "model has the orders 0, 2",
        ),
    ],
)
def test_a_pool_that_is_gone_without_a_word_is_refused_and_nothing_changes(
    door: Door, fields: dict[str, Any], rule: str, says: str
) -> None:
    before = door.become(planned(**LINE))
    refused = planned(**fields)
    assert refused.plan is None
    assert rule in refused.broken
    assert says in refused.says
    assert door.seen() == before
