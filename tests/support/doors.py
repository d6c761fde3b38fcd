"""Who reaches which model through a gateway, and where the data goes: read from rows alone, as Envoy would."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aifactory.components.catalog import Catalog, jurisdictions_of

Body = Mapping[str, Any]
MODEL, TENANT, USER = "x-ai-eg-model", "x-tenant-id", "x-user-id"
PLACE, COUNTRY, OPERATOR = "aifactory.io/place", "aifactory.io/country", "aifactory.io/operator"
RESIDENCY = "aifactory.io/residency"
SITE, OWNER = "aifactory.io/site", "aifactory.io/tenant"
LIST = "/v1/models"


@dataclass(frozen=True)
class Way:
    """One caller's way to one place under one name of a model."""

    model: str
    caller: str
    place: str
    backend: str


def of(bodies: Iterable[Body], kind: str) -> list[Body]:
    """Objects of one kind."""
    return [body for body in bodies if body["kind"] == kind]


def ways(bodies: Sequence[Body]) -> set[Way]:
    """Ways that a policy opens and a route leads."""
    opened = {pair for policy in _guards(bodies) for pair in _opened(policy)}
    return {
        Way(model, caller, _label(target, PLACE), target["metadata"]["name"])
        for route in of(bodies, "AIGatewayRoute")
        for rule in route["spec"]["rules"]
        for model, caller in _matched(rule)
        if (model, caller) in opened
        for target in _targets(route, rule, bodies)
    }


def callers(bodies: Sequence[Body]) -> dict[str, set[str]]:
    """Tenants that reach each model, by the name that requests carry."""
    found: dict[str, set[str]] = {}
    for way in ways(bodies):
        found.setdefault(way.model, set()).add(way.caller.partition(".")[0])
    return found


def usable(bodies: Sequence[Body]) -> dict[str, set[str]]:
    """Names of models that each caller may ask."""
    found: dict[str, set[str]] = {}
    for way in ways(bodies):
        found.setdefault(way.caller, set()).add(way.model)
    return found


def half_open(bodies: Sequence[Body]) -> set[tuple[str, str]]:
    """What a policy opens and no route leads to, or the other way round."""
    opened = {pair for policy in _guards(bodies) for pair in _opened(policy)}
    routed = {
        pair for route in of(bodies, "AIGatewayRoute") for rule in route["spec"]["rules"] for pair in _matched(rule)
    }
    return opened ^ routed


def unguarded(bodies: Sequence[Body]) -> list[str]:
    """Listeners that let somebody in who says nothing, and gateways that believe what clients say of themselves."""
    found = []
    policies = _guards(bodies)
    others = [policy for policy in of(bodies, "SecurityPolicy") if policy not in policies]
    found += [policy["metadata"]["name"] for policy in others if not _closed(policy["spec"])]
    for gateway in of(bodies, "Gateway"):
        name = gateway["metadata"]["name"]
        for listener in gateway["spec"]["listeners"]:
            guards = [policy["spec"] for policy in policies if _is_of(policy, name, listener["name"])]
            if len(guards) != 1 or not _closed(guards[0]):
                found.append(f"{name}/{listener['name']}")
        for traffic in of(bodies, "ClientTrafficPolicy"):
            removed = traffic["spec"]["headers"].get("earlyRequestHeaders", {}).get("remove", [])
            found += [f"{name} believes {header}" for header in (MODEL, TENANT, USER) if header not in removed]
    return found


def past(bodies: Sequence[Body]) -> list[str]:
    """Plain routes that lead anywhere: nobody asks who comes by them, or for which model."""
    return [
        f"{route['metadata']['namespace']}/{route['metadata']['name']} leads to {backend['name']}"
        for route in of(bodies, "HTTPRoute")
        for rule in route["spec"]["rules"]
        for backend in rule.get("backendRefs", ())
    ]


