"""Trees of rows: whether they hold anything to resolve, and what."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aifactory.components.rows import CloudRow, HelmRow, KubernetesRow, ResourceRow, Row
from aifactory.components.values import Ref, refs

References = Mapping[str, frozenset[Ref]]
"""What each row refers to, for rows that hold more than plain data; other rows are missing."""


def tree_of(row: ResourceRow) -> dict[str, object]:
    """What a row sends: the object, the values of a release, or the properties of a cloud's resource."""
    if isinstance(row, CloudRow):
        return row.properties
    return row.body if isinstance(row, KubernetesRow) else row.values


def references(rows: Mapping[str, Row]) -> References:
    """What the rows refer to."""
    return {
        row.id: frozenset(refs(tree_of(row)))
        for row in rows.values()
        if isinstance(row, (KubernetesRow, HelmRow, CloudRow)) and plain_json(tree_of(row)) is None
    }


def plain_json(tree: object) -> str | None:
    """The tree as JSON text, or None when it holds something to resolve.

    Asking the encoder, which is written in C, takes a tenth of the time of a walk, and nearly all trees are
    plain.
    """
    try:
        return json.dumps(tree)
    except TypeError:
        return None
