"""Add-ons of the cluster: which, in which version, and how they are set."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components import names
from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext
from aifactory.components.cluster.aws.addresses import WARM_ADDRESSES
from aifactory.components.cluster.aws.model import AddonPlan
from aifactory.components.problems import nearest
from aifactory.components.rows import Tree


class Addon(Struct, frozen=True):
    """What an add-on is for."""

    name: str
    why: str
    before_nodes: bool = False
    service_account: str = ""


ADDONS = (
    Addon("eks-pod-identity-agent", "it hands pods their roles, the network plugin's first", before_nodes=True),
    Addon("vpc-cni", "pods get addresses of the VPC, and network policies are enforced", True, "aws-node"),
    Addon("kube-proxy", "Services are reached", before_nodes=True),
    Addon("coredns", "names resolve"),
    Addon("aws-ebs-csi-driver", "volumes of EBS", service_account="ebs-csi-controller-sa"),
    Addon("metrics-server", "kubectl top and autoscaling by CPU ask it"),
)
"""In the order in which they are installed. Source: Amazon EKS User Guide, workloads-add-ons-available-eks; service
accounts from their own pages."""
ON_DEMAND = (
    Addon("snapshot-controller", "snapshots of volumes"),
    Addon("aws-fsx-csi-driver", "file systems of FSx for Lustre"),
    Addon("aws-mountpoint-s3-csi-driver", "buckets as files"),
)
"""Those that a cluster has when a part asks. None has a role: file systems and buckets are made by the base, and a
bucket is mounted by the role of the pod that reads it."""


def decide_addons(place: AwsPlace, ctx: PlanContext) -> tuple[AddonPlan, ...] | None:
    """Each add-on with its version: the site's, else the catalog's for the cluster's Kubernetes."""
    known = [addon.name for addon in (*ADDONS, *ON_DEMAND)]
    unknown = [name for name in place.aws.addons if name not in known]
    for name in unknown:
        ctx.refuse(f'"{name}" is no add-on of the cluster', ("aws", "addons", name), nearest(name, known), "site")
    found = [decided(addon, place, ctx) for addon in ADDONS]
    whole = tuple(addon for addon in found if addon is not None)
    return whole if len(whole) == len(ADDONS) and not unknown else None


def decided(addon: Addon, place: AwsPlace, ctx: PlanContext, why: str = "") -> AddonPlan | None:
    """An add-on with its version; None where no source has one. `why` is what the parts that ask say."""
    stated = place.aws.addons.get(addon.name)
    row = ctx.catalog.find("aws-eks.addons", f"{addon.name}:{place.aws.kubernetes}")
    held = ctx.check(
        "AWS-106",
        stated is not None or row is not None,
        f"no source names a version of {addon.name} for Kubernetes {place.aws.kubernetes}",
        ("aws", "addons") if place.aws.addons else ("aws",),
        f"add addons: {{{addon.name}: VERSION}}, as aws eks describe-addon-versions --addon-name {addon.name} "
        f"--kubernetes-version {place.aws.kubernetes} lists it",
        "site",
    )
    if not held:
        return None
    version = stated or (row.text("version") if row else "")
    ctx.decide(
        f"aws.addon.{addon.name}",
        version,
        f"{why or addon.why}; " + ("the site states the version" if stated else "the catalog's for this Kubernetes"),
        facts=[] if stated or row is None else [row.ref],
        source=("aws", "addons", addon.name) if stated else (),
        document="site" if stated else "blueprint",
    )
    configuration: Tree = {}
    for path, value, why in _settings(addon.name, place, ctx):
        ctx.decide(f"aws.addon.{addon.name}.{path}", value, why)
        _place(configuration, path.split("."), value)
    return AddonPlan(addon.name, version, addon.before_nodes, configuration, addon.service_account)


def _settings(name: str, place: AwsPlace, ctx: PlanContext) -> Iterator[tuple[str, object, str]]:
    """What differs from an add-on's default, with the reason."""
    if name == "vpc-cni":
        yield "enableNetworkPolicy", "true", "namespaces of ours deny by default, and without it nothing enforces that"
        why = "a node keeps a few addresses ready, not those of a whole interface"
        yield "env.WARM_IP_TARGET", str(WARM_ADDRESSES), why
        yield "env.MINIMUM_IP_TARGET", str(2 * WARM_ADDRESSES), "the first pods of a node don't wait for EC2 one by one"
    if name == "aws-mountpoint-s3-csi-driver":
        yield "node.tolerateAllTaints", True, "nodes with GPUs are tainted, and it is their pods that read buckets"
    if name == "aws-ebs-csi-driver":
        centre = {"aifactory:cost-centre": place.aws.cost_centre} if place.aws.cost_centre else None
        tags = names.tags(ctx.factory, place.site, ctx.part, centre)
        yield "controller.extraVolumeTags", tags, "volumes that claims make are found, charged and removed by them"


def _place(tree: Tree, steps: list[str], value: object) -> None:
    for step in steps[:-1]:
        inner = tree.setdefault(step, {})
        assert isinstance(inner, dict)  # noqa: S101 - no setting is below another
        tree = inner
    tree[steps[-1]] = value
