"""What a site gives: place, power, cluster, nodes and network, as written in a site file."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from aifactory.components.catalog import AcceleratorKey
from aifactory.components.names import Name
from aifactory.components.spec import Country, Spec, Version


def _network(value: str) -> str:
    try:
        network = IPv4Network(value)
    except ValueError as error:
        raise ValueError(f'"{value}" is not an IPv4 network ({error}); write it as 10.0.0.0/16') from None
    if network.prefixlen == 0:
        raise ValueError(f'"{value}" is the whole address space; name the network of the site')
    return value


Cidr = Annotated[
    str, Field(pattern=r"^[1-9][0-9]{0,2}(\.[0-9]{1,3}){3}/[0-9]{1,2}$"), AfterValidator(_network)
]
"""An IPv4 network, written with its network address."""

HostName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$")]
"""Name of a node as Kubernetes knows it (`kubernetes.io/hostname`)."""

PciAddress = Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]
"""PCI address of a physical function, such as 0000:1a:00.0."""

InterfaceName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,15}$")]
"""Name of a network interface on the host; Linux allows 15 characters."""


class Operator(Spec):
    """The company that runs the place."""

    name: str = Field(min_length=1, max_length=80)
    """Name of the operating company."""

    nationality: Country
    """Country of its ultimate parent: the one whose orders can reach it."""


class Location(Spec):
    """Where the place is, and who can reach it."""

    country: Country
    """Country the machines stand in."""

    city: str | None = Field(default=None, max_length=80)
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


class Kubeconfig(Spec):
    """How to reach the cluster. A reference: the credentials stay where they are."""

    context: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9@:/_.-]+$")
    """Context of the kubeconfig."""

    file: str = Field(default="~/.kube/config", min_length=1, pattern=r"^[^\x00-\x1f$`]+$")
    """The kubeconfig file, relative to the project root or below `~`. Default ~/.kube/config."""


class GivenCapability(Spec):
    """Something the cluster already runs. It is used, and never created, changed or deleted."""

    version: Version
    """Version of the chart or operator that runs there."""

    features: list[str] = []
    """What it is known to have switched on, such as `taints` of node-feature-discovery. Default: nothing beyond
    its defaults."""


class StorageClassGiven(Spec):
    """A StorageClass that the cluster has."""

    name: Name
    """Name of the StorageClass."""

    access: list[Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]] = Field(
        min_length=1
    )
    """Access modes that it serves."""

    default: bool = False
    """Whether it is the cluster's default class. Default false; exactly one class may be."""

    place: Country | None = None
    """Country its data rests in. Default: the country of the site."""


class ClusterGiven(Spec):
    """The Kubernetes cluster of the site."""

    version: Version
    """Kubernetes version of the API server."""

    distribution: Literal["kubeadm", "rke2", "k3s", "talos", "openshift"] = "kubeadm"
    """Distribution; decides runtime socket, Pod Security defaults and how hosts are tuned. Default kubeadm: nothing
    special."""

    kubeconfig: Kubeconfig
    """How to reach it."""

    provides: dict[str, GivenCapability] = {}
    """Capabilities that are already there. Default none: missing ones become system releases."""

    storage_classes: list[StorageClassGiven] = []
    """StorageClasses that workloads may use. Default none."""

    @model_validator(mode="after")
    def _one_default_storage_class(self) -> Self:
        default = [given.name for given in self.storage_classes if given.default]
        if self.storage_classes and len(default) != 1:
            raise ValueError(
                f"{len(default)} default StorageClasses ({', '.join(default) or 'none'}); "
                "a cluster needs exactly one: set default: true on one of them"
            )
        return self


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
    """GPU driver that is installed on the host, which then owns it. Default none: the GPU Operator owns the driver."""

    ofed: Version | None = None
    """DOCA-OFED that is installed on the host. Default none: the Network Operator loads it."""

    management_nic: Literal["intel", "broadcom", "mellanox", "other"]
    """Vendor of the NIC that carries management. Loading OFED cuts a node off whose management NIC is Mellanox."""


