"""What the proxies of a gateway may reach, and what of it no policy can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from msgspec.structs import replace

from aifactory.components import outside
from aifactory.components.base import PlanContext
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.gateway import bedrock
from aifactory.components.gateway.decided import PROXY_NAMESPACE, BackendPlan, ListenerPlan
from aifactory.components.gateway.published_model import Published
from aifactory.components.offers import TelemetryOffer
from aifactory.components.outside import Outside, Reach
from aifactory.components.tracing import GRPC


def reach(
    models: Iterable[Published],
    listeners: Iterable[ListenerPlan],
    backends: Sequence[BackendPlan],
    collector: TelemetryOffer | None,
    ctx: PlanContext,
) -> Reach:
    """Models of the site, hosts of providers and of keys of tokens, and the collector of traces."""
    namespaces = {offer.namespace for model in models for offer in model.parts}
    ports = (GRPC, urlsplit(collector.otlp_http).port or 80) if collector else ()  # proxies, and what reads bodies
    there = (collector.namespace, ports) if collector else None
    found = outside.reach(ctx.place, namespaces, _hosts(listeners, backends), there)
    hosts = [replace(each, networks=bedrock.networks(each.host, ctx) or each.networks) for each in found.hosts]
    by_identity = any(backend.credential and backend.credential.kind == bedrock.IDENTITY for backend in backends)
    return replace(found, hosts=(*hosts, *((bedrock.agent(),) if by_identity else ())))


def _hosts(listeners: Iterable[ListenerPlan], backends: Iterable[BackendPlan]) -> Iterator[tuple[str, int]]:
    for listener in listeners:
        if listener.oidc:
            address = urlsplit(listener.oidc.jwks)
            yield str(address.hostname), address.port or 443
    yield from ((backend.host, backend.port) for backend in backends if backend.tls)


def store(ctx: PlanContext) -> Outside | None:
    """Where limits are counted."""
    given = ctx.place.endpoints.limit_store if ctx.place.endpoints else None
    if not given:
        return None
    host, _, port = given.rpartition(":")
    return outside.known(ctx.place, host, int(port))


def ask(identity: str, reaches: Reach, *, counts: bool, ctx: PlanContext) -> None:
    """A way to the store of limits for who counts, and a word on what is open to any address."""
    counted = store(ctx) if counts else None
    if counted and "envoy-gateway" not in ctx.place.cluster.provides:
        way = outside.operators(counted, f"{identity}-limits")
        purpose = "Envoy proxies and what counts for them"
        ctx.namespace(NamespaceRequest(PROXY_NAMESPACE, ctx.part, purpose, pod_egress=(way,)))
    loose = list(reaches.loose)
    if counted and not counted.networks and not counted.namespace:
        loose.append(counted)
    named = ", ".join(f"{each.host}:{each.port}" for each in loose)
    ctx.check(
        "GTW-021",
        not loose,
        f"nobody states networks of {named}: these ports are open to any address outside of the cluster",
        ("endpoints",) if ctx.place.endpoints else (),
        "add endpoints.outside to the site file: each host with its networks; or give cilium, which knows names",
        "site",
    )
    ctx.decide(
        "reaches",
        {
            "namespaces": reaches.namespaces,
            "hosts": [f"{each.host}:{each.port}" for each in reaches.hosts],
            "open_to_any_address": [f"{each.host}:{each.port}" for each in loose],
        },
        "what proxies need, and nothing else: models, names, what counts, keys of tokens, providers. A policy knows "
        "networks; which host behind them is asked, the proxy's certificate check alone says",
    )
