"""The door itself: its host names, its certificate, and from where it is reached."""

from __future__ import annotations

from typing import TypedDict

from aifactory.components.base import PlanContext
from aifactory.components.gateway import places
from aifactory.components.gateway.decided import ListenerPlan
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.offers import QueueOffer

COMMON_NAME_CHARS = 64
OWNING = "gateway.envoyproxy.io/owning-gateway"


class Ground(TypedDict):
    """What the site decides about a door."""

    clients: tuple[str, ...]
    address: str
    load_balancer_class: str
    cluster_issuer: str


def owner(identity: str) -> dict[str, str]:
    """Labels that Envoy Gateway gives the proxies of one Gateway."""
    return {f"{OWNING}-name": identity, f"{OWNING}-namespace": identity}


def known(spec: GatewaySpec, ctx: PlanContext) -> bool:
    """Whether the site says whose hosts may call, where any may."""
    given = ctx.place.endpoints
    return spec.reach == "cluster" or ctx.check(
        "GTW-002",
        given is not None and bool(given.clients),
        f"reach is site, and site {ctx.place.site} names no client networks",
        ("reach",),
        "add endpoints.clients to the site file, or set reach to cluster",
    )


def ground(spec: GatewaySpec, ctx: PlanContext) -> Ground:
    """Client networks, address and issuer, for a door to the site; inside the cluster the site has no say."""
    given = ctx.place.endpoints
    if given is None or spec.reach == "cluster":
        return Ground(clients=(), address="", load_balancer_class="", cluster_issuer="")
    return Ground(
        clients=tuple(given.clients),
        address=given.address or "",
        load_balancer_class=given.load_balancer_class or "",
        cluster_issuer=given.certificates.cluster_issuer if given.certificates else "",
    )


def listeners(spec: GatewaySpec, ctx: PlanContext) -> tuple[ListenerPlan, ...] | None:
    """One host name for tokens, one for the keys of each tenant: a policy with both asks each caller for both, and
    with keys nothing but the host name says which models a caller is told of."""
    given = ctx.place.endpoints if spec.reach == "site" else None
    domain = given.domain if given else f"{spec.identity}.svc.cluster.local"
    first = spec.host or spec.identity
    found = []
    if spec.sign_in.oidc:
        found.append(ListenerPlan("tokens", f"{first}.{domain}", places.oidc(spec.sign_in.oidc, spec), None))
    if spec.sign_in.keys:
        secret = places.keys(spec.sign_in.keys)
        for tenant in dict.fromkeys(client.tenant for client in spec.sign_in.keys.clients):
            found.append(ListenerPlan(f"keys-{tenant}", f"{first}-{tenant}.{domain}", None, secret, tenant))
    fits = [
        ctx.check(
            "GTW-005",
            len(each.host) <= COMMON_NAME_CHARS,
            f"host name {each.host} has {len(each.host)} characters, {COMMON_NAME_CHARS} at most",
            ("host",),
            "shorten host",
        )
        for each in found
    ]
    if not all(fits):
        return None
    reason = "below the domain of the site" if given else "Services of the cluster, which its DNS knows"
    ctx.decide("hosts", {each.name: each.host for each in found}, reason, source=("host",) if spec.host else ())
    return tuple(found)


def callers(spec: GatewaySpec, ctx: PlanContext) -> tuple[str, ...]:
    """Namespaces whose pods may reach it, where nobody outside of the cluster may."""
    if spec.reach != "cluster":
        return ()
    found = tuple(sorted({*tenants(ctx), *spec.callers}))
    ctx.check(
        "GTW-007",
        bool(found),
        f"no namespace may reach {spec.name}: no queue has tenants, and callers names none",
        ("callers",) if spec.callers else (),
        "set callers to the namespaces of its clients",
    )
    return found


def tenants(ctx: PlanContext) -> list[str]:
    """Namespaces of those who queue work."""
    return [tenant.namespace for queue in ctx.offers(QueueOffer) for tenant in queue.tenants]


def proxies(spec: GatewaySpec, ctx: PlanContext) -> int:
    """Envoy proxies: the number written, else two, or one where a lost node takes all with it."""
    return spec.replicas or (1 if ctx.place.is_one_node else 2)
