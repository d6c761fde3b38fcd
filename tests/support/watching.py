"""Plans observability alone, on models, pools, queues and doors that are only offered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import promql_parser
from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.base import PlanContext, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.demand import Demand, Residency
from aifactory.components.observability import plan as part
from aifactory.components.observability import shape
from aifactory.components.observability.decided import ObservabilityPlan
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.offers import (
    EndpointOffer,
    GatewayOffer,
    ModelOffer,
    QueueOffer,
    StorageOffer,
    TelemetryOffer,
    TenantOffer,
)
from aifactory.components.problems import Problem
from aifactory.components.rows import KubernetesRow, Maker, Wave
from aifactory.components.rules import table
from aifactory.components.values import plain
from support.offered import pool
from support.planning import place

HERE = {"country": "DE", "operator": "Example AG", "nationality": "DE"}
STORE: dict[str, Any] = {
    "endpoint": "s3.example.com",
    "logs": "lab-logs",
    "traces": "lab-traces",
    "secret": "store",
    "networks": ["192.0.2.0/24"],
    "place": HERE,
}
PAGER: dict[str, Any] = {
    "name": "pager",
    "kind": "alerts",
    "url": "https://alerts.example.com/hook",
    "secret": "pager",
    "networks": ["192.0.2.0/24"],
    "place": HERE,
}
SWITCH: dict[str, Any] = {
    **PAGER,
    "name": "switch",
    "kind": "heartbeat",
    "url": "https://switch.example.com/hook",
    "secret": "switch",
}
GIVEN: dict[str, Any] = {"store": STORE, "sinks": [PAGER, SWITCH]}
DISKS: dict[str, Any] = {
    "version": "1.35.6",
    "kubeconfig": {"context": "lab"},
    "storage_classes": [
        {"name": "disks", "access": ["ReadWriteOnce"], "default": True},
        {"name": "shared", "access": ["ReadWriteOnce", "ReadWriteMany"]},
    ],
}
"""A cluster whose own class is of block devices."""
EU: dict[str, Any] = {"jurisdictions": ["eu"], "operators": ["eu"]}
CHAT = ModelOffer("chat", "llama-3.3-70b", "assist", "InferencePool", "chat", 8000, (), "assist", "customer", 600)
QUEUE = QueueOffer(
    "teams",
    "teams",
    "kueue",
    ("train",),
    (TenantOffer("assist", "assist", "main", 8, 8, (), "normal", "inference"),),
    (("normal", 100),),
    objects=("ClusterQueue/assist", "Cohort/teams"),
)
COLLECTOR = TelemetryOffer(
    "watch",
    "watch",
    "http://watch-gateway-collector.watch.svc:4318",
    "watch-gateway-collector.watch.svc:4317",
    "watch-gateway-collector",
    traces=True,
)
DOOR = EndpointOffer("door", "door", "door.example.com", (), ("chat",))
GATE = GatewayOffer(
    "door", "door.example.com", "door", "envoy", (), (), ("tenant.id",), (), ("assist",), ("chat",), (), False
)
BLOCK = StorageOffer(
    "volumes",
    ("ReadWriteOnce",),
    "DE",
    "volumes",
    "block",
    4.0,
    failure_domain="node",
    row="StorageClass.storage.k8s.io//volumes",
    engine="rook-ceph",
)
SCRATCH = replace(BLOCK, name="scratch", part="scratch", tier="local-cache", engine="topolvm", failure_domain="none")
OFFERS: tuple[object, ...] = (CHAT, QUEUE, DOOR, pool("train", nodes=2))
DEMAND = {
    "models": [
        {
            "name": "llama-3.3-70b",
            "data_class": "customer",
            "requests_per_s": {"mean": 1.0, "peak": 2.0},
            "input_tokens": 1000,
            "output_tokens": 100,
            "itl_ms": 40,
        }
    ]
}
PROMISE = {"model": "llama-3.3-70b", "ttft_p99_ms": 2000}


class Seen(Struct, frozen=True, dict=True):
    """What became of the part."""

    site_plan: SitePlan
    made: ObservabilityPlan | None

    @property
    def problems(self) -> list[Problem]:
        """Everything found."""
        return self.site_plan.problems

    @property
    def broken(self) -> list[str]:
        """Ids of the rules that found something."""
        return [problem.rule for problem in self.problems]

    @property
    def plan(self) -> ObservabilityPlan:
        """The plan; the problems when there is none."""
        assert self.made is not None, [problem.says for problem in self.problems]
        return self.made

    @property
    def rows(self) -> dict[str, KubernetesRow]:
        """Rows by identity."""
        return rows_of(self.plan)

    @property
    def bodies(self) -> dict[str, Any]:
        """Objects as an API server gets them, by `Kind/name`."""
        return bodies_of(self.plan)

    def asked(self, capability: str) -> Any:
        """Chart values that the part asks of a capability."""
        (found,) = [each.values for each in self.site_plan.requirements if each.capability == capability]
        return found


def rows_of(plan: ObservabilityPlan) -> dict[str, KubernetesRow]:
    """Rows of a plan by identity."""
    found = list(shape.rows(plan, Maker(plan.factory, plan.site, plan.identity, Wave.TELEMETRY)))
    return {row.id: row for row in found if isinstance(row, KubernetesRow)}


def bodies_of(plan: ObservabilityPlan) -> dict[str, Any]:
    """Objects of a plan by `Kind/name`."""
    return {f"{row.body['kind']}/{row.name}": plain(row.body, str) for row in rows_of(plan).values()}


def watched(
    given: Mapping[str, Any] | None = GIVEN,
    offers: Sequence[object] = OFFERS,
    classes: Mapping[str, Any] | None = None,
    before: Sequence[object] = (),
    site: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Seen:
    """Plan the part at a site that gives these destinations, for these offers and data classes. `before`: offers that
    are there when the part is resolved."""
    more: dict[str, Any] = {"telemetry": dict(given)} if given is not None else {}
    rules = {"customer": EU} if classes is None else classes
    site_plan = SitePlan(
        place(**more, **(site if site is not None else {"cluster": DISKS})),
        Catalog.shipped(),
        "demo",
        table(*part.RULES),
        demand=Demand.model_validate(DEMAND),
        residency=Residency.model_validate({"data_classes": dict(rules)}) if rules else None,
    )
    site_plan.offers.extend(before)
    ctx = PlanContext(site_plan, "watch", ("parts", 0))
    data = {"kind": "observability", "name": "watch", "promises": [PROMISE], **fields}
    draft = part.resolve(ObservabilitySpec.model_validate(data), ctx)
    site_plan.offers.extend(offers)
    made = part.size(draft, ctx) if draft is not None else None
    return Seen(site_plan, part.settle(made, ctx) if made is not None else None)


def queries(bodies: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Every query of rules and dashboards, with where it stands."""
    for body in bodies:
        name = f"{body['kind']}/{body['metadata']['name']}"
        if body["kind"] == "PrometheusRule":
            for group in body["spec"]["groups"]:
                for rule in group["rules"]:
                    yield f"{name} {rule.get('alert') or rule.get('record')}", rule["expr"]
        elif body["metadata"].get("labels", {}).get("grafana_dashboard"):
            for text in body["data"].values():
                for panel in json.loads(text)["panels"]:
                    for target in panel["targets"]:
                        yield f"{name} {panel['title']}", target["expr"]


def series_of(query: str) -> set[str]:
    """Names of the series that a query asks for, by a real parser. Raises ValueError for what is no query."""
    found: set[str] = set()
    pending: list[Any] = [promql_parser.parse(query)]
    while pending:
        node = pending.pop()
        if isinstance(node, promql_parser.VectorSelector):
            found.add(str(node.name))
        for field in ("lhs", "rhs", "expr", "args", "vector_selector", "vs", "param"):
            child = getattr(node, field, None)
            pending += child if isinstance(child, list) else [child] if child is not None else []
    return found


@cache
def exported() -> Mapping[str, str]:
    """Exporter of each series in the catalog."""
    catalog = Catalog.shipped()
    found: dict[str, str] = {}
    for row in catalog.rows("exporters.metrics"):
        for name in _series(row.text("metric"), row.text("kind")):
            found[name] = row.text("exporter")
    for row in catalog.rows("engines.metrics"):
        for name in _series(row.text("series"), row.text("kind")):
            found[name] = row.text("engine")
    return found


def _series(name: str, kind: str) -> tuple[str, ...]:
    return tuple(f"{name}_{end}" for end in ("bucket", "sum", "count")) if kind == "histogram" else (name,)
