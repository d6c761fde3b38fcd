"""The rules of a gateway: each fires on what breaks it, and on nothing else."""

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.gateway.plan import RULES
from support.edges import edge_data
from support.gateways import ENDPOINTS, KEYS, LARGE, OIDC, POOL, SMALL, US, handed_on, leads, planned, provider, sister

STORELESS = {**ENDPOINTS, "limit_store": None, "limit_store_tls": None, "limit_store_auth": None}
LIMITS = [{"name": name, "tokens_per_day": 1} for name in ("assist", "triage")]
PRICE = {"input_usd": 1.0, "output_usd": 2.0}
SERVICES: dict[str, Any] = {"offers": (SMALL, LARGE), "tenants": LIMITS[1:]}


def to(*legs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A gateway over Services with one model that leads to these legs."""
    return {**SERVICES, "models": [leads(*legs, **fields)]}


def out(*, model: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A gateway whose small model, when it is gone, leads outside."""
    legs = ({"part": "sort"}, {"provider": "frontier", "order": 1})
    return {
        **SERVICES,
        "offers": (SMALL,),
        "models": [leads(*legs, **(model or {}))],
        "providers": [provider(**fields)],
    }


WITH_US = {"customer": {"jurisdictions": ["eu"], "operators": ["eu", "us"]}}


def cloud(region: str, *, model: str = "amazon.nova-pro-v1:0", **fields: Any) -> dict[str, Any]:
    """A gateway whose small model, when it is gone, leads to Bedrock."""
    name = region.partition(":")[2]
    host = f"bedrock-runtime.{name}.amazonaws.com"
    place = {
        "name": "frontier",
        "api": "aws-bedrock",
        "host": host,
        "region": region,
        "credential": {"kind": "aws-file", "secret": "aws"},
        **fields,
    }
    legs = ({"part": "sort"}, {"provider": "frontier", "model": model, "order": 1})
    outside = [*ENDPOINTS["outside"], {"host": place["host"], "networks": ["203.0.113.0/24"]}]
    return {
        **SERVICES,
        "offers": (SMALL,),
        "models": [leads(*legs)],
        "providers": [place],
        "given": {**ENDPOINTS, "outside": outside},
    }


def asked(model: str, peak: float, **fields: Any) -> dict[str, Any]:
    """Demand for a model: 1,000 tokens a request, and half of the peak over a day."""
    rates = {"mean": peak / 2, "peak": peak}
    return {"name": model, "requests_per_s": rates, "input_tokens": 800, "output_tokens": 200, "itl_ms": 40.0, **fields}


def crowded(keys: int) -> dict[str, Any]:
    """A tenant with a bound, its token, and so many keys."""
    clients = [{"tenant": "triage", "name": f"c-{number}"} for number in range(keys)]
    tenants = [*LIMITS[:1], {**LIMITS[1], "parallel_requests": 4}]
    return {"tenants": tenants, "sign_in": {"oidc": OIDC, "keys": {**KEYS, "clients": clients}}}


KNOWN = (replace(POOL, model="llama-3.3-70b"), replace(SMALL, model="llama-3.1-8b"))
"""Models that the catalog knows, so that a blueprint may state demand for them."""
CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"tenants": LIMITS}, []),
    ({"tenants": LIMITS, "reach": "site"}, []),
    ({"offers": ()}, ["GTW-001"]),
    ({"tenants": LIMITS, "reach": "site", "given": None}, ["GTW-002"]),
    ({"reach": "site", "given": {"domain": "ai.example.com"}}, ["GTW-002"]),
    ({**SERVICES, "offers": (SMALL, LARGE, replace(SMALL, part="more"))}, ["GTW-003"]),
    (
        {
            **SERVICES,
            "models": [leads({"part": "sort"}), {**leads({"part": "think"}), "name": "b", "aliases": ["llama-8b"]}],
        },
        ["GTW-003"],
    ),
    ({"tenants": LIMITS, "request_timeout_s": 599}, ["GTW-004"]),
    ({"tenants": LIMITS, "request_timeout_s": 600}, []),
    ({"reach": "site", "given": {**ENDPOINTS, "domain": f"{'a' * 60}.example.com"}}, ["GTW-005"]),
    ({"tenants": LIMITS, "replicas": 1}, ["GTW-006"]),
    ({**SERVICES, "models": [leads({"part": "sort"})]}, ["GTW-008"]),
    (
        {"offers": (POOL,), "tenants": LIMITS[:1], "models": [leads({"part": "chat"}, aliases=["gpt"])]},
        ["GTW-009"],
    ),
    (to({"part": "sort", "weight": 90}, {"part": "think", "weight": 10}), []),
    (to({"part": "sort", "weight": 90}, {"part": "think", "weight": 9}), ["GTW-010"]),
    (to({"part": "sort"}, {"part": "think"}), ["GTW-010"]),
    (to({"part": "sort"}, {"part": "think", "weight": 50, "order": 1}), ["GTW-010"]),
    (to({"part": "sort", "weight": 100}, {"part": "think", "weight": 0}), []),
    (out(), []),
    (out(country="US"), ["GTW-011"]),
    (out(operator="US"), ["GTW-011"]),
    (out(country=None), ["GTW-011"]),
    (out(operator=None), ["GTW-011"]),
    (out(**US), ["GTW-011"]),
    ({**out(), "offers": (replace(SMALL, data_class=""),)}, ["GTW-011"]),
    ({**out(model={"data_class": "customer"}), "offers": (replace(SMALL, data_class=""),)}, []),
    ({**out(model={"data_class": "patient"})}, ["GTW-011", "GTW-011"]),
    ({**out(), "residency": None}, ["GTW-011", "GTW-011"]),
    ({"tenants": LIMITS, "sign_in": {"keys": KEYS}}, []),
    ({"tenants": LIMITS, "sign_in": {"keys": {**KEYS, "clients": KEYS["clients"][:1]}}}, ["GTW-012"]),
    ({"offers": (replace(SMALL, tenant=""),)}, ["GTW-012"]),
    ({"tenants": LIMITS, "given": STORELESS}, ["GTW-013"]),
    ({"tenants": LIMITS, "given": None}, ["GTW-013"]),
    ({"tenants": LIMITS, "given": {**ENDPOINTS, "limit_store_tls": None}}, ["GTW-025"]),
    ({"tenants": LIMITS, "given": {**ENDPOINTS, "limit_store_auth": None}}, ["GTW-025"]),
    ({"tenants": LIMITS, "offers": KNOWN, "demand": [asked("llama-3.3-70b", 1.0)]}, ["GTW-024"]),
    ({"tenants": [*LIMITS[:1], {"name": "triage", "parallel_requests": 5}], "given": ENDPOINTS}, ["GTW-015"]),
    ({**SERVICES, "offers": (SMALL,), "tenants": [{**LIMITS[1], "usd_per_day": 1.0}]}, ["GTW-014"]),
    (
        {
            **to({"part": "sort", "price": PRICE}, {"part": "think", "order": 1}),
            "tenants": [{**LIMITS[1], "usd_per_day": 1.0}],
        },
        ["GTW-014"],
    ),
    (
        {
            **to({"part": "sort"}, {"part": "think", "order": 1}, price=PRICE),
            "tenants": [{**LIMITS[1], "usd_per_day": 1.0}],
        },
        [],
    ),
    (handed_on(), []),
    (handed_on(others=()), ["GTW-031"]),
    (handed_on(others=(sister(clients=[]),)), ["GTW-031"]),
    (handed_on(reach="cluster", given=None, tenants=[]), ["GTW-031"]),
    (handed_on(sites=["lab"]), ["GTW-031"]),
    (handed_on(others=(sister("US"),)), ["GTW-011"]),
    (handed_on(providers=[{"name": "other", "site": "ams", "country": "NL", "operator": "DE"}]), []),
    (handed_on(providers=[{"name": "other", "site": "ams", "country": "DE"}]), ["GTW-032"]),
    (handed_on(providers=[{"name": "other", "site": "ams", "host": "door.example.com"}]), ["GTW-032"]),
    (handed_on({"legs": [{"part": "chat"}, {"provider": "other", "order": 1}]}), ["GTW-033"]),
    (
        handed_on({"legs": [{"part": "chat"}, {"provider": "other", "model": "llama-7b", "order": 1}]}),
        ["GTW-033"],
    ),
    (handed_on({"tenants": ["assist", "triage"]}, tenants=LIMITS), ["GTW-009", "GTW-033"]),
    (handed_on(sign_in={"oidc": OIDC, "keys": KEYS}), ["GTW-034"]),
    (crowded(59), []),
    (crowded(60), ["GTW-030"]),
    ({}, ["GTW-015"]),
    ({"tenants": [*LIMITS, {"name": "asist", "tokens_per_day": 1}]}, ["GTW-016"]),
    ({"tenants": LIMITS, "log_prompts": True}, ["GTW-017"]),
    (
        {
            "tenants": LIMITS,
            "log_prompts": True,
            "residency": {"customer": {"jurisdictions": ["eu"], "operators": ["eu"], "prompts_in_telemetry": True}},
        },
        [],
    ),
    ({**SERVICES, "offers": (replace(SMALL, data_class=""),), "log_prompts": True}, ["GTW-017"]),
    (to({"part": "sort"}, {"part": "think", "order": 2}), ["GTW-019"]),
    (to({"part": "sort", "order": 1}, {"part": "think", "order": 2}), ["GTW-019"]),
    (out(credential={"kind": "azure-api-key", "secret": "k"}), ["GTW-020"]),
    (to({"part": "srot"}), [""]),
    (to({"provider": "nobody"}), [""]),
    ({"providers": [provider("chat")]}, [""]),
    ({"tenants": LIMITS, "given": {**ENDPOINTS, "outside": []}}, ["GTW-021"]),
    ({"tenants": LIMITS, "given": {**ENDPOINTS, "outside": ENDPOINTS["outside"][1:]}}, ["GTW-021"]),
    ({"tenants": LIMITS, "given": {**ENDPOINTS, "outside": ENDPOINTS["outside"][:1]}}, ["GTW-021"]),
    (cloud("aws:eu-central-1"), ["GTW-011"]),  # run from the US
    ({**cloud("aws:eu-central-1"), "residency": WITH_US}, []),
    ({**cloud("aws:us-east-1"), "residency": WITH_US}, ["GTW-011"]),
    ({**cloud("aws:eu-central-1", country="DE", operator="DE"), "residency": WITH_US}, ["GTW-022"]),
    ({**cloud("aws:eu-central-1", country="FR"), "residency": WITH_US}, ["GTW-022"]),
    ({**cloud("aws:eu-central-1", host="bedrock-runtime.us-east-1.amazonaws.com"), "residency": WITH_US}, ["GTW-022"]),
    ({**cloud("aws:eu-central-1", model="us.amazon.nova-pro-v1:0"), "residency": WITH_US}, ["GTW-023"]),
    ({**cloud("aws:eu-central-1", model="global.amazon.nova-pro-v1:0"), "residency": WITH_US}, ["GTW-023"]),
    ({**cloud("aws:eu-central-1", model="eu.amazon.nova-pro-v1:0"), "residency": WITH_US}, []),
]


