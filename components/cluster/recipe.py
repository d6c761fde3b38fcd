"""How a system release of ours is run: when, where, with which values and why, and what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from aifactory.components import pods
from aifactory.components.capabilities import PodEgress
from aifactory.components.cluster.model import PodSecurity
from aifactory.components.rows import Wave

Distribution = str


class Terms(Struct, frozen=True):
    """What a site decides about each release."""

    namespace: str
    """Namespace of the release."""
    replicas: int
    """Replicas of controllers that answer admission webhooks."""
    priority_class: str
    """PriorityClass of ours for controllers that others wait for."""
    nodes: int
    distribution: str
    scraped: bool
    """Whether the kinds ServiceMonitor and PodMonitor exist before this release."""
    metrics_namespace: str
    """Namespace of the Prometheus of ours, empty when it is given or there is none."""
    volumes: bool
    """Whether a volume without a class name gets one: the site or a tier has the default StorageClass."""
    wanted: tuple[str, ...] = ()
    """Capabilities that parts of the site need: a release may have to know its neighbours."""


class Setting(Struct, frozen=True):
    """One chart value that differs from the chart's default, or that we keep whatever the default becomes."""

    path: str
    value: object
    why: str


class Need(Struct, frozen=True):
    """A capability that a release stands on."""

    capability: str
    why: str
    when: str = ""
    """Chart value that makes it needed; empty: always."""


class Recipe(Struct, frozen=True):
    """How one release is run."""

    wave: Wave
    timeout_s: int
    settings: Callable[[Terms], Iterable[Setting]]
    purpose: str
    pod_security: PodSecurity = "restricted"
    to: tuple[str, ...] = ("dns", "namespace", "api")
    """What its pods reach."""
    to_why: str = "its pods talk to the API server and to each other"
    webhooks: tuple[int, ...] = ()
    """TCP ports at which the API server calls its pods."""
    serves: tuple[int, ...] = ()
    """TCP ports at which pods of other namespaces call its pods."""
    metrics: tuple[int, ...] = ()
    """TCP ports of its metrics."""
    pod_egress: tuple[PodEgress, ...] = ()
    """What some of its pods reach besides."""
    critical_pods: bool = False
    """Whether its pods use a system priority class."""
    labels: tuple[tuple[str, str], ...] = ()
    """Labels of its namespace."""
    needs: tuple[Need, ...] = ()
    after: tuple[str, ...] = ()
    """Capabilities whose releases of ours must be there first, without being needed."""
    uses_priority_class: bool = False
    stands_for: tuple[str, ...] = ()
    """Other capabilities that it provides, where it is installed."""
    retain_on_delete: bool = False
    """Whether `destroy` leaves it: its definitions hold objects of others."""


def tolerate_control_nodes(*paths: str) -> Iterable[Setting]:
    """Lets controllers run on control-plane nodes, where all other nodes may be tainted GPU nodes."""
    why = "at a site of GPU nodes alone these are tainted, and only control-plane nodes are left for controllers"
    return [Setting(path, pods.CONTROL_NODES, why) for path in paths]


def spread(label: str, value: str) -> list[object]:
    """Topology spread that keeps replicas off one node when there are several."""
    return [pods.spread({label: value})]
