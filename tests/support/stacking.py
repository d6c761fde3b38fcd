"""Stacks of rows made by hand, for tests of what is written of them."""

from typing import Any

from aifactory.components.base import Place
from aifactory.components.rows import HelmRow, Maker, Row, Wave
from aifactory.stacks.assembly.stack import Stack, linked
from aifactory.stacks.planning.model import StackPlan
from aifactory.stacks.render.origin import Origin
from support.planning import place

MAKE = Maker("demo", "lab", "part", Wave.HARDWARE)
"""Makes objects of one part."""


def stack_of(*rows: Row, at: Place | None = None) -> Stack:
    """A stack of these rows, without parts or decisions, at the small made-up site or at another."""
    plan = StackPlan("demo-lab-platform", "demo", at or place(), (), {}, ())
    return linked(plan, {row.id: row for row in rows})


def origin(**fields: Any) -> Origin:
    """Where a stack made by hand comes from."""
    whole: dict[str, Any] = {
        "digest": f"sha256:{'0' * 64}",
        "plan": {"schema": "aifactory-plan/v1"},
        "warnings": (),
        "images": (),
        "deployer": {},
        "description": "",
        "version": "9.9.9",
    }
    return Origin(**{**whole, **fields})


def release(name: str, namespace: str = "", wave: Wave = Wave.HARDWARE, **fields: object) -> HelmRow:
    """A release of a chart from an OCI registry, unless `fields` say otherwise."""
    whole: dict[str, object] = {
        "id": f"Release/{namespace or name}/{name}",
        "part": "cluster",
        "wave": wave,
        "name": name,
        "namespace": namespace or name,
        "chart": name,
        "repository": "oci://charts.example.com/all",
        "version": "1.2.3",
        "values": {},
        **fields,
    }
    return HelmRow(**whole)  # type: ignore[arg-type]  # fields by name, as the record has them