class NodeGroup(Spec):
    """Nodes of one kind at the site."""

    group: Name
    """Name of the group."""

    accelerator: AcceleratorKey | None = None
    """Accelerator in each node. Default none: CPU nodes."""

    gpus_per_node: int = Field(default=0, ge=0, le=72)
    """Accelerators in each node. Default 0: CPU nodes."""

    server: str = Field(min_length=1, max_length=80)
    """Server model, for people and orders."""

    cpus: int = Field(ge=1, le=1024)
    """CPU threads of a node."""

    memory_gib: int = Field(ge=1, le=65_536)
    """Memory of a node. Unit: GiB."""

    kw_per_node: float = Field(gt=0, le=300)
    """Highest power that a node draws. Unit: kW. From the vendor or a measurement, not the sum of power supplies."""

    architecture: Literal["amd64", "arm64"] = "amd64"
    """CPU architecture. Default amd64; Grace systems are arm64."""

    host: HostGiven
    """Operating system and what is installed on it."""

    nics: list[Nic] = Field(default=[], max_length=32)
    """Interfaces on the GPU fabric, the same in each node. Default none: no fabric reaches these nodes."""

    nic_model: Literal["connectx-6", "connectx-7", "connectx-8", "bluefield-3"] | None = None
    """Model of these NICs. Default none; needed as soon as there are any."""

    racks: list[RackGiven] = Field(min_length=1)
    """Racks and the nodes in them."""

    @property
    def nodes(self) -> list[str]:
        """All node names, in order of racks."""
        return [node for rack in self.racks for node in rack.nodes]

    @model_validator(mode="after")
    def _accelerators_are_counted(self) -> Self:
        if (self.accelerator is None) != (self.gpus_per_node == 0):
            raise ValueError("accelerator and gpus_per_node go together: set both, or neither for CPU nodes")
        return self

    @model_validator(mode="after")
    def _nics_have_one_model_and_a_rail_each(self) -> Self:
        rails = [nic.rail for nic in self.nics]
        if self.nics and self.nic_model is None:
            raise ValueError("nics are listed but nic_model is missing; say which NICs they are")
        if len({(nic.pci) for nic in self.nics}) != len(self.nics):
            raise ValueError("two nics have the same PCI address")
        if rails and sorted(set(rails)) != list(range(max(rails) + 1)):
            raise ValueError(f"rails are {sorted(set(rails))}; number them from 0 without gaps")
        return self


PortName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9/._-]{0,31}$")]
"""Name of a switch port, such as swp1s0, Ethernet4 or Ethernet1/1."""


class EcnMarking(Spec):
    """Queue lengths between which a switch marks packets of the lossless queue instead of dropping them."""

    minimum_kbytes: int = Field(ge=1, le=1_000_000)
    """Queue length at which marking begins. Unit: kilobytes. From the vendor's guide for the ASIC and port speed."""

    maximum_kbytes: int = Field(ge=1, le=1_000_000)
    """Queue length from which on packets are marked with the full probability. Unit: kilobytes."""

    mark_percent: int = Field(default=100, ge=1, le=100)
    """Share of packets that is marked at the maximum. Unit: percent. Default 100: NVIDIA's RoCE profile."""

    @model_validator(mode="after")
    def _marking_begins_before_it_is_full(self) -> Self:
        if self.minimum_kbytes > self.maximum_kbytes:
            raise ValueError(
                f"minimum_kbytes {self.minimum_kbytes} is above maximum_kbytes {self.maximum_kbytes}; swap them"
            )
        return self


class Leaf(Spec):
    """A leaf switch of the GPU fabric."""

    switch: HostName
    """Name of the switch."""

    block: Name
    """Block of racks it serves."""

    rails: list[int] = Field(min_length=1)
    """Rails that end on it."""

    ports: list[PortName] = Field(min_length=1, max_length=512)
    """Ports that face nodes, as the switch names them (`swp1`, `Ethernet1/1`). In order of its rails, and for each
    rail in order of the block's nodes as the racks list them: with rails [0, 1] and nodes a and b the ports face a
    and b on rail 0, then a and b on rail 1. Further ports stay free."""

    @model_validator(mode="after")
    def _ports_and_rails_are_listed_once(self) -> Self:
        for what, values in (("port", self.ports), ("rail", [str(rail) for rail in self.rails])):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{what} {twice[0]} of {self.switch} is listed twice; list it once")
        return self


