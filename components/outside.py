"""What proxies of a door may reach: models, names, and hosts outside by the networks that a site states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from aifactory.components.base import Place
from aifactory.components.capabilities import PodEgress
from aifactory.components.rows import KubernetesRow, Maker, Tree, capability

OWNING = "gateway.envoyproxy.io/owning-gateway-name"
"""Label that each proxy has, and nothing else."""
NODE_LOCAL_DNS = "169.254.20.10/32"
LINK_LOCAL = "169.254.0.0/16"
"""Where clouds answer machines with credentials."""
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_IN_CLUSTER = (".svc.cluster.local", ".svc")


def service_namespace(host: str) -> str:
    """Namespace of a Service whose address a site gives, in whatever domain its cluster has; empty for other hosts.

    `Outside` is stricter: its hosts are also those that a blueprint names, and one such as a.b.svc.example.com is no
    Service.
    """
    words = host.split(".")
    return words[1] if len(words) > 2 and words[2] == "svc" else ""


class Outside(Struct, frozen=True):
    """A host that is called by name."""

    host: str
    port: int
    networks: tuple[str, ...] = ()
    """Networks that it is in, empty when nobody states any."""

    @property
    def namespace(self) -> str:
        """Its namespace, where it is a Service of the cluster."""
        inside = self.host.endswith(_IN_CLUSTER) and self.host.count(".") > 1
        return self.host.split(".")[1] if inside else ""


class Reach(Struct, frozen=True):
    """Everything that the proxies of one door may open connections to."""

    resolver: str
    """Namespace in which names are resolved."""
    namespaces: tuple[str, ...]
    """Those of models."""
    hosts: tuple[Outside, ...]
    own: tuple[str, ...]
    """Networks of pods and Services: never an address outside."""
    by_name: bool
    """Whether the cluster limits hosts by name."""
    collector: tuple[str, tuple[int, ...]] | None = None
    """Namespace and ports of what takes traces."""

    @property
    def loose(self) -> tuple[Outside, ...]:
        """Hosts of which neither a network nor a name can be held against a connection."""
        return () if self.by_name else tuple(each for each in self.hosts if not each.networks and not each.namespace)


def known(place: Place, host: str, port: int) -> Outside:
    """A host with the networks that the site states of it."""
    given = place.endpoints.outside if place.endpoints else []
    return Outside(host, port, next((tuple(each.networks) for each in given if each.host == host), ()))


def reach(
    place: Place,
    namespaces: Iterable[str],
    hosts: Iterable[tuple[str, int]] = (),
    collector: tuple[str, tuple[int, ...]] | None = None,
) -> Reach:
    """What a door at this place reaches."""
    return Reach(
        resolver="openshift-dns" if place.cluster.distribution == "openshift" else "kube-system",
        namespaces=tuple(sorted(set(namespaces))),
        hosts=tuple(known(place, host, port) for host, port in sorted(set(hosts))),
        own=tuple(cidr for cidr in (place.network.pod_cidr, place.network.service_cidr) if cidr),
        by_name="cilium" in place.cluster.provides,
        collector=collector,
    )


def rules(found: Reach) -> list[Tree]:
    """Egress of the proxies: the whole of it, since they stand under no other policy that opens anything."""
    dns = [{"protocol": protocol, "port": port} for port in (53, 5353) for protocol in ("UDP", "TCP")]
    made: list[Tree] = [
        {"to": [_namespaced(found.resolver), {"ipBlock": {"cidr": NODE_LOCAL_DNS}}], "ports": dns},
        {"to": [{"podSelector": {}}]},  # Envoy Gateway, and the service that counts
    ]
    if found.namespaces:
        made.append({"to": [_namespaced(name) for name in found.namespaces]})  # pods answer at ports of their own
    if found.collector:
        namespace, ports = found.collector
        made.append({"to": [_namespaced(namespace)], "ports": [_tcp(port) for port in ports]})
    made.extend(rule for host in found.hosts if (rule := _host(host, found)))
    return made


def _host(host: Outside, found: Reach) -> Tree | None:
    if host.namespace:
        return {"to": [_namespaced(host.namespace)]}  # a Service may lead to any port of its pods
    if host.networks:
        return {"to": [{"ipBlock": {"cidr": cidr}} for cidr in host.networks], "ports": [_tcp(host.port)]}
    if found.by_name:
        return None
    elsewhere = {"cidr": "0.0.0.0/0", "except": sorted({*found.own, LINK_LOCAL})}
    return {"to": [{"ipBlock": elsewhere}], "ports": [_tcp(host.port)]}


def by_name(
    found: Reach, name: str, namespace: str, labels: dict[str, str], maker: Maker, after: Sequence[str] = ()
) -> KubernetesRow | None:
    """Cilium's policy for hosts by name; it learns addresses from answers of the resolver, which it must see."""
    hosts = [each for each in found.hosts if not each.networks and not each.namespace]
    if not found.by_name or not hosts:
        return None
    resolver = {"matchLabels": {"k8s:io.kubernetes.pod.namespace": found.resolver}}
    asked = {"ports": [{"port": "53", "protocol": "ANY"}], "rules": {"dns": [{"matchPattern": "*"}]}}
    egress: list[Tree] = [{"toEndpoints": [resolver], "toPorts": [asked]}]
    for host in hosts:
        ports = [{"port": str(host.port), "protocol": "TCP"}]
        egress.append({"toFQDNs": [{"matchName": host.host}], "toPorts": [{"ports": ports}]})
    spec = {"endpointSelector": {"matchLabels": labels}, "egress": egress}
    waits = [capability("cilium"), *after]
    return maker.kubernetes("cilium.io/v2", "CiliumNetworkPolicy", name, namespace, spec=spec, after=waits)


def operators(host: Outside, name: str) -> PodEgress:
    """What pods beside the proxies reach: of Envoy Gateway, and of the service that counts."""
    inside = ((host.namespace, host.port),) if host.namespace else ()
    ports = () if inside else (host.port,)
    return PodEgress(name, (), ports=ports, networks=host.networks, lacking=OWNING, namespaces=inside)


def _namespaced(name: str) -> Tree:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: name}}}


def _tcp(port: int) -> Tree:
    return {"protocol": "TCP", "port": port}
