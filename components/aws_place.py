"""A region of AWS as parts see it: partition, suffixes, ARNs, registries and endpoints, from facts of the catalog."""

from __future__ import annotations

import hashlib
from typing import Literal

from msgspec import Struct

from aifactory.components.base import Place
from aifactory.components.catalog import Catalog
from aifactory.components.given import ClusterGiven
from aifactory.components.given_aws import AwsGiven


class EksGiven(ClusterGiven):
    """The cluster of a site at AWS as parts see it. No site file has it: the base makes the cluster."""

    distribution: Literal["eks"] = "eks"  # type: ignore[assignment]  # another one than those that sites name


class AwsPlace(Place, frozen=True, kw_only=True):
    """A site in a region of AWS."""

    aws: AwsGiven

    @property
    def node_count(self) -> int:
        """Nodes that there may be: those of controllers, and all that may be rented."""
        return self.aws.system_nodes.nodes + sum(group.nodes for group in self.aws.rented_nodes)


def aws_place(place: Place) -> AwsPlace:
    """The place of a part that plans at AWS alone: whoever calls this has asked, or only comes there."""
    assert isinstance(place, AwsPlace)  # noqa: S101 - see above
    return place


class AwsRegion(Struct, frozen=True):
    """What differs between partitions and regions."""

    account: str
    region: str
    partition: str
    dns_suffix: str
    logs_principal: str
    """Principal of CloudWatch Logs in policies of keys."""
    registry_account: str
    """Account of EKS's own images, empty where nobody names one."""
    layer_bucket: str
    """Bucket of AWS in which layers of images in ECR lie."""
    own_prefix: str
    own_prefix_services: tuple[str, ...]
    refs: tuple[str, ...]
    """Catalog rows that it rests on."""

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        """The ARN of a resource of the site's account and region, unless others are named; empty for none."""
        where = self.region if region is None else region
        whose = self.account if account is None else account
        return f"arn:{self.partition}:{service}:{where}:{whose}:{resource}"

    def managed_policy(self, name: str) -> str:
        """The ARN of a policy that AWS manages, such as `AmazonEKSClusterPolicy`."""
        return self.arn("iam", f"policy/{name}", region="", account="aws")

    def access_policy(self, name: str) -> str:
        """The ARN of a policy of EKS's access entries."""
        return self.arn("eks", f"cluster-access-policy/{name}", region="", account="aws")

    def role(self, name: str) -> str:
        """The ARN of a role of the account."""
        return self.arn("iam", f"role/{name}", region="")

    def endpoint(self, service: str) -> str:
        """The name of an endpoint service, such as `com.amazonaws.eu-north-1.sts`."""
        prefix = self.own_prefix if service in self.own_prefix_services else "com.amazonaws"
        return f"{prefix}.{self.region}.{service}"

    @property
    def registry(self) -> str:
        """Host of the registry of EKS's own images in the region."""
        return f"{self.registry_account}.dkr.ecr.{self.region}.{self.dns_suffix}"


def principal(service: str) -> str:
    """The principal of an AWS service in policies, the same in every partition: `eks.amazonaws.com`."""
    return f"{service}.amazonaws.com"


def region_of(aws: AwsGiven, catalog: Catalog) -> AwsRegion | None:
    """The site's region. None where the catalog doesn't know it, or nobody has read up on its partition."""
    region = catalog.find("regions", f"aws:{aws.region}")
    known = catalog.find("aws-eks", region.text("partition")) if region else None
    if region is None or known is None:
        return None
    partition = catalog.row("regions.partitions", known.key)
    registry = catalog.find("aws-eks.registries", aws.region)
    layers = catalog.row("aws-eks.buckets", "ecr")
    account = aws.registry_account or (registry.text("account") if registry else "")
    return AwsRegion(
        account=aws.account,
        region=aws.region,
        partition=known.key,
        dns_suffix=partition.text("dns_suffix"),
        logs_principal=known.text("logs_principal").format(region=aws.region),
        registry_account=account,
        layer_bucket=layers.text("bucket").format(region=aws.region),
        own_prefix=str(known.value("own_prefix") or ""),
        own_prefix_services=known.texts("own_prefix_services"),
        refs=(region.ref, known.ref, partition.ref, layers.ref, *((registry.ref,) if registry else ())),
    )


def fitting(name: str, characters: int) -> str:
    """A name that AWS takes: itself, or its beginning and a digest of it. The same name always gives the same."""
    if len(name) <= characters:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: characters - 9].rstrip('-')}-{digest}"
