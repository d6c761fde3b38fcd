"""A gateway planned at a small made-up site, over models that other parts would offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from aifactory.components.base import Place, PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.demand import Demand, Residency
from aifactory.components.gateway.decided import GatewayPlan
from aifactory.components.gateway.plan import RULES, resolve, settle, size
from aifactory.components.gateway.shape import rows
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.offers import ModelOffer, QueueOffer, TenantOffer
from aifactory.components.rows import KubernetesRow, Maker, Wave
from aifactory.components.rules import table
from aifactory.components.values import plain
from support.planning import place

HOSTS = ("login", "redis", "api.frontier", "api.blue", "api.claude")
ENDPOINTS = {
    "domain": "ai.example.com",
    "clients": ["192.0.2.0/24"],
    "limit_store": "redis.example.com:6379",
    "limit_store_tls": "redis-client",
    "limit_store_auth": "redis-password",
    "outside": [{"host": f"{host}.example.com", "networks": ["198.51.100.128/25"]} for host in HOSTS],
}
POOL = ModelOffer(
    part="chat",
    model="llama-70b",
    namespace="assist",
    backend="InferencePool",
    backend_name="chat",
    port=8000,
    pod_labels=(),
    tenant="assist",
    data_class="customer",
    longest_s=600,
    row="InferencePool.inference.networking.k8s.io/assist/chat",
)
SMALL = replace(
    POOL,
    part="sort",
    model="llama-8b",
    namespace="triage",
    backend="Service",
    backend_name="sort-predictor",
    port=80,
    tenant="triage",
    longest_s=60,
    row="InferenceService.serving.kserve.io/triage/sort",
)
LARGE = replace(SMALL, part="think", model="llama-70b", backend_name="think-predictor", longest_s=300, row="")
OIDC = {
    "issuer": "https://login.example.com/realms/ai",
    "jwks": "https://login.example.com/realms/ai/keys",
    "audiences": ["ai"],
}
KEYS = {"secret": "door-keys", "clients": [{"tenant": "assist", "name": "app"}, {"tenant": "triage", "name": "mail"}]}
EU = {"country": "SE", "operator": "SE"}
US = {"country": "US", "operator": "US"}
RESIDENCY = {"customer": {"jurisdictions": ["eu"], "operators": ["eu", "ch"]}}
TENANTS = tuple(TenantOffer(name, name, "q", 8, 8, (), "normal", "inference") for name in ("assist", "triage"))
QUEUE = QueueOffer("teams", "teams", "kueue", ("serve",), TENANTS, ())


def provider(name: str = "frontier", **fields: Any) -> dict[str, Any]:
    """A provider in the EU, run from there."""
    credential = {"secret": f"{name}-key"}
    return {"name": name, "host": f"api.{name}.example.com", "credential": credential, **EU, **fields}


@dataclass(frozen=True)
class Planned:
    """What became of a gateway."""

    ctx: PlanContext
    plan: GatewayPlan | None

    @property
    def broken(self) -> list[str]:
        """Rules that found something, empty text for a refusal without one."""
        return [problem.rule for problem in self.ctx.site_plan.problems]

    @property
    def says(self) -> str:
        """Everything that was said."""
        return "\n".join(problem.says for problem in self.ctx.site_plan.problems)

    @property
    def sound(self) -> GatewayPlan:
        """The plan, which nothing refused."""
        assert self.plan is not None, self.says
        return self.plan

    @property
    def rows(self) -> dict[str, KubernetesRow]:
        """Rows by identity."""
        made = rows(self.sound, Maker("demo", "lab", "door", Wave.GATEWAY))
        return {row.id: row for row in made if isinstance(row, KubernetesRow)}

    @property
    def objects(self) -> dict[str, Any]:
        """Objects by kind and name."""
        return objects(self.rows.values())


def objects(found: Any) -> dict[str, Any]:
    """Objects by kind and name, as they are sent."""
    return {f"{row.body['kind']}/{row.name}": plain(row.body, lambda ref: ref) for row in found}


def planned(
    offers: Sequence[ModelOffer] = (POOL, SMALL),
    *,
    given: Mapping[str, Any] | None = ENDPOINTS,
    residency: Mapping[str, Any] | None = RESIDENCY,
    site: Mapping[str, Any] | None = None,
    queue: bool = True,
    also: Sequence[object] = (),
    demand: Sequence[Mapping[str, Any]] = (),
    others: Sequence[Place] = (),
    **fields: Any,
) -> Planned:
    """A gateway with these models; `fields` are those of its part, `others` the other sites of its factory."""
    changes = {**(site or {}), **({"endpoints": given} if given else {})}
    site_plan = SitePlan(
        place(**changes),
        Catalog.shipped(),
        "demo",
        table(*RULES),
        offers=[*([QUEUE] if queue else []), *offers, *also],
        residency=Residency.model_validate({"data_classes": residency}) if residency else None,
        demand=Demand.model_validate({"models": list(demand)}) if demand else None,
        others=tuple(others),
    )
    written = {"kind": "gateway", "name": "door", "sign_in": {"oidc": OIDC}, **fields}
    ctx = PlanContext(site_plan, str(written["name"]), ("parts", 0))
    draft = resolve(GatewaySpec.model_validate(written), ctx)
    plan = size(draft, ctx) if draft is not None else None
    if plan is not None:
        settle(plan, ctx)
    return Planned(ctx, plan)


def leads(*legs: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A model that leads to these legs."""
    return {"name": "model", "legs": [dict(leg) for leg in legs], **fields}


