"""Amazon Bedrock by workload identity: who asks, for which models, where they answer, and by which way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from aifactory.components.aws_offers import (
    AGENT_ADDRESS,
    AGENT_PORT,
    EndpointDemand,
    Grant,
    PodRoleDemand,
    VpcOffer,
    tags_of,
)
from aifactory.components.aws_place import AwsPlace, AwsRegion, region_of
from aifactory.components.base import PlanContext
from aifactory.components.gateway.decided import PROXY_NAMESPACE
from aifactory.components.gateway.published import profile_of, regions_of
from aifactory.components.gateway.published_model import Place, Published
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_providers import Provider
from aifactory.components.outside import Outside

IDENTITY = "aws-pod-identity"
SERVICE = "bedrock-runtime"
INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""What Converse, ConverseStream and the two of Invoke need. Source: Service Authorization Reference, Amazon Bedrock."""


class Asked(Struct, frozen=True):
    """A model that a provider is asked for."""

    model: Published
    number: int
    """Position among the legs of the model."""
    called: str
    """Model or inference profile, by its id."""


def providers(spec: GatewaySpec) -> list[tuple[int, Provider]]:
    """Those that the proxies' own role signs in at, with their positions."""
    return [
        (index, each)
        for index, each in enumerate(spec.providers)
        if each.credential is not None and each.credential.kind == IDENTITY
    ]


def reachable(spec: GatewaySpec, ctx: PlanContext) -> bool:
    """Whether the site can give proxies a role, and has a way to each region that they ask."""
    held = [_reachable(index, provider, ctx) for index, provider in providers(spec)]  # each says what it finds
    return all(held)


def _reachable(index: int, provider: Provider, ctx: PlanContext) -> bool:
    place = ctx.place
    own = region_of(place.aws, ctx.catalog) if isinstance(place, AwsPlace) else None
    at = ("providers", index)
    if not isinstance(place, AwsPlace) or own is None:
        # A region that nobody knows is the cluster's to refuse.
        return place.venue_facts.makes_cluster or ctx.check(
            "GTW-026",
            False,
            f"{provider.name} signs in by Pod Identity, and {place.site} is no site of venue aws: nobody gives its "
            "pods a role",
            (*at, "credential", "kind"),
            "write aws-oidc, or place the gateway at a site of venue aws",
        )
    region = _region(provider)
    row = ctx.catalog.find("regions", f"aws:{region}")
    partition = row.text("partition") if row else ""
    same = ctx.check(
        "GTW-026",
        partition == own.partition,
        f"{provider.name} is asked in {region}, of partition {partition}; the role of {place.site} is one of "
        f"{own.partition}",
        (*at, "region"),
        "ask a region of the site's own partition, or sign in by aws-oidc",
    )
    host = f"{SERVICE}.{region}.amazonaws.com"
    signed = ctx.check(
        "GTW-027",
        provider.host == host and provider.port == 443,
        f"{provider.name} is asked at {provider.host}:{provider.port}, and its requests are signed for {host}",
        (*at, "host"),
        f"write {host}, and no port: inside a VPC with an endpoint the same name leads there",
    )
    way = ctx.check(
        "GTW-028",
        place.aws.vpc.egress == "nat" or region == own.region,
        f"{provider.name} is asked in {region}, and nothing leaves the VPC in {own.region}: an endpoint leads to its "
        "own region alone",
        (*at, "region"),
        f"ask aws:{own.region}, or set egress: nat in the site file",
    )
    return same and signed and way


def exact(models: Iterable[Published], spec: GatewaySpec, ctx: PlanContext) -> bool:
    """Whether each model that the role may ask for can be named, with every region that answers."""
    held = []
    for _, provider in providers(spec):
        for each in _asked(provider, models):
            arn = each.called.startswith("arn:")
            known = not profile_of(each.called) or regions_of(each.called, ctx) is not None
            held.append(
                ctx.check(
                    "GTW-029",
                    known and not arn,
                    f"{each.model.spec.name}: {each.called} is an ARN, and whose models it leads to is said nowhere"
                    if arn
                    else f"{each.model.spec.name}: no source says which regions {each.called} answers from",
                    each.model.at("legs", each.number),
                    "name a model or an inference profile by its id"
                    if arn
                    else "add it to aws.inference_profiles of the site file, with the regions that aws bedrock "
                    f"get-inference-profile --inference-profile-identifier {each.called} names; or name the model "
                    "without it",
                )
            )
    return all(held)


