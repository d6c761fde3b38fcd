"""Typed parameters: declared, given, bound; everything else stays the text it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.blueprints.includes import compose
from aifactory.blueprints.parameter_types import Declaration, Type
from aifactory.blueprints.parameters import Origin, bind, declared, parse_value
from aifactory.blueprints.source import Document, parse
from aifactory.components.problems import Position, Problem, Refused, path_text


def document(text: str) -> Document:
    """A document from text."""
    return parse(text.encode(), "f.yaml")


def bound(
    text: str, values: Mapping[str, object] | None = None, origin: Origin | Mapping[str, Origin] = "--set"
) -> Document:
    """A document with its parameters bound."""
    return bind(document(text), values or {}, origin)


def refused(
    text: str, values: Mapping[str, object] | None = None, origin: Origin | Mapping[str, Origin] = "--set"
) -> tuple[Problem, ...]:
    """The problems of a binding that must be refused."""
    with pytest.raises(Refused) as raised:
        bound(text, values, origin)
    return raised.value.problems


TYPED: list[tuple[str, object, object]] = [
    ("{type: integer, default: 4}", None, 4),
    ("{type: integer, default: 4}", 8, 8),
    ("{type: integer, default: 0}", None, 0),
    ("{type: integer, minimum: 4, maximum: 4}", 4, 4),
    ("{type: number, default: 0.5}", 2, 2),
    ("{type: number, minimum: 0, maximum: 1}", 0.25, 0.25),
    ("{type: number, allowed: [1, 2.5]}", 1.0, 1.0),
    ("{type: string, default: ''}", None, ""),
    ("{type: string, default: '1.30'}", None, "1.30"),
    ("{type: string, allowed: [eu, us]}", "us", "us"),
    ("{type: string}", "${HOME}", "${HOME}"),
    ("{type: boolean, default: false}", None, False),
    ("{type: boolean, default: false}", True, True),
    ("{type: integer, default: 1, description: Nodes of the pool.}", None, 1),
]


@pytest.mark.parametrize(("declaration", "given_value", "value"), TYPED)
def test_a_reference_becomes_the_value(declaration: str, given_value: object, value: object) -> None:
    values = {} if given_value is None else {"n": given_value}
    result = bound(f"parameters: {{n: {declaration}}}\nx: {{parameter: n}}\n", values)
    assert result.data == {"x": value}
    assert type(result.data["x"]) is type(value)


TEXT = """\
parameters:
  nodes: {type: integer, default: 0x10}
  name: {type: string}
parts:
  - {kind: pool, nodes: {parameter: nodes}, names: [{parameter: name}, other]}
  - kind: queue
    deep: {deeper: {parameter: nodes}}