def told(bodies: Sequence[Body]) -> dict[str, set[str]]:
    """Names of models that each caller is told of, at any host name that lets it in.

    As Envoy would: the route is chosen once before a token is read and once after, and never again for a key. Where no
    plain route has the path, Envoy AI Gateway answers with every name.
    """
    every = {
        model
        for route in of(bodies, "AIGatewayRoute")
        for rule in route["spec"]["rules"]
        for model, _ in _matched(rule)
    }
    found: dict[str, set[str]] = {}
    for policy in _guards(bodies):
        (target,) = policy["spec"]["targetRefs"]
        routes = [
            route
            for route in of(bodies, "HTTPRoute")
            if any(
                parent.get("sectionName", target["sectionName"]) == target["sectionName"]
                for parent in _parents(route, target["name"])
            )
        ]
        for caller in {caller for _, caller in _opened(policy)}:
            names = _told(caller, "jwt" in policy["spec"], routes, bodies)
            found.setdefault(caller, set()).update(every if names is None else names)
    return found


def _told(caller: str, by_token: bool, routes: Sequence[Body], bodies: Sequence[Body]) -> set[str] | None:
    """What the plain route for the list answers, None where there is none for every request."""
    if _chosen(routes, "") is None:
        return None
    chosen = _chosen(routes, caller if by_token else "")
    assert chosen is not None
    route, rule = chosen
    (policy,) = (each for each in of(bodies, "SecurityPolicy") if _is_of_route(each, route))
    if caller not in set(_admitted(policy)):
        return set()
    (reference,) = rule["filters"]
    answer = _named(bodies, "HTTPRouteFilter", route["metadata"]["namespace"], reference["extensionRef"]["name"])
    return {model["id"] for model in json.loads(answer["spec"]["directResponse"]["body"]["inline"])["data"]}


def _chosen(routes: Sequence[Body], caller: str) -> tuple[Body, Body] | None:
    """The rule for the path of the list: one that matches the caller goes before one that matches all."""
    found = []
    for route in routes:
        for rule in route["spec"]["rules"]:
            for match in rule["matches"]:
                path = match.get("path", {})
                if path != {"type": "Exact", "value": LIST} or "method" in match or "queryParams" in match:
                    continue
                values = {header["name"]: header["value"] for header in match.get("headers", [])}
                if not values or values == {TENANT: caller}:
                    found.append((len(values), route, rule))
    if not found:
        return None
    most = max(number for number, _, _ in found)
    ((_, route, rule),) = (each for each in found if each[0] == most)
    return route, rule


def _admitted(policy: Body) -> Iterator[str]:
    for rule in policy["spec"]["authorization"]["rules"]:
        if rule["action"] == "Allow":
            for header in rule["principal"]["headers"]:
                yield from header["values"] if header["name"] == TENANT else ()


def _parents(route: Body, gateway: str) -> list[Body]:
    return [parent for parent in route["spec"]["parentRefs"] if parent["name"] == gateway]


def _guards(bodies: Sequence[Body]) -> list[Body]:
    """Policies of listeners."""
    return [policy for policy in of(bodies, "SecurityPolicy") if policy["spec"]["targetRefs"][0]["kind"] == "Gateway"]


def _is_of_route(policy: Body, route: Body) -> bool:
    (target,) = policy["spec"]["targetRefs"]
    here = policy["metadata"]["namespace"] == route["metadata"]["namespace"]
    return here and (target["kind"], target["name"]) == ("HTTPRoute", route["metadata"]["name"])


