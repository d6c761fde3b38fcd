"""Prerequisites with one provider each: something the site already runs, or one system release of ours."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

CAPABILITIES: dict[str, str] = {
    "cert-manager": "Certificates for webhooks",
    "node-feature-discovery": "Node labels from hardware, and the pool and topology labels of ours",
    "gpu-operator": "GPU driver, container toolkit, device plugin and DCGM",
    "dra-driver-nvidia-gpu": "GPUs as DRA devices, and ComputeDomains",
    "network-operator": "RDMA drivers, SR-IOV, secondary networks and their addresses",
    "efa-device-plugin": "EFA devices of nodes, counted for pods",
    "neuron-device-plugin": "Trainium and Inferentia devices of nodes, counted for pods",
    "sriov-network-operator": "SR-IOV virtual functions, where the site runs an operator of its own for them",
    "kueue": "Admission of jobs by quota and topology",
    "jobset": "Gangs of jobs that start and fail together",
    "lws": "Groups of pods that serve one model over several nodes",
    "keda": "Replicas that follow what Prometheus says",
    "gateway-api": "Gateway API resource definitions",
    "inference-extension": "Definitions of pools of model servers",
    "karpenter": "Nodes of AWS that come when pods wait, and go when none needs them",
    "load-balancer": "Addresses of the site for Services of type LoadBalancer",
    "aws-load-balancer-controller": "Network load balancers of AWS for Services of type LoadBalancer",
    "envoy-gateway-crds": "Resource definitions of Envoy Gateway",
    "envoy-gateway": "Envoy proxies in front of what the cluster serves",
    "ai-gateway-crds": "Resource definitions of Envoy AI Gateway",
    "ai-gateway": "Routes of Envoy Gateway that lead to pools of model servers",
    "kserve-crds": "Resource definitions of KServe",
    "kserve": "Models as InferenceServices",
    "metrics": "Prometheus and its resource definitions",
    "external-secrets": "Secrets from a store outside the cluster",
    "volume-snapshots": "Definitions of volume snapshots, and their controller",
    "cnpg": "PostgreSQL databases, by CloudNativePG",
    "milvus": "A vector store of the site, with a collection for each tenant",
    "rook-ceph": "Ceph clusters on drives of the site",
    "topolvm": "Volumes on drives of the node that a pod runs on",
    "csi-driver-nfs": "Mounts of NFS shares",
    "cilium": "Network policies that know hosts by name",
    "opentelemetry-operator": "OpenTelemetry collectors",
    "loki": "Logs, kept in an object store",
    "tempo": "Traces, kept in an object store",
}
"""Every capability a part may require, and what it is for."""

GO_LAST = frozenset({"aws-load-balancer-controller"})
"""Capabilities whose provider removes what is outside of the cluster when an object goes: so it goes last."""

METRICS_GIB = 200
"""Volume of the Prometheus of ours, unless somebody counts its series."""
METRICS_NAMESPACE = "monitoring"
"""Namespace of the Prometheus of ours."""
PROMETHEUS_URL = f"http://kube-prometheus-stack-prometheus.{METRICS_NAMESPACE}.svc:9090"
"""Where pods reach the Prometheus of ours. Source: kube-prometheus-stack, service names of a release of its name."""


class Requirement(Struct, frozen=True):
    """A part's need for a capability. `values` are what the part needs of its release's chart values."""

    capability: str
    part: str
    reason: str
    values: dict[str, object] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    """Features that a given one must have; ours has them by `values`."""
    after: tuple[str, ...] = ()
    """Rows that must be there before its release."""


class PodEgress(Struct, frozen=True):
    """What some pods of a namespace may reach beside what all of them may."""

    name: str
    """Name of the policy."""
    labels: tuple[tuple[str, str], ...]
    """Labels of the pods."""
    api: bool = False
    """The API server."""
    ports: tuple[int, ...] = ()
    """TCP ports, of whatever address where `networks` names none: names of hubs and stores stand for many."""
    networks: tuple[str, ...] = ()
    """Networks that the ports are of."""
    lacking: str = ""
    """Label that the pods must not have."""
    namespaces: tuple[tuple[str, int], ...] = ()
    """Other namespaces whose pods these may reach, each at a TCP port."""


class NamespaceRequest(Struct, frozen=True):
    """A part's need for a namespace, made with the baseline of every namespace of ours."""

    name: str
    part: str
    purpose: str
    pod_security: Literal["privileged", "baseline", "restricted"] = "restricted"
    labels: tuple[tuple[str, str], ...] = ()
    tenant: str = ""
    quota: tuple[tuple[str, str], ...] = ()
    """ResourceQuota hard limits, such as ("requests.nvidia.com/gpu", "64")."""
    ingress_from: tuple[str, ...] = ()
    """Namespaces that may open connections to pods here, besides the namespace itself."""
    egress: tuple[str, ...] = ("dns", "namespace")
    """What pods may reach: dns, namespace (its own pods), api (the API server), any."""
    egress_to: tuple[tuple[str, int], ...] = ()
    """Other namespaces whose pods these may reach, each at a TCP port."""
    pod_egress: tuple[PodEgress, ...] = ()
    ingress_cidrs: tuple[str, ...] = ()
    """Networks outside the cluster whose clients may reach `open_ports`."""
    open_ports: tuple[int, ...] = ()
    """TCP ports that clients in `ingress_cidrs` may reach."""
    holds_data: bool = False
    """Whether objects in it hold data, so that deleting it would delete that."""


def log_copies(nodes: int) -> int:
    """Copies of a record that Loki writes, each by a replica with a volume of its own, where there are nodes for
    them."""
    return 3 if nodes >= 3 else 1
