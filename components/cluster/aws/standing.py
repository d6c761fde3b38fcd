"""Where the cluster stands, who reaches it, and where its images come from."""

from __future__ import annotations

from aifactory.components.aws_place import AwsPlace, AwsRegion, region_of
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.cluster.aws.network import ACCEPTED_S
from aifactory.components.cluster.providers import is_applied, train_releases
from aifactory.components.offers import OperatorNote


def decide_region(place: AwsPlace, ctx: PlanContext) -> AwsRegion | None:
    """The region, if the catalog knows it and it is where, and whose, the site says."""
    aws = place.aws
    region = region_of(aws, ctx.catalog)
    row = ctx.catalog.find("regions", f"aws:{aws.region}")
    known = ctx.check(
        "AWS-104",
        region is not None,
        f"{aws.region} is in no partition of AWS that the catalog has read up on",
        ("aws", "region"),
        ctx.catalog.hint("regions", f"aws:{aws.region}")
        if row is None
        else f"its partition is {row.text('partition')}; those read up on are {', '.join(ctx.catalog.keys('aws-eks'))}",
        "site",
    )
    if not known or region is None or row is None:
        return None
    stated = (place.location.country, place.location.operator.nationality)
    found = (row.text("country"), row.text("operator_nationality"))
    at = ("location", "country") if stated[0] != found[0] else ("location", "operator", "nationality")
    true = ctx.check(
        "AWS-104",
        stated == found,
        lambda: (
            f"{aws.region} stands in {found[0]} and is run from {found[1]}; the site says {stated[0]} and {stated[1]}"
        ),
        at,
        f"write country: {found[0]} and nationality: {found[1]}, or name a region that is where the site is",
        "site",
    )
    ctx.decide(
        "aws.partition",
        region.partition,
        f"{aws.region} is in it: ARNs, suffixes and registries follow, and nothing refers to another partition",
        facts=region.refs,
        source=("aws", "region"),
        document="site",
    )
    return region if true else None


def decide_reached(place: AwsPlace, ctx: PlanContext) -> bool:
    """Whether the site names a way to the private API."""
    given = place.aws.reached_from
    held = ctx.check(
        "AWS-103",
        bool(given),
        f"nobody reaches the API of {place.site}: it has no public endpoint, and the site names no way to the private "
        "one",
        ("aws",),
        "add reached_from: [{networks: [10.0.0.0/16], through: tgw-...}], the network of whoever runs up among them",
        "site",
    )
    ctx.decide(
        "aws.api",
        "private",
        "the API server answers inside the VPC, and to "
        + (", ".join(f"{' and '.join(each.networks)} through {each.through}" for each in given) or "nobody"),
        rejected=[Rejected("public", "the API of the cluster would stand on the internet behind a list of addresses")],
        source=("aws", "reached_from"),
        document="site",
    )
    for each in given:
        ctx.offer(OperatorNote(ctx.part, "before", _joining(each.kind, each.through, place)))
    return held


def _joining(kind: str, through: str, place: AwsPlace) -> str:
    """What whoever owns a way does, and when."""
    routes = f"routes {place.aws.vpc.cidr} to it"
    if kind == "vpc":
        return f"Whoever owns {through} accepts the peering and {routes}."
    if kind == "vgw":
        return f"Whoever owns {through} {routes}."
    return (
        f"Whoever owns {through} shares it with account {place.aws.account} (AWS RAM) if it is of another, accepts the "
        f"attachment while up runs, and {routes}. up waits {ACCEPTED_S // 60} minutes from the moment that the "
        "attachment is pendingAcceptance, and goes on from there when it is run again. In the account of the gateway: "
        f"aws ec2 describe-transit-gateway-vpc-attachments --region {place.aws.region} --filters "
        f"Name=transit-gateway-id,Values={through} Name=state,Values=pendingAcceptance, then aws ec2 "
        f"accept-transit-gateway-vpc-attachment --region {place.aws.region} --transit-gateway-attachment-id ATTACHMENT."
    )


def decide_definitions(place: AwsPlace, ctx: PlanContext) -> bool:
    """Whether what the site says is applied is definitions that nothing of ours installs."""
    known, fine = train_releases(ctx), True
    for name, version in place.aws.definitions.items():
        release = known.get(name)
        fine &= ctx.check(
            "AWS-140",
            is_applied(release),
            f"{name} is a release of ours, or no definitions: nobody gives it to a cluster that the base makes",
            ("aws", "definitions", name),
            "delete it; those that somebody applies are "
            + ", ".join(sorted(each for each, found in known.items() if is_applied(found))),
            "site",
        )
        if release is not None:
            says = (
                f"Once the base is up, apply the definitions of {name} to the cluster: kubectl apply --server-side -f "
                f"with the manifest of release {version} of {release.repository}. Until then the platform stops at the "
                "first object of theirs."
            )
            ctx.offer(OperatorNote(ctx.part, "before", says))
    return fine


def decide_images(region: AwsRegion, ctx: PlanContext) -> bool:
    """Whether the registry of EKS's own images is known."""
    held = ctx.check(
        "AWS-105",
        bool(region.registry_account),
        f"no source names the account of EKS's images in {region.region}",
        ("aws",),
        "add registry_account, as the image of any EKS add-on there shows it",
        "site",
    )
    if held:
        ctx.decide(
            "aws.registry",
            region.registry,
            "images of EKS come from the registry of the region, which nodes reach without the internet",
            rejected=[Rejected("public.ecr.aws", "it is one place for the world, and on the internet")],
            facts=region.refs,
        )
    return held
