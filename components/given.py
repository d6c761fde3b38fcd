"""What a site gives: place, power, cluster and nodes, as written in a site file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.capabilities import CAPABILITIES
from aifactory.components.catalog import AcceleratorKey
from aifactory.components.forms import (
    Cidr,
    Country,
    Feature,
    Folder,
    GitUrl,
    HostAndPort,
    HostName,
    InterfaceName,
    Line,
    PciAddress,
    SecretName,
    Version,
)
from aifactory.components.given_network import (
    EcnMarking,
    InfinibandGiven,
    Leaf,
    NetworkGiven,
    OutsideGiven,
    RoceGiven,
    Switches,
    UfmGiven,
)
from aifactory.components.given_storage import (
    CopyTargetGiven,
    DriveSet,
    EncryptionGiven,
    GbPerS,
    KeyStoreGiven,
    NfsGiven,
    StorageGiven,
    StorageSystem,
    misfits_of_drives,
)
from aifactory.components.masking import is_secret_name
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth, twice

__all__ = [
    "Certificates",
    "ClusterGiven",
    "CopyTargetGiven",
    "Delivery",
    "DriveSet",
    "EcnMarking",
    "EncryptionGiven",
    "EndpointsGiven",
    "GivenCapability",
    "HostGiven",
    "InfinibandGiven",
    "KeyStoreGiven",
    "Kubeconfig",
    "Leaf",
    "Location",
    "NetworkGiven",
    "NfsGiven",
    "Nic",
    "NodeGroup",
    "Operator",
    "OutsideGiven",
    "Power",
    "RackGiven",
    "RoceGiven",
    "State",
    "StorageClassGiven",
    "StorageGiven",
    "StorageSystem",
    "Switches",
    "TaintGiven",
    "UfmGiven",
]


CapabilityName = Annotated[
    str,
    Field(pattern=r"^[a-z][-a-z0-9]{1,38}[a-z0-9]$", json_schema_extra={"enum": [*sorted(CAPABILITIES)]}),
]
"""The name of a capability, such as cert-manager."""


class Operator(Spec):
    """The company that runs the place."""

    name: Line = Field(min_length=1, max_length=80)
    """Name of the operating company."""

    nationality: Country
    """Country of its ultimate parent: the one whose orders can reach it."""


class Location(Spec):
    """Where the place is, and who can reach it."""

    country: Country
    """Country the machines stand in."""

    city: Annotated[Line, Field(max_length=80)] | None = None
    """City, for people. Default none: nothing depends on it."""

    operator: Operator
    """Who runs the place."""

    support: list[Country] = Field(min_length=1)
    """Countries from which people may get administrative access."""


class Power(Spec):
    """Racks, power and what they cost."""

    racks: int = Field(ge=1, le=10_000)
    """Racks available to the factory."""

    kw_per_rack: float = Field(gt=0, le=1_000)
    """Usable power of one rack. Unit: kW, after the breaker margin."""

    kw_total: float | None = Field(default=None, gt=0)
    """Usable IT power of all racks together. Unit: kW. Default: racks x kw_per_rack."""

    cooling: Literal["air", "rear-door", "liquid"] = "air"
    """How heat leaves a rack. Default air: what most rooms have."""

    pue: float = Field(ge=1.0, le=3.0)
    """Power usage effectiveness: facility power over IT power, yearly mean."""

    usd_per_kwh: float = Field(gt=0, le=5)
    """Price of energy. Unit: USD per kWh."""

    water_l_per_kwh: float | None = Field(default=None, ge=0, le=20)
    """Water that cooling takes for a kWh of the machines (WUE), yearly mean. Unit: litres per kWh. Default none: it is
    missing in estimates; a closed loop has 0."""


class Kubeconfig(Spec):
    """How to reach the cluster. A reference: the credentials stay where they are."""

    context: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9@:/_.-]+$")
    """Context of the kubeconfig."""

    file: str = Field(default="~/.kube/config", max_length=1024, pattern=r"^[^\x00-\x1f\x7f-\x9f$`]+$")
    """Path of the kubeconfig file, relative to the project root or below `~`; its content stays out of here.
    Default ~/.kube/config."""


class GivenCapability(Spec):
    """Something the cluster already runs. It is used, and never created, changed or deleted."""

    version: Version
    """Version of the chart or operator that runs there."""

    url: str | None = Field(
        default=None, max_length=400, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$"
    )
    """Address at which the cluster's pods reach it, without credentials, such as http://prometheus.monitoring.svc:9090.
    Needed of a given `metrics` that autoscaling asks. Default none."""

    features: list[Feature] = Field(default=[], max_length=32)
    """What it is known to have switched on, such as `taints` of node-feature-discovery. Default: nothing
    beyond its defaults."""


class StorageClassGiven(Spec):
    """A StorageClass that the cluster has."""

    name: Name
    """Name of the StorageClass."""

    access: list[Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]] = Field(min_length=1)
    """Access modes that it serves."""

    default: bool = False
    """Whether it is the cluster's default class. Default false; one class should be."""

    place: Country | None = None
    """Country its data rests in. Default: the country of the site."""

    system: StorageSystem | None = None
    """What stands behind it. Needed of a class that a storage tier uses. Default none: nothing is known of it."""