EXCHANGE = {"secret": "exchange", "issuer": "https://login.example.com/realms/ai", "client": "door"}
UUID = "0f0e0d0c-1111-2222-3333-0a0b0c0d0e0f"
FEDERATED = {**EXCHANGE, "project": "ai-factory", "pool": "factory", "pool_provider": "keycloak"}
ENTRA = {"directory": UUID, "application": UUID}
CLOUDS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    (
        "aws-bedrock",
        "aws:eu-central-1",
        "bedrock-runtime.eu-central-1.amazonaws.com",
        {"kind": "aws-oidc", **EXCHANGE, "audience": "sts", "role": "arn:aws:iam::123456789012:role/door"},
    ),
    (
        "aws-anthropic",
        "aws:eu-central-1",
        "bedrock-runtime.eu-central-1.amazonaws.com",
        {"kind": "aws-file", "secret": "aws"},
    ),
    (
        "gcp-vertex",
        "gcp:europe-west3",
        "europe-west3-aiplatform.googleapis.com",
        {"kind": "gcp-oidc", **FEDERATED, "service_account": "gateway"},
    ),
    (
        "gcp-anthropic",
        "gcp:europe-west3",
        "europe-west3-aiplatform.googleapis.com",
        {"kind": "gcp-file", "secret": "gcp", "project": "ai-factory"},
    ),
    (
        "azure-openai",
        "azure:germanywestcentral",
        "factory.openai.azure.com",
        {"kind": "azure-secret", "secret": "azure", **ENTRA},
    ),
    (
        "azure-openai",
        "azure:germanywestcentral",
        "factory.openai.azure.com",
        {"kind": "azure-oidc", **EXCHANGE, **ENTRA},
    ),
)
"""API, region, host and credential, each kind once."""


def in_cloud(number: int) -> dict[str, Any]:
    """A gateway whose small model leads to one of these when it is gone; its class allows US operators in the EU."""
    api, region, host, credential = CLOUDS[number]
    version = {"api_version": "2024-10-21"} if api == "azure-openai" else {}
    place = {"name": "cloud", "api": api, "host": host, "region": region, "credential": credential, **version}
    return {
        "offers": (SMALL,),
        "providers": [place],
        "models": [leads({"part": "sort"}, {"provider": "cloud", "model": "large-1", "order": 1})],
        "residency": {"customer": {"jurisdictions": ["eu"], "operators": ["eu", "us"]}},
    }


FULL: dict[str, Any] = {
    "offers": (POOL, SMALL, LARGE),
    "sign_in": {
        "oidc": {**OIDC, "ca": "login-ca"},
        "keys": {**KEYS, "source": {"store": "vault", "key": "ai/door/keys"}},
    },
    "providers": [
        provider(),
        provider(
            "blue", api="azure-openai", api_version="2024-10-21", credential={"kind": "azure-api-key", "secret": "b"}
        ),
        provider("claude", api="anthropic", credential={"kind": "anthropic-api-key", "secret": "c"}, ca="corp-ca"),
    ],
    "models": [
        {"name": "chat", "legs": [{"part": "chat"}], "price": {"input_usd": 0.6, "output_usd": 2.4}},
        {
            "name": "auto",
            "id": "auto",
            "aliases": ["gpt-4o", "meta-llama/Llama-3.1-8B"],
            "tenants": ["assist", "triage"],
            "price": {"input_usd": 0.1, "output_usd": 0.3},
            "legs": [
                {"part": "sort", "weight": 90},
                {"part": "think", "weight": 10},
                {"provider": "frontier", "model": "gpt-5", "order": 1, "price": {"input_usd": 2.5, "output_usd": 10.0}},
                {"provider": "blue", "model": "gpt-5", "order": 2},
                {"provider": "claude", "model": "opus", "order": 3},
            ],
        },
    ],
    "tenants": [
        {"name": "assist", "tokens_per_minute": 200_000, "tokens_per_day": 40_000_000, "usd_per_month": 5000.0},
        {"name": "triage", "requests_per_minute": 600, "usd_per_day": 20.5, "parallel_requests": 32},
    ],
}
"""A gateway with everything."""


def weighed(first: int, second: int) -> dict[str, Any]:
    """A model shared by two parts."""
    return {
        "offers": (SMALL, LARGE),
        "models": [leads({"part": "sort", "weight": first}, {"part": "think", "weight": second})],
    }


def sister(country: str = "NL", **endpoints: Any) -> Place:
    """Another site of the same operator, whose gateway takes what comes from here."""
    given = {**ENDPOINTS, "domain": "ams.example.com", "clients": ["198.51.100.0/24"], **endpoints}
    operator = {"name": "Example AG", "nationality": "DE"}
    return place(site="ams", location={"country": country, "operator": operator, "support": [country]}, endpoints=given)


def handed_on(model: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A gateway whose model is answered by another site when its pool is gone, under the name that is answered there
    by the pool alone."""
    legs = ({"part": "chat"}, {"provider": "other", "model": "llama-70b", "order": 1})
    anywhere = {**leads(*legs), "name": "anywhere", "id": "llama-70b-anywhere", **(model or {})}
    networks = [*ENDPOINTS["outside"], {"host": "door.ams.example.com", "networks": ["203.0.113.9/32"]}]
    return {
        "offers": (POOL,),
        "reach": "site",
        "others": (sister(),),
        "given": {**ENDPOINTS, "outside": networks},
        "providers": [{"name": "other", "site": "ams", "ca": "company-ca"}],
        "tenants": [{"name": "assist", "tokens_per_minute": 100}],
        "models": [leads({"part": "chat"}), anywhere],
        **fields,
    }
