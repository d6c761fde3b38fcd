"""What the engine is to hold of a stack: rows, parts, provider and stack, told from the rows.

What is sent for a row is the product's own word, `stacks.program.inputs`; `tests/stacks/program` pins that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aifactory.components.rows import ClusterRow, HelmRow
from aifactory.components.values import plain
from aifactory.stacks.assembly.rowset import RowSet
from aifactory.stacks.program import identity
from aifactory.stacks.program.inputs import awaiting, inputs, plugin_version
from support.proving.releases import COMPUTED

_ADDED = (*COMPUTED, "__internal")
"""Inputs that the provider and the engine add. Version stands for the plugin of a provider there, and is checked."""
Held = Mapping[str, tuple[str, Any, tuple[str, ...]]]
"""Type, inputs and dependencies by URN."""


def expected(rows: RowSet, provider_inputs: Mapping[str, Any]) -> Held:
    """Everything that a preview of the stack has to show."""
    urns = {row: urn for urn, row in identity.urns(rows).items()}
    start = f"urn:pulumi:{rows.stack}::{identity.PROJECT}"
    factory, stack = identity.FACTORY_TYPE, "pulumi:pulumi:Stack"
    found: dict[str, tuple[str, Any, tuple[str, ...]]] = {
        f"{start}::{stack}::{identity.PROJECT}-{rows.stack}": (stack, {}, ()),
        f"{start}::{factory}::{rows.factory}": (factory, {}, ()),
        f"{start}::{factory}${identity.PROVIDER_TYPE}::{rows.cluster.identifier}": (
            identity.PROVIDER_TYPE,
            {**provider_inputs, "version": plugin_version()},
            (),
        ),
    }
    for part in rows.parts:
        kind = identity.part_type(part)
        found[f"{start}::{factory}${kind}::{part.name}"] = (kind, {}, ())
    for row in identity.cluster_rows(rows):
        after = tuple(sorted(urns[name] for name in row.after if name in urns))
        found[urns[row.id]] = (row.token, _inputs(row, urns), after)
    return found


def _inputs(row: ClusterRow, urns: Mapping[str, str]) -> Any:
    if isinstance(row, HelmRow):
        return plain(inputs(row, lambda ref: ref.row), lambda ref: urns[ref.row])
    body: Any = plain(row.body, lambda ref: urns[ref.row])
    notes = awaiting(row)
    if notes:
        metadata = body["metadata"]
        body = {**body, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **notes}}}
    return body


def held(resources: Iterable[Mapping[str, Any]]) -> Held:
    """The same of resources as the engine tells them, without what the provider computes. Each is there once."""
    resources = list(resources)
    urns = [str(one["urn"]) for one in resources]
    assert len(urns) == len(set(urns)), "a resource is there twice"
    assert not [one["urn"] for one in resources if one.get("delete")], "a removal is pending"
    return {
        str(one["urn"]): (
            str(one["type"]),
            _known({key: value for key, value in (one.get("inputs") or {}).items() if key not in _ADDED}),
            tuple(sorted(one.get("dependencies") or ())),
        )
        for one in resources
    }


def _known(tree: Any) -> Any:
    """Whole numbers as integers: the engine's numbers have no kinds."""
    if isinstance(tree, dict):
        return {key: _known(value) for key, value in tree.items() if value is not None}
    if isinstance(tree, list | tuple):
        return [_known(each) for each in tree]
    return int(tree) if isinstance(tree, float) and tree.is_integer() else tree