@pytest.mark.parametrize(("fields", "rules"), CASES)
def test_a_rule_finds_what_breaks_it(fields: dict[str, Any], rules: list[str]) -> None:
    assert planned(**fields).broken == rules


CHAT = asked("llama-3.3-70b", 1.0)
BOTH = [leads({"part": "chat"}, tenants=["assist", "triage"]), leads({"part": "sort"}, tenants=["triage"])]
BOTH[1]["name"] = "sort"
HELD: list[tuple[dict[str, int], dict[str, int], list[dict[str, Any]], str]] = [
    # 1 request of 1,000 tokens a second at peak are 60 and 60,000 a minute, 0.5 at the mean 43,200,000 a day.
    ({"tokens_per_minute": 60_000, "tokens_per_day": 43_200_000}, {}, [CHAT], ""),
    (
        {"tokens_per_minute": 59_999},
        {},
        [CHAT],
        "59999 tokens per minute, and the demand for llama",
    ),
    ({"tokens_per_day": 43_199_999}, {}, [CHAT], "llama-3.3-70b is 43200000"),
    (
        {"requests_per_minute": 59, "tokens_per_day": 43_200_000},
        {},
        [CHAT],
        "59 requests per min",
    ),
    ({"tokens_per_minute": 66_000}, {}, [asked("llama-3.3-70b", 1.0, growth_percent=10)], ""),
    ({"tokens_per_minute": 65_999}, {}, [asked("llama-3.3-70b", 1.0, growth_percent=10)], "llama-3.3-70b is 66000"),
    ({"tokens_per_minute": 179_999}, {}, [asked("llama-3.3-70b", 1.0, agentic_factor=3)], "llama-3.3-70b is 180000"),
    ({"tokens_per_minute": 1}, {}, [asked("llama-3.1-8b", 1.0)], ""),
]


