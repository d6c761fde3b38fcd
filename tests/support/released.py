"""What a release runs with: its values over those of its chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aifactory.components.rows import HelmRow
from aifactory.stacks.assembly.stack import Stack
from support.schemas import Schemas

WITHOUT_VALUES = ("kserve-crd", "ai-gateway-crds-helm")
"""Charts of definitions alone, which have no values file."""
UNSTORED = ("aws-load-balancer-controller",)
"""Charts whose values file the stored schemas lack. Ours are held by tests/components/cluster/aws/test_rows.py; values
of the chart itself are not known, so nothing is said of volumes that it might ask for."""


def values_of(row: HelmRow, stack: Stack, schemas: Schemas) -> Any:
    """All values of a release."""
    own = stack.plain_tree(row)
    return own if row.chart in (*WITHOUT_VALUES, *UNSTORED) else merged(schemas.values(row.chart), own)


def merged(below: Any, above: Any) -> Any:
    """Chart values as Helm merges them."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {key: merged(below.get(key), above[key]) if key in above else below[key] for key in {**below, **above}}
    return above