class Switches(Spec):
    """The switches of an Ethernet fabric, as far as the nodes rely on them."""

    vendor: str = Field(min_length=1, max_length=60)
    """Vendor and model, for people."""

    system: Literal["cumulus", "sonic", "eos", "nxos"]
    """Operating system; decides the form of the generated settings."""

    leafs: list[Leaf] = Field(min_length=1)
    """Leaf switches."""

    ecn: EcnMarking | None = None
    """When the lossless queue is marked. Default none: the switch's own RoCE profile says it. EOS and NX-OS have
    no profile, and mark nothing until it is stated."""

    @model_validator(mode="after")
    def _leafs_are_listed_once(self) -> Self:
        names = [leaf.switch for leaf in self.leafs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"leaf {twice[0]} is listed twice; give it one entry with all its rails and ports"
            )
        return self


class RoceGiven(Spec):
    """A RoCEv2 fabric. Every value must agree on NIC, pod and switch, so none of them has a default."""

    traffic_class: int = Field(ge=0, le=255)
    """Traffic class (IP ToS byte) of RDMA traffic: NCCL_IB_TC. Fabric-specific: 106 is DSCP 26 with ECT."""

    priority: int = Field(ge=0, le=7)
    """Lossless priority that PFC protects and the traffic class maps to."""

    cnp_dscp: int = Field(ge=0, le=63)
    """DSCP of congestion notification packets."""

    mtu: int = Field(ge=1500, le=9216)
    """MTU of NIC, VF and switch port, end to end. Unit: bytes."""

    gid_index: int = Field(default=3, ge=0, le=255)
    """GID that RDMA uses. Default 3: RoCEv2 over IPv4, from NVIDIA's doRoCE script."""

    mode: Literal["sriov", "macvlan-shared", "host-device"]
    """How pods get at the NICs: a virtual function each (several tenants), or the whole device (one pod a node)."""

    rails: int = Field(ge=1, le=16)
    """Rails of the fabric."""

    gbps: int | None = Field(default=None, ge=10, le=1600)
    """Line rate of one rail. Unit: Gbit/s. Default: the highest that the NIC model has on Ethernet."""

    spectrum_x: bool = False
    """Whether the switches run Spectrum-X with adaptive routing. Its NICs are tuned by a profile of the reference
    architecture and not as plain RoCE. Default false."""

    addresses: Cidr
    """Address space of the fabric. Each rail takes an equal share."""

    routed: bool
    """Whether the leaf switch is the gateway of each node (routed rails, a prefix per node) or a rail is one flat
    subnet."""

    switches: Switches
    """The switch side."""

    @model_validator(mode="after")
    def _traffic_class_carries_ecn(self) -> Self:
        if self.traffic_class & 0b11 not in (1, 2):
            raise ValueError(
                f"traffic_class {self.traffic_class} is DSCP {self.traffic_class >> 2} without ECT, so ECN can't mark it; "
                f"use {(self.traffic_class >> 2 << 2) + 2}"
            )
        return self


Guid = Annotated[str, Field(pattern=r"^([0-9a-f]{2}:){7}[0-9a-f]{2}$")]
"""A GUID of an InfiniBand port, such as 02:00:00:00:00:00:00:00."""

PKey = Annotated[str, Field(pattern=r"^0x[0-9a-f]{1,4}$")]
"""A partition key as UFM prints it, such as 0x12."""


class UfmGiven(Spec):
    """Where NVIDIA UFM's credentials lie. Needed only where PKeys are assigned from Kubernetes."""

    secret: Name
    """Name of the existing Secret in the network operator's namespace (keys UFM_USERNAME, UFM_PASSWORD,
    UFM_ADDRESS)."""

    guid_pool: list[Guid] = Field(min_length=2, max_length=2)
    """First and last GUID that may be given out."""

    pkeys: dict[Name, PKey] = {}
    """Partition key of each tenant, by tenant name. UFM has the partitions already. Default none; `per-tenant` PKeys
    need one for each tenant that uses the fabric."""

    @model_validator(mode="after")
    def _guids_are_in_order(self) -> Self:
        first, last = self.guid_pool
        if first > last:
            raise ValueError(f"guid_pool begins with {first}, which is above {last}; swap them")
        return self

    @model_validator(mode="after")
    def _each_tenant_has_its_own_partition(self) -> Self:
        keys = [int(key, 16) for key in self.pkeys.values()]
        if len(set(keys)) != len(keys):
            raise ValueError(
                "two tenants have the same PKey, so their traffic isn't kept apart; give each its own"
            )
        outside = [name for name, key in self.pkeys.items() if not 0x1 <= int(key, 16) <= 0x7FFE]
        if outside:
            raise ValueError(
                f"the PKey of {outside[0]} is {self.pkeys[outside[0]]}; tenants have 0x1 to 0x7ffe"
            )
        return self


