"""The AWS Load Balancer Controller: Services of type LoadBalancer become network load balancers."""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components import names
from aifactory.components.base import PlanContext
from aifactory.components.cluster.aws.eks import BALANCER
from aifactory.components.cluster.aws.model import EksPlan, vpc_id
from aifactory.components.cluster.recipe import Recipe, Setting, Terms
from aifactory.components.rows import Wave


def _settings(_: Terms) -> Iterable[Setting]:
    """None: values of the chart are not stored, so nothing can hold a baseline against them."""
    return ()


AWS_LOAD_BALANCER_CONTROLLER = Recipe(
    wave=Wave.TRUST,
    timeout_s=900,
    settings=_settings,
    purpose="Network load balancers of AWS for Services",
    to=("any",),
    to_why="it calls EC2 and Elastic Load Balancing at addresses of their endpoints, and the agent of Pod Identity at "
    "the node's link-local one",
    webhooks=(9443,),
    metrics=(8080,),
    critical_pods=True,
    stands_for=("load-balancer",),
)


def require(plan: EksPlan, ctx: PlanContext) -> None:
    """Ask for the controller, with what its pods can't find out: they reach no metadata service.

    Its default tags overrule those of a Service, so the part isn't among them: each door says its own.
    """
    tags = names.tags(ctx.factory, ctx.place.site, ctx.part, plan.tags)
    del tags["aifactory:part"]
    ctx.require(
        BALANCER,
        "Services of type LoadBalancer get network load balancers, which go when the Service goes",
        {
            "clusterName": plan.name,
            "region": plan.region.region,
            "vpcId": vpc_id(),
            "replicaCount": 2,
            "image": {"repository": f"{plan.region.registry}/amazon/{BALANCER}"},
            "serviceAccount": {"create": True, "name": BALANCER},
            "defaultTags": tags,
            "enableShield": False,
            "enableWaf": False,
            "enableWafv2": False,
            "createIngressClassResource": False,
            # Its webhook is asked for every Service that is made, of any type, and refuses all while no replica
            # answers; doors of ours say their class. Source: aws/eks-charts values.yaml;
            # kubernetes-sigs/aws-load-balancer-controller#4811.
            "enableServiceMutatorWebhook": False,
        },
    )
