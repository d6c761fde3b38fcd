"""What several objects say alike."""

from __future__ import annotations

from aifactory.components import names
from aifactory.components.rows import Tree

MELLANOX_VENDOR = "15b3"


VENDOR_PREFIX = "nvidia.com"


def pool_terms(pools: tuple[str, ...]) -> Tree:
    """Selects the nodes of the pools, and no others."""
    expression = {"key": names.POOL_LABEL, "operator": "In", "values": list(pools)}
    return {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
