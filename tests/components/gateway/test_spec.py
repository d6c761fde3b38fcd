"""What a person may write about a gateway."""

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.gateway.spec import GatewaySpec
from support.gateways import KEYS, OIDC, leads, provider


def written(**fields: Any) -> dict[str, Any]:
    return {"kind": "gateway", "name": "door", "sign_in": {"oidc": OIDC}, **fields}


def oidc(**fields: Any) -> dict[str, Any]:
    return {"sign_in": {"oidc": {**OIDC, **fields}}}


def model(**fields: Any) -> dict[str, Any]:
    return {"models": [leads({"part": "chat"}, **fields)]}


def leg(**fields: Any) -> dict[str, Any]:
    return {"models": [leads({"part": "chat", **fields})]}


AWS = {
    "kind": "aws-oidc",
    "secret": "k",
    "issuer": "https://login.example.com/ai",
    "client": "door",
    "role": "arn:aws:iam::123456789012:role/door",
}
UUID = "0f0e0d0c-1111-2222-3333-0a0b0c0d0e0f"


def outside(**fields: Any) -> dict[str, Any]:
    return {"providers": [provider(**fields)]}


def test_a_gateway_is_private_closed_and_logs_nothing_when_nothing_is_said() -> None:
    spec = GatewaySpec.model_validate(written())
    assert (spec.reach, spec.replicas, spec.models, spec.providers, spec.log_prompts) == (
        "cluster",
        None,
        None,
        [],
        False,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"sign_in": {"oidc": OIDC, "keys": KEYS}},
        model(id="meta-llama/Llama-3.3-70B", aliases=["gpt-4o", "llama:70b"]),
        leg(weight=0, order=9),
        outside(host="api.example.com", port=8443, ca="corp-ca"),
        outside(api="aws-bedrock", region="aws:eu-central-1", credential={**AWS, "audience": "sts"}),
        oidc(tenant_claim="org.team", jwks="https://login.example.com:8443/certs"),
        {"tenants": [{"name": "a", "usd_per_day": 0.5}]},
    ],
)
def test_what_fits_is_taken(fields: dict[str, Any]) -> None:
    GatewaySpec.model_validate(written(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"sign_in": {}},
        {"reach": "site", "callers": ["a"]},
        {"reach": "internet"},
        {"callers": ["a", "a"]},
        {"models": []},
        {"models": [leads({"part": "a"}), leads({"part": "b"})]},
        {"providers": [provider(), provider()]},
        {"tenants": [{"name": "a", "tokens_per_day": 1}, {"name": "a", "tokens_per_day": 2}]},
        {"tenants": [{"name": "a"}]},
        {"tenants": [{"name": "a", "usd_per_month": 40_001.0}]},
        {
            "tenants": [
                {"name": f"t{i}", "tokens_per_day": 1, "tokens_per_minute": 1, "usd_per_day": 1.0} for i in range(86)
            ]
        },
        {"silence_s": 60, "request_timeout_s": 30},
        leg(weight=101),
        leg(weight=-1),
        leg(provider="x"),
        {"models": [{"name": "m", "legs": [{}]}]},
        {"models": [leads({"part": "a", "weight": 50}, {"part": "a", "weight": 50})]},
        model(price={"input_usd": 0.0001, "output_usd": 1.0}),
        model(aliases=["a", "a"]),
        model(id="a", aliases=["a"]),
        model(tenants=[]),
        outside(host="10.0.0.1"),
        outside(host="localhost"),
        outside(host="x.svc.cluster.local"),
        outside(api="azure-openai"),
        outside(country="ZZ"),
        outside(credential={"kind": "aws-oidc", "secret": "k"}),
        outside(credential={"kind": "gcp-file", "secret": "k"}),
        outside(credential={"kind": "azure-secret", "secret": "k", "application": UUID}),
        outside(credential={"kind": "api-key", "secret": "k", "role": "arn:aws:iam::123456789012:role/x"}),
        outside(api="aws-bedrock", region="gcp:europe-west3", credential={"kind": "aws-file", "secret": "k"}),
        outside(api="aws-bedrock", credential={"kind": "aws-file", "secret": "k"}),
        outside(api="gcp-vertex", region="gcp:europe-west3", credential=None),
        outside(region="aws:nowhere-1"),
        {"sign_in": {"keys": {**KEYS, "clients": [{"tenant": f"t-{n}", "name": "a"} for n in range(64)]}}},
        oidc(jwks="http://login.example.com/keys"),
        oidc(issuer="https://user:word@login.example.com"),
        oidc(issuer="https://169.254.169.254/x"),
        oidc(audiences=[]),
        {"sign_in": {"keys": {**KEYS, "clients": []}}},
        {"sign_in": {"keys": {**KEYS, "clients": [{"tenant": "a", "name": "b"}] * 2}}},
    ],
)
def test_what_does_not_fit_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GatewaySpec.model_validate(written(**fields))


HOSTILE = (
    "${HOME}",
    "$(x)",
    "{{ .Values.x }}",
    "%REQ(AUTHORIZATION)%",
    "%DYNAMIC_METADATA(a:b)%",
    "a'b",
    'a"b',
    "a`b",
    "a\nb",
    "a\\b",
    "a b",
    "a|b",
    "(.*)",
    "a') || true || ('",
    "a\x00b",
    "a\u202eb",
    "a{b}",
    "*.example.com",
    "../x",
    "-x",
    "",
)
"""Texts that mean something to a shell, Helm, Envoy's formats, CEL, a regular expression or a terminal."""


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_out_of_what_it_is_written_into(text: str) -> None:
    """HI-18 to HI-20: names, model ids, aliases, hosts, claims and addresses into Envoy, CEL and Helm."""
    tries: list[dict[str, Any]] = [
        {"name": text},
        {"host": text},
        {"callers": [text]},
        {"models": [leads({"part": text})]},
        {"models": [leads({"provider": text})]},
        {"models": [{**leads({"part": "chat"}), "name": text}]},
        model(id=text),
        model(aliases=[text]),
        model(tenants=[text]),
        model(data_class=text),
        leg(model=text),
        outside(name=text),
        outside(host=text),
        outside(ca=text),
        outside(credential={"secret": text}),
        outside(credential={"secret": "k", "source": {"store": text, "key": "k"}}),
        outside(credential={"secret": "k", "source": {"store": "s", "key": text}}),
        outside(api="azure-openai", api_version=text),
        outside(credential={**AWS, "role": text}),
        outside(credential={**AWS, "client": text}),
        outside(credential={**AWS, "audience": text}),
        outside(credential={**AWS, "issuer": text}),
        outside(credential={**AWS, "kind": text}),
        outside(credential={"kind": "gcp-file", "secret": "k", "project": text}),
        outside(credential={"kind": "azure-secret", "secret": "k", "application": UUID, "directory": text}),
        outside(region=text),
        oidc(issuer=f"https://login.example.com/{text or '//'}"),
        oidc(jwks=text),
        oidc(audiences=[text]),
        oidc(tenant_claim=text),
        oidc(user_claim=text),
        {"tenants": [{"name": text, "tokens_per_day": 1}]},
        {"sign_in": {"keys": {**KEYS, "clients": [{"tenant": text, "name": "a"}]}}},
        {"sign_in": {"keys": {**KEYS, "clients": [{"tenant": "a", "name": text}]}}},
        {"sign_in": {"keys": {**KEYS, "secret": text}}},
    ]
    for fields in tries:
        with pytest.raises(ValidationError):
            GatewaySpec.model_validate(written(**fields))
