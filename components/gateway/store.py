"""The store that all proxies count limits in: how it is asked, and what becomes of requests without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aifactory.components import pods
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.gateway.decided import PROXY_NAMESPACE, LimitPlan, StorePlan
from aifactory.components.offers import OperatorNote

ONE_LINE = r"tr -d '\n'"
"""Takes the end of the line from what a person types: a password that ends in one opens nothing."""
TIMEOUT = "250ms"
"""Time to wait for a count. Envoy's own 20 ms would refuse requests at each pause of the store, now that it fails
closed."""
CA_FILE = "/redis-certs/ca.crt"
"""Where Envoy Gateway mounts the Secret of `tls`. It names certificate and key of the client to what counts, and no CA:
that of the image would be asked. Source: envoyproxy/gateway internal/infrastructure/kubernetes/ratelimit/resource.go;
envoyproxy/ratelimit src/settings/settings.go, REDIS_TLS_CACERT."""
AUTH_KEY = "auth"
COUNTERS = 2
"""Pods that count, where there is more than one node. Envoy Gateway makes one by default, without which requests of
limited tenants are refused while its node drains."""
COUNTER_LABELS = {
    "app.kubernetes.io/name": "envoy-ratelimit",
    "app.kubernetes.io/component": "ratelimit",
    "app.kubernetes.io/managed-by": "envoy-gateway",
}
"""Labels of those pods. Source: envoyproxy/gateway internal/infrastructure/kubernetes/ratelimit/resource.go."""
COUNTER_RESOURCES = {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}}
"""Requests are those of Envoy Gateway; the limit stops a leak."""


def of(limits: Sequence[LimitPlan], ctx: PlanContext) -> StorePlan | None:
    """The store, None where nothing is limited."""
    given = ctx.place.endpoints
    if not limits or given is None or given.limit_store is None:
        return None
    ours = "envoy-gateway" not in ctx.place.cluster.provides
    return StorePlan(given.limit_store, given.limit_store_tls or "", given.limit_store_auth or "", ours)


def ask(store: StorePlan, ctx: PlanContext) -> None:
    """The operator of the proxies counts there, and refuses what it can't count."""
    counters = 1 if ctx.place.is_one_node else COUNTERS
    ctx.require("envoy-gateway", "limits of tenants", {"config": {"envoyGateway": _values(store, counters)}})
    ctx.check(
        "GTW-018",
        store.ours,
        f"site {ctx.place.site} gives envoy-gateway: whether it refuses requests while {store.address} is gone is its "
        "own setting",
        ("tenants",),
        "see that its rateLimit has failClosed: true and this store, and its rateLimitDeployment two replicas",
    )
    open_to = [says for says, secret in (("in the clear", store.tls), ("without a password", store.auth)) if not secret]
    lacking = [f"limit_store_{name}" for name, secret in (("tls", store.tls), ("auth", store.auth)) if not secret]
    ctx.check(
        "GTW-025",
        not open_to,
        f"{store.address} is asked {' and '.join(open_to)}",
        ("endpoints", "limit_store"),
        f"add {' and '.join(lacking)} to endpoints: Secrets of {PROXY_NAMESPACE}",
        "site",
    )
    ctx.decide(
        "limit_store",
        store.address,
        "all proxies count here. Without it no tenant with a limit of requests, tokens or spend gets an answer; one "
        "without is not counted, and is answered. What fails open: tokens are known when an answer ends, so requests "
        "that run when a limit is reached are answered",
        rejected=[
            Rejected(
                "QuotaPolicy",
                "v1alpha1 counts in a second service of its own that Envoy AI Gateway lets fail open, and knows "
                "AIServiceBackends alone",
            ),
            Rejected("limits in each proxy", "two proxies would grant twice as much"),
        ],
        source=("endpoints", "limit_store"),
        document="site",
    )


def _values(store: StorePlan, counters: int) -> dict[str, object]:
    """What the operator is told: where counts lie, and how what counts there outlives a node."""
    redis: dict[str, object] = {"url": store.address}
    if store.tls:
        redis["tls"] = {"certificateRef": {"name": store.tls}}
    environment = list(_environment(store))
    kubernetes: dict[str, object] = {
        "rateLimitDeployment": {
            "replicas": counters,
            "pod": {"topologySpreadConstraints": [pods.spread(COUNTER_LABELS)], "tolerations": pods.CONTROL_NODES},
            "container": {"resources": COUNTER_RESOURCES, **({"env": environment} if environment else {})},
        }
    }
    if counters > 1:
        kubernetes["rateLimitPDB"] = {"minAvailable": 1}
    return {
        "rateLimit": {"backend": {"type": "Redis", "redis": redis}, "failClosed": True, "timeout": TIMEOUT},
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
    }


def _environment(store: StorePlan) -> Iterator[dict[str, object]]:
    if store.tls:
        yield {"name": "REDIS_TLS_CACERT", "value": CA_FILE}
    if store.auth:
        yield {"name": "REDIS_AUTH", "valueFrom": {"secretKeyRef": {"name": store.auth, "key": AUTH_KEY}}}


def notes(part: str, store: StorePlan) -> Iterator[OperatorNote]:
    """What lies in the store, what is lost with it, and the Secrets that open it."""
    says = (
        f"The site's Redis at {store.address} counts requests, tokens and spend: a number for each tenant, limit and "
        "minute, day or month, no prompt and no key. "
    )
    says += (
        "While it is gone, or refuses to let the counter in, every model answers 500 to tenants with such a limit. "
        if store.ours
        else "What requests get while it is gone is a setting of the site's Envoy Gateway. "
    )
    says += (
        "When its data is lost each limit begins anew, that of the month too: keep it on disk (appendonly yes), and "
        "let it evict nothing (maxmemory-policy noeviction)."
    )
    yield OperatorNote(part, "before", says)
    if store.ours and store.tls:
        files = " ".join(f"--from-file={name}={name}" for name in ("tls.crt", "tls.key", "ca.crt"))
        says = f"Give what counts its certificate for {store.address}, and the CA of the store; until then it waits:"
        make = f"kubectl -n {PROXY_NAMESPACE} create secret generic {store.tls} --type=kubernetes.io/tls {files}"
        yield OperatorNote(part, "running", says, (make,))
    if store.ours and store.auth:
        says = (
            f"Give what counts its password, or user:password, at {store.address}. It cuts at the first colon: write a "
            "password that has one as default:PASSWORD. It is read from standard input, without the end of its line:"
        )
        entry = f"{AUTH_KEY}=/dev/stdin"
        make = f"{ONE_LINE} | kubectl -n {PROXY_NAMESPACE} create secret generic {store.auth} --from-file={entry}"
        yield OperatorNote(part, "running", says, (make,))
