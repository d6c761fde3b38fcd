"""Observability of a site, decided."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.counting import counted
from aifactory.components.offers import BoundedRoute

OTLP_GRPC = 4317
OTLP_HTTP = 4318
PROXIES = "envoy-gateway-system"
"""Namespace of proxies. Source: catalog trains, release envoy-gateway."""
LOKI = "loki"
TEMPO = "tempo"
"""Namespaces of the releases that keep logs and traces, and names of their Services."""
LOKI_PORT = 3100
TEMPO_PORT = 3200


OFFSETS = "/var/lib/otelcol"
"""Folder of a collector's disk: of a node how far each log file was read, and what could not be sent yet."""


class Destination(Struct, frozen=True):
    """Where one signal goes, by OTLP over HTTP."""

    signal: str
    url: str
    """Base URL: a collector adds /v1/logs or /v1/traces."""
    who: str
    """The sink, or the release of ours that keeps it, for people."""
    secret: str = ""
    """Secret with the token, in the namespace of the collectors; empty for none."""
    organisation: str = ""


class Buffer(Struct, frozen=True):
    """What waits on disk while the uplink is gone."""

    hours: float
    """Longest time without it."""
    queues: tuple[tuple[str, int], ...]
    """Bytes by signal that wait at each collector that programs send to."""
    agent_bytes: int
    """Bytes of lines that wait on each node."""
    volume_gib: int
    """Volume of each collector that programs send to."""
    storage_class: str

    def size(self, signal: str) -> int:
        """Bytes of a signal that wait at a collector that programs send to."""
        return dict(self.queues)[signal]


class WatchedModel(Struct, frozen=True):
    """A model that answers requests."""

    part: str
    model: str
    namespace: str
    tenant: str
    routed: bool
    """Whether a router of llm-d chooses among its replicas."""
    pool: str
    """Name of its pool, as the router writes it."""
    itl_ms: float
    """Mean time between tokens that its demand promises. 0: nobody asked for any."""
    ttft_p99_ms: float
    """Promised time to the first token, or to the vector. 0: none."""
    embeds: bool = False
    """Whether it makes vectors: then it writes no token, and keeps nothing that could be full."""
    doors: tuple[str, ...] = ()
    """Gateways at which its first token is measured. Empty: its engine measures it."""
    ids: tuple[str, ...] = ()
    """Names that requests carry there."""


class WatchedPool(Struct, frozen=True):
    """Nodes with GPUs."""

    pool: str
    nodes: tuple[str, ...]
    gpus_per_node: int
    resource: str
    """Extended resource of a whole GPU, empty where pods get slices or devices by DRA."""


class WatchedRentedPool(WatchedPool, frozen=True, kw_only=True):
    """Nodes with GPUs whose names nobody knows before they start."""

    count: int
    label: tuple[str, str]
    """Label of all nodes of the pool, and of no other."""


class WatchedQueue(Struct, frozen=True):
    """A queue, and its ClusterQueues."""

    queue: str
    cluster_queues: tuple[str, ...]


class WatchedBudget(Struct, frozen=True):
    """What a tenant may spend in 30 days."""

    gateway: str
    tenant: str
    usd: float
    prices: tuple[tuple[tuple[str, ...], float, float], ...]
    """Names that requests carry, and USD per million tokens of prompts and of answers."""


class WatchedDatabase(Struct, frozen=True):
    """A database of CloudNativePG."""

    part: str
    namespace: str
    cluster: str
    instances: int
    backs_up: bool
    """Whether a base backup is made each day, and each change is archived."""


class WatchedBounds(Struct, frozen=True):
    """Bounds of parallel requests that tenants have at a gateway."""

    gateway: str
    routes: tuple[BoundedRoute, ...]


class Watched(Struct, frozen=True):
    """The parts that are there, as far as somebody looks at them."""

    models: tuple[WatchedModel, ...] = ()
    pools: tuple[WatchedPool, ...] = ()
    queues: tuple[WatchedQueue, ...] = ()
    doors: tuple[str, ...] = ()
    """Gateways, by the name that their proxies carry."""
    counting: tuple[str, ...] = ()
    """Those of them that count tokens, tenant by tenant."""
    exporters: tuple[str, ...] = ()
    """Rows of the catalog's exporters that are present."""
    namespaces: tuple[str, ...] = ()
    """Namespaces whose volumes are watched."""
    ceph_fill_percent: int = 0
    """Fill of the Ceph cluster above which a lost host can't be made good. 0: there is none."""
    budgets: tuple[WatchedBudget, ...] = ()
    databases: tuple[WatchedDatabase, ...] = ()
    bounded: tuple[WatchedBounds, ...] = ()
    """Gateways of which a tenant has a bound of parallel requests."""


class Limit(Struct, frozen=True):
    """When somebody is called."""

    waiting_minutes: int
    kv_cache_percent: int
    queue_minutes: int
    gateway_errors_percent: float
    certificate_days: int
    storage_percent: int
    budget_percent: int


class Kept(Struct, frozen=True):
    """What passes the collectors."""

    text: bool
    """Whether text of prompts passes. Then nothing is dropped."""
    attributes: tuple[str, ...]
    """The only attributes that pass otherwise."""
    metrics: tuple[str, ...]
    """The only metrics of programs that pass otherwise."""
    bodies: tuple[str, ...]
    """The only namespaces whose log lines pass otherwise: nobody there sees prompts."""
    access: tuple[str, ...] = ()
    """Fields of the access log of gateways, which pass too: who asked which model, and how much. Never a body."""


class ObservabilityPlan(Struct, frozen=True):
    """Metrics, logs, traces, dashboards and alerts, with nothing left unset."""

    identity: str
    factory: str
    site: str
    conventions: str
    kept: Kept
    logs: Destination | None
    traces: Destination | None
    metrics: Destination | None
    """Where metrics of the site go beside its Prometheus, by OTLP; None where they stay, or Prometheus sends them."""
    forwarded: tuple[str, ...]
    """Series that go there."""
    buffer: Buffer | None
    """None where nothing has to wait."""
    metrics_url: str
    """Base URL at which Prometheus takes metrics by OTLP, empty where it is not ours."""
    traces_percent: float
    replicas: int
    """Collectors that programs send to."""
    limit: Limit
    watched: Watched
    scrapes_certificates: str
    """Namespace of cert-manager, empty where there is none."""

    @property
    def collects(self) -> bool:
        """Whether there are collectors at all."""
        return any((self.logs, self.traces, self.metrics))

    @property
    def gateway(self) -> str:
        """Name of the collector that programs send to."""
        return f"{self.identity}-gateway"

    @property
    def agent(self) -> str:
        """Name of the collector that reads the logs of each node."""
        return f"{self.identity}-agent"

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        kept = [f"{each.signal} to {each.who}" for each in (self.logs, self.traces) if each]
        text = "prompts kept" if self.kept.text else "no prompt text"
        if self.buffer:
            kept.append(f"{self.buffer.hours:g} hours on disk without the uplink")
        watched = counted(len(self.watched.models), "model")
        return f"metrics, {', '.join(kept) or 'nothing else'}; {watched} watched, {text}"
