"""Rows of a served model: account, weights, replicas, and what scales, routes, watches and measures them."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import names, pods
from aifactory.components.rows import KubernetesRow, Maker, Row
from aifactory.components.serving.decided import ServingPlan
from aifactory.components.serving.objects import measuring, routers, servers, stores
from aifactory.components.serving.objects.marks import Marks


def rows(plan: ServingPlan, maker: Maker) -> Iterator[Row]:
    """Everything the model needs in its namespace."""
    marks = Marks.of(plan, maker)
    own = list(_before(plan, marks))
    yield from own
    stands_on = [plan.offload.class_row] if plan.offload and plan.offload.class_row else []
    server = servers.server(plan, marks, after=[*(row.id for row in own), *stands_on])
    yield server
    yield servers.budget(plan, marks)
    if plan.stack != "kserve":
        yield servers.service(plan, marks)
    if plan.router:
        yield from routers.rows(plan, plan.router, marks)
    if plan.scaling:
        yield measuring.scaling(plan, plan.scaling, marks, after=[server.id])
    yield marks.monitor(plan.identity, dict(plan.selector), "http", [names.TENANT_LABEL] if plan.tenant else [])
    yield measuring.benchmark(plan, marks, after=[row.id for row in own])


def _before(plan: ServingPlan, marks: Marks) -> Iterator[KubernetesRow]:
    """What pods need before they start."""
    body: dict[str, object] = {"automountServiceAccountToken": False}
    if plan.pull_secrets:
        body["imagePullSecrets"] = [{"name": name} for name in plan.pull_secrets]
    yield marks.object("v1", "ServiceAccount", plan.identity, body=body)
    yield from stores.rows(plan, marks)
    if plan.claim_template:
        spec = pods.claim_spec(plan.contract)
        yield marks.object("resource.k8s.io/v1", "ResourceClaimTemplate", plan.claim_template, spec=spec)
