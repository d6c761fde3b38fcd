"""Chart values from several parts, merged deeply. Whoever wants what another part refuses is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from aifactory.components.rows import Tree
from aifactory.components.values import Json

BASE = ""
"""Author of the values that we set for everybody. Any part may want something else instead."""

UNITED = frozenset(
    {
        "args",
        "deviceClassWhitelist",
        "env",
        "extraArgs",
        "extraLabelNs",
        "featureGates",
        "imagePullSecrets",
        "tolerations",
    }
)
"""Lists that several parts may add to. Items with a name are one per name; any other list must be equal."""

ValuePath = tuple[str, ...]


class Layer(Struct, frozen=True):
    """The values of one author."""

    part: str
    values: Mapping[str, object]


class Conflict(Struct, frozen=True):
    """Two parts that want different values at one path."""

    path: str
    first: str
    has: object
    second: str
    wants: object


class Merged(Struct):
    """Values with their authors."""

    values: Tree = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    replaced: list[Conflict] = field(default_factory=list)
    """Values of ours that a part wanted otherwise."""
    authors: dict[ValuePath, str] = field(default_factory=dict)

    def author(self, path: ValuePath) -> str:
        """The part that set the value at a path; BASE for ours."""
        while path and path not in self.authors:
            path = path[:-1]
        return self.authors.get(path, BASE)


def merged(layers: Sequence[Layer]) -> Merged:
    """The values of all layers. Layers of BASE come first; no input is changed."""
    result = Merged()
    for layer in layers:
        _merge(result, result.values, layer.values, layer.part, ())
    return result


def value_at(values: Mapping[str, object], path: str, default: object = None) -> object:
    """The value at a dotted path, such as `operator.resources.limits.memory`."""
    found: object = values
    for step in path.split("."):
        if not isinstance(found, Mapping) or step not in found:
            return default
        found = found[step]
    return found


def placed(path: str, value: object) -> Tree:
    """Values that hold one value at a dotted path."""
    for step in reversed(path.split(".")):
        value = {step: value}
    assert isinstance(value, dict)  # noqa: S101 - a path has a step
    return value


def _merge(result: Merged, into: Tree, values: Mapping[str, object], part: str, path: ValuePath) -> None:
    for key, value in values.items():
        here = (*path, key)
        if key not in into:
            into[key] = _copy(value)
            result.authors[here] = part
            continue
        known = into[key]
        if isinstance(known, dict) and isinstance(value, Mapping):
            _merge(result, known, value, part, here)
        elif isinstance(known, Json) and isinstance(value, Json) and _maps(known.tree, value.tree):
            _merge(result, known.tree, value.tree, part, here)  # type: ignore[arg-type]  # _maps saw both
        elif isinstance(known, list) and isinstance(value, Sequence) and key in UNITED:
            _unite(result, known, value, part, here)
        elif _differ(known, value):
            _settle(result, into, key, value, part, here)


def _settle(result: Merged, into: Tree, key: str, value: object, part: str, here: ValuePath) -> None:
    """A part overrules the base, unless the forms differ: Helm drops a scalar over a map."""
    known, author = into[key], result.author(here)
    found = Conflict(".".join(here), author, known, part, value)
    if author != BASE or isinstance(known, dict) != isinstance(value, Mapping):
        result.conflicts.append(found)
        return
    result.replaced.append(found)
    into[key] = _copy(value)
    result.authors[here] = part


def _unite(result: Merged, known: list[object], items: Sequence[object], part: str, here: ValuePath) -> None:
    named = {item["name"]: item for item in known if isinstance(item, Mapping) and "name" in item}
    for item in items:
        name = item.get("name") if isinstance(item, Mapping) else None
        if name in named and _differ(named[name], item):
            author = result.author(here)
            result.conflicts.append(Conflict(f"{'.'.join(here)}[{name}]", author, named[name], part, item))
        elif not any(not _differ(other, item) for other in known):
            known.append(_copy(item))


def _copy(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item) for item in value]
    return Json(_copy(value.tree)) if isinstance(value, Json) else value


def _maps(first: object, second: object) -> bool:
    return isinstance(first, dict) and isinstance(second, Mapping)


def _differ(first: object, second: object) -> bool:
    """Whether two values differ in YAML, where true is not 1."""
    plain_first, plain_second = _copy(first), _copy(second)
    return plain_first != plain_second or _booleans(plain_first) != _booleans(plain_second)


def _booleans(value: object) -> object:
    if isinstance(value, dict):
        return {key: _booleans(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_booleans(item) for item in value]
    return isinstance(value, bool)
