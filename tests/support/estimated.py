"""A small factory on owned nodes whose costs are stated, written to files, planned and estimated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct
from msgspec.structs import replace

from aifactory.cli.work import Work, prepare
from aifactory.components.budgets import Budget, EnergyLimits, TrainingLimit
from aifactory.components.economics.figures import just
from aifactory.components.problems import Problem
from aifactory.components.spec import Spec
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.estimating import case_of, estimate
from aifactory.stacks.estimate.gates import Gated, gated
from aifactory.stacks.estimate.model import Estimate, Line, SiteEstimate, summed
from support.planning import group, site_data

DAY = "2026-11-29"
"""Day that the estimates are made on."""
SEEN = "2026-11-20"
"""Day that the stated figures are of."""

COSTS: dict[str, Any] = {
    "source": "figures that are stated for a test",
    "seen": SEEN,
    "currency": "USD",
    "cost_of_capital_percent": 7.0,
    "life_years": 5.0,
    "residual_percent": 0.0,
    "maintenance_percent": 7.5,
    "idle_nodes": "others",
    "servers": [{"group": "hgx-h200", "price": 395000.0}],
    "network_per_node": 38400.0,
    "space_per_kw_month": 194.95,
    "people": {"fte": 1.5, "per_year": 148000.0},
    "ai_enterprise": True,
    "utilisation_percent": 35.0,
}
"""Everything that an owned site is asked for."""

POOL: dict[str, Any] = {
    "kind": "gpu-node-pool",
    "name": "pool",
    "accelerator": "h200",
    "nodes": 2,
    "fabric": "rdma",
}
QUEUE: dict[str, Any] = {
    "kind": "queue",
    "name": "teams",
    "pools": ["pool"],
    "tenants": [{"name": "research", "gpus": 8}, {"name": "product", "gpus": 8}],
}
"""Two nodes and two teams, which is the least that there is."""

DEMAND: dict[str, Any] = {
    "name": "llama-3.1-8b",
    "requests_per_s": {"mean": 4.0, "peak": 10.0},
    "input_tokens": 900,
    "output_tokens": 60,
    "longest_tokens": 8192,
    "itl_ms": 30.0,
}
SERVED: tuple[dict[str, Any], ...] = (
    {**POOL, "nodes": "demand", "workload": "inference"},
    {**QUEUE, "tenants": [{"name": "triage", "workload": "inference", "gpus": "demand"}]},
    {
        "kind": "serving",
        "name": "sort",
        "model": "llama-3.1-8b",
        "pool": "pool",
        "tenant": "triage",
        "precision": "fp8",
        "stored_as": "fp8",
        "weights": {"kind": "oci", "image": "registry.example.com/models/llama-3.1-8b-instruct-fp8:2026.11"},
    },
)
"""One model on as many nodes as its peak needs."""


def costs(**changes: Any) -> dict[str, Any]:
    """`COSTS` with fields replaced; None drops one."""
    return {name: value for name, value in {**COSTS, **changes}.items() if value is not None}


def site(name: str = "lab", stated: Mapping[str, Any] | None = COSTS, **changes: Any) -> dict[str, Any]:
    """A site file as data, with costs and all that a model server needs."""
    data = site_data(site=name, **changes)
    data["cluster"] = {
        **data["cluster"],
        "kubeconfig": {"context": name},
        "provides": {"inference-extension": {"version": "v1.6.0"}},
    }
    if stated is not None:
        data["costs"] = dict(stated)
    return data


def nodes(count: int, **fields: Any) -> list[dict[str, Any]]:
    """So many H200 nodes of 10.2 kW."""
    return [group(nodes=count, **fields)]


def blueprint(sites: Sequence[str] = ("lab",), parts: Sequence[Mapping[str, Any]] = (POOL, QUEUE), **more: Any) -> Any:
    """A blueprint as data."""
    head = {"aifactory": "v1", "name": "demo", "placement": {"core": {"sites": list(sites)}}}
    return {**head, **more, "parts": [dict(part) for part in parts]}


def write(folder: Path, *sites: Mapping[str, Any], files: Mapping[str, str] | None = None, **more: Any) -> Path:
    """A project with these sites and that blueprint; the path of its blueprint. `files` lie below `sites`."""
    (folder / "sites").mkdir(parents=True, exist_ok=True)
    (folder / "aifactory.yaml").write_text("aifactory: v1\n", encoding="utf-8")
    for each in sites:
        (folder / "sites" / f"{each['site']}.yaml").write_text(_text(each), encoding="utf-8")
    for name, text in (files or {}).items():
        path = folder / "sites" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    path = folder / "factory.yaml"
    path.write_text(_text(blueprint([each["site"] for each in sites], **more)), encoding="utf-8")
    return path


class Estimated(Struct, frozen=True):
    """A plan with its estimate."""

    work: Work
    found: Estimate

    @property
    def site(self) -> SiteEstimate:
        """The only site."""
        [site] = self.found.sites
        return site

    @property
    def case(self) -> Case:
        """What the only site is estimated from."""
        return case_at(self.work)

    @property
    def gates(self) -> Gated:
        """What it breaks."""
        return gated(self.found, self.work.loaded)

    def broken(self, rule: str) -> list[Problem]:
        """Problems of one rule."""
        return [problem for problem in self.gates.problems if problem.rule == rule]

    def held(self, **limits: Any) -> Estimated:
        """The same with other limits in its blueprint: budget, energy, training_limit, as data."""
        models: dict[str, type[Spec]] = {"budget": Budget, "energy": EnergyLimits, "training_limit": TrainingLimit}
        found = {name: models[name].model_validate(data) for name, data in limits.items()}
        sites = {
            name: replace(here, blueprint=here.blueprint.model_copy(update=found))
            for name, here in self.work.loaded.sites.items()
        }
        return Estimated(replace(self.work, loaded=replace(self.work.loaded, sites=sites)), self.found)

    def of_lines(self, lines: Iterable[Line]) -> Estimated:
        """The same with other lines at its only site."""
        mine = tuple(lines)
        site = replace(self.site, lines=mine, cost=summed(mine))
        return Estimated(self.work, replace(self.found, sites=(site,)))

    def line(self, item: str) -> Line:
        """The line of that name."""
        [line] = [line for line in self.site.lines if line.item == item]
        return line

    def usd(self, item: str) -> Decimal:
        """What it costs as expected."""
        return self.line(item).amount.expected


def case_at(work: Work, name: str | None = None) -> Case:
    """What a site is estimated from, the first one by default."""
    stacks = {plan.place.site: plan for plan in work.plan.stacks.values()}
    at = name or next(iter(stacks))
    rows = [row for stack in work.stacks.values() if stack.plan.place.site == at for row in stack.cloud_rows]
    return case_of(stacks[at], work.loaded.sites[at], work.loaded, rows)


def estimated(path: Path, day: str = DAY, **values: str) -> Estimated:
    """Plan and estimate a blueprint."""
    work = prepare(path, values=values)
    return Estimated(work, estimate(work.plan, work.loaded, work.stacks, day))


def amounts(*usd: Decimal | str) -> list[Line]:
    """A line for each amount."""
    return [Line("site", f"line {index}", just(1), "unit", "F18", amount=just(each)) for index, each in enumerate(usd)]


def line_of(path: Path, problem: Problem) -> str:
    """The text at which a problem points, from its column on."""
    assert problem.at is not None
    return (
        (path / problem.at.file).read_text(encoding="utf-8").splitlines()[problem.at.line - 1][problem.at.column - 1 :]
    )


def _text(data: object) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)
