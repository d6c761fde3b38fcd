"""The fabric as decided: all that its rows need, as plain data."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.offers import Taint

Kind = Literal["roce", "infiniband"]
Mode = Literal["sriov-ethernet", "sriov-ib", "host-device", "macvlan-rdma-shared", "ipoib-rdma-shared"]
SwitchSystem = Literal["cumulus", "sonic", "eos", "nxos"]
Labels = tuple[tuple[str, str], ...]


class Image(Struct, frozen=True):
    """A container image, as the operator's policies name it."""

    image: str
    repository: str
    version: str


class NicPort(Struct, frozen=True):
    """A NIC on a rail, at the same place in each node of a pool."""

    rail: int
    pci: str
    interface: str


class FirmwareStorage(Struct, frozen=True):
    """The volume that the NIC operator keeps firmware archives on."""

    storage_class: str
    claim: str
    size_gib: int


class NicOperator(Struct, frozen=True):
    """The NIC configuration operator."""

    operator: Image
    daemon: Image
    reset_after_update: bool
    storage: FirmwareStorage | None


class IbKubernetes(Struct, frozen=True):
    """The daemon that puts virtual functions into partitions through UFM."""

    image: Image
    first_guid: str
    last_guid: str
    secret: str


class SriovOperator(Struct, frozen=True):
    """The singleton settings of the SR-IOV operator."""

    node_selector: Labels
    leaves_firmware_alone: bool
    """Whether firmware settings belong to the NIC configuration operator."""
    resets_firmware: bool


class Operators(Struct, frozen=True):
    """The cluster's singletons: one fabric of a stack makes them for all."""

    pools: tuple[str, ...]
    """Values of the pool label: the only nodes that the operator's daemons run on."""
    tolerations: tuple[Taint, ...]
    nv_ipam: Image
    multus: Image
    cni_plugins: Image
    ipoib_cni: Image | None
    nic_operator: NicOperator | None
    ib_kubernetes: IbKubernetes | None
    sriov: SriovOperator | None
    nodes_at_a_time: int


class DriverContainer(Struct, frozen=True):
    """DOCA-OFED, loaded by the Network Operator."""

    image: Image
    environment: tuple[tuple[str, str], ...]
    nodes_at_a_time: int


class DeviceList(Struct, frozen=True):
    """What a device plugin hands out: resources with the NICs behind them."""

    image: Image
    plugin: Literal["rdma-shared", "sriov"]
    resources: tuple[tuple[str, NicPort], ...]


class NodePolicy(Struct, frozen=True):
    """Driver and device plugin of the nodes of a pool."""

    name: str
    node_labels: Labels
    tolerations: tuple[Taint, ...]
    driver: DriverContainer | None
    devices: DeviceList | None


class InterfaceNames(Struct, frozen=True):
    """Names that NICs of a pool keep, whatever the kernel calls them."""

    name: str
    node_labels: Labels
    net_prefix: str
    rdma_prefix: str
    nics: tuple[NicPort, ...]


class RoceTuning(Struct, frozen=True):
    """What a NIC does with RoCE traffic."""

    pfc: str
    tos: int
    cnp_dscp: int


class NicTemplate(Struct, frozen=True):
    """Settings of the NICs of a pool."""

    name: str
    node_labels: Labels
    nic_type: str
    pci: tuple[str, ...]
    virtual_functions: int
    link_type: Literal["Ethernet", "Infiniband"]
    roce: RoceTuning | None


class FirmwareCheck(Struct, frozen=True):
    """Firmware that the NICs of a pool are compared with."""

    name: str
    node_labels: Labels
    nic_type: str
    source: str


class FirmwareSource(Struct, frozen=True):
    """Archives of one NIC model."""

    name: str
    archives: tuple[str, ...]


class FunctionPool(Struct, frozen=True):
    """How nodes of a pool get their virtual functions."""

    name: str
    node_labels: Labels
    nodes_at_a_time: int
    rdma_mode: Literal["exclusive", "shared"]


class FunctionPolicy(Struct, frozen=True):
    """Virtual functions of one rail on the nodes of a pool."""

    name: str
    node_labels: Labels
    resource: str
    pci: str
    functions: int
    mtu: int
    link_type: Literal["ETH", "IB"]


class NodePrefix(Struct, frozen=True):
    """The addresses of one node on a routed rail."""

    node: str
    prefix: str
    gateway: str