class Certificates(Spec):
    """Who signs certificates at the site."""

    cluster_issuer: Name
    """ClusterIssuer of cert-manager that exists in the cluster."""


class ClusterGiven(Spec):
    """The Kubernetes cluster of the site."""

    version: Version
    """Kubernetes version of the API server."""

    distribution: Literal["kubeadm", "rke2", "k3s", "talos", "openshift"] = "kubeadm"
    """Distribution; decides runtime socket, Pod Security defaults and how hosts are tuned. Default kubeadm:
    nothing special."""

    kubeconfig: Kubeconfig
    """How to reach it."""

    provides: dict[CapabilityName, GivenCapability] = {}
    """Capabilities that are already there. Default none: missing ones become system releases."""

    storage_classes: list[StorageClassGiven] = []
    """StorageClasses that workloads may use. Default none."""

    certificates: Certificates | None = None
    """Who signs certificates of Services inside the cluster, for names that end in .svc: an issuer of kind CA or Vault,
    which gives its own certificate along; a public one can't. Default none: Services that hold no classified data
    answer without TLS."""

    nfs: list[NfsGiven] = Field(default=[], max_length=100)
    """Shares of NFS servers from which storage tiers make a class. Default none."""

    @truth
    def _nfs_shares_are_listed_once(self) -> Iterator[Misfit]:
        names = [given.nfs for given in self.nfs]
        for index in twice(names):
            yield Misfit(f'"{names[index]}" names two shares', "give each its own name", ("nfs", index, "nfs"))

    @truth
    def _storage_classes_are_listed_once(self) -> Iterator[Misfit]:
        names = [given.name for given in self.storage_classes]
        for index in twice(names):
            says = f'StorageClass "{names[index]}" is listed twice'
            yield Misfit(says, "give it one entry with all its access modes", ("storage_classes", index, "name"))


class Nic(Spec):
    """A network interface of each node of a group."""

    rail: int = Field(ge=0, le=31)
    """Rail it is cabled to: NIC i of every node meets at leaf i."""

    pci: PciAddress
    """PCI address of the physical function."""

    interface: InterfaceName
    """Name of its network device on the host."""

    numa: int | None = Field(default=None, ge=0, le=15)
    """NUMA node it hangs on. Default: not known."""


class RackGiven(Spec):
    """A rack and the nodes in it."""

    rack: Name
    """Name of the rack."""

    block: Name
    """Group of racks under one set of leaf switches: the network block that a gang should stay in."""

    nodes: list[HostName] = Field(min_length=1, max_length=72)
    """Nodes in the rack, by name."""


class HostGiven(Spec):
    """The operating system of the nodes of a group."""

    os: Literal["ubuntu-22.04", "ubuntu-24.04", "rhel-9", "talos", "openshift"]
    """Operating system. RHEL and OpenShift build drivers with entitlements."""

    kernel: str = Field(pattern=r"^\d+\.\d+(\.\d+)?([-.][0-9A-Za-z.-]+)?$")
    """Kernel release, as `uname -r` prints it or its leading part."""

    driver: Version | None = None
    """GPU driver that is installed on the host, which then owns it. Default none: the GPU Operator owns the
    driver."""

    ofed: Version | None = None
    """DOCA-OFED that is installed on the host. Default none: the Network Operator loads it."""

    management_nic: Literal["intel", "broadcom", "mellanox", "other"]
    """Vendor of the NIC that carries management. Loading OFED cuts a node off whose management NIC is
    Mellanox."""


