"""The structural validator alone, on schemas small enough to read."""

from typing import Any

import pytest

from support.schemas_check import defaulted, go_regex, problems
from support.schemas_meta import metadata_problems, name_problems
from support.schemas_store import _bare

INTEGER = {"type": "integer"}
STRING = {"type": "string"}
OBJECT = {"type": "object", "properties": {"size": INTEGER, "names": {"type": "array", "items": STRING}}}
KEYED = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "protocol"],
    "items": {
        "type": "object",
        "properties": {"port": INTEGER, "protocol": {"type": "string", "default": "TCP"}, "name": STRING},
    },
}
EITHER = {
    "type": "object",
    "properties": {"a": STRING, "b": STRING},
    "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
}
EMBEDDED = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": OBJECT}}

RIGHT: list[tuple[str, dict[str, Any], Any]] = [
    ("fields of their types", OBJECT, {"size": 1, "names": ["a"]}),
    ("a free object", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"a": {"b": 1}}),
    ("items of no schema", {"x-kubernetes-preserve-unknown-fields": True}, [{"a": [{}]}]),
    ("a map", {"type": "object", "additionalProperties": STRING}, {"a": "b"}),
    ("an integer as int-or-string", {"x-kubernetes-int-or-string": True}, 1),
    ("a string as int-or-string", {"x-kubernetes-int-or-string": True}, "25%"),
    ("null where it is allowed", {"type": "string", "nullable": True}, None),
    ("an integer as number", {"type": "number"}, 1),
    ("one of two", EITHER, {"a": "x"}),
    ("entries with different keys", KEYED, [{"port": 1}, {"port": 1, "protocol": "UDP"}]),
    (
        "an embedded resource",
        EMBEDDED,
        {"apiVersion": "v1", "kind": "X", "metadata": {}, "spec": {"size": 1}},
    ),
    ("a date and time", {"type": "string", "format": "date-time"}, "2026-02-28T23:59:59.5Z"),
    ("an unchecked format", {"type": "string", "format": "idn-hostname"}, "?"),
    ("a bound met", {"type": "integer", "minimum": 1, "maximum": 3, "multipleOf": 3}, 3),
]

WRONG: list[tuple[str, dict[str, Any], Any, str]] = [
    ("a misspelled field", OBJECT, {"sise": 1}, 'sise: unknown field; did you mean "size"?'),
    ("a field of an empty object", {"type": "object"}, {"a": 1}, "a: unknown field"),
    ("a string for an integer", OBJECT, {"size": "1"}, 'size: is string "1", must be integer'),
    ("a boolean for an integer", OBJECT, {"size": True}, "size: is boolean true, must be integer"),
    ("a fraction for an integer", OBJECT, {"size": 1.0}, "size: is number 1.0, must be integer"),
    ("a boolean as int-or-string", {"x-kubernetes-int-or-string": True}, True, "must be integer or string"),
    ("an integer for a boolean", {"type": "boolean"}, 1, "must be boolean"),
    ("no JSON at all", OBJECT, {"size": {1}}, "size: is no JSON (set): "),
    ("null", OBJECT, {"size": None}, "size: is null; leave the field out"),
    ("a wrong item", OBJECT, {"names": ["a", 2]}, "names[1]: is integer 2, must be string"),
    ("a missing field", OBJECT | {"required": ["size"]}, {}, "size: is required"),
    (
        "a wrong value of a map",
        {"type": "object", "additionalProperties": STRING},
        {"a/b": 1},
        '["a/b"]: is integer',
    ),
    ("a value not in the enum", {"type": "string", "enum": ["a", "b"]}, "c", '"c" is not one of "a", "b"'),
    ("a pattern missed", {"type": "string", "pattern": "^a$"}, "a\n", "does not match ^a$"),
    ("a string too long", {"type": "string", "maxLength": 1}, "ab", "has 2, maxLength is 1"),
    ("too few items", {"type": "array", "minItems": 1, "items": STRING}, [], "has 0, minItems is 1"),
    (
        "too many fields",
        {"type": "object", "maxProperties": 0, "additionalProperties": STRING},
        {"a": "b"},
        "has 1",
    ),
    ("a number too small", {"type": "integer", "minimum": 1}, 0, "0 is below the minimum 1"),
    (
        "an excluded bound",
        {"type": "number", "maximum": 1, "exclusiveMaximum": True},
        1,
        "above the maximum 1",
    ),
    ("a number off the grid", {"type": "integer", "multipleOf": 2}, 3, "3 is not a multiple of 2"),
    ("a number over 32 bits", {"type": "integer", "format": "int32"}, 2**31, "does not fit int32"),
    (
        "no date and time",
        {"type": "string", "format": "date-time"},
        "2026-02-30T00:00:00Z",
        "is not a date-time",
    ),
    ("no CIDR", {"type": "string", "format": "cidr"}, "10.0.0.0", "is not a cidr"),
    ("no address", {"type": "string", "format": "ipv4"}, "10.0.0", "is not a ipv4"),
    ("no base64", {"type": "string", "format": "byte"}, "a", "is not a byte"),
    ("no duration", {"type": "string", "format": "duration"}, "5", "is not a duration"),
    (
        "a set with a twin",
        {"type": "array", "x-kubernetes-list-type": "set", "items": STRING},
        ["a", "a"],
        "[1]: dup",
    ),
    (
        "two entries with one key, by default",
        KEYED,
        [{"port": 1, "name": "a"}, {"port": 1, "protocol": "TCP", "name": "b"}],
        '[1]: duplicate of [0]: port=1, protocol="TCP"',
    ),
    ("both of one", EITHER, {"a": "x", "b": "y"}, "matches 2 parts of oneOf"),
    ("none of one", EITHER, {}, "matches no part of oneOf; the nearest says: a: is required"),
    ("an unknown field beside oneOf", EITHER, {"a": "x", "c": 1}, "c: unknown field"),
    (
        "none of any",
        {"type": "string", "anyOf": [{"enum": ["a"]}, {"pattern": "^b"}]},
        "c",
        "matches no part of anyOf",
    ),
    ("one of all", {"type": "string", "allOf": [{"enum": ["a"]}, {"enum": ["b"]}]}, "a", 'not one of "b"'),
    ("what is forbidden", {"type": "string", "not": {"enum": ["a"]}}, "a", "matches what the schema forbids"),
    (
        "an unknown field of an embedded resource",
        EMBEDDED,
        {"apiVersion": "v1", "kid": "X"},
        "kid: unknown field",
    ),
]