@pytest.mark.parametrize(("assist", "triage", "demand", "says"), HELD)
def test_a_limit_below_the_demand_for_its_models_is_warned_of(
    assist: dict[str, int], triage: dict[str, int], demand: list[dict[str, Any]], says: str
) -> None:
    tenants = [{"name": "assist", **assist}, {"name": "triage", "tokens_per_minute": 10_000_000, **triage}]
    made = planned(tenants=tenants, offers=KNOWN, demand=demand)
    assert made.plan is not None
    assert says in made.says
    assert [rule for rule in made.broken if rule == "GTW-024"] == (["GTW-024"] if says else [])


@pytest.mark.parametrize(
    ("assist", "triage", "says"),
    [
        (30_000, 90_000, ""),
        (30_000, 89_999, "assist and triage may use 119999 tokens per minute, and the demand for llama-3.3"),
        (1_000_000, 59_999, "triage may use 59999 tokens per minute, and the demand for llama-3.1-8b is 60000"),
    ],
)
def test_a_model_of_several_tenants_is_asked_for_by_all_of_them(assist: int, triage: int, says: str) -> None:
    tenants = [{"name": "assist", "tokens_per_minute": assist}, {"name": "triage", "tokens_per_minute": triage}]
    made = planned(offers=KNOWN, models=BOTH, tenants=tenants, demand=[CHAT, asked("llama-3.1-8b", 1.0)])
    assert says in made.says
    assert made.broken.count("GTW-024") == bool(says)


