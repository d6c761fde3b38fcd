"""The networks that a site gives, as written in a site file: RoCE and InfiniBand fabrics, their switches."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.forms import Cidr, Guid, HostName, Line, PKey, PortName
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth, twice


class EcnMarking(Spec):
    """Queue lengths between which a switch marks packets of the lossless queue instead of dropping them."""

    minimum_kbytes: int = Field(ge=1, le=1_000_000)
    """Queue length at which marking begins. Unit: kilobytes. From the vendor's guide for the ASIC and port
    speed."""

    maximum_kbytes: int = Field(ge=1, le=1_000_000)
    """Queue length from which on packets are marked with the full probability. Unit: kilobytes."""

    mark_percent: int = Field(default=100, ge=1, le=100)
    """Share of packets that is marked at the maximum. Unit: percent. Default 100: NVIDIA's RoCE profile."""

    @truth
    def _marking_begins_before_it_is_full(self) -> Iterator[Misfit]:
        low, high = self.minimum_kbytes, self.maximum_kbytes
        if low > high:
            yield Misfit(f"{low} is above maximum_kbytes {high}", "swap them", ("minimum_kbytes",))


class OutsideGiven(Spec):
    """A host that is called from the cluster, and where it is."""

    host: str = Field(max_length=253, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?$")
    """Host name, such as login.example.com."""

    networks: list[Cidr] = Field(min_length=1, max_length=50)
    """Networks that its addresses are in, as whoever runs it states them."""


class Leaf(Spec):
    """A leaf switch of the GPU fabric."""

    switch: HostName
    """Name of the switch."""

    block: Name
    """Block of racks it serves."""

    rails: list[Annotated[int, Field(ge=0, le=31)]] = Field(min_length=1, max_length=32)
    """Rails that end on it."""

    ports: list[PortName] = Field(min_length=1, max_length=512)
    """Ports that face nodes, as the switch names them (`swp1`, `Ethernet1/1`). In order of its rails, and for
    each rail in order of the block's nodes as the racks list them: with rails [0, 1] and nodes a and b the
    ports face a and b on rail 0, then a and b on rail 1. Further ports stay free."""

    @truth
    def _a_rail_ends_on_it_once(self) -> Iterator[Misfit]:
        for index in twice([str(rail) for rail in self.rails]):
            yield Misfit(f"rail {self.rails[index]} is listed twice", "list it once", ("rails", index))

    @truth
    def _a_port_faces_one_node(self) -> Iterator[Misfit]:
        for index in twice(self.ports):
            hint = "give each node and rail a port of its own"
            yield Misfit(f'port "{self.ports[index]}" is listed twice', hint, ("ports", index))


class Switches(Spec):
    """The switches of an Ethernet fabric, as far as the nodes rely on them."""

    vendor: Line = Field(min_length=1, max_length=60)
    """Vendor and model, for people."""

    system: Literal["cumulus", "sonic", "eos", "nxos"]
    """Operating system; decides the form of the generated settings."""

    leafs: list[Leaf] = Field(min_length=1)
    """Leaf switches."""

    ecn: EcnMarking | None = None
    """When the lossless queue is marked. Default none: the switch's own RoCE profile says it. EOS and NX-OS
    have no profile, and mark nothing until it is stated."""

    @truth
    def _leafs_are_listed_once(self) -> Iterator[Misfit]:
        names = [leaf.switch for leaf in self.leafs]
        for index in twice(names):
            hint = "give it one entry with all its rails and ports"
            yield Misfit(f"leaf {names[index]} is listed twice", hint, ("leafs", index, "switch"))


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
    """How pods get at the NICs: a virtual function each (several tenants), or the whole device (one pod a
    node)."""

    rails: int = Field(ge=1, le=16)
    """Rails of the fabric."""

    gbps: int | None = Field(default=None, ge=10, le=1600)
    """Line rate of one rail. Unit: Gbit/s. Default: the highest that the NIC model has on Ethernet."""

    spectrum_x: bool = False
    """Whether the switches run Spectrum-X with adaptive routing. Its NICs are tuned by a profile of the
    reference architecture and not as plain RoCE. Default false."""

    addresses: Cidr
    """Address space of the fabric. Each rail takes an equal share."""

    routed: bool
    """Whether the leaf switch is the gateway of each node (routed rails, a prefix per node) or a rail is one
    flat subnet."""

    switches: Switches
    """The switch side."""

    @truth
    def _traffic_class_carries_ecn(self) -> Iterator[Misfit]:
        dscp, ect = self.traffic_class >> 2, self.traffic_class & 0b11
        if ect not in (1, 2):
            says = f"{self.traffic_class} is DSCP {dscp} without ECT, so ECN can't mark it"
            yield Misfit(says, f"write {(dscp << 2) + 2}: DSCP {dscp} with ECT", ("traffic_class",))


class UfmGiven(Spec):
    """Where NVIDIA UFM's credentials lie. Needed only where PKeys are assigned from Kubernetes."""

    secret: Name
    """Name of the existing Secret in the network operator's namespace (keys UFM_USERNAME, UFM_PASSWORD,
    UFM_ADDRESS)."""

    guid_pool: list[Guid] = Field(min_length=2, max_length=2)
    """First and last GUID that may be given out."""

    pkeys: dict[Name, PKey] = {}
    """Partition key of each tenant, by tenant name. UFM has the partitions already. Default none;
    `per-tenant` PKeys need one for each tenant that uses the fabric."""

    @truth
    def _guids_are_in_order(self) -> Iterator[Misfit]:
        first, last = self.guid_pool
        if first > last:
            yield Misfit(f"it begins with {first}, which is above {last}", "swap them", ("guid_pool",))

    @truth
    def _each_tenant_has_its_own_partition(self) -> Iterator[Misfit]:
        tenants: dict[int, str] = {}
        for tenant, key in self.pkeys.items():
            other = tenants.setdefault(int(key, 16), tenant)
            if other != tenant:
                says = f"{key} is the PKey of {other}, too, so the traffic of both isn't kept apart"
                yield Misfit(says, "give each tenant its own", ("pkeys", tenant))
            if not 0x1 <= int(key, 16) <= 0x7FFE:
                yield Misfit(f"{key} is no partition for a tenant", "use 0x1 to 0x7ffe", ("pkeys", tenant))


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

    @truth
    def _partitions_need_ufm(self) -> Iterator[Misfit]:
        if self.pkey_policy == "per-tenant" and (self.subnet_manager != "ufm" or self.ufm is None):
            hint = "set subnet_manager to ufm and add ufm, or set pkey_policy to default-only"
            yield Misfit("per-tenant partitions are assigned through UFM", hint, ("pkey_policy",))


class NetworkGiven(Spec):
    """Networks of the site. Another site may have the same address spaces: no packet goes from one's pods or
    rails to the other's."""

    roce: RoceGiven | None = None
    """The RoCEv2 fabric. Default none."""

    infiniband: InfinibandGiven | None = None
    """The InfiniBand fabric. Default none."""

    pod_cidr: Cidr
    """Address space of pods, to keep fabric addresses apart from it."""

    service_cidr: Cidr
    """Address space of Services."""

    @truth
    def _address_spaces_are_apart(self) -> Iterator[Misfit]:
        spaces: list[tuple[tuple[str, ...], str]] = [
            (("pod_cidr",), self.pod_cidr),
            (("service_cidr",), self.service_cidr),
        ]
        spaces += [(("roce", "addresses"), self.roce.addresses)] if self.roce else []
        spaces += [(("infiniband", "addresses"), self.infiniband.addresses)] if self.infiniband else []
        for index, (at, cidr) in enumerate(spaces):
            for other_at, other in spaces[:index]:
                if IPv4Network(cidr).overlaps(IPv4Network(other)):
                    hint = "give each its own address space"
                    yield Misfit(f"{cidr} overlaps {other} of {'.'.join(other_at)}", hint, at)