"""


def test_every_reference_is_replaced_wherever_a_scalar_may_stand() -> None:
    result = bound(TEXT, {"name": "serve"})
    assert result.data == {
        "parts": [
            {"kind": "pool", "nodes": 16, "names": ["serve", "other"]},
            {"kind": "queue", "deep": {"deeper": 16}},
        ]
    }
    assert dict(result.bound) == {
        ("parts", 0, "nodes"): "nodes",
        ("parts", 0, "names", 0): "name",
        ("parts", 1, "deep", "deeper"): "nodes",
    }


def test_a_bound_value_has_the_place_of_its_reference_and_the_text_of_its_source() -> None:
    result = bound(TEXT, {"name": "serve"})
    assert result.positions[("parts", 0, "nodes")] == Position("f.yaml", 5, 25)
    assert result.positions.key(("parts", 0, "nodes")) == Position("f.yaml", 5, 18)
    assert result.raw(("parts", 0, "nodes")) == "0x10"
    assert result.raw(("parts", 0, "names", 0)) == "serve"


def test_binding_leaves_the_document_as_it_was() -> None:
    written = document(TEXT)
    before = document(TEXT).data
    assert bind(written, {"name": "a"}, "--set").data != bind(written, {"name": "b"}, "--set").data
    assert written.data == before


def test_a_reference_behind_an_alias_is_replaced_at_each_place() -> None:
    text = "parameters: {n: {type: integer, default: 1}}\na: &a {x: {parameter: n}}\nb: *a\n"
    result = bound(text)
    assert result.data == {"a": {"x": 1}, "b": {"x": 1}}
    assert sorted(path_text(path) for path in result.bound) == ["a.x", "b.x"]


def test_a_document_without_parameters_is_unchanged() -> None:
    text = "a: ${HOME}\nb: $n\nc: '{{ n }}'\nd: {parameter: n, other: 1}\ne: '{parameter: n}'\n"
    result = bound(text)
    assert result.data == document(text).data
    assert not result.bound


def test_no_environment_and_no_interpolation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("n", "canary")
    text = "x: [{parameter: n}, $n, '${n}', '{{ n }}', 'a {n}', '%n%']\n"
    assert bound(f"parameters: {{n: {{type: integer, default: 1}}}}\n{text}").data == {
        "x": [1, "$n", "${n}", "{{ n }}", "a {n}", "%n%"]
    }


def test_a_default_that_looks_like_a_reference_is_text() -> None:
    text = "parameters: {n: {type: string, default: '{parameter: n}'}}\nx: {parameter: n}\n"
    assert bound(text).data == {"x": "{parameter: n}"}


USED = "x: {parameter: n}"
WRONG: list[tuple[str, dict[str, object], list[tuple[int, int, str, str]]]] = [
    # given values
    (
        "parameters: {n: {type: integer, default: 4}}",
        {"n": "8"},
        [(1, 14, "parameters.n", '--set: n must be an integer, not "8"')],
    ),
    (
        "parameters: {n: {type: integer}}",
        {"n": True},
        [(1, 14, "parameters.n", "--set: n must be an integer, not true")],
    ),
    ("parameters: {n: {type: integer}}", {"n": 4.0}, [(1, 14, "parameters.n", "an integer, not 4.0")]),
    ("parameters: {n: {type: number}}", {"n": None}, [(1, 14, "parameters.n", "must be a number, not null")]),
    (
        "parameters: {n: {type: number}}",
        {"n": float("nan")},
        [(1, 14, "parameters.n", "number of 64 bits, not nan")],
    ),
    (
        "parameters: {n: {type: integer}}",
        {"n": 2**63},
        [(1, 14, "parameters.n", "64 bits, not 9223372036854775808")],
    ),
    ("parameters: {n: {type: boolean}}", {"n": 1}, [(1, 14, "parameters.n", "must be true or false, not 1")]),
    ("parameters: {n: {type: string}}", {"n": 1.3}, [(1, 14, "parameters.n", "must be text, not 1.3")]),
    (
        "parameters: {n: {type: string}}",
        {"n": ["a"]},
        [(1, 14, "parameters.n", "text, not a list of 1 item")],
    ),
    (
        "parameters: {n: {type: string}}",
        {"n": {"parameter": "n"}},
        [(1, 14, "parameters.n", "not a map of 1 key")],
    ),
    (
        "parameters: {n: {type: string}}",
        {"n": "a\x1b[1m"},
        [(1, 14, "parameters.n", "n holds the character U+001B ESCAPE")],
    ),
    (
        "parameters: {n: {type: string}}",
        {"n": "x" * 2_000_000},
        [(1, 14, "parameters.n", "has 2000000 characters")],
    ),
    (
        "parameters: {n: {type: integer, minimum: 2, maximum: 9}}",
        {"n": 10},
        [(1, 14, "parameters.n", "n must be at least 2 and at most 9, not 10")],
    ),
    (
        "parameters: {n: {type: integer, minimum: 2}}",
        {"n": 1},
        [(1, 14, "parameters.n", "n must be at least 2, not 1")],
    ),
    (
        "parameters: {n: {type: number, maximum: 2}}",
        {"n": 2.5},
        [(1, 14, "parameters.n", "n must be at most 2, not 2.5")],
    ),
    (
        "parameters: {n: {type: string, allowed: [eu, us]}}",
        {"n": "uk"},
        [(1, 14, "parameters.n", 'n must be an allowed value, not "uk"')],
    ),
    # names
    (
        "parameters: {n: {type: integer, default: 1}}",
        {"nn": 1},
        [(0, 0, "parameters.nn", '--set: "nn" is not a parameter of this document')],
    ),
    ("", {}, [(2, 16, "x", '"n" is not declared')]),
    (
        "parameters: {m: {type: integer, default: 1}}",
        {},
        [
            (2, 16, "x", '"n" is not declared'),
            (1, 14, "parameters.m", "nothing uses this parameter"),
        ],
    ),
    ("parameters: {n: {type: integer}}", {}, [(1, 14, "parameters.n", "n has no value")]),
    # declarations
    (
        "parameters: [n]",
        {},
        [(1, 13, "parameters", "parameters is not a map"), (2, 16, "x", "is not declared")],
    ),
    ("parameters: {n: 4}", {}, [(1, 17, "parameters.n", "a parameter is a map")]),
    ("parameters: {n: {default: 4}}", {}, [(1, 14, "parameters.n", "the parameter has no type")]),
    ("parameters: {n: {type: int}}", {}, [(1, 24, "parameters.n.type", '"int" is not a type')]),
    ("parameters: {n: {type: [integer]}}", {}, [(1, 24, "parameters.n.type", "this is not a type")]),
    (
        "parameters: {n: {type: integer, defualt: 1}}",
        {},
        [(1, 33, "parameters.n.defualt", '"defualt" says nothing about a parameter')],
    ),
    (
        "parameters: {n: {type: integer, default: x}}",
        {},
        [(1, 42, "parameters.n.default", 'an integer, not "x"')],
    ),
    (
        "parameters: {n: {type: string, default: 1.30}}",
        {},
        [(1, 41, "parameters.n.default", "text, not 1.30")],
    ),
    (
        "parameters: {n: {type: string, default: null}}",
        {},
        [(1, 41, "parameters.n.default", "text, not null")],
    ),
    (
        "parameters: {n: {type: integer, default: {parameter: n}}}",
        {},
        [(1, 42, "parameters.n.default", "not a map of 1 key")],
    ),
    (
        "parameters: {n: {type: string, default: $HOME, allowed: [a]}}",
        {},
        [(1, 41, "parameters.n.default", "an allowed value")],
    ),
    (
        "parameters: {n: {type: integer, default: 1, minimum: 2}}",
        {},
        [(1, 42, "parameters.n.default", "at least 2, not 1")],
    ),
    ("parameters: {n: {type: integer, minimum: x}}", {}, [(1, 42, "parameters.n.minimum", "an integer")]),
    (
        "parameters: {n: {type: integer, minimum: 3, maximum: 2}}",
        {},
        [(1, 42, "parameters.n.minimum", "minimum 3 is above maximum 2")],
    ),
    (
        "parameters: {n: {type: string, maximum: 2}}",
        {},
        [(1, 32, "parameters.n.maximum", "no meaning for type string")],
    ),
    (
        "parameters: {n: {type: integer, allowed: 2}}",
        {},
        [(1, 42, "parameters.n.allowed", "not a list of values")],
    ),
    (
        "parameters: {n: {type: integer, allowed: []}}",
        {},
        [(1, 42, "parameters.n.allowed", "not a list of values")],
    ),
    (
        "parameters: {n: {type: integer, allowed: [1, 1]}}",
        {},
        [(1, 46, "parameters.n.allowed[1]", "1 is allowed twice")],
    ),
    (
        "parameters: {n: {type: integer, allowed: [1, b]}}",
        {},
        [(1, 46, "parameters.n.allowed[1]", 'not "b"')],
    ),
    (
        "parameters: {n: {type: integer, description: 4}}",
        {},
        [(1, 46, "parameters.n.description", "description is not text")],
    ),
]


@pytest.mark.parametrize(("parameters", "values", "expected"), WRONG)
def test_a_wrong_parameter_is_refused_where_it_stands(
    parameters: str, values: dict[str, object], expected: list[tuple[int, int, str, str]]
) -> None:
    problems = refused(f"{parameters}\n{USED}\n", values)
    assert len(problems) == len(expected)
    for problem, (line, column, path, says) in zip(problems, expected, strict=True):
        assert path_text(problem.path) == path
        assert says in problem.says
        assert problem.at == (Position("f.yaml", line, column) if line else None)
        assert problem.hint


@pytest.mark.parametrize("name", ["N", "1n", "-n", "n.m", "n m", "${n}", "n" * 64, "ñ"])
def test_a_name_that_no_command_line_takes_is_refused(name: str) -> None:
    (problem,) = refused(f"parameters: {{'{name}': {{type: integer, default: 1}}}}\nx: {{parameter: '{name}'}}\n")
    assert "is not a name for a parameter" in problem.says
    assert problem.at == Position("f.yaml", 1, 14)


def test_a_reference_that_names_no_text_is_refused() -> None:
    (problem,) = refused("x: {parameter: 4}\n")
    assert (problem.at, problem.says) == (Position("f.yaml", 1, 16), "a parameter is named by text")


def test_a_value_of_the_document_is_refused_where_it_stands() -> None:
    text = (
        "parameters: {v: {type: string, default: '1.36'}, n: {type: integer, default: 1}}\n"
        "x: [{parameter: v}, {parameter: n}]\n"
        "placement: {parameters: {fra: {v: 1.30, m: 1}}}\n"
    )
    site = {"v": 1.3, "m": 1}
    problems = refused(text, site, ("placement", "parameters", "fra"))
    assert [(problem.at, path_text(problem.path), problem.says) for problem in problems] == [
        (Position("f.yaml", 3, 44), "placement.parameters.fra.m", '"m" is not a parameter of this document'),
        (Position("f.yaml", 3, 35), "placement.parameters.fra.v", "v must be text, not 1.30"),
    ]


def test_values_of_different_origins_are_refused_each_at_its_own() -> None:
    text = "parameters: {a: {type: integer}, b: {type: integer}}\nx: [{parameter: a}, {parameter: b}]\n"
    text += "sites: {fra: {b: no}}\n"
    origins: dict[str, Origin] = {"a": "--set", "b": ("sites", "fra", "b")}
    first, second = refused(text, {"a": "x", "b": "no"}, origins)
    assert first.says == '--set: a must be an integer, not "x"'
    assert first.at == Position("f.yaml", 1, 14)
    assert second.says == 'b must be an integer, not "no"'
    assert second.at == Position("f.yaml", 3, 18)


def test_a_wrong_declaration_is_reported_once_however_often_it_is_used() -> None:
    problems = refused("parameters: {n: {type: int}}\nx: [{parameter: n}, {parameter: n}]\n", {"n": 4})
    assert len(problems) == 1


def test_parameters_of_a_fragment_are_bound_by_the_document_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("aifactory: v1\ninclude: [b.yaml]\n")
    (tmp_path / "b.yaml").write_text("aifactory: v1\nparameters: {n: {type: integer}}\nx: {parameter: n}\n")
    result = bind(compose(tmp_path / "a.yaml", tmp_path), {"n": 3}, "--set")
    assert result.data == {"aifactory": "v1", "x": 3}
    assert result.positions[("x",)] == Position("b.yaml", 3, 4)


def test_declarations_are_listed_with_type_limits_and_description() -> None:
    limits = "minimum: 1, maximum: 9, allowed: [2, 4]"
    text = f"parameters: {{n: {{type: integer, default: 4, {limits}, description: Nodes.}}}}\n"
    assert declared(document(text)) == {
        "n": Declaration("n", "integer", Position("f.yaml", 1, 14), 4, "4", 1, 9, (2, 4), "Nodes.")
    }
    assert declared(document("x: 1\n")) == {}
    with pytest.raises(Refused):
        declared(document("parameters: {n: 4}\n"))


PARSED: list[tuple[Type, str, object]] = [
    ("integer", "4", 4),
    ("integer", "-4", -4),
    ("integer", "0x10", 16),
    ("number", "4", 4),
    ("number", "0.5", 0.5),
    ("number", "1e3", 1000.0),
    ("boolean", "true", True),
    ("boolean", "False", False),
    ("string", "true", "true"),
    ("string", "4", "4"),
    ("string", "", ""),
    ("string", "  a b ", "  a b "),
    ("string", "${HOME}", "${HOME}"),
]


@pytest.mark.parametrize(("type_", "text", "value"), PARSED)
def test_a_text_from_the_command_line_becomes_its_typed_value(type_: Type, text: str, value: object) -> None:
    parsed = parse_value(Declaration("n", type_, Position("f.yaml", 1, 1)), text)
    assert parsed == value
    assert type(parsed) is type(value)


NOT_PARSED: list[tuple[Type, str, str]] = [
    ("integer", "", 'n must be an integer, not ""'),
    ("integer", "4.0", "n must be an integer, not 4.0"),
    ("integer", "four", 'n must be an integer, not "four"'),
    ("integer", "٨", 'n must be an integer, not "٨"'),
    ("integer", " 4", 'n must be an integer, not " 4"'),
    ("integer", "1_000", 'n must be an integer, not "1_000"'),
    ("integer", "010", "n: 010 starts with a zero"),
    ("integer", "9" * 5000, "n: a number of 5000 characters"),
    ("integer", "true", "n must be an integer, not true"),
    ("number", ".inf", 'n: ".inf" is not a finite number'),
    ("number", "nan", 'n must be a number, not "nan"'),
    ("number", "80GiB", 'n must be a number, not "80GiB"'),
    ("boolean", "yes", 'n must be true or false, not "yes"'),
    ("boolean", "1", "n must be true or false, not 1"),
    ("string", "a\u202eb", "n holds the character U+202E RIGHT-TO-LEFT OVERRIDE"),
    ("string", "\x1b]0;x\x07", "n holds the character U+001B ESCAPE"),
]


@pytest.mark.parametrize(("type_", "text", "says"), NOT_PARSED)
def test_a_text_from_the_command_line_that_does_not_fit_is_refused(type_: Type, text: str, says: str) -> None:
    with pytest.raises(Refused) as raised:
        parse_value(Declaration("n", type_, Position("f.yaml", 7, 3)), text)
    (problem,) = raised.value.problems
    assert says in problem.says
    assert problem.says.isprintable()
    assert problem.at == Position("f.yaml", 7, 3)
    assert problem.hint


ANY_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)
TYPES = st.sampled_from(["integer", "number", "string", "boolean"])


@given(TYPES, ANY_VALUE)
def test_any_given_value_is_bound_as_it_is_or_refused(type_: str, value: Any) -> None:
    text = f"parameters: {{n: {{type: {type_}}}}}\nx: {{parameter: n}}\n"
    try:
        result = bound(text, {"n": value})
    except Refused as raised:
        problems = raised.problems
    else:
        problems = ()
        assert result.data == {"x": value}
    assert all(problem.says.isprintable() and problem.hint for problem in problems)


@given(TYPES, st.text())
def test_any_text_from_the_command_line_is_parsed_or_refused(type_: Any, text: str) -> None:
    try:
        value: object = parse_value(Declaration("n", type_, Position("f.yaml", 1, 1)), text)
    except Refused as raised:
        value = raised.problems
    if isinstance(value, tuple):
        assert all(problem.says.isprintable() and problem.hint for problem in value)
    else:
        assert type(value).__name__ in {"integer": "int", "boolean": "bool", "string": "str"}.get(type_, "int float")
