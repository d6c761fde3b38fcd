"""How a value of the user appears in a message."""

from __future__ import annotations

import pytest

from aifactory.blueprints.shown import shown

KEY = "-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        ({}, "a map of 0 keys"),
        ({"a": 1}, "a map of 1 key"),
        ([1, 2], "a list of 2 items"),
        (["a"], "a list of 1 item"),
        ('a "b" \\', '"a \\"b\\" \\\\"'),
        ("\x1b[31m\u202e", '"\\x1b[31m\\u202e"'),
    ],
)
def test_a_value_appears_as_in_yaml_and_harmless_to_a_terminal(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (f"{KEY}\n" + "CANARY" * 200, '"***… (1228 characters)"'),
        ("x" * 600, f'"{"x" * 60}… (600 characters)"'),
        ("x" * 61, f'"{"x" * 60}… (61 characters)"'),
        ("a: b\ntoken: CANARY\n", '"a: b\\ntoken: ***\\n"'),
        ("https://u:" + "CANARY" * 30 + "@host", '"https://***@host"'),
    ],
)
def test_a_value_is_masked_before_it_is_cut(value: str, text: str) -> None:
    assert shown(value) == text
