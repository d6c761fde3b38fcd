"""The base of a site at AWS, as often as gives a number of rows, and a flat program that registers the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
from msgspec.structs import replace

from aifactory.components.cluster.aws.model import CLUSTER_TOKEN
from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Json, Ref, plain, refs
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.program.inputs import cloud_inputs, plugin_version
from aifactory.stacks.program.lowering import output_names
from support.aws_sites import planned

Holes = list[tuple[Any, Any, Any]]
"""Where a tree needs what another resource has: container, key, value."""


def base_set(count: int) -> RowSet:
    """About `count` rows: a base, and copies of it that refer to themselves alone."""
    whole = row_set(planned().stacks[0], "sha256:0")
    first = [_answering(row) for row in whole.rows if isinstance(row, CloudRow)]
    rows = [_copied(row, number) for number in range(max(1, round(count / len(first)))) for row in first]
    return replace(whole, rows=tuple(rows), steps={row.id: 0 for row in rows}, outputs={"plan_digest": "sha256:0"})


def flat_base(rows: RowSet) -> Callable[[], None]:
    """A program as somebody would write it by hand: where a property needs what another resource has, it says so."""
    listed = [row for row in rows.rows if isinstance(row, CloudRow)]
    read = output_names([row.properties for row in listed])
    written = []
    for row in listed:
        holes: Holes = []
        written.append((row, _with_holes(row.properties, holes), holes, dict.fromkeys(read.get(row.id, ()))))
    assert rows.cloud is not None
    settings, version = cloud_inputs(rows.cloud), plugin_version("aws")

    def program() -> None:
        provider = pulumi.ProviderResource("aws", "base", settings, pulumi.ResourceOptions(version=version))
        made: dict[str, pulumi.CustomResource] = {}
        for row, tree, holes, named in written:
            for container, key, value in holes:
                container[key] = _value(value, made)
            after = [made[name] for name in row.after]
            opts = pulumi.ResourceOptions(provider=provider, depends_on=after, version=version)
            made[row.id] = pulumi.CustomResource(row.token, row.name, {**named, **tree}, opts)
        pulumi.export("plan_digest", rows.plan_digest)

    return program


def _answering(row: CloudRow) -> CloudRow:
    """The recorder answers with what it was sent, so what others read inside of a block is sent too."""
    if row.token != CLUSTER_TOKEN:
        return row
    block: Any = row.properties["vpcConfig"]
    return replace(row, properties={**row.properties, "vpcConfig": {**block, "clusterSecurityGroupId": "sg-1"}})


def _copied(row: CloudRow, number: int) -> CloudRow:
    end = f"-{number}"
    after = tuple(f"{name}{end}" for name in row.after)
    properties: Any = _renamed(row.properties, end)
    return replace(row, id=f"{row.id}{end}", name=f"{row.name}{end}", properties=properties, after=after)


def _renamed(tree: Any, end: str) -> Any:
    if isinstance(tree, Ref):
        return Ref(f"{tree.row}{end}", tree.path)
    if isinstance(tree, Format):
        return Format(tuple(_renamed(part, end) if isinstance(part, Ref) else part for part in tree.parts))
    if isinstance(tree, Json):
        return Json(_renamed(tree.tree, end))
    if isinstance(tree, dict):
        return {name: _renamed(value, end) for name, value in tree.items()}
    return [_renamed(value, end) for value in tree] if isinstance(tree, list | tuple) else tree


def _with_holes(tree: Any, holes: Holes) -> Any:
    if not isinstance(tree, dict | list | tuple):
        return tree
    copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    for key, value in list(copy.items() if isinstance(copy, dict) else enumerate(copy)):
        if isinstance(value, Ref | Format | Json) and refs(value):
            holes.append((copy, key, value))
        elif isinstance(value, Format | Json):
            copy[key] = plain(value, lambda ref: ref)  # a text that a person would write down
        else:
            copy[key] = _with_holes(value, holes)
    return copy


def _value(value: Any, made: dict[str, pulumi.CustomResource]) -> Any:
    if isinstance(value, Ref):
        first, *rest = value.path.split(".")
        found: Any = getattr(made[value.row], first)
        for step in rest:
            found = found[step]
        return found
    if isinstance(value, Format):
        return pulumi.Output.concat(*(_value(part, made) if isinstance(part, Ref) else part for part in value.parts))
    holes: Holes = []
    tree = _with_holes({"": value.tree}, holes)
    for container, key, inner in holes:
        container[key] = _value(inner, made)
    return pulumi.Output.json_dumps(tree[""], sort_keys=True, separators=(",", ":"))
