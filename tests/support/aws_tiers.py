"""Tiers of storage at a made-up site in Stockholm, with a made-up pool, a queue and a run that wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from unittest.mock import patch

from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext
from aifactory.components.cluster import plan as cluster
from aifactory.components.offers import RentedShare
from aifactory.components.rows import CloudRow, KubernetesRow
from aifactory.components.values import Ref
from support.aws_sites import aws_place
from support.models import card
from support.offered import fabric, pool
from support.planning import Planned, plan_site
from support.stored import QUEUE, RUN

IMAGE = "registry.example.com/tools/busybox:1.37"
PATH: dict[str, Any] = {"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 2048}
WORK: dict[str, Any] = {"path": "work", "keeps": "other", "tenant": "research", "size_gib": 512}
LUSTRE: dict[str, Any] = {"image": IMAGE, "backup_days": 0}
ONE_NODE: dict[str, Any] = {**RUN, "nodes": 1}
NORTH: dict[str, Any] = {"customer": {"jurisdictions": ["eu"], "operators": ["us"]}}


def objects(**fields: Any) -> dict[str, Any]:
    """A tier of buckets."""
    return {"kind": "storage-tier", "name": "objects", "tier": "object", "engine": "s3", "paths": [PATH], **fields}


def files(**fields: Any) -> dict[str, Any]:
    """A tier of files that is filled from the buckets."""
    filled = {**PATH, "prefetch": {"bucket": "tickets"}}
    whole: dict[str, Any] = {
        "kind": "storage-tier",
        "name": "files",
        "tier": "parallel",
        "engine": "fsx-lustre",
        "size_tib": 14.0,
        "fed_by": "objects",
        "lustre": LUSTRE,
        "paths": [filled, WORK],
    }
    return {**whole, **fields}


def volumes(**fields: Any) -> dict[str, Any]:
    """A tier of volumes, of which claims without a class are."""
    whole = {"kind": "storage-tier", "name": "volumes", "tier": "block", "engine": "ebs", "default": True}
    return {**whole, **fields}


def tiered(
    *specs: Mapping[str, Any],
    at: AwsPlace | None = None,
    residency: Mapping[str, Any] | None = None,
    demand: Mapping[str, Any] | None = None,
    tenant: Mapping[str, Any] | None = None,
    zone: str = "eun1-az1",
    efa: Ref | None = None,
) -> Planned:
    """Plan tiers and whatever else is given, with a pool of one node that nobody makes, and a queue for it. `efa` is
    the security group of a fabric that nobody makes either."""
    resolve, size = cluster.resolve, cluster.size

    def with_card(spec: Any, ctx: PlanContext) -> Any:
        ctx.offer(card(nodes_at_most=1, several_join=False))
        return resolve(spec, ctx)

    def with_pool(draft: Any, ctx: PlanContext) -> Any:
        ctx.offer(pool(nodes=1, fabric="", racks=(RentedShare("h200", zone, (), count=1),)))
        if efa:
            ctx.offer(fabric("efa", kind="efa", rails=0, security_group=efa))
        return size(draft, ctx)

    queue = {**QUEUE, "tenants": [tenant or {"name": "research", "gpus": 8}]}
    with patch.object(cluster, "resolve", with_card), patch.object(cluster, "size", with_pool):
        parts = [*deepcopy(list(specs)), queue]
        return plan_site(parts, at or aws_place(), residency=residency, demand=demand)


def in_base(found: Planned, *parts: str) -> dict[str, CloudRow]:
    """Rows of the base that these parts make, by identity; those of all parts where none is named."""
    return {row.id: row for row in found.stacks[0].cloud_rows if not parts or row.part in parts}


def in_cluster(found: Planned, *parts: str) -> dict[str, dict[str, Any]]:
    """Objects of the platform that these parts make, as files show them, by identity."""
    stack = found.stack
    rows = [row for row in stack.cluster_rows if isinstance(row, KubernetesRow) and row.part in parts]
    return {row.id: dict(stack.plain_tree(row)) for row in rows}


def only(rows: Mapping[str, CloudRow], token: str) -> CloudRow:
    """The only row of a token, by its end."""
    (found,) = [row for row in rows.values() if row.token.endswith(f":{token}")]
    return found


def says(found: Planned) -> str:
    """All that was found, with hints."""
    return "\n".join(f"{each.rule} {each.says} | {each.hint}" for each in found.problems)
