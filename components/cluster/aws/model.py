"""A cluster at AWS, decided."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components import names
from aifactory.components.aws_offers import Grant
from aifactory.components.aws_place import AwsRegion, fitting
from aifactory.components.cluster.model import ClusterPlan
from aifactory.components.rows import Tree
from aifactory.components.values import Ref

CLUSTER = "cluster"
"""Name of the rows of which a cluster has one. It is forever, as all names of rows are."""
CLUSTER_TOKEN = "aws:eks/cluster:Cluster"  # noqa: S105 - a Pulumi type token, no secret
VPC_TOKEN = "aws:ec2/vpc:Vpc"  # noqa: S105 - a Pulumi type token, no secret
SUBNET_TOKEN = "aws:ec2/subnet:Subnet"  # noqa: S105 - a Pulumi type token, no secret

SubnetKind = Literal["nodes", "control", "public"]
"""nodes: nodes and pods. control: interfaces of the control plane, endpoints and attachments. public: NAT gateways."""


class SubnetPlan(Struct, frozen=True):
    """A subnet."""

    kind: SubnetKind
    zone: str
    zone_id: str
    cidr: str

    @property
    def name(self) -> str:
        """Name of its row. By the zone's id, which is the same in every account."""
        return f"{self.kind}-{self.zone_id}"


class EndpointPlan(Struct, frozen=True):
    """A VPC endpoint: AWS's own API, reached inside the VPC."""

    service: str
    name: str
    """Name of the endpoint service."""
    interface: bool
    why: str
    grants: tuple[tuple[str, tuple[Grant, ...]], ...] = ()
    """Roles of pods, by name, with what passes for each; none where a role's own policy is all that holds it."""


class WayPlan(Struct, frozen=True):
    """A way between the VPC and networks from which the API is reached."""

    kind: Literal["tgw", "vgw", "vpc"]
    id: str
    networks: tuple[str, ...]
    account: str
    region: str


class VpcPlan(Struct, frozen=True):
    """The network."""

    cidr: str
    subnets: tuple[SubnetPlan, ...]
    endpoints: tuple[EndpointPlan, ...]
    ways: tuple[WayPlan, ...]
    nat: bool

    def of_kind(self, kind: SubnetKind) -> tuple[SubnetPlan, ...]:
        """Subnets of a kind, in order of zones."""
        return tuple(subnet for subnet in self.subnets if subnet.kind == kind)


class AddonPlan(Struct, frozen=True):
    """An EKS add-on."""

    name: str
    version: str
    before_nodes: bool
    """Whether nodes can't get ready without it."""
    configuration: Tree
    service_account: str = ""
    """ServiceAccount of kube-system that gets a role by Pod Identity, empty for none."""


class PodRolePlan(Struct, frozen=True):
    """A role that pods of a part get by Pod Identity."""

    name: str
    """Name of its rows."""
    namespace: str
    service_account: str
    grants: tuple[Grant, ...]
    why: str
    tags: tuple[tuple[str, str], ...]


class SystemNodesPlan(Struct, frozen=True):
    """The node group of controllers."""

    instance_type: str
    ami_type: str
    ami_release: str
    nodes: int
    disk_gib: int
    max_pods: int


class EksPlan(Struct, frozen=True):
    """What the base layer makes for a cluster."""

    name: str
    kubernetes: str
    service_cidr: str
    region: AwsRegion
    vpc: VpcPlan
    admins: tuple[str, ...]
    log_retention_days: int
    addons: tuple[AddonPlan, ...]
    system_nodes: SystemNodesPlan
    tags: dict[str, str]
    """Tags beside those of every row."""
    pod_roles: tuple[PodRolePlan, ...] = ()
    """Roles that other parts asked for."""
    untagged: tuple[str, ...] = ()
    """Rows that AWS gives no tags to, by identity."""
    kept_zones: tuple[str, ...] = ()
    """Zones with something that stays when the stack goes."""
    karpenter: bool = False
    """Whether a part wants nodes that come and go."""
    flex_classes: tuple[str, ...] = ()
    """Classes of data that may come, where the site is one that is used when others can't; none elsewhere."""
    copies: bool = False
    """Whether nodes pull copies from the account's own registry."""

    @property
    def log_groups(self) -> tuple[str, str]:
        """Log groups of the control plane and of the VPC's flows."""
        return f"/aws/eks/{self.name}/cluster", f"/aws/vpc/{self.name}/flows"

    def role_name(self, role: str) -> str:
        """Name of a role of the cluster's, such as that of its nodes."""
        return fitting(f"{self.name}-{role}", 64)


class AwsClusterPlan(ClusterPlan, frozen=True, kw_only=True):
    """The cluster of a site at AWS, decided."""

    eks: EksPlan


def cluster_output(path: str) -> Ref:
    """An output of the cluster's row, such as `endpoint`."""
    return Ref(names.cloud_id(CLUSTER_TOKEN, CLUSTER), path)


def vpc_id() -> Ref:
    """The id of the VPC."""
    return Ref(names.cloud_id(VPC_TOKEN, CLUSTER), "id")


def handed() -> dict[str, Ref]:
    """What the platform gets from the base, by name. All are text, none a secret."""
    return {
        "cluster_name": cluster_output("name"),
        "endpoint": cluster_output("endpoint"),
        "certificate_authority": cluster_output("certificateAuthority.data"),
        "vpc_id": vpc_id(),
    }
