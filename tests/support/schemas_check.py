"""Structural validation of one value, as the API server does it with strict field validation.

Source: kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions", on structural schemas,
pruning, defaulting and nullable. Not a general JSON Schema validator.
"""

import base64
import copy
import datetime
import difflib
import ipaddress
import json
import re
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from support.schemas_meta import metadata_problems

Json = Any
"""A JSON value."""

CEL = "x-kubernetes-validations"
INT_OR_STRING = "x-kubernetes-int-or-string"
OPEN = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
IS_METADATA = "x-is-metadata"
"""Mark of ours on the schema of ObjectMeta."""

_UNITS: dict[type, str] = {str: "Length", list: "Items", dict: "Properties"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def problems(value: Json, schema: Json, path: str = "", *, strict: bool = True) -> Iterator[str]:
    """What the API server refuses in a value.

    `strict` is off inside `allOf`, `anyOf`, `oneOf` and `not`: those name fields without owning them.
    """
    if value is None:
        typed = schema.get("type") or INT_OR_STRING in schema or "oneOf" in schema
        if typed and not schema.get("nullable"):
            yield f"{path}: is null; leave the field out"
        return
    wrong = _wrong_type(value, schema)
    if wrong:
        yield f"{path}: {wrong}"
        return
    yield from _limits(value, schema, path)
    if isinstance(value, dict):
        yield from _object(value, schema, path, strict)
    elif isinstance(value, list):
        yield from _array(value, schema, path, strict)
    yield from _junctions(value, schema, path)


def defaulted(value: Json, schema: Json) -> Json:
    """A copy with the schema's defaults filled in, as the server does before it checks a custom resource."""
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        filled = {
            key: defaulted(item, fields.get(key) or (rest if isinstance(rest, dict) else {}))
            for key, item in value.items()
        }
        for key, field in fields.items():
            absent = key not in filled or (filled[key] is None and not field.get("nullable"))
            if absent and "default" in field:
                filled[key] = defaulted(copy.deepcopy(field["default"]), field)
        return filled
    if isinstance(value, list):
        return [defaulted(item, schema.get("items", {})) for item in value]
    return value


def ruled(value: Json, schema: Json, path: str = "") -> Iterator[tuple[str, Json, Json]]:
    """Path, value and rule of each CEL rule that applies somewhere in a (defaulted) value."""
    for rule in schema.get(CEL, ()):
        if value is not None:
            yield path, value, rule
    if isinstance(value, dict):
        rest = schema.get("additionalProperties")
        for key, item in value.items():
            field = schema.get("properties", {}).get(key) or rest
            if isinstance(field, dict):
                yield from ruled(item, field, _at(path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from ruled(item, schema.get("items", {}), f"{path}[{number}]")


def _wrong_type(value: Json, schema: Json) -> str | None:
    wanted = schema.get("type")
    if schema.get(INT_OR_STRING) or schema.get("format") == "int-or-string":
        wanted = "integer or string"
        right = isinstance(value, int | str) and not isinstance(value, bool)
    elif wanted is None:
        return None
    else:
        right = isinstance(value, _TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))
    return None if right else f"is {_kind(value)} {_short(value)}, must be {wanted}"


def _kind(value: Json) -> str:
    names: dict[type, str] = {
        dict: "object",
        list: "array",
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "number",
    }
    return names.get(type(value), f"no JSON ({type(value).__name__}):")


def _short(value: Json) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 60 else text[:57] + "..."


def _at(path: str, key: str) -> str:
    part = key if re.fullmatch(r"[\w-]+", key) else f'["{key}"]'
    return f"{path}.{part}" if path and not part.startswith("[") else path + part


def _object(value: dict[str, Json], schema: Json, path: str, strict: bool) -> Iterator[str]:
    fields: dict[str, Json] = schema.get("properties", {})
    rest = schema.get("additionalProperties")
    if schema.get(IS_METADATA):
        yield from metadata_problems(value, path)
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{_at(path, key)}: is required"
    for key, item in value.items():
        if key in fields:
            yield from problems(item, fields[key], _at(path, key), strict=strict)
        elif isinstance(rest, dict):
            yield from problems(item, rest, _at(path, key), strict=strict)
        elif strict and rest is not True and not _takes(key, schema):
            yield f"{_at(path, key)}: unknown field{_nearest(key, fields)}"


def _takes(key: str, schema: Json) -> bool:
    """Whether an object takes a field that it doesn't name."""
    return bool(schema.get(OPEN)) or (bool(schema.get(EMBEDDED)) and key in ("apiVersion", "kind", "metadata"))


def _nearest(key: str, fields: dict[str, Json]) -> str:
    near = difflib.get_close_matches(key, fields, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _array(value: list[Json], schema: Json, path: str, strict: bool) -> Iterator[str]:
    items = schema.get("items", {})
    for number, item in enumerate(value if items else ()):
        yield from problems(item, items, f"{path}[{number}]", strict=strict)
    kind = schema.get("x-kubernetes-list-type")
    if schema.get("uniqueItems") or kind == "set":
        yield from _twice([_text(item) for item in value], path)
    elif kind == "map" and all(isinstance(item, dict) for item in value):
        keys = schema["x-kubernetes-list-map-keys"]
        known = items.get("properties", {})
        yield from _twice([_key(item, keys, known) for item in value], path)


def _key(item: dict[str, Json], keys: list[str], fields: dict[str, Json]) -> str:
    return ", ".join(f"{key}={_text(item.get(key, fields.get(key, {}).get('default')))}" for key in keys)


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def _twice(keys: list[str], path: str) -> Iterator[str]:
    first: dict[str, int] = {}
    for number, key in enumerate(keys):
        if key in first:
            yield f"{path}[{number}]: duplicate of [{first[key]}]: {key}"
        first.setdefault(key, number)


def _limits(value: Json, schema: Json, path: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        allowed = ", ".join(json.dumps(option) for option in schema["enum"])
        yield f"{path}: {_short(value)} is not one of {allowed}"
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield from _number(value, schema, path)
        return
    size, unit = len(value), _UNITS[type(value)]
    if size < schema.get(f"min{unit}", 0):
        yield f"{path}: has {size}, min{unit} is {schema[f'min{unit}']}"
    if size > schema.get(f"max{unit}", size):
        yield f"{path}: has {size}, max{unit} is {schema[f'max{unit}']}"
    if isinstance(value, str):
        yield from _string(value, schema, path)


def _number(value: float, schema: Json, path: str) -> Iterator[str]:
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if low is not None and (value < low or (schema.get("exclusiveMinimum") and value == low)):
        yield f"{path}: {value} is below the minimum {low}"
    if high is not None and (value > high or (schema.get("exclusiveMaximum") and value == high)):
        yield f"{path}: {value} is above the maximum {high}"
    if step and value % step:
        yield f"{path}: {value} is not a multiple of {step}"
    bits = {"int32": 31, "int64": 63}.get(schema.get("format", ""))
    if bits and not -(2**bits) <= value < 2**bits:
        yield f"{path}: {value} does not fit {schema['format']}"


def _string(value: str, schema: Json, path: str) -> Iterator[str]:
    if "pattern" in schema and not go_regex(schema["pattern"]).search(value):
        yield f"{path}: {_short(value)} does not match {schema['pattern']}"
    form = schema.get("format", "")
    if form in FORMATS and not _well_formed(value, form):
        yield f"{path}: {_short(value)} is not a {form}"


def _well_formed(value: str, form: str) -> bool:
    try:
        return FORMATS[form](value) is not False
    except ValueError:
        return False


def _junctions(value: Json, schema: Json, path: str) -> Iterator[str]:
    for part in schema.get("allOf", ()):
        yield from problems(value, part, path, strict=False)
    for name in ("anyOf", "oneOf"):
        parts = schema.get(name)
        if not parts:
            continue
        found = [list(problems(value, part, path, strict=False)) for part in parts]
        matches = sum(not part for part in found)
        if not matches:
            yield f"{path}: matches no part of {name}; the nearest says: {min(found, key=len)[0]}"
        elif name == "oneOf" and matches > 1:
            yield f"{path}: matches {matches} parts of oneOf, must match one"
    if "not" in schema and not any(problems(value, schema["not"], path, strict=False)):
        yield f"{path}: matches what the schema forbids: {_short(schema['not'])}"


@lru_cache(maxsize=4096)
def go_regex(pattern: str) -> re.Pattern[str]:
    r"""A Go (RE2) pattern for Python.

    Classes are ASCII; `$` and `\z` mean the very end, not before a newline; `(?i)` may stand anywhere (here
    it holds for the whole); `[` and `&&` in a class are plain characters; `\PC` is no control character.
    """
    flags = re.ASCII | (re.IGNORECASE if "(?i)" in pattern else 0)
    return re.compile(_GO_TOKEN.sub(_python_token, pattern.replace("(?i)", "")), flags)


_GO_TOKEN = re.compile(r"\\PC|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


def _python_token(found: re.Match[str]) -> str:
    token = found[0]
    if token.startswith("["):
        return "[" + re.sub(r"\\.|[\[&|~]", lambda part: part[0] if part[0][0] == "\\" else f"\\{part[0]}", token[1:])
    return {"$": r"\Z", r"\z": r"\Z", r"\PC": r"[^\x00-\x1f\x7f-\x9f]"}.get(token, token)


def _date_time(value: str) -> bool:
    whole = re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", value)
    return bool(whole) and bool(datetime.datetime.fromisoformat(re.sub(r"\.\d+", "", value.upper())))


FORMATS: dict[str, Callable[[str], object]] = {
    "byte": lambda value: base64.b64decode(value, validate=True),
    "cidr": lambda value: ipaddress.ip_interface(value) if "/" in value else False,
    "date": datetime.date.fromisoformat,
    "date-time": _date_time,
    "duration": lambda value: bool(re.fullmatch(r"0|[+-]?((\d+\.?\d*|\.\d+)\s?(ns|us|µs|ms|s|m|h|d|w))+", value)),
    "email": lambda value: bool(re.fullmatch(r"[^@\s]+@[^@\s]+", value)),
    "hostname": lambda value: bool(re.fullmatch(r"(?!-)[\w-]{1,63}(\.[\w-]{1,63})*\.?", value)) and len(value) < 256,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "mac": lambda value: bool(re.fullmatch(r"([0-9A-Fa-f]{2}[:-]){5}([0-9A-Fa-f]{2}[:-]?)", value)),
    "uri": lambda value: bool(urllib.parse.urlsplit(value).scheme) or value.startswith("/"),
    "uuid": uuid.UUID,
}
"""Formats that the API server checks (it ignores others). `False` or ValueError: not well formed."""
