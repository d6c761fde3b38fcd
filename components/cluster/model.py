"""The cluster as decided: what the site gives, the releases of ours, and the baseline of every namespace of
ours."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from aifactory.components.capabilities import PodEgress
from aifactory.components.rows import Tree, Wave

PodSecurity = Literal["privileged", "baseline", "restricted"]
DEFAULT_DENY = "default-deny"
ALLOWED = "allowed"
QUOTA = "quota"
CRITICAL_PODS = "critical-pods"
FOREIGN_PRIORITIES = "foreign-priorities"
CONTAINER_DEFAULTS = "container-defaults"
"""Names of the objects of the baseline. They are forever, as all names of objects are."""

STRICTNESS: tuple[PodSecurity, ...] = ("privileged", "baseline", "restricted")
"""Pod Security levels from the loosest to the strictest."""


class GivenPlan(Struct, frozen=True):
    """A capability that the site runs. Never created, changed or deleted."""

    capability: str
    version: str
    features: tuple[str, ...]
    namespace: str
    """Namespace that its chart's documentation puts it in; nothing of ours makes a namespace of this name."""


class ReleasePlan(Struct, frozen=True):
    """A system release of ours."""

    capability: str
    name: str
    namespace: str
    chart: str
    repository: str
    version: str
    values: Tree
    crds: tuple[str, ...]
    """Resource definitions that arrive with it, as `plural.group`."""
    provides: tuple[str, ...]
    after: tuple[str, ...]
    """Identities of the rows it waits for, besides its namespace."""
    wave: Wave
    timeout_s: int
    retain_on_delete: bool


class Traffic(Struct, frozen=True):
    """What may reach the pods of a namespace, and what they may reach. Everything else is denied."""

    from_namespaces: tuple[str, ...] = ()
    """Namespaces that may open connections, besides the namespace itself."""
    from_anywhere: tuple[int, ...] = ()
    """TCP ports that anything may reach: the API server calls webhooks from addresses that no selector
    names."""
    metrics: tuple[int, ...] = ()
    """TCP ports that the scraper may reach."""
    metrics_namespace: str = ""
    """Namespace of the scraper; empty for any namespace of the cluster."""
    to: tuple[str, ...] = ("dns", "namespace")
    """dns, namespace, api or any."""
    to_namespaces: tuple[tuple[str, int], ...] = ()
    """Other namespaces, each with a TCP port."""
    from_cidrs: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Networks outside the cluster, each with the TCP ports that its clients may reach."""


class NamespacePlan(Struct, frozen=True):
    """A namespace of ours with its baseline."""

    name: str
    purpose: str
    labels: tuple[tuple[str, str], ...]
    traffic: Traffic
    quota: tuple[tuple[str, str], ...] = ()
    """ResourceQuota hard limits."""
    critical_pods: int = 0
    """Pods that may use a system priority class; 0 makes no such permission."""
    default_requests: tuple[tuple[str, str], ...] = ()
    """Requests of containers that state none."""
    default_limits: tuple[tuple[str, str], ...] = ()
    """Limits of containers that state none."""
    pod_egress: tuple[PodEgress, ...] = ()
    """What some of its pods may reach besides."""
    barred_priorities: tuple[str, ...] = ()
    """Priority classes of ours that no pod here may have."""
    protect: bool = False


class PriorityPlan(Struct, frozen=True):
    """A PriorityClass of ours."""

    name: str
    value: int
    description: str


class Resolver(Struct, frozen=True):
    """Where the cluster resolves names: what a policy that allows DNS must admit."""

    namespace: str
    ports: tuple[int, ...]


class ClusterPlan(Struct, frozen=True):
    """The cluster of a site, decided."""

    kubernetes: str
    distribution: str
    resolver: Resolver
    api_ports: tuple[int, ...]
    """TCP ports at which policies meet the API server: of its Service and of its endpoints."""
    given: tuple[GivenPlan, ...] = ()
    releases: tuple[ReleasePlan, ...] = ()
    namespaces: tuple[NamespacePlan, ...] = ()
    priorities: tuple[PriorityPlan, ...] = field(default=())

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        ours = ", ".join(f"{release.chart} {release.version}" for release in self.releases) or "none"
        given = ", ".join(f"{each.capability} {each.version}" for each in self.given) or "nothing"
        return f"{len(self.namespaces)} namespaces; our releases: {ours}; given: {given}"
