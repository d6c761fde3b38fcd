"""What a person writes about callers: how they sign in, and how much they may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from aifactory.components.forms import SecretName
from aifactory.components.gateway.spec_models import SecretSource
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth

HttpsUrl = Annotated[
    str,
    Field(
        pattern=r"^https://([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?(:[0-9]{1,5})?"
        r"(/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*/?$",
        max_length=250,
    ),
]
"""An https address without user, query and fragment, such as https://login.example.com/realms/ai."""

Claim = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*$", max_length=100)]
"""The name of a claim in a token, with dots into objects, such as tenant or org.team."""

Audience = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$", max_length=200)]
"""The audience of a token, such as ai-gateway."""

MOST_TENANTS_WITH_KEYS = 63
"""Listeners of a Gateway are 64, and tokens have one. Source: its definition, listeners."""

MOST_USD = 40_000
"""Highest limit of spend: rate limits count in 32 bits, here in units of 10 micro-dollars."""


class Oidc(Spec):
    """Tokens of an identity provider."""

    issuer: HttpsUrl
    """Who issues tokens, exactly as their claim `iss` says it."""

    jwks: HttpsUrl
    """Where the keys lie that tokens are signed with."""

    audiences: list[Audience] = Field(min_length=1, max_length=8)
    """Whom a token must be for: one for another service opens nothing here."""

    tenant_claim: Claim = "tenant"
    """Claim with the name of the caller's tenant, a text. Default tenant."""

    user_claim: Claim = "sub"
    """Claim that names the person or program, for the access log. Default sub."""

    ca: SecretName | None = None
    """ConfigMap in the namespace of the gateway with the CA of the address of jwks, key `ca.crt`. Default none: a
    public CA."""


class KeyClient(Spec):
    """One holder of an API key."""

    tenant: Name
    """Tenant that it calls for."""

    name: Name
    """Which of the tenant's programs it is. Its key stands in the Secret under `TENANT.NAME`."""

    @property
    def id(self) -> str:
        """The key of the Secret, and what the gateway tells of the caller."""
        return f"{self.tenant}.{self.name}"


class ApiKeys(Spec):
    """Keys that callers send as bearer tokens."""

    secret: SecretName
    """Secret in the namespace of the gateway: one entry a client, `TENANT.NAME` and the key."""

    source: SecretSource | None = None
    """Where External Secrets gets it from: one entry of the store with a property for each client. Default none:
    somebody makes the Secret."""

    clients: list[KeyClient] = Field(min_length=1, max_length=200)
    """Who has a key. An entry of the Secret that isn't listed opens nothing."""

    @truth
    def _a_client_has_one_key(self) -> Iterator[Misfit]:
        seen: set[str] = set()
        for index, client in enumerate(self.clients):
            if client.id in seen:
                yield Misfit(f'"{client.id}" is listed twice', "name each client once", ("clients", index, "name"))
            seen.add(client.id)

    @truth
    def _tenants_with_keys_fit_one_gateway(self) -> Iterator[Misfit]:
        tenants = {client.tenant for client in self.clients}
        if len(tenants) > MOST_TENANTS_WITH_KEYS:
            says = f"{len(tenants)} tenants have keys, and one gateway has host names for {MOST_TENANTS_WITH_KEYS}"
            yield Misfit(says, "let some sign in with tokens, or make two gateways", ("clients",))


class SignIn(Spec):
    """How callers say who they are. The keys of each tenant have a host name of their own."""

    oidc: Oidc | None = None
    """Tokens of an identity provider, which name a tenant and a user. Default none."""

    keys: ApiKeys | None = None
    """API keys, which name a tenant and a client. Default none."""

    @truth
    def _there_is_a_way_to_sign_in(self) -> Iterator[Misfit]:
        if self.oidc is None and self.keys is None:
            yield Misfit("nobody can sign in", "write oidc, keys or both", ("oidc",))


class TenantLimits(Spec):
    """How much a tenant may use, over all models and all of its callers."""

    name: Name
    """The tenant."""

    requests_per_minute: int | None = Field(default=None, ge=1, le=10_000_000)
    """Requests. Default none: no limit."""

    tokens_per_minute: int | None = Field(default=None, ge=1, le=4_000_000_000)
    """Tokens of prompts and answers. Default none: no limit."""

    tokens_per_day: int | None = Field(default=None, ge=1, le=4_000_000_000)
    """Tokens of prompts and answers. Default none: no limit."""

    usd_per_day: float | None = Field(default=None, gt=0, le=MOST_USD)
    """Spend, by the prices of models. Unit: USD. Default none: no limit."""

    usd_per_month: float | None = Field(default=None, gt=0, le=MOST_USD)
    """Spend, by the prices of models. Unit: USD. Default none: no limit."""

    parallel_requests: int | None = Field(default=None, ge=1, le=100_000)
    """Requests for one model at the same time, under all of its names. One more is answered 503 at once, by the proxy;
    each proxy has its share. A tenant of low priority gets few, so that the rest is there for others. Default none: as
    many as the gateway carries."""

    @truth
    def _something_is_limited(self) -> Iterator[Misfit]:
        if not any(value is not None for field, value in self if field != "name"):
            yield Misfit(f"{self.name} has no limit", "write one, or delete the tenant", ("name",))

    @property
    def spends(self) -> bool:
        """Whether money is limited."""
        return self.usd_per_day is not None or self.usd_per_month is not None
