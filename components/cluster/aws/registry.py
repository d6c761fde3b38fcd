"""Copies of images in the account's own registry: whether they are asked for, and the repositories that hold them.

An image that is renamed names what is pulled: policies, `images.txt` and people see it. A mirror that nodes are told of
would rename nothing, but the credentials of ECR are given for names of ECR alone (kubernetes/cloud-provider-aws#668).
A pull-through cache needs a way out for the first pull of each image (Amazon ECR User Guide, vpc-endpoints).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aifactory.components.aws_place import AwsPlace, AwsRegion
from aifactory.components.aws_policies import EVERY, OF_THE_KEY, Statement, administration
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.cluster.aws.making import Cloud
from aifactory.components.mirroring import MirrorOffer, Unnamed
from aifactory.components.offers import OperatorNote
from aifactory.components.rows import CloudRow
from aifactory.components.values import Ref

REPOSITORY = "aws:ecr/repository:Repository"
IMAGES = "images"
"""Name of the rows of the key of images."""


def decide_registry(place: AwsPlace, region: AwsRegion, ctx: PlanContext) -> bool:
    """Say where nodes pull from. Whether there is anything that they can reach."""
    given, egress = place.aws.image_registry, place.aws.vpc.egress
    held = ctx.check(
        "AWS-170",
        given is not None or egress != "none",
        f"nothing leaves the VPC of {place.site}, and the site names no registry of its own: no image of the platform "
        "could be pulled",
        ("aws",),
        "add image_registry: {prefix: mirror}, and fill it with copy-images.sh once the base is up; or set vpc.egress "
        "to nat",
        "site",
    )
    if given is None:
        return held
    host = f"{region.account}.dkr.ecr.{region.region}.{region.dns_suffix}"
    prefix = f"{given.prefix}/{ctx.factory}-{place.site}"
    unnamed = ctx.catalog.rows("images.object_images")
    ctx.decide(
        "aws.images",
        f"{host}/{prefix}",
        "nodes pull copies from the account's own registry, whose credentials the kubelet asks for with the role of "
        "the node; each image has the name of its copy in every row",
        rejected=[
            Rejected("a mirror in containerd", "the kubelet gives credentials of ECR for names of ECR alone"),
            Rejected("a pull-through cache", "the first pull of an image needs a way out of the VPC"),
        ],
        facts=[*region.refs, *(row.ref for row in unnamed)],
        source=("aws", "image_registry"),
        document="site",
    )
    ctx.offer(
        MirrorOffer(
            part=ctx.part,
            host=host,
            prefix=prefix,
            own=(host, region.registry),
            unnamed=tuple(Unnamed(row.text("kind"), row.text("at"), row.text("image")) for row in unnamed),
        )
    )
    says = (
        "Once the base is up, fill its repositories: run copy-images.sh of this folder where the registries that "
        "images.txt names and the API of ECR can be reached. A tag that is there is never overwritten."
    )
    ctx.offer(OperatorNote(ctx.part, "before", says))
    return held


def key_statements(region: AwsRegion) -> tuple[Statement, ...]:
    """The key of images: whoever makes a repository in the account lets ECR use it, and nobody else does.

    Source: Amazon ECR User Guide, encryption-at-rest: kms:CreateGrant, kms:RetireGrant and kms:DescribeKey, by ECR.
    """
    through = f"ecr.{region.region}.{region.dns_suffix}"
    condition = {"StringEquals": {"kms:CallerAccount": region.account, "kms:ViaService": through}}
    actions = ("kms:CreateGrant", "kms:RetireGrant", "kms:DescribeKey")
    return (administration(region), Statement("GrantToEcr", actions, EVERY, {"AWS": "*"}, condition, why=OF_THE_KEY))


def repositories(cloud: Cloud, key: Ref, names: Iterable[str]) -> Iterator[CloudRow]:
    """A repository each. They go with the base, images and all: what is in them is copies."""
    for name in names:
        properties = {
            "name": name,
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": key}],
            "forceDelete": True,
        }
        yield cloud.tagged(REPOSITORY, name, properties)
