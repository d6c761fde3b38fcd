"""What the program of an `AwsStack` does: it registers rows, as an adapter has to.

Two traps of the engine are shown here. An output is an attribute of a resource only when its name is among the
properties. Numbers arrive as floats, so that a text around one has to spell it: `1`, not `1.0`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pulumi

from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Json, Ref, canonical_json, refs
from aifactory.stacks.assembly.codec import decode
from support.proving.aws_schema import version


def register(told: dict[str, Any]) -> None:
    """Register the provider and the rows that a file holds."""
    rows = [row for row, _ in map(decode, told["rows"]) if isinstance(row, CloudRow)]
    provider = pulumi.ProviderResource("aws", "aws", told["provider"], pulumi.ResourceOptions(version=version()))
    made: dict[str, pulumi.CustomResource] = {}
    wanted: dict[str, set[str]] = defaultdict(set)
    for ref in refs([row.properties for row in rows]):
        wanted[ref.row].add(ref.path.partition(".")[0])

    def resolve(ref: Ref) -> Any:
        first, *rest = ref.path.split(".")
        value: Any = getattr(made[ref.row], first)
        for step in rest:
            value = value[int(step) if step.isdigit() else step]
        return value

    for row in rows:
        outputs = dict.fromkeys(wanted[row.id] - {"id"})
        made[row.id] = pulumi.CustomResource(
            row.token,
            f"{row.part}/{row.name}",
            {**outputs, **_lowered(row.properties, resolve)},
            pulumi.ResourceOptions(
                provider=provider,
                depends_on=[made[name] for name in row.after],
                protect=row.protect or None,
                version=version(),
            ),
        )
    for row in rows:
        pulumi.export(row.id, made[row.id].id)


def _lowered(tree: Any, resolve: Callable[[Ref], Any]) -> Any:
    if isinstance(tree, dict):
        return {name: _lowered(value, resolve) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_lowered(value, resolve) for value in tree]
    if isinstance(tree, Ref):
        return resolve(tree)
    if isinstance(tree, Format):
        parts = [_lowered(part, resolve) for part in tree.parts]
        return pulumi.Output.all(*parts).apply(lambda known: "".join(map(_spelled, known)))
    if isinstance(tree, Json):
        return pulumi.Output.from_input(_lowered(tree.tree, resolve)).apply(canonical_json)
    return tree


def _spelled(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
