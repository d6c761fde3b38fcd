"""Whatever is read either loads or is refused; what is plain data comes back as it was."""

import json
import math
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aifactory.blueprints.characters import HIDDEN
from aifactory.blueprints.document import Document
from aifactory.blueprints.limits import Limits
from aifactory.blueprints.scalars import AmbiguousError, resolve
from aifactory.blueprints.shown import shown
from aifactory.blueprints.source import parse
from aifactory.components.problems import Refused

CHARACTERS = "abc01.:-?&*!|>'\"%@`{}[],#~\n\t \\<=+_$é☃\u200b\u202e\x00\x1b\x85\u2028\ufeff\r"
WORDS = (
    ": ",
    "- ",
    "? ",
    "&a",
    "*a",
    "<<",
    "!!",
    "---",
    "...",
    "%YAML ",
    "\\u",
    "\\x",
    "null",
    "0x",
    "1e9",
    "\n  ",
)
YAML_BITS = st.sampled_from([*CHARACTERS, *WORDS])
YAML_LIKE = st.lists(YAML_BITS, max_size=60).map("".join)


def outcome(content: bytes, limits: Limits) -> Document | Refused:
    """The document, or the refusal; any other exception fails the test."""
    try:
        return parse(content, "f.yaml", limits)
    except Refused as refused:
        return refused


def check(content: bytes, limits: Limits) -> None:
    """Loads with a place in the text for every value, or is refused with places and harmless words."""
    result = outcome(content, limits)
    lines = content.decode("utf-8", "replace").split("\n")
    if isinstance(result, Refused):
        assert result.problems
        for problem in result.problems:
            assert problem.at is not None
            assert 1 <= problem.at.line <= len(lines) + 1
            assert (problem.says + problem.hint).isprintable()
        return
    json.dumps(result.data, allow_nan=False)
    lines.append("")  # what is missing at the end of a file stands on the line after it
    for at in result.positions.values():
        assert 1 <= at.column <= len(lines[at.line - 1]) + 1


@given(YAML_LIKE)
@settings(max_examples=1500, deadline=None)
def test_any_text_that_looks_like_yaml_loads_or_is_refused(text: str) -> None:
    check(text.encode(), Limits(depth=5, nodes=30, scalar_chars=20, aliases=3, problems=5))


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_any_bytes_load_or_are_refused(content: bytes) -> None:
    check(content, Limits())


@given(st.text(max_size=200))
@settings(max_examples=500, deadline=None)
def test_any_text_loads_or_is_refused(text: str) -> None:
    check(text.encode("utf-8", "surrogatepass"), Limits())


def visible(text: str) -> bool:
    """Whether a source file may hold the text, and its quoted form too."""
    return not HIDDEN.search(text) and "\r" not in text


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(visible)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXTS
FINITE = SCALARS.filter(lambda value: not isinstance(value, float) or math.isfinite(value))
DATA = st.recursive(
    FINITE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(DATA)
@settings(max_examples=500, deadline=None)
def test_json_data_comes_back_as_it_was(data: Any) -> None:
    text = json.dumps(data, ensure_ascii=False)
    assert parse(text.encode(), "f.yaml").data == data


def means_the_same_in_both_versions(data: Any) -> bool:
    """Whether PyYAML, which writes YAML 1.1, writes no plain text that YAML 1.2 takes for a number.

    It leaves `1e5`, `08`, `0o7` and `0x` forms it does not know unquoted.
    """
    if isinstance(data, dict):
        return all(means_the_same_in_both_versions(part) for pair in data.items() for part in pair)
    if isinstance(data, list):
        return all(means_the_same_in_both_versions(part) for part in data)
    if not isinstance(data, str):
        return True
    try:
        return resolve(data) == data or yaml.safe_dump(data).startswith(("'", '"'))
    except AmbiguousError:
        return bool(yaml.safe_dump(data).startswith(("'", '"')))


@given(DATA.filter(means_the_same_in_both_versions), st.booleans())
@settings(max_examples=500, deadline=None)
def test_what_pyyaml_writes_comes_back_as_it_was(data: Any, flow: bool) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow)
    assert parse(text.encode(), "f.yaml").data == data


@given(DATA)
@settings(max_examples=300, deadline=None)
def test_every_value_has_a_place_and_every_scalar_its_text(data: Any) -> None:
    document = parse(json.dumps(data, ensure_ascii=False).encode(), "f.yaml")
    for path in document.positions:
        value = document.data
        for step in path:
            value = value[step]
        assert (document.raw(path) is None) == isinstance(value, dict | list)


@given(st.text())
def test_a_shown_text_is_printable_and_short(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) < 800
