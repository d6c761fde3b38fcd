"""Plans parts at a small made-up site, and shapes them: what tests of parts, plans and rows start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from aifactory.blueprints.site import Site
from aifactory.components.base import Decision, Place, SitePlan
from aifactory.components.catalog import Catalog
from aifactory.components.demand import Demand, Residency
from aifactory.components.parts import BY_KIND
from aifactory.components.problems import Problem
from aifactory.components.rows import Row
from aifactory.stacks.assembly.stack import Stack, assemble
from aifactory.stacks.planning.model import PlannedSpec, StackPlan
from aifactory.stacks.planning.passes import plan_site as run_passes
from aifactory.stacks.planning.place import place_of

HOST = {"os": "ubuntu-24.04", "kernel": "6.8", "management_nic": "intel"}
ROCE: dict[str, Any] = {
    "traffic_class": 106,
    "priority": 3,
    "cnp_dscp": 48,
    "mtu": 9000,
    "mode": "sriov",
    "rails": 8,
    "addresses": "172.16.0.0/12",
    "routed": True,
    "switches": {
        "vendor": "NVIDIA SN5600",
        "system": "cumulus",
        "leafs": [
            {
                "switch": f"leaf-{block}-{rail}",
                "block": block,
                "rails": [rail],
                "ports": [f"swp{port}" for port in range(1, 33)],
            }
            for block in ("b1", "b2")
            for rail in range(8)
        ],
    },
}
INFINIBAND: dict[str, Any] = {
    "subnet_manager": "ufm",
    "mode": "sriov",
    "rails": 8,
    "gbps": 400,
    "pkey_policy": "default-only",
    "addresses": "192.168.0.0/16",
}


def nics(rails: int = 8) -> list[dict[str, Any]]:
    """One NIC a rail, at made-up PCI addresses."""
    return [
        {
            "rail": rail,
            "pci": f"0000:{0x18 + 0x11 * rail:02x}:00.0",
            "interface": f"eth_rail{rail}",
            "numa": rail // 4,
        }
        for rail in range(rails)
    ]


def group(
    accelerator: str = "h200", nodes: int = 8, *, per_rack: int = 4, racks_per_block: int = 1, **fields: Any
) -> dict[str, Any]:
    """A node group: racks of `per_rack` nodes, `racks_per_block` racks a block."""
    name = fields.pop("group", f"hgx-{accelerator}")
    racks = [
        {
            "rack": f"{name}-r{index + 1}",
            "block": f"b{index // racks_per_block + 1}",
            "nodes": [f"{name}-{node + 1:03d}" for node in range(index * per_rack, min((index + 1) * per_rack, nodes))],
        }
        for index in range(-(-nodes // per_rack))
    ]
    whole: dict[str, Any] = {
        "group": name,
        "accelerator": accelerator,
        "gpus_per_node": 8,
        "server": "HGX server",
        "cpus": 192,
        "memory_gib": 2048,
        "kw_per_node": 10.2,
        "host": dict(HOST),
        "nics": nics(),
        "nic_model": "connectx-7",
        "racks": racks,
    }
    whole.update(fields)
    return whole


def site_data(**changes: Any) -> dict[str, Any]:
    """A site file as data: RoCE, two blocks, eight H200 nodes. `changes` replace top-level fields."""
    data: dict[str, Any] = {
        "aifactory": "v1",
        "site": "lab",
        "venue": "on-prem",
        "location": {
            "country": "DE",
            "operator": {"name": "Example AG", "nationality": "DE"},
            "support": ["DE"],
        },
        "power": {"racks": 12, "kw_per_rack": 44.0, "pue": 1.25, "usd_per_kwh": 0.19},
        "cluster": {
            "version": "1.35.6",
            "kubeconfig": {"context": "lab"},
            "storage_classes": [{"name": "shared", "access": ["ReadWriteOnce", "ReadWriteMany"], "default": True}],
        },
        "nodes": [group()],
        "network": {"roce": deepcopy(ROCE), "pod_cidr": "10.0.0.0/14", "service_cidr": "10.8.0.0/16"},
        "state": {"backend": "file://state", "secrets_provider": "passphrase", "place": "DE"},
    }
    data.update(changes)
    return data


def place(train: str = "2026.11", **changes: Any) -> Place:
    """The place of `site_data(**changes)`."""
    return place_of(Site.model_validate(site_data(**changes)), train)


@dataclass(frozen=True, slots=True)
class Planned:
    """What became of parts at a place."""

    site_plan: SitePlan
    stack_plan: StackPlan | None

    @property
    def problems(self) -> list[Problem]:
        """Everything found."""
        return self.site_plan.problems

    @property
    def errors(self) -> list[Problem]:
        """What refuses the plan."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def rules_broken(self) -> list[str]:
        """Ids of the rules that found something."""
        return [problem.rule for problem in self.problems if problem.rule]

    @property
    def decisions(self) -> Mapping[str, Decision]:
        """Decisions by path."""
        return self.site_plan.decisions

    @property
    def plans(self) -> dict[str, Any]:
        """Part plans by part name."""
        assert self.stack_plan is not None, [problem.says for problem in self.problems]
        return {part.name: part.plan for part in self.stack_plan.parts}

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The assembled stacks: a platform, and a base before it where there is one."""
        assert self.stack_plan is not None, [problem.says for problem in self.problems]
        assert not self.errors, [problem.says for problem in self.errors]
        return assemble(self.stack_plan)

    @property
    def stack(self) -> Stack:
        """The assembled platform."""
        return self.stacks[-1]

    @property
    def rows(self) -> dict[str, Row]:
        """Rows by identity."""
        return dict(self.stack.by_id)


def plan_site(
    specs: Sequence[Mapping[str, Any]],
    at: Place | None = None,
    factory: str = "demo",
    demand: Mapping[str, Any] | None = None,
    residency: Mapping[str, Any] | None = None,
    others: Sequence[Place] = (),
) -> Planned:
    """Plan parts given as data (each with kind and name), as a blueprint's `parts` list, for a demand and rules of data
    classes given as data. `others` are the factory's other sites."""
    asked = Demand.model_validate(demand) if demand else None
    rules = Residency.model_validate({"data_classes": residency}) if residency else None
    written = [
        PlannedSpec(BY_KIND[str(spec["kind"])].spec.model_validate(dict(spec)), ("parts", index))
        for index, spec in enumerate(specs)
    ]
    return Planned(
        *run_passes(
            factory, written, at or place(), Catalog.shipped(), demand=asked, residency=rules, others=tuple(others)
        )
    )