@pytest.mark.parametrize(("schema", "value"), [case[1:] for case in RIGHT], ids=[case[0] for case in RIGHT])
def test_what_the_server_takes_has_no_problem(schema: dict[str, Any], value: Any) -> None:
    assert list(problems(value, schema)) == []


@pytest.mark.parametrize(("schema", "value", "says"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_the_server_refuses_is_one_problem(schema: dict[str, Any], value: Any, says: str) -> None:
    found = list(problems(value, schema))
    assert len(found) == 1
    assert says in found[0]


def test_each_problem_has_its_path() -> None:
    schema = {"type": "object", "properties": {"spec": OBJECT, "list": {"type": "array", "items": OBJECT}}}
    assert list(problems({"spec": {"size": "x"}, "list": [{}, {"names": [1]}]}, schema, "top")) == [
        'top.spec.size: is string "x", must be integer',
        "top.list[1].names[0]: is integer 1, must be string",
    ]


def test_defaults_fill_what_is_missing_or_null_and_leave_the_rest() -> None:
    leaf = {"type": "integer", "default": 3}
    inner = {"type": "object", "properties": {"size": leaf}, "default": {}}
    schema = {
        "type": "object",
        "properties": {"a": inner, "b": leaf, "c": {"type": "object", "properties": {"size": leaf}}},
    }
    given = {"b": None}
    assert defaulted(given, schema) == {"b": 3, "a": {"size": 3}}
    assert given == {"b": None}
    assert defaulted({"c": {}, "b": 1, "z": 1}, schema) == {
        "c": {"size": 3},
        "b": 1,
        "z": 1,
        "a": {"size": 3},
    }


PATTERNS = [
    (r"^a$", "a", True),
    (r"^a$", "a\n", False),
    (r"^a\z", "a", True),
    (r"^[$]\$$", "$$", True),
    (r"^(?i)(abort|warn)?$", "Warn", True),
    (r"^[[&&~|]$", "&", True),
    (r"^\d$", "٣", False),
    (r"^\PC*$", "a\x07", False),
    (r"b", "abc", True),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), PATTERNS)
def test_a_go_pattern_means_in_python_what_it_means_in_go(pattern: str, text: str, matches: bool) -> None:
    assert bool(go_regex(pattern).search(text)) is matches


NAMES = [
    ("", "ConfigMap", {"name": "a.b-c"}, None),
    ("", "ConfigMap", {"generateName": "a-"}, None),
    ("", "ConfigMap", {}, "metadata.name: is required"),
    ("", "ConfigMap", {"name": "A"}, "is not a DNS subdomain"),
    ("", "ConfigMap", {"name": "a" * 254}, "is not a DNS subdomain"),
    ("", "Namespace", {"name": "a.b"}, "is not a DNS label"),
    ("", "ConfigMap", {"name": "a", "namespace": "a.b"}, "metadata.namespace"),
    ("rbac.authorization.k8s.io", "ClusterRole", {"name": "system:aifactory"}, None),
    ("rbac.authorization.k8s.io", "ClusterRole", {"name": "a/b"}, "is not a path segment"),
]


@pytest.mark.parametrize(("group", "kind", "metadata", "says"), NAMES)
def test_a_name_follows_the_rule_of_its_kind(group: str, kind: str, metadata: dict[str, Any], says: str | None) -> None:
    found = list(name_problems(metadata, group, kind))
    assert len(found) == (says is not None)
    assert says is None or says in found[0]


LABELS = [
    ({"labels": {"a.b/c": "x_y", "d": ""}, "annotations": {"A.b/c": "any\nthing"}}, 0),
    ({"labels": {"a b": "x"}}, 1),
    ({"labels": {"a/b/c": "x"}}, 1),
    ({"labels": {"a": "x" * 64}}, 1),
    ({"labels": {"a": "-x"}}, 1),
    ({"annotations": {"/a": "x"}}, 1),
    ({"annotations": {"a": "x" * 262144}}, 1),
]


@pytest.mark.parametrize(("metadata", "count"), LABELS)
def test_labels_and_annotations_follow_kubernetes(metadata: dict[str, Any], count: int) -> None:
    assert len(list(metadata_problems(metadata, "metadata"))) == count


def test_prose_goes_and_a_field_named_description_stays() -> None:
    schema = {"description": "x", "properties": {"description": {"type": "string", "description": "y"}}}
    assert _bare(schema) == {"properties": {"description": {"type": "string"}}}
