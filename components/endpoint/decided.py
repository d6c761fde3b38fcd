"""An endpoint, decided."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.counting import counted
from aifactory.components.outside import Reach
from aifactory.components.tracing import SpanSink

PROXY_NAMESPACE = "envoy-gateway-system"
"""Namespace of the release, in which its proxies run."""
HTTPS_PORT = 10_443
"""Port of Envoy's container for 443: Envoy Gateway adds 10000 to privileged ports."""


class RoutePlan(Struct, frozen=True):
    """The way to one model."""

    name: str
    namespace: str
    model: str
    path: str
    backend: str
    backend_name: str
    port: int
    timeout_s: int
    after: tuple[str, ...]
    """Rows that make its backend exist."""


class EndpointPlan(Struct, frozen=True):
    """A door to models, with nothing left unset."""

    identity: str
    host: str
    reach: str
    callers: tuple[str, ...]
    clients: tuple[str, ...]
    address: str
    load_balancer_class: str
    cluster_issuer: str
    """ClusterIssuer of the site, empty for a private CA."""
    replicas: int
    idle_timeout_s: int
    routes: tuple[RoutePlan, ...]
    site: str
    spans: SpanSink | None
    """Where its proxies send spans, None where nobody keeps them."""
    reaches: Reach
    """What its proxies may open connections to."""

    @property
    def proxies(self) -> str:
        """Name of the Service of its proxies, in the namespace where those of all endpoints and their operator are."""
        return f"{self.identity}-proxy"

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        proxies = "1 proxy" if self.replicas == 1 else f"{self.replicas} proxies"
        return f"https://{self.host} for the {self.reach}, {counted(len(self.routes), 'model')}, {proxies}"
