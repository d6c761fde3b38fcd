"""What a site in a region of AWS gives: account, region, zones, addresses and who reaches the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.catalog import CatalogName
from aifactory.components.forms import Cidr, Line, Version
from aifactory.components.given import CapabilityName
from aifactory.components.given_aws_nodes import AmiRelease, RentedNodesGiven, StatedOffer, ZoneName
from aifactory.components.spec import Misfit, Spec, truth, twice

AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
"""An AWS account in quotes: twelve digits, such as "111122223333"."""

RegionName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$", max_length=24)]
"""A region as AWS spells it, such as eu-north-1."""

ZoneId = Annotated[str, Field(pattern=r"^[a-z0-9]{2,12}-az[0-9]$")]
"""An Availability Zone as all accounts name it, such as eun1-az1."""

Minor = Annotated[str, Field(pattern=r"^1\.[0-9]{2}$")]
"""A minor version of Kubernetes in quotes, such as "1.35": EKS chooses the patch."""

RoleArn = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$", max_length=400)
]
"""The ARN of a role or user of IAM, such as arn:aws:iam::111122223333:role/platform."""

AddonVersion = Annotated[str, Field(pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+$")]
"""A version of an EKS add-on, such as v1.22.4-eksbuild.3."""

RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""Days for which CloudWatch Logs can keep a log group. Source: its API, PutRetentionPolicy."""

Attachment = Annotated[str, Field(pattern=r"^(tgw|vgw|vpc)-[0-9a-f]{8,17}$")]
"""A transit gateway (tgw-...), a virtual private gateway (vgw-...) or the VPC of a peer (vpc-...), by id."""


class ZoneGiven(Spec):
    """An Availability Zone that the factory uses."""

    zone: ZoneName
    """Name of the zone in this account. Names are shuffled between accounts."""

    id: ZoneId
    """The zone's id, the same in every account. Reservations and prices are compared by it."""


class ReachedFrom(Spec):
    """Networks from which people and machines reach the cluster's API, and the way there."""

    networks: list[Cidr] = Field(min_length=1, max_length=50)
    """Networks, as they arrive at the VPC."""

    through: Attachment
    """Where their packets come in: a transit gateway, a virtual private gateway, at which Direct Connect or a VPN ends,
    or the VPC of a peer. It exists; the base attaches the factory's VPC to it."""

    account: AccountId | None = None
    """Account of the peer's VPC. Default: the same account."""

    region: RegionName | None = None
    """Region of the peer's VPC. Default: the same region."""

    @property
    def kind(self) -> str:
        """tgw, vgw or vpc."""
        return self.through.partition("-")[0]

    @truth
    def _only_a_peer_lies_elsewhere(self) -> Iterator[Misfit]:
        for name in ("account", "region"):
            if self.kind != "vpc" and getattr(self, name) is not None:
                says = f"{self.through} is attached in the account and region of the site"
                yield Misfit(says, f"delete {name}: it is said of the VPC of a peer alone", (name,))


class VpcGiven(Spec):
    """Addresses of the factory's VPC. The base makes it and divides it."""

    cidr: Cidr
    """Address space of the VPC, of nodes, pods and interfaces alike. Unit: a network of /16 to /24."""

    service_cidr: Cidr
    """Address space of Services. It exists in the cluster alone, and is fixed for the cluster's life."""

    egress: Literal["none", "nat"] = "none"
    """Way out to the internet. nat: a NAT gateway a zone, whatever its price. Default none: AWS is reached through
    endpoints, images come from the account's own registry (image_registry), and nothing else is reached."""

    @truth
    def _a_vpc_has_a_size_that_aws_takes(self) -> Iterator[Misfit]:
        length = IPv4Network(self.cidr).prefixlen
        if not 16 <= length <= 24:
            yield Misfit(f"{self.cidr} has a length of {length}", "choose a network of /16 to /24", ("cidr",))

    @truth
    def _services_have_a_size_that_eks_takes(self) -> Iterator[Misfit]:
        length = IPv4Network(self.service_cidr).prefixlen
        if not 12 <= length <= 24:
            hint = "choose a private network of /12 to /24, such as 172.20.0.0/16"
            yield Misfit(f"{self.service_cidr} has a length of {length}", hint, ("service_cidr",))