def ask(models: list[Published], spec: GatewaySpec, ctx: PlanContext) -> str:
    """Ask the base for the role, and for an endpoint. Returns the ServiceAccount of the proxies, empty for their own.

    Source: envoyproxy/ai-gateway internal/backendauth/aws.go: without another credential the processor beside the
    proxy takes the one of its pod, Pod Identity's among them.
    """
    place = ctx.place
    own = region_of(place.aws, ctx.catalog) if isinstance(place, AwsPlace) else None
    asked = [(provider, list(_asked(provider, models))) for _, provider in providers(spec)]
    used = [(provider, each) for provider, each in asked if each]
    if own is None or not used:
        return ""
    account = f"{spec.identity}-proxy"
    grants = list(_grants(used, own, ctx))
    names = ", ".join(dict.fromkeys(each.called for _, found in used for each in found))
    why = f"proxies ask Bedrock for {names} and for nothing else"
    behind = [each.model for _, found in used for each in found]
    tags = tags_of(
        ctx.part,
        (name for model in behind for name in model.classes),
        (name for model in behind for name in model.tenants),
    )
    ctx.offer(PodRoleDemand(ctx.part, PROXY_NAMESPACE, account, tuple(grants), why, tags))
    if any(_region(provider) == own.region for provider, _ in used):
        says = f"proxies of {ctx.part} ask Bedrock, and nothing leaves the VPC"
        ctx.offer(EndpointDemand(ctx.part, SERVICE, tuple(grants), says))
    ctx.decide(
        "workload_identity",
        f"{PROXY_NAMESPACE}/{account}",
        f"{why}; the Pod Identity agent of the node hands them a session of their role, and no key lies anywhere",
        source=("providers",),
    )
    return account


def networks(host: str, ctx: PlanContext) -> tuple[str, ...]:
    """Networks in which an endpoint answers for this host, none where packets leave the VPC for it."""
    place = ctx.place
    vpc = next(iter(ctx.offers(VpcOffer)), None)
    if vpc is None or vpc.egress != "none" or not isinstance(place, AwsPlace):
        return ()
    return vpc.networks if host == f"{SERVICE}.{place.aws.region}.amazonaws.com" else ()


def agent() -> Outside:
    """The Pod Identity agent of the node, which a policy must let pods reach like any other address."""
    return Outside(AGENT_ADDRESS, AGENT_PORT, (f"{AGENT_ADDRESS}/32",))


def _region(provider: Provider) -> str:
    return (provider.region or "").partition(":")[2]


def _asked(provider: Provider, models: Iterable[Published]) -> Iterator[Asked]:
    for model in models:
        for number, place in enumerate(model.places):
            if place.leg.provider == provider.name:
                yield Asked(model, number, _called(place, model))


def _called(place: Place, model: Published) -> str:
    return place.leg.model or model.id


def _grants(used: list[tuple[Provider, list[Asked]]], own: AwsRegion, ctx: PlanContext) -> Iterator[Grant]:
    """Models of a region; and profiles, with their models through them alone."""
    plain: dict[str, None] = {}
    profiles: dict[str, tuple[str, ...]] = {}
    for provider, asked in used:
        region = _region(provider)
        for each in asked:
            regions = regions_of(each.called, ctx) if profile_of(each.called) else None
            if regions is None:
                plain[own.arn("bedrock", f"foundation-model/{each.called}", region=region, account="")] = None
                continue
            name = own.arn("bedrock", f"inference-profile/{each.called}", region=region)
            model = each.called.partition(".")[2]
            profiles[name] = tuple(
                own.arn("bedrock", f"foundation-model/{model}", region=other, account="") for other in regions
            )
    if plain:
        yield Grant("Models", INVOKE, tuple(plain))
    for number, (name, answering) in enumerate(profiles.items(), 1):
        yield Grant(f"Profile{number}", INVOKE, (name,))
        through = {"StringEquals": {"bedrock:InferenceProfileArn": name}}
        yield Grant(f"Profile{number}Models", INVOKE, answering, through)