class AddressPool(Struct, frozen=True):
    """The addresses of one rail. With a node prefix it is routed, without one it is a flat subnet."""

    name: str
    rail: int
    cidr: str
    pools: tuple[str, ...]
    per_node: int
    """Addresses of a node on a flat rail; 0 on a routed one."""
    node_prefix: int
    """Prefix length of a node on a routed rail; 0 on a flat one."""
    gateway_index: int
    route: str
    """What is reached through the gateway; empty on a flat rail."""
    nodes: tuple[NodePrefix, ...]


class Network(Struct, frozen=True):
    """One rail as a secondary network of pods."""

    name: str
    rail: int
    resource: str
    """Resource without its prefix; empty where the network names a host interface."""
    interface: str
    """Host interface that it shares; empty where pods get devices of their own."""
    mtu: int
    addresses: str
    routed: bool
    quiet_arp: bool
    source_routing: bool
    rdma_namespace: bool
    """Whether the RDMA device moves into the pod's network namespace."""


class Partition(Struct, frozen=True):
    """The rail of one tenant: a network in its namespace, with its partition key."""

    namespace: str
    tenant: str
    pkey: str
    network: Network


class NetworkGuard(Struct, frozen=True):
    """Namespaces whose pods may use networks of their own namespace alone."""

    name: str
    namespaces: tuple[str, ...]


class HostFile(Struct, frozen=True):
    """A file on the nodes, and why it is there."""

    name: str
    hosts: tuple[str, ...]
    path: str
    content: str
    why: str
    reboot: bool


class SwitchPort(Struct, frozen=True):
    """A port that faces a node."""

    port: str
    node: str
    rail: int
    address: str
    """The node's gateway with its prefix length; empty on a flat rail."""


class Thresholds(Struct, frozen=True):
    """Queue lengths between which packets are marked."""

    minimum_kbytes: int
    maximum_kbytes: int
    mark_percent: int


class Switch(Struct, frozen=True):
    """What the nodes rely on in one leaf switch."""

    name: str
    fabric: str
    system: SwitchSystem
    mtu: int
    host_mtu: int
    traffic_class: int
    dscp: int
    priority: int
    cnp_dscp: int
    cnp_priority: int
    ecn: Thresholds | None
    ports: tuple[SwitchPort, ...]


class Acceptance(Struct, frozen=True):
    """What each node must offer before the fabric counts as ready."""

    namespace: str
    account: str
    name: str
    """Of the Job. It changes with what is in the Job, because a Job can't be changed."""
    image: str
    resources: tuple[tuple[str, int], ...]
    """Extended resource of each rail, and how many of it a node has."""
    objects: tuple[str, ...]
    """Arguments of kubectl that name the nodes."""
    tolerations: tuple[Taint, ...]
    timeout_s: int


class FabricPlan(Struct, frozen=True):
    """A fabric at one site, decided."""

    fabric: str
    kind: Kind
    mode: Mode
    mtu: int
    gbps_per_rail: int
    operator_namespace: str
    network_namespace: str
    given_operator: bool
    operators: Operators | None
    """None when another fabric of the stack makes the singletons, or the site has them."""
    node_policies: tuple[NodePolicy, ...]
    interface_names: tuple[InterfaceNames, ...]
    nic_templates: tuple[NicTemplate, ...]
    firmware_sources: tuple[FirmwareSource, ...]
    firmware_checks: tuple[FirmwareCheck, ...]
    function_pools: tuple[FunctionPool, ...]
    function_policies: tuple[FunctionPolicy, ...]
    address_pools: tuple[AddressPool, ...]
    networks: tuple[Network, ...]
    partitions: tuple[Partition, ...]
    guard: NetworkGuard | None
    acceptance: Acceptance | None
    """None when no pool is on the fabric."""
    settings_name: str
    settings: tuple[tuple[str, str], ...]
    settings_namespaces: tuple[str, ...]
    host_files: tuple[HostFile, ...]
    switches: tuple[Switch, ...]

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        kind = {"roce": "RoCE", "infiniband": "InfiniBand"}[self.kind]
        rails = len({network.rail for network in self.networks})
        return f"{kind}, {rails} rails of {self.gbps_per_rail} Gbit/s, {self.mode}, MTU {self.mtu}"
