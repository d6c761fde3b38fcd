"""Places outside of the pools: Services of served models, providers, and where keys and credentials come from."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from aifactory.components.base import PlanContext
from aifactory.components.gateway.decided import BackendPlan, CredentialPlan, OidcPlan, SecretPlan
from aifactory.components.gateway.published import Place, Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_models import Provider, SecretSource
from aifactory.components.gateway.spec_tenants import ApiKeys, Oidc

CREDENTIALS = {
    "openai": ("api-key",),
    "azure-openai": ("azure-api-key",),
    "anthropic": ("anthropic-api-key", "api-key"),
}
"""Credentials that each API takes."""
API_KEY = "apiKey"
"""Entry of a Secret with a provider's key. Source: the definition of BackendSecurityPolicy."""


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
    return all(held)


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
        _provider(place, providers[place.target.name]) if place.offer is None else _service(place, ctx)
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


def _provider(place: Place, provider: Provider) -> BackendPlan:
    credential = None
    if provider.credential:
        secret = _secret(provider.credential.secret, (API_KEY,), provider.credential.source)
        credential = CredentialPlan(provider.credential.kind, secret)
    return BackendPlan(
        name=place.backend,
        host=provider.host,
        port=provider.port,
        api=provider.api,
        api_version=provider.api_version or "",
        tls=True,
        ca=provider.ca or "",
        credential=credential,
        place=provider.name,
        country=provider.country or "",
        operator=provider.operator or "",
        description=provider.description or "",
    )


def _secret(name: str, entries: tuple[str, ...], source: SecretSource | None) -> SecretPlan:
    return SecretPlan(name, entries, source.store if source else "", source.key if source else "")
