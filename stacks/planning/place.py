"""A site as parts see it."""

from __future__ import annotations

from aifactory.blueprints.site import AwsSite, Site
from aifactory.components.aws_offers import BALANCER_CLASS
from aifactory.components.aws_place import AwsPlace, EksGiven
from aifactory.components.base import Place
from aifactory.components.given import EndpointsGiven, GivenCapability, Kubeconfig
from aifactory.components.given_network import NetworkGiven


def place_of(site: Site | AwsSite, train: str) -> Place:
    """The place that a site file describes, under one release train."""
    if isinstance(site, AwsSite):
        return _at_aws(site, train)
    return Place(
        site=site.site,
        venue=site.venue,
        location=site.location,
        power=site.power,
        cluster=site.cluster,
        nodes=tuple(site.nodes),
        network=site.network,
        state=site.state,
        delivery=site.delivery,
        train=train,
        endpoints=site.endpoints,
        uplink=site.uplink,
        telemetry=site.telemetry,
        storage=site.storage,
    )


def _at_aws(site: AwsSite, train: str) -> AwsPlace:
    """A place whose cluster the base makes: its addresses are those of the VPC, and its context is of our making."""
    aws = site.aws
    return AwsPlace(
        site=site.site,
        venue=site.venue,
        location=site.location,
        power=None,
        cluster=EksGiven(
            version=aws.kubernetes,
            kubeconfig=Kubeconfig(context=site.site),
            provides={name: GivenCapability(version=version) for name, version in aws.definitions.items()},
        ),
        nodes=(),
        network=NetworkGiven(pod_cidr=aws.vpc.cidr, service_cidr=aws.vpc.service_cidr),
        state=site.state,
        delivery=site.delivery,
        train=train,
        endpoints=_endpoints(site),
        telemetry=site.telemetry,
        storage=site.storage,
        aws=aws,
    )


def _endpoints(site: AwsSite) -> EndpointsGiven | None:
    """Without a class the cloud provider of EKS would make a classic load balancer, which nothing of ours knows."""
    given = site.endpoints
    if given is None or given.load_balancer_class is not None:
        return given
    return given.model_copy(update={"load_balancer_class": BALANCER_CLASS})
