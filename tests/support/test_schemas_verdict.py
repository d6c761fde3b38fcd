"""A second opinion on custom resources: the same schemas as plain JSON Schema, judged by `jsonschema`.

It knows neither formats nor list keys.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from support import schemas_check as check
from support.schemas import Schemas

PLAIN = [
    "type",
    "enum",
    "pattern",
    "required",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
]
"""Keywords that mean the same in both."""


def plain(schema: dict[str, Any], owns: bool = True) -> dict[str, Any]:
    """A structural schema as JSON Schema (draft 4); `owns` where unknown fields are refused."""
    made: dict[str, Any] = {key: schema[key] for key in PLAIN if key in schema}
    if schema.get(check.INT_OR_STRING):
        made["type"] = ["integer", "string"]
    if schema.get("nullable"):
        made["type"] = [made["type"], "null"]
    made |= {key: plain(schema[key], owns and key == "items") for key in ("items", "not") if key in schema}
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            made[key] = [plain(part, False) for part in schema[key]]
    made["properties"] = {name: plain(part, owns) for name, part in schema.get("properties", {}).items()}
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = plain(schema["additionalProperties"], owns)
    elif owns and schema.get("type") == "object" and not schema.get(check.OPEN):
        made["additionalProperties"] = False
    return made


OTHERS: tuple[Any, ...] = ("x", -1, 1.5, True, [], {}, None)
"""Values of every type."""


def changed(value: Any) -> Iterator[Any]:
    """Every value that one small change makes: a field gone, renamed, new or of another type."""
    if isinstance(value, dict):
        yield value | {"unknownField": 1}
        for key, item in value.items():
            rest = {name: other for name, other in value.items() if name != key}
            yield rest
            yield rest | {f"{key}X": item}
            yield from (value | {key: wrong} for wrong in OTHERS)
            yield from (value | {key: other} for other in changed(item))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            for other in (*OTHERS, *changed(item)):
                yield [*value[:number], other, *value[number + 1 :]]


def formless(problem: str) -> bool:
    """Whether a problem is one that plain JSON Schema can find."""
    return " duplicate of " not in problem and not problem.endswith((" is not a uri", " does not fit int32"))


@pytest.mark.schema
def test_the_verdict_is_that_of_a_json_schema_validator(
    schemas: Schemas, sound_resources: list[dict[str, Any]]
) -> None:
    compared, refused = 0, 0
    for example in sound_resources:
        schema = schemas.schema(example["apiVersion"], example["kind"])
        fields = {name: part for name, part in schema["properties"].items() if name in ("spec", "data")}
        schema = {"type": "object", "properties": fields}
        judge = jsonschema.Draft4Validator(plain(schema))
        body = {name: example[name] for name in fields if name in example}
        for value in [body, *changed(body)]:
            filled = check.defaulted(value, schema)
            found = [problem for problem in check.problems(filled, schema) if formless(problem)]
            assert bool(found) is not judge.is_valid(filled), (example["kind"], value, found)
            compared, refused = compared + 1, refused + bool(found)
    assert compared > 4000
    assert refused > compared / 4