class TaintGiven(Spec):
    """A taint that nodes of a group have."""

    key: str = Field(
        max_length=300, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
    )
    """Key of the taint, such as node-role.example.com/storage."""

    value: str = Field(default="", max_length=63, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")
    """Its value. Default empty."""

    effect: Literal["NoSchedule", "NoExecute"]
    """What it does to pods that don't tolerate it."""


class NodeGroup(Spec):
    """Nodes of one kind at the site."""

    group: Name
    """Name of the group."""

    accelerator: AcceleratorKey | None = None
    """Accelerator in each node. Default none: CPU nodes."""

    gpus_per_node: int = Field(default=0, ge=0, le=72)
    """Accelerators in each node. Default 0: CPU nodes."""

    server: Line = Field(min_length=1, max_length=80)
    """Server model, for people and orders."""

    cpus: int = Field(ge=1, le=1024)
    """CPU threads of a node."""

    memory_gib: int = Field(ge=1, le=65_536)
    """Installed memory of a node. Unit: GiB. Kubernetes reports about 2 percent less, which the planner allows for."""

    kw_per_node: float = Field(gt=0, le=300)
    """Highest power that a node draws. Unit: kW. From the vendor or a measurement, not the sum of power
    supplies."""

    architecture: Literal["amd64", "arm64"] = "amd64"
    """CPU architecture. Default amd64; Grace systems are arm64."""

    host: HostGiven
    """Operating system and what is installed on it."""

    nics: list[Nic] = Field(default=[], max_length=32)
    """Interfaces on the GPU fabric, the same in each node. Default none: no fabric reaches these nodes."""

    nic_model: Literal["connectx-6", "connectx-7", "connectx-8", "bluefield-3"] | None = None
    """Model of these NICs. Default none; needed as soon as there are any."""

    taints: list[TaintGiven] = Field(default=[], max_length=20)
    """Taints that the nodes have already. Storage of ours on these nodes tolerates them. Default none."""

    drives: list[DriveSet] = Field(default=[], max_length=20)
    """Drives in each node that the factory may use, whole and empty. Default none: no tier is made of these nodes."""

    storage_gb_per_s: GbPerS | None = None
    """Rate at which a node sends, and at the same time receives, over the network that storage uses. Unit: GB per s.
    Default: unknown, and so is what storage on these nodes can give."""

    gateway_gb_per_s: GbPerS | None = None
    """Rate that one gateway to buckets on such a node carries, reading or writing, whichever is less, as measured with
    large objects. Unit: GB per s. Default: unknown, and so is what buckets on these nodes can give."""

    racks: list[RackGiven] = Field(min_length=1)
    """Racks and the nodes in them."""

    @property
    def nodes(self) -> list[str]:
        """All node names, in order of racks."""
        return [node for rack in self.racks for node in rack.nodes]

    @truth
    def _accelerators_are_counted(self) -> Iterator[Misfit]:
        hint = "set accelerator and gpus_per_node, or neither for CPU nodes"
        if self.accelerator is None and self.gpus_per_node:
            yield Misfit(f"{self.gpus_per_node} accelerators of no model", hint, ("gpus_per_node",))
        if self.accelerator is not None and not self.gpus_per_node:
            yield Misfit("an accelerator that no node has: gpus_per_node is 0", hint, ("accelerator",))

    @truth
    def _drives_are_of_its_nodes(self) -> Iterator[Misfit]:
        yield from misfits_of_drives(self.drives, self.nodes)

    @truth
    def _nics_have_a_model(self) -> Iterator[Misfit]:
        if self.nics and self.nic_model is None:
            yield Misfit("nics without nic_model", "add nic_model: which NICs they are", ("nics",))

    @truth
    def _a_nic_is_listed_once(self) -> Iterator[Misfit]:
        hint = "each NIC has its own"
        pcis, names = [nic.pci for nic in self.nics], [nic.interface for nic in self.nics]
        for index in twice(pcis):
            yield Misfit(f'"{pcis[index]}" is the PCI address of two NICs', hint, ("nics", index, "pci"))
        for index in twice(names):
            yield Misfit(f'"{names[index]}" is the interface of two NICs', hint, ("nics", index, "interface"))

    @truth
    def _rails_have_no_gaps(self) -> Iterator[Misfit]:
        rails = sorted({nic.rail for nic in self.nics})
        if rails != list(range(len(rails))):
            yield Misfit(f"rails are {rails}", "number them from 0 without gaps", ("nics",))

    @truth
    def _a_rack_is_listed_once(self) -> Iterator[Misfit]:
        names = [rack.rack for rack in self.racks]
        for index in twice(names):
            hint = "give it one entry with all its nodes"
            yield Misfit(f'rack "{names[index]}" is listed twice', hint, ("racks", index, "rack"))


class State(Spec):
    """Where the state of `up` lies. State names every resource, so it counts as data of the factory."""

    backend: str = Field(
        pattern=r"^(file://[^\s?#@]+|(s3|azblob|gs|https)://[^\s@\x00-\x1f\x7f-\x9f]+)$", max_length=1024
    )
    """Pulumi backend without credentials: file://state, s3://bucket, azblob://container, gs://bucket or
    https://host. A relative file path is relative to the project root."""

    secrets_provider: str = Field(
        pattern=r"^(passphrase|(awskms|azurekeyvault|gcpkms|hashivault)://[^\s@\x00-\x1f\x7f-\x9f]+)$",
        max_length=1024,
    )
    """What encrypts secrets in the state: the word passphrase, whose value comes from the environment, or a
    key as awskms://, azurekeyvault://, gcpkms:// or hashivault:// names it."""

    place: Country
    """Country the state rests in."""

    @truth
    def _addresses_carry_no_credentials(self) -> Iterator[Misfit]:
        for name, address in (("backend", self.backend), ("secrets_provider", self.secrets_provider)):
            for key in re.findall(r"[?&]([^=&]+)=", address):
                if is_secret_name(key):
                    hint = "give credentials to the machine that runs up, in its environment"
                    yield Misfit(f"its option {key} is a credential", hint, (name,))


_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"^({_OCTET}\.){{3}}{_OCTET}$"


class EndpointsGiven(Spec):
    """How clients of the site reach what runs in the cluster."""

    domain: str = Field(max_length=200, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$")
    """Domain below which names of endpoints lie, such as ai.example.com. Who runs its DNS points the names here."""

    certificates: Certificates | None = None
    """Who signs certificates. Default none: a private CA of the factory, whose certificate clients must trust."""

    clients: list[Cidr] = Field(default=[], max_length=100)
    """Networks whose hosts may call endpoints that reach beyond the cluster. Default none: no such endpoint."""

    address: str | None = Field(default=None, pattern=_IPV4)
    """Address that the load balancer gives to the endpoint. Default: whichever is free."""

    load_balancer_class: str | None = Field(default=None, max_length=120, pattern=r"^[a-z0-9]([-a-z0-9./]*[a-z0-9])?$")
    """Class of the load balancer, such as metallb.io/metallb. Default: the cluster's own."""

    limit_store: HostAndPort | None = None
    """Redis of the site that gateways count requests, tokens and spend of tenants in, as host and port. Default none:
    no limits."""

    limit_store_tls: SecretName | None = None
    """Secret of namespace envoy-gateway-system with which limit_store is asked over TLS: `tls.crt` and `tls.key` of
    a client, `ca.crt` of the store's CA. Default none: in the clear, which is warned of."""

    limit_store_auth: SecretName | None = None
    """Secret of namespace envoy-gateway-system whose key `auth` signs in at limit_store: a password, or user:password
    of an ACL. Default none: nobody signs in there, which is warned of."""

    outside: list[OutsideGiven] = Field(default=[], max_length=50)
    """Hosts that gateways call, each with its networks: where token keys lie, providers, limit_store. Default none: the
    ports of such hosts are open to any address outside of the cluster, which is warned of."""

    @truth
    def _a_store_that_is_signed_in_at_is_named(self) -> Iterator[Misfit]:
        for field in ("limit_store_tls", "limit_store_auth"):
            if self.limit_store is None and getattr(self, field) is not None:
                yield Misfit(f"{field} without limit_store", f"name the store, or delete {field}", (field,))

    @truth
    def _a_host_outside_is_listed_once(self) -> Iterator[Misfit]:
        hosts = [each.host for each in self.outside]
        for index in twice(hosts):
            says = f'"{hosts[index]}" is listed twice'
            yield Misfit(says, "give it one entry with all its networks", ("outside", index, "host"))


class Delivery(Spec):
    """Where a GitOps controller reads generated folders from."""

    url: GitUrl
    """Git repository, without credentials."""

    revision: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")
    """Branch or tag, such as main or release/2026.11. Default main."""

    path: Folder
    """Folder in the repository under which the stack's folder lies."""

    argocd_namespace: Name = "argocd"
    """Namespace of Argo CD. Default argocd: where its chart puts it."""