class InferenceProfileGiven(Spec):
    """An inference profile of Amazon Bedrock, and where it answers from."""

    profile: Annotated[str, Field(pattern=r"^[a-z]{2,6}(-gov)?\.[a-z0-9][A-Za-z0-9.:-]*$", max_length=100)]
    """Its id, such as eu.amazon.nova-lite-v1:0."""

    regions: list[RegionName] = Field(min_length=1, max_length=40)
    """Regions of its models, as aws bedrock get-inference-profile names them. Each is held against data classes."""


class LogsGiven(Spec):
    """Where logs of the control plane lie: a log group of the account and region."""

    retention_days: int = 365
    """How long they are kept. Unit: days, one of those that CloudWatch Logs knows. Default 365: audits look back a
    year."""

    @truth
    def _cloudwatch_knows_the_days(self) -> Iterator[Misfit]:
        if self.retention_days not in RETENTION_DAYS:
            known = ", ".join(map(str, RETENTION_DAYS))
            yield Misfit(
                f"CloudWatch Logs can't keep {self.retention_days} days", f"choose {known}", ("retention_days",)
            )


class SystemNodesGiven(Spec):
    """Nodes for controllers: those that must run before there is any other node."""

    instance_type: Annotated[str, CatalogName("aws-eks.instances", "instance type of system nodes")]
    """Instance type of each."""

    nodes: int = Field(default=3, ge=2, le=50)
    """How many. Default 3: one can be updated while another fails."""

    disk_gib: int = Field(default=80, ge=20, le=2_000)
    """Root disk of each. Unit: GiB. Default 80: images of controllers, twice, while one replaces the other."""

    ami_release: AmiRelease
    """Release of the EKS-optimized AMI (Amazon Linux 2023) that they run. Nothing looks up the newest one, so that the
    same file makes the same nodes."""


