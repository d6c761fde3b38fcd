"""Every volume that a stack asks for, by the class that it gets: of claims, of templates, of charts, of operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.components.storage_tier.decided import StorageTierPlan
from aifactory.stacks.assembly.stack import Stack
from support.released import values_of
from support.schemas import Schemas
from support.served import plans

Tree = Mapping[str, Any]
DEFAULT = ""
"""Class of a claim that names none: the cluster's own."""
BUCKETS = ("generateBucketName", "bucketName")
CLASS = ("storageClassName", "storageClass")
NOT_DEPLOYED = {("loki", name) for name in ("write", "read", "backend")}
"""Parts of a chart that another setting leaves out: Loki as one program has none. Source: grafana/loki
production/helm/loki/values.yaml, deploymentMode."""


def judged(stack: Stack, schemas: Schemas) -> Iterator[tuple[str, str]]:
    """Row and class of each volume and bucket."""
    for row in stack.cluster_rows:
        if isinstance(row, HelmRow):
            for name in of_chart(row.chart, values_of(row, stack, schemas)):
                yield row.id, name
        elif isinstance(row, KubernetesRow):
            for name in of_object(stack.plain_tree(row)):
                yield row.id, name


def of_object(body: Tree) -> Iterator[str]:
    """Classes of claims in an object: its own, those of templates, and those that an operator makes for it."""
    if body["kind"] == "Cluster" and str(body["apiVersion"]).startswith("postgresql.cnpg.io/"):
        for field in ("storage", "walStorage"):
            if field in body["spec"]:
                yield _class(body["spec"][field])
    yield from _claims(body)


def of_chart(chart: str, values: Tree) -> Iterator[str]:
    """Classes of claims that a release makes with these values over those of its chart."""
    yield from _claims(values)
    yield from _persistent(chart, values)


def _claims(tree: Any) -> Iterator[str]:
    """Wherever the specification of a claim stands: a volume has access modes, a bucket a name."""
    if isinstance(tree, Mapping):
        volume, bucket = "accessModes" in tree and "resources" in tree, any(name in tree for name in BUCKETS)
        if volume or (bucket and "storageClassName" in tree):
            yield _class(tree)
        for value in tree.values():
            yield from _claims(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _claims(value)


def _persistent(chart: str, tree: Any) -> Iterator[str]:
    """What charts call `persistence`: on by itself in some of them, and nothing for what has no replicas."""
    if not isinstance(tree, Mapping) or tree.get("enabled") is False or tree.get("replicas") == 0:
        return
    own = tree.get("persistence")
    if isinstance(own, Mapping) and own.get("enabled"):
        yield _class(own)
    for name, value in tree.items():
        if (chart, name) not in NOT_DEPLOYED:
            yield from _persistent(chart, value)


def _class(claim: Tree) -> str:
    return next((str(claim[name]) for name in CLASS if claim.get(name)), DEFAULT)


def _of_pods_alone(tree: Any) -> Iterator[str]:
    """Classes of volumes that come and go with their pod, whatever becomes of its node."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _claims(value) if key == "ephemeral" else _of_pods_alone(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _of_pods_alone(value)


def outside(stack: Stack, schemas: Schemas) -> list[str]:
    """Volumes that no tier has, and volumes that go with a node where there is another."""
    tiers = list(plans(stack.plan, StorageTierPlan).values())
    domains = {tier.storage_class: tier.failure_domain for tier in tiers}
    # Drives that Ceph takes as volumes: what lies on them survives what the tier does.
    domains |= {tier.ceph.drive_class: tier.failure_domain for tier in tiers if tier.ceph and tier.ceph.drive_class}
    default = [each.name for each in stack.plan.place.cluster.storage_classes if each.default]
    default += [tier.storage_class for tier in tiers if tier.made_class and tier.made_class.default]
    found = []
    passing = {(row.id, name) for row in stack.cluster_rows for name in _of_pods_alone(stack.plain_tree(row))}
    for row, named in judged(stack, schemas):
        name = named or (default[0] if len(default) == 1 else f"one of {len(default)} default classes")
        if name not in domains:
            found.append(f"{row}: {name} is of no tier")
        elif domains[name] == "none" and not stack.plan.place.is_one_node and (row, named) not in passing:
            found.append(f"{row}: {name} goes with its node")
    return found
