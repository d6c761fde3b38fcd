"""Rows as JSON and back: what `rows.json` holds. A tree keeps its references, so nothing is decided twice.

`Ref`, `Format`, `Json` and `SecretRef` become maps with one key that starts with `$`; a map of the user whose
own keys start with `$` is wrapped in `$map`.
"""

from __future__ import annotations

from typing import Any

from aifactory.components.rows import CloudRow, Gate, HelmRow, HostRow, KubernetesRow, Row, SwitchRow, Wave
from aifactory.components.values import Format, Json, Ref, SecretRef
from aifactory.stacks.assembly.trees import plain_json

_KINDS: dict[str, type[Row]] = {
    "kubernetes": KubernetesRow,
    "helm": HelmRow,
    "cloud": CloudRow,
    "host": HostRow,
    "switch": SwitchRow,
}
_KIND_OF = {kind: name for name, kind in _KINDS.items()}
_TREES = ("body", "values", "properties")


def encode(row: Row, step: int) -> dict[str, Any]:
    """A row as JSON-like data, with its step inside the wave."""
    data: dict[str, Any] = {"type": _KIND_OF[type(row)], "step": step}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if name in _TREES:
            data[name] = _encoded(value)
        elif isinstance(value, Gate):
            data[name] = {field: getattr(value, field) for field in value.__struct_fields__}
        elif isinstance(value, tuple):
            data[name] = list(value)
        elif isinstance(value, Wave):
            data[name] = value.value
        elif value is not None:
            data[name] = value
    return data


def decode(data: dict[str, Any]) -> tuple[Row, int]:
    """A row from its data, and its step. Raises KeyError or TypeError for data that no `encode` wrote."""
    kind = _KINDS[data["type"]]
    known = set(kind.__struct_fields__)
    values: dict[str, Any] = {name: value for name, value in data.items() if name in known}
    values["wave"] = Wave(values["wave"])
    for name, value in values.items():
        if name in _TREES:
            values[name] = decode_tree(value)
        elif isinstance(value, list):
            values[name] = tuple(value)
    if values.get("gate"):
        values["gate"] = Gate(**values["gate"])
    return kind(**values), int(data["step"])


def _encoded(tree: object) -> Any:
    """A tree encoded: itself, if it is plain and none of its keys could be taken for ours."""
    text = plain_json(tree)
    return encode_tree(tree) if text is None or '"$' in text else tree


def encode_tree(tree: object) -> Any:
    """A tree of the value algebra as JSON-like data."""
    if isinstance(tree, dict):
        encoded = {key: encode_tree(value) for key, value in tree.items()}
        return {"$map": encoded} if any(key.startswith("$") for key in encoded) else encoded
    if isinstance(tree, (list, tuple)):
        return [encode_tree(value) for value in tree]
    if isinstance(tree, Ref):
        return {"$ref": [tree.row, tree.path]}
    if isinstance(tree, Format):
        return {"$format": [encode_tree(part) for part in tree.parts]}
    if isinstance(tree, Json):
        return {"$json": encode_tree(tree.tree)}
    if isinstance(tree, SecretRef):
        return {"$secret": [tree.name, tree.key]}
    return tree


def decode_tree(data: Any) -> Any:
    """A tree from its data."""
    if isinstance(data, list):
        return [decode_tree(value) for value in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((key, value),) = data.items()
        if key == "$map":
            return {name: decode_tree(inner) for name, inner in value.items()}
        if key == "$ref":
            return Ref(*value)
        if key == "$format":
            return Format(tuple(decode_tree(part) for part in value))
        if key == "$json":
            return Json(decode_tree(value))
        if key == "$secret":
            return SecretRef(*value)
    return {key: decode_tree(value) for key, value in data.items()}