def test_a_tenant_without_a_limit_may_ask_for_what_the_others_leave() -> None:
    tenants = [{"name": "assist", "tokens_per_minute": 1}, {"name": "triage", "tokens_per_day": 86_400_000}]
    assert "GTW-024" not in planned(offers=KNOWN, models=BOTH, tenants=tenants, demand=[CHAT]).broken


def test_without_an_uplink_requests_at_a_time_hold_a_tenant() -> None:
    edge = edge_data()
    bound = [{"name": name, "parallel_requests": 8} for name in ("assist", "triage")]
    assert "GTW-015" not in planned(tenants=bound, given=None, site=edge).broken
    assert "GTW-015" in planned(tenants=bound[:1], given=None, site=edge).broken
    assert "GTW-015" in planned(tenants=bound, given=None).broken


def test_nobody_is_let_in_where_no_namespace_is_known() -> None:
    assert planned(offers=(SMALL,), tenants=LIMITS[1:], queue=False).broken == ["GTW-007"]
    assert planned(offers=(SMALL,), tenants=LIMITS[1:], queue=False, callers=["app"]).broken == []


def test_limits_of_an_operator_that_the_site_gives_may_fail_open() -> None:
    cluster = {
        "version": "1.35.6",
        "kubeconfig": {"context": "lab"},
        "provides": {"envoy-gateway": {"version": "v1.9.0"}},
    }
    made = planned(tenants=LIMITS, site={"cluster": cluster})
    assert made.broken == ["GTW-018"]
    assert planned(tenants=LIMITS).broken == []


def test_each_rule_has_a_case() -> None:
    at_aws = {f"GTW-{number:03}" for number in (26, 27, 28, 29, 35, 36, 37)}  # tests/components/gateway/test_aws.py
    tried = {rule for _, rules in CASES for rule in rules} | {"GTW-007", "GTW-018"} | at_aws
    assert {rule.id for rule in RULES} - tried == set()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (out(country=None), "frontier states no country, and unknown is no permission for customer data"),
        (out(operator="US"), "frontier is run from US"),
        (out(country="US"), "frontier stands in US"),
        (out(model={"data_class": "patient"}), 'data class "patient" has no rules'),
        ({**out(), "offers": (replace(SMALL, data_class=""),)}, "without one they stay at the site"),
        ({"sign_in": {"keys": {**KEYS, "clients": KEYS["clients"][:1]}}}, "triage may use sort and has no key"),
        (to({"part": "sort", "weight": 90}, {"part": "think", "weight": 9}), "at order 0 sum to 99"),
        ({"sign_in": {"oidc": OIDC}, "request_timeout_s": 599}, "an answer of llama-70b may take 600 s"),
    ],
)
def test_a_finding_says_what_and_where(fields: dict[str, Any], says: str) -> None:
    assert says in planned(**fields).says