class ImageRegistryGiven(Spec):
    """Where copies of images lie: in the account's own registry, in the region."""

    prefix: Annotated[str, Field(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$", max_length=80)]
    """Begins the name of each repository, such as mirror. The base makes them, below a folder of the factory's own."""


class AwsGiven(Spec):
    """Account, region and what the factory may make there."""

    account: AccountId
    """Account in which everything is made. The provider refuses another."""

    region: RegionName
    """Region in which everything is made. Its partition is a fact of the catalog."""

    zones: list[ZoneGiven] = Field(min_length=2, max_length=6)
    """Availability Zones, two at least: EKS wants subnets in two. Add zones at the end, for subnets are numbered in
    this order."""

    vpc: VpcGiven
    """Addresses."""

    kubernetes: Minor
    """Kubernetes version of the cluster."""

    reached_from: list[ReachedFrom] = Field(default=[], max_length=20)
    """Who reaches the cluster's API, which has no public endpoint. Default none, which `plan` refuses: whoever runs
    `up` must reach it."""

    admins: list[RoleArn] = Field(min_length=1, max_length=20)
    """Principals of IAM that administer the cluster, whoever runs `up` among them. Nobody else gets in, not even the
    principal that made it."""

    logs: LogsGiven = LogsGiven()
    """Logs of the control plane. Default: see its fields."""

    system_nodes: SystemNodesGiven
    """Nodes for controllers."""

    rented_nodes: list[RentedNodesGiven] = Field(default=[], max_length=100)
    """Nodes with accelerators that pools may be made of. Default none: no pool."""

    offers: list[StatedOffer] = Field(default=[], max_length=100)
    """What the region sells, with evidence, where the catalog has no row for it. Default none."""

    addons: dict[str, AddonVersion] = {}
    """Versions of EKS add-ons that differ from the catalog's, such as coredns: v1.14.3-eksbuild.3, with aws eks
    describe-addon-versions as evidence. Default none."""

    inference_profiles: list[InferenceProfileGiven] = Field(default=[], max_length=50)
    """Inference profiles that gateways ask for and the catalog doesn't know. Default none."""

    definitions: dict[CapabilityName, Version] = {}
    """Definitions of releases without a chart, with their version, such as inference-extension: v1.6.0. Somebody
    applies them once the base is up, and the platform uses them. Default none."""

    registry_account: AccountId | None = None
    """Account of the registry from which EKS's own images come in this region. Default: as the catalog has it."""

    image_registry: ImageRegistryGiven | None = None
    """The account's own registry, from which nodes pull copies of all images. Default none: they pull from where
    images are published, which needs a way out (vpc.egress)."""

    cost_centre: Line | None = Field(default=None, min_length=1, max_length=120)
    """Value of the tag aifactory:cost-centre of everything that is made. Default none: no such tag."""

    @truth
    def _zones_are_of_the_region_and_listed_once(self) -> Iterator[Misfit]:
        for index, given in enumerate(self.zones):
            if given.zone[:-1] != self.region:
                says = f"zone {given.zone} is not one of {self.region}"
                yield Misfit(says, f"name zones of the region, such as {self.region}a", ("zones", index, "zone"))
        for field in ("zone", "id"):
            names = [str(getattr(given, field)) for given in self.zones]
            for index in twice(names):
                yield Misfit(f"{names[index]} is listed twice", "list each zone once", ("zones", index, field))

    @truth
    def _admins_are_listed_once(self) -> Iterator[Misfit]:
        for index in twice(self.admins):
            yield Misfit(f"{self.admins[index]} is listed twice", "list it once", ("admins", index))

    @truth
    def _the_ami_is_of_the_version(self) -> Iterator[Misfit]:
        release = self.system_nodes.ami_release
        if not release.startswith(f"{self.kubernetes}."):
            hint = f"name a release of {self.kubernetes}, or another version of Kubernetes"
            says = f"AMI release {release} is not of Kubernetes {self.kubernetes}"
            yield Misfit(says, hint, ("system_nodes", "ami_release"))

    @truth
    def _rented_nodes_fit_the_site(self) -> Iterator[Misfit]:
        zones, names = [zone.zone for zone in self.zones], [given.group for given in self.rented_nodes]
        for index in twice(names):
            says = f'"{names[index]}" is the name of two groups'
            yield Misfit(says, "give each its own", ("rented_nodes", index, "group"))
        for index, given in enumerate(self.rented_nodes):
            if given.zone is not None and given.zone not in zones:
                says = f"zone {given.zone} is none of the site's"
                yield Misfit(says, f"name one of {', '.join(zones)}, or add it", ("rented_nodes", index, "zone"))
            if not given.ami_release.startswith(f"{self.kubernetes}."):
                says = f"AMI release {given.ami_release} is not of Kubernetes {self.kubernetes}"
                yield Misfit(says, f"name a release of {self.kubernetes}", ("rented_nodes", index, "ami_release"))

    @truth
    def _address_spaces_are_apart(self) -> Iterator[Misfit]:
        spaces: list[tuple[tuple[str | int, ...], str]] = [
            (("vpc", "cidr"), self.vpc.cidr),
            (("vpc", "service_cidr"), self.vpc.service_cidr),
        ]
        for index, (at, cidr) in enumerate([*spaces, *self._far()]):
            for other_at, other in spaces[:index]:
                if IPv4Network(cidr).overlaps(IPv4Network(other)):
                    hint = "give each its own address space: packets find one way to each address"
                    yield Misfit(f"{cidr} overlaps {other} of {'.'.join(map(str, other_at))}", hint, at)

    def _far(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        for index, given in enumerate(self.reached_from):
            for number, cidr in enumerate(given.networks):
                yield ("reached_from", index, "networks", number), cidr
