"""What is said of text that is no YAML: where, what, and what to do. The same from both parsers."""

import pytest

from aifactory.blueprints import events
from aifactory.blueprints.source import parse
from aifactory.components.problems import Refused

MISTAKES: list[tuple[str, int, int, str, str]] = [
    ("a: b: c\n", 1, 5, 'a ": " where no key may stand', "quote the value"),
    ("a\nb: 1\n", 2, 2, 'a ": " where no key may stand', "quote the value"),
    ("a: 1\nb\n", 2, 1, 'this line is neither "key: value" nor "- item"', "add the colon"),
    ("- a\nb\n", 2, 1, 'this line is neither "key: value" nor "- item"', "add the colon"),
    ("x: |\n a\nb\n", 3, 1, 'this line is neither "key: value" nor "- item"', "indent it"),
    ("a:\n  b: 1\n c: 2\n", 3, 2, "the indentation fits nothing above it", "starts at line 1, column 1"),
    ("a: 1\n- b\n", 2, 1, "the indentation fits nothing above it", "align with it"),
    ("a:\n\tb: 1\n", 2, 1, "a tab where only spaces may stand", "indent with spaces"),
    ("\ta: 1\n", 1, 1, "a tab where only spaces may stand", "indent with spaces"),
    ("a: 'x\n", 1, 4, "this quote is never closed", "close it"),
    ('a: 1\nb: "x\nc: 2\n', 2, 4, "this quote is never closed", "close it"),
    ("a: 'x' y\n", 1, 8, "text after a closing quote", "quote the whole text"),
    ("a: [1, 2\n", 1, 4, "this [ is never closed", "close it with ]"),
    ("a: {b: [1, {c: 2}\n", 1, 8, "this [ is never closed", "close it with ]"),
    ("a: {b: 1\n", 1, 4, "this { is never closed", "close it with }"),
    ("a: &x [1, 2\n", 1, 4, "this [ is never closed", "close it with ]"),
    ("a: [\n1,2\nb: 1\n", 3, 2, "this does not fit into the [ opened at line 1, column 4", "commas"),
    ("a: {b: 1]\n", 1, 9, "this does not fit into the { opened at line 1, column 4", "close it with }"),
    ("a: ]\n", 1, 4, "a ] that closes nothing", "delete it"),
    ("}\n", 1, 1, "a } that closes nothing", "delete it"),
    ("a: @x\n", 1, 4, "text that starts with @ without quotes", "quote it"),
    ("a: `x\n", 1, 4, "text that starts with a backquote without quotes", "quote it"),
    ("a: %x\n", 1, 4, "text that starts with % without quotes", "quote it"),
    ("a: *\n", 1, 5, "an anchor or alias without a name", "quote text that starts with & or *"),
    ("a: &\n", 1, 5, "an anchor or alias without a name", "quote text that starts with & or *"),
    ("a: - b\n", 1, 4, "a list item that may not stand here", "start it on its own line"),
    ("!foo!bar a\n", 1, 1, "a tag (!...)", "tags are not used here"),
    ("%YAML 2.0\n---\na: 1\n", 1, 1, "a %YAML version that is not 1.2", "delete the line"),
    ("&a *a\n", 1, 4, "", ""),
    ("&k a: 1\n", 1, 1, "an anchor on a key", "anchors stand on values"),
]


@pytest.mark.parametrize("parser", ["libyaml", "python"])
@pytest.mark.parametrize(("text", "line", "column", "says", "hint"), MISTAKES)
def test_a_mistake_is_named_with_its_place_and_a_cure(
    text: str, line: int, column: int, says: str, hint: str, parser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "__with_libyaml__", parser == "libyaml")
    with pytest.raises(Refused) as raised:
        parse(text.encode(), "f.yaml")
    (problem,) = raised.value.problems
    assert problem.at is not None
    assert (problem.at.line, problem.at.column) == (line, column)
    assert says in problem.says
    assert hint in problem.hint
    assert problem.hint


ONE_PARSER = [
    ("a: 'x\n---\n", 1, 4, "a quoted text runs into ---"),
    ('"\\q": 1\n', 1, 2, "an unknown escape after a backslash"),
    ("%FOO\n---\na\n", 1, 5, "a line that starts with %"),
    ("a: 1\n: e\n", 2, 1, "a value without a key"),
]


@pytest.mark.parametrize(("text", "line", "column", "says"), ONE_PARSER)
def test_a_mistake_that_only_libyaml_names_well_is_named(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(Refused) as raised:
        parse(text.encode(), "f.yaml")
    (problem,) = raised.value.problems
    assert problem.at is not None
    assert (problem.at.line, problem.at.column, problem.says) == (line, column, says)
