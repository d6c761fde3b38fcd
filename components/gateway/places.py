"""Places outside of the pools: Services of served models, providers, and where keys and credentials come from."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from aifactory.components.base import PlanContext
from aifactory.components.gateway import own_sites, residency
from aifactory.components.gateway.decided import BackendPlan, CredentialPlan, OidcPlan, SecretPlan
from aifactory.components.gateway.published_model import Place, Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_models import SecretSource
from aifactory.components.gateway.spec_providers import MAY, NEEDS, Credential, Provider
from aifactory.components.gateway.spec_tenants import ApiKeys, Oidc

CREDENTIALS = {
    "openai": ("api-key",),
    "azure-openai": ("azure-api-key", "azure-secret", "azure-oidc"),
    "anthropic": ("anthropic-api-key", "api-key"),
    "aws-bedrock": ("aws-oidc", "aws-file", "aws-pod-identity"),
    "aws-anthropic": ("aws-oidc", "aws-file", "aws-pod-identity"),
    "gcp-vertex": ("gcp-oidc", "gcp-file"),
    "gcp-anthropic": ("gcp-oidc", "gcp-file"),
}
"""Credentials that each API takes."""
API_KEY = "apiKey"
ENTRIES = {"aws-file": "credentials", "gcp-file": "service_account.json"} | dict.fromkeys(
    ("aws-oidc", "azure-oidc", "azure-secret", "gcp-oidc"), "client-secret"
)
"""Entry of a Secret by kind of credential, apiKey for all others. Source: the definition of BackendSecurityPolicy;
envoyproxy/ai-gateway, constants/constants.go. That of gcp-file is in neither: try it before a failover needs it."""

FILES = ("credentials", "service_account.json")
"""Entries that are files of several lines."""


def sources(spec: GatewaySpec) -> Iterator[SecretSource]:
    """Every store that a Secret comes from."""
    for provider in spec.providers:
        if provider.credential and provider.credential.source:
            yield provider.credential.source
    if spec.sign_in.keys and spec.sign_in.keys.source:
        yield spec.sign_in.keys.source


def signed(spec: GatewaySpec, ctx: PlanContext) -> bool:
    """Whether each provider is signed in to as its API wants it."""
    held = [
        ctx.check(
            "GTW-020",
            provider.credential is None or provider.credential.kind in CREDENTIALS[provider.api],
            f"{provider.name} speaks {provider.api}, which takes {' or '.join(CREDENTIALS[provider.api])}",
            ("providers", index, "credential"),
            f"set kind to {CREDENTIALS[provider.api][0]}",
        )
        for index, provider in enumerate(spec.providers)
    ]
    held += [_where(index, provider, ctx) for index, provider in enumerate(spec.providers)]
    held += [own_sites.known(index, provider, spec, ctx) for index, provider in enumerate(spec.providers)]
    return all(held)


def _where(index: int, provider: Provider, ctx: PlanContext) -> bool:
    """Whether what is written of a place agrees with what is known of its region."""
    region = residency.region(provider, ctx)
    if region is None:
        return True
    says = [
        f"{field} is {written}, and {provider.region} has {known}"
        for field, written, known in (
            ("country", provider.country, region.country),
            ("operator", provider.operator, region.operator),
        )
        if written and written != known
    ]
    if provider.api.startswith(("aws-", "gcp-")) and region.name not in (provider.host or ""):
        says.append(f"{provider.host} is no host of {region.name}")
    return ctx.check(
        "GTW-022",
        not says,
        f"{provider.name}: {'; '.join(says)}",
        ("providers", index, "region"),
        "write the region that the host is in, and delete country and operator: they follow from it",
    )


def keys(written: ApiKeys) -> SecretPlan:
    """The Secret with the keys of clients."""
    return _secret(written.secret, tuple(client.id for client in written.clients), written.source)


def oidc(written: Oidc, spec: GatewaySpec) -> OidcPlan:
    """The identity provider; where its keys lie is a backend of its own when no public CA vouches for it."""
    address = urlsplit(written.jwks)
    backend = None
    if written.ca:
        backend = BackendPlan(
            name=f"{spec.identity}-sign-in",
            host=str(address.hostname),
            port=address.port or 443,
            api="",
            api_version="",
            tls=True,
            ca=written.ca,
            credential=None,
            place="",
            country="",
            operator="",
        )
    return OidcPlan(
        issuer=written.issuer,
        jwks=written.jwks,
        audiences=tuple(written.audiences),
        tenant_claim=written.tenant_claim,
        user_claim=written.user_claim,
        backend=backend,
    )


def backends(models: list[Published], spec: GatewaySpec, ctx: PlanContext) -> tuple[BackendPlan, ...]:
    """Every place that some model leads to, once."""
    providers = {provider.name: provider for provider in spec.providers}
    found = {place.backend: place for model in models if model.pool is None for place in model.places}
    return tuple(
        _provider(place, providers[place.leg.provider], spec, ctx) if place.leg.provider else _service(place, ctx)
        for _, place in sorted(found.items())
    )


def _service(place: Place, ctx: PlanContext) -> BackendPlan:
    offer = place.offer
    assert offer is not None  # noqa: S101 - the caller saw it
    location = ctx.place.location
    return BackendPlan(
        name=place.backend,
        host=f"{offer.backend_name}.{offer.namespace}.svc.cluster.local",
        port=offer.port,
        api="openai",
        api_version="",
        tls=False,
        ca="",
        credential=None,
        place=ctx.place.site,
        country=location.country,
        operator=location.operator.nationality,
        after=(offer.row,) if offer.row else (),
    )


def _provider(place: Place, provider: Provider, spec: GatewaySpec, ctx: PlanContext) -> BackendPlan:
    credential = None
    if provider.credential:
        credential = _credential(provider.credential, provider)
    target = place.target
    return BackendPlan(
        name=place.backend,
        host=own_sites.host(provider, spec, ctx),
        port=provider.port,
        api=provider.api,
        api_version=provider.api_version or "",
        tls=True,
        ca=provider.ca or "",
        credential=credential,
        place=target.name,
        ours=provider.site is not None,
        country=target.country,
        operator=target.operator,
        description=provider.description or "",
    )


def _credential(written: Credential, provider: Provider) -> CredentialPlan:
    fields = {
        field: str(value)
        for field in (*NEEDS.get(written.kind, ()), *MAY.get(written.kind, ()))
        if (value := getattr(written, field))
    }
    entries = (ENTRIES.get(written.kind, API_KEY),)
    secret = _secret(written.secret, entries, written.source) if written.secret else None
    region = (provider.region or "").partition(":")[2]
    return CredentialPlan(written.kind, secret, region, tuple(sorted(fields.items())))


def _secret(name: str, entries: tuple[str, ...], source: SecretSource | None) -> SecretPlan:
    return SecretPlan(name, entries, source.store if source else "", source.key if source else "")