def misplaced(bodies: Sequence[Body], catalog: Catalog) -> list[str]:
    """Routes to places that the class of their data doesn't allow, or of which too little is known."""
    found = []
    for route in of(bodies, "AIGatewayRoute"):
        name = route["metadata"]["name"]
        classes = json.loads(route["metadata"].get("annotations", {}).get(RESIDENCY, "{}"))
        for rule in route["spec"]["rules"]:
            for target in _targets(route, rule, bodies):
                place = _label(target, PLACE)
                if not classes and place != _label(route, PLACE):
                    found.append(f"{name} leads to {place} without a class")
                for data, allowed in classes.items():
                    country = set(jurisdictions_of(catalog, _label(target, COUNTRY)))
                    operator = set(jurisdictions_of(catalog, _label(target, OPERATOR)))
                    if not country & set(allowed["jurisdictions"]) or not operator & set(allowed["operators"]):
                        found.append(f"{name} leads {data} data to {place}")
    return sorted(set(found))


def _opened(policy: Body) -> Iterator[tuple[str, str]]:
    for rule in policy["spec"]["authorization"]["rules"]:
        values = {header["name"]: header["values"] for header in rule["principal"]["headers"]}
        if rule["action"] == "Allow":
            yield from ((model, caller) for model in values[MODEL] for caller in values[TENANT])


def _matched(rule: Body) -> Iterator[tuple[str, str]]:
    for match in rule["matches"]:
        values = {header["name"]: header["value"] for header in match["headers"]}
        yield values[MODEL], values[TENANT]


def _targets(route: Body, rule: Body, bodies: Sequence[Body]) -> Iterator[Body]:
    """The rows with the places that a rule leads to: a pool's own row."""
    namespace = route["metadata"]["namespace"]
    for backend in rule["backendRefs"]:
        if backend.get("kind") == "InferencePool":
            yield _pool(route, backend["name"], bodies)
            continue
        service = _named(bodies, "AIServiceBackend", namespace, backend["name"])
        yield _named(bodies, "Backend", namespace, service["spec"]["backendRef"]["name"])


def _pool(route: Body, name: str, bodies: Sequence[Body]) -> Body:
    """The row of a pool. It stands in the cluster of its stack, so country and operator are those of the site that it
    names, as the route to it states them; at another site than its route's it is in no country that is known. A
    gateway that is planned alone has no pools: what its route says of itself is all there is."""
    if not of(bodies, "InferencePool"):
        return route
    pool = _named(bodies, "InferencePool", route["metadata"]["namespace"], name)
    labels = {**pool["metadata"]["labels"], PLACE: pool["metadata"]["labels"][SITE]}
    if labels[PLACE] == _label(route, PLACE):
        labels |= {key: _label(route, key) for key in (COUNTRY, OPERATOR)}
    return {**pool, "metadata": {**pool["metadata"], "labels": labels}}


def lent(bodies: Sequence[Body]) -> list[str]:
    """Pools that a caller reaches which aren't of its tenant."""
    found = []
    for route in of(bodies, "AIGatewayRoute"):
        for rule in route["spec"]["rules"]:
            for target in _targets(route, rule, bodies):
                owner = _label(target, OWNER)
                found += [
                    f"{caller} reaches {target['metadata']['name']} of {owner}"
                    for _, caller in _matched(rule)
                    if target["kind"] == "InferencePool" and owner != caller.partition(".")[0]
                ]
    return sorted(set(found))


def _named(bodies: Sequence[Body], kind: str, namespace: str, name: str) -> Body:
    (found,) = (
        body
        for body in of(bodies, kind)
        if (body["metadata"]["namespace"], body["metadata"]["name"]) == (namespace, name)
    )
    return found


def _is_of(policy: Body, gateway: str, listener: str) -> bool:
    (target,) = policy["spec"]["targetRefs"]
    return (target["kind"], target["name"], target["sectionName"]) == ("Gateway", gateway, listener)


def _closed(spec: Body) -> bool:
    token = spec.get("jwt", {"optional": True})
    asks = token.get("optional") is False and not token.get("failOpen") if "apiKeyAuth" not in spec else True
    return asks and spec["authorization"]["defaultAction"] == "Deny"


def _label(body: Body, name: str) -> str:
    return str(body["metadata"]["labels"].get(name, ""))