class InfinibandGiven(Spec):
    """An InfiniBand fabric."""

    subnet_manager: Literal["ufm", "opensm", "switch"]
    """Who runs the subnet manager. It lies outside Kubernetes and must be there first."""

    mtu: int = Field(default=4000, ge=2044, le=4092)
    """MTU of IP over InfiniBand. Unit: bytes. Default 4000: NVIDIA launch kit."""

    mode: Literal["sriov", "host-device", "ipoib-shared"]
    """How pods get at the HCAs."""

    rails: int = Field(ge=1, le=16)
    """Rails of the fabric."""

    gbps: int = Field(ge=100, le=1600)
    """Line rate of one rail. Unit: Gbit/s."""

    pkey_policy: Literal["default-only", "per-tenant"]
    """Whether all tenants share the default partition, or UFM gives each its own PKey."""

    ufm: UfmGiven | None = None
    """UFM access. Default none; `per-tenant` PKeys need it."""

    sharp: bool = False
    """Whether SHARP aggregation runs on the switches. Default false: it must be reserved in UFM first."""

    addresses: Cidr
    """Address space of IP over InfiniBand. Each rail takes an equal share."""

    @model_validator(mode="after")
    def _partitions_need_ufm(self) -> Self:
        if self.pkey_policy == "per-tenant" and (self.subnet_manager != "ufm" or self.ufm is None):
            raise ValueError("pkey_policy per-tenant needs subnet_manager: ufm and the ufm block")
        return self


class NetworkGiven(Spec):
    """Networks of the site."""

    roce: RoceGiven | None = None
    """The RoCEv2 fabric. Default none."""

    infiniband: InfinibandGiven | None = None
    """The InfiniBand fabric. Default none."""

    pod_cidr: Cidr
    """Address space of pods, to keep fabric addresses apart from it."""

    service_cidr: Cidr
    """Address space of Services."""

    @model_validator(mode="after")
    def _address_spaces_are_apart(self) -> Self:
        spaces = [("pod_cidr", self.pod_cidr), ("service_cidr", self.service_cidr)]
        spaces += [("roce.addresses", self.roce.addresses)] if self.roce else []
        spaces += [("infiniband.addresses", self.infiniband.addresses)] if self.infiniband else []
        for index, (name, cidr) in enumerate(spaces):
            for other, other_cidr in spaces[:index]:
                if IPv4Network(cidr).overlaps(IPv4Network(other_cidr)):
                    raise ValueError(f"{name} {cidr} overlaps {other} {other_cidr}; give each its own space")
        return self


class State(Spec):
    """Where the state of `up` lies. State names every resource, so it counts as data of the factory."""

    backend: str = Field(
        pattern=r"^(file://[^\s?#@]+|s3://[^\s@]+|azblob://[^\s@]+|gs://[^\s@]+|https://[^\s@]+)$"
    )
    """Pulumi backend. A relative file path is relative to the project root."""

    secrets_provider: str = Field(
        pattern=r"^(passphrase|awskms://\S+|azurekeyvault://\S+|gcpkms://\S+|hashivault://\S+)$"
    )
    """What encrypts secrets in the state."""

    place: Country
    """Country the state rests in."""


class Delivery(Spec):
    """Where a GitOps controller reads generated folders from."""

    url: str = Field(
        pattern=r"^(https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._/~-]+|ssh://[A-Za-z0-9@.:/_-]+)$"
    )
    """Git repository, without credentials."""

    revision: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")
    """Branch or tag. Default main."""

    path: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$")
    """Folder in the repository under which the stack's folder lies."""

    argocd_namespace: Name = "argocd"
    """Namespace of Argo CD. Default argocd: where its chart puts it."""
