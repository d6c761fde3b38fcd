"""The gateway of another site of the blueprint, as a place that answers."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from aifactory.components.catalog import Catalog
from aifactory.components.gateway.spec_providers import Provider
from aifactory.components.offers import GatewayOffer
from support import doors
from support.gateways import handed_on, leads, planned, provider
from support.schemas import Schemas


def test_host_country_and_operator_are_those_of_the_site() -> None:
    made = planned(**handed_on())
    (other,) = (backend for backend in made.sound.backends if backend.ours)
    assert (other.host, other.port, other.tls) == ("door.ams.example.com", 443, True)
    assert (other.place, other.country, other.operator) == ("ams", "NL", "DE")
    bodies = list(made.objects.values())
    assert {(way.model, way.place) for way in doors.ways(bodies)} == {
        ("llama-70b", "lab"),
        ("llama-70b-anywhere", "lab"),
        ("llama-70b-anywhere", "ams"),
    }
    assert doors.misplaced(bodies, Catalog.shipped()) == []


def test_the_other_site_is_asked_for_the_name_that_it_answers_by_its_pool_alone() -> None:
    rules = planned(**handed_on()).objects["AIGatewayRoute/door-anywhere"]["spec"]["rules"]
    (legs,) = (rule["backendRefs"] for rule in rules)
    assert [(leg["name"], leg["priority"], leg["modelNameOverride"]) for leg in legs] == [
        ("door-chat", 0, "llama-70b"),
        ("door-other", 1, "llama-70b"),
    ]


def test_the_token_of_the_caller_goes_along_and_nothing_else_that_says_who_asks() -> None:
    made = planned(**handed_on()).objects
    assert made["AIServiceBackend/door-other"]["spec"]["headerMutation"]["remove"] == ["x-tenant-id", "x-user-id"]
    assert "BackendSecurityPolicy/door-other" not in made
    assert made["BackendTLSPolicy/door-other"]["spec"]["validation"]["hostname"] == "door.ams.example.com"


@pytest.mark.schema
def test_a_request_keeps_the_id_that_it_came_with_beside_its_own(schemas: Schemas) -> None:
    made = planned(**handed_on())
    headers = made.objects["ClientTrafficPolicy/door"]["spec"]["headers"]
    assert headers["requestID"] == "Generate"
    assert headers["earlyRequestHeaders"]["set"] == [{"name": "x-caller-request-id", "value": "%REQ(X-REQUEST-ID)%"}]
    (log,) = made.objects["EnvoyProxy/door"]["spec"]["telemetry"]["accessLog"]["settings"]
    assert log["format"]["json"]["caller_request_id"] == "%REQ(X-CALLER-REQUEST-ID)%"
    (offer,) = made.ctx.offers(GatewayOffer)
    assert "caller_request_id" in offer.log_fields
    problems = {name: schemas.problems(body) for name, body in made.objects.items()}
    assert {name: found for name, found in problems.items() if found} == {}


def test_no_id_of_a_client_is_kept_where_no_site_hands_anything_on() -> None:
    made = planned(providers=[provider()], models=[leads({"part": "chat"}, {"provider": "frontier", "order": 1})])
    assert "set" not in made.objects["ClientTrafficPolicy/door"]["spec"]["headers"]["earlyRequestHeaders"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "it has no host"),
        ({"site": "ams", "credential": {"secret": "k"}}, "credential is nothing of a site of ours"),
        ({"site": "ams", "region": "aws:eu-central-1"}, "region is nothing of a site of ours"),
        ({"site": "ams", "api": "anthropic"}, "gateways of ours don't speak anthropic"),
    ],
)
def test_a_site_of_ours_needs_no_more_than_its_name(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Provider.model_validate({"name": "other", **fields})
