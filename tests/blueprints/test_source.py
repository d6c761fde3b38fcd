"""What a well-formed file becomes: values of the YAML 1.2 core schema, each with its place."""

from pathlib import Path

import pytest

from aifactory.blueprints import events, source
from aifactory.blueprints.limits import Limits
from aifactory.blueprints.root import project_root
from aifactory.blueprints.source import Document, parse, read
from aifactory.components.problems import Position, Refused


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test runs with libyaml and with PyYAML's own parser."""
    monkeypatch.setattr(events, "__with_libyaml__", request.param == "libyaml")
    return str(request.param)


def document(text: str, limits: Limits = source.DEFAULT) -> Document:
    """A document from text."""
    return parse(text.encode(), "factory.yaml", limits)


def problems(text: str, limits: Limits = source.DEFAULT) -> list[tuple[int, int, str]]:
    """Line, column and words of each problem in a text."""
    with pytest.raises(Refused) as refused:
        document(text, limits)
    return [(p.at.line, p.at.column, p.says) for p in refused.value.problems if p.at is not None]


CORE_SCHEMA = [
    ("", None),
    ("~", None),
    ("null", None),
    ("NULL", None),
    ("nUll", "nUll"),
    ("true", True),
    ("FALSE", False),
    ("tRue", "tRue"),
    ("yes", "yes"),
    ("NO", "NO"),
    ("on", "on"),
    ("Off", "Off"),
    ("y", "y"),
    ("0", 0),
    ("-17", -17),
    ("+3", 3),
    ("0o17", 15),
    ("0x1F", 31),
    ("-0x1F", "-0x1F"),
    ("0b11", "0b11"),
    ("0o8", "0o8"),
    ("1_000", "1_000"),
    ("1,000", "1,000"),
    ("9223372036854775807", 2**63 - 1),
    ("-9223372036854775808", -(2**63)),
    ("1.30", 1.3),
    ("-.5", -0.5),
    ("2.", 2.0),
    ("0.5", 0.5),
    ("6e3", 6000.0),
    ("1e-3", 0.001),
    ("1.2.3", "1.2.3"),
    (".", "."),
    ("+", "+"),
    ("22:22", "22:22"),
    ("190:20:30", "190:20:30"),
    ("2026-02-01", "2026-02-01"),
    ("2026-02-01T10:00:00Z", "2026-02-01T10:00:00Z"),
    ("10.0.0.0/8", "10.0.0.0/8"),
    ("80GiB", "80GiB"),
    ("8e1Gi", "8e1Gi"),
    ("٨", "٨"),
    ("=", "="),
    ("'true'", "true"),
    ('"1.30"', "1.30"),
    ("'<<'", "<<"),
    ("${HOME}", "${HOME}"),
    ("$AWS_SECRET_ACCESS_KEY", "$AWS_SECRET_ACCESS_KEY"),
    ("'{{ env.HOME }}'", "{{ env.HOME }}"),
]


@pytest.mark.parametrize(("written", "value"), CORE_SCHEMA)
def test_a_plain_word_has_its_value_of_the_core_schema(written: str, value: object) -> None:
    read_value = document(f"x: {written}\n").data["x"]
    assert read_value == value
    assert type(read_value) is type(value)


AMBIGUOUS = [
    ("0755", "0755 starts with a zero: some readers take it for octal, some for decimal"),
    ("-08", "-08 starts with a zero: some readers take it for octal, some for decimal"),
    ("00.5", "00.5 starts with a zero"),
    ("9223372036854775808", '"9223372036854775808" does not fit in 64 bits'),
    ("0xFFFFFFFFFFFFFFFFFF", '"0xFFFFFFFFFFFFFFFFFF" does not fit in 64 bits'),
    (".inf", '".inf" is not a finite number'),
    ("-.Inf", '"-.Inf" is not a finite number'),
    (".NaN", '".NaN" is not a finite number'),
    ("1e400", "1e400 is larger than any number of 64 bits"),
    ("9" * 5000, "a number of 5000 characters"),
    ("0." + "1" * 5000, "a number of 5002 characters"),
]


@pytest.mark.parametrize(("written", "says"), AMBIGUOUS)
def test_a_number_that_two_readers_read_differently_is_refused(written: str, says: str) -> None:
    assert problems(f"x: {written}\n") == [(1, 4, says)]


@pytest.mark.parametrize(("written", "_says"), AMBIGUOUS)
def test_a_refused_number_is_text_when_quoted(written: str, _says: str) -> None:
    assert document(f"x: '{written}'\n").data == {"x": written}


FACTORY = """\
# A comment, Köln, 東京, ⚡.
aifactory: v1
demand:
  models:
    - {name: llama, version: 1.30}
    - name: "mistral"
      parallel: 0x10
placement: &place {core: [fra, sto]}
again: *place
"""

PLACES = [
    ((), 2, 1, 2, 1),
    (("aifactory",), 2, 12, 2, 1),
    (("demand",), 4, 3, 3, 1),
    (("demand", "models"), 5, 5, 4, 3),
    (("demand", "models", 0), 5, 7, 5, 7),
    (("demand", "models", 0, "version"), 5, 30, 5, 21),
    (("demand", "models", 1), 6, 7, 6, 7),
    (("demand", "models", 1, "name"), 6, 13, 6, 7),
    (("placement", "core", 1), 8, 32, 8, 32),
    (("again",), 9, 8, 9, 1),
    (("again", "core"), 8, 26, 8, 20),
]


@pytest.mark.parametrize(("path", "line", "column", "key_line", "key_column"), PLACES)
def test_each_value_and_each_key_has_its_place(
    path: tuple[str | int, ...], line: int, column: int, key_line: int, key_column: int
) -> None:
    read_document = document(FACTORY)
    assert read_document.positions[path] == Position("factory.yaml", line, column)
    assert read_document.positions.key(path) == Position("factory.yaml", key_line, key_column)
    assert read_document.at(path) == read_document.positions[path]
    assert read_document.key_at(path) == read_document.positions.key(path)


def test_a_path_that_does_not_exist_has_the_place_of_the_nearest_value_around_it() -> None:
    read_document = document(FACTORY)
    assert read_document.at(("demand", "models", 7, "name")) == Position("factory.yaml", 5, 5)
    assert read_document.key_at(("nothing",)) == Position("factory.yaml", 2, 1)
    assert ("demand", "models", 7) not in read_document.positions
    with pytest.raises(KeyError):
        read_document.positions.key(("nothing",))


def test_positions_list_every_path_of_the_data() -> None:
    positions = document("a: {b: [1, 2]}\nc: 3\n").positions
    assert list(positions) == [(), ("a",), ("a", "b"), ("a", "b", 0), ("a", "b", 1), ("c",)]
    assert len(positions) == 6


def test_the_text_of_a_scalar_stays_reachable_as_written() -> None:
    read_document = document(FACTORY)
    assert read_document.data["demand"]["models"][0]["version"] == 1.3
    assert read_document.raw(("demand", "models", 0, "version")) == "1.30"
    assert read_document.raw(("demand", "models", 1, "parallel")) == "0x10"
    assert read_document.raw(("demand", "models", 1, "name")) == "mistral"
    assert read_document.raw(("demand",)) is None
    assert read_document.raw(("nothing", 3)) is None


def test_windows_line_ends_do_not_move_places() -> None:
    read_document = document("a: 1\r\nb:\r\n  c: 2\r\n")
    assert read_document.data == {"a": 1, "b": {"c": 2}}
    assert read_document.positions[("b", "c")] == Position("factory.yaml", 3, 6)


def test_an_alias_repeats_the_value_of_its_anchor() -> None:
    read_document = document("a: &a [1, {b: 2}]\nc: *a\nd: &s text\ne: [*s, *a]\n")
    assert read_document.data["c"] == [1, {"b": 2}]
    assert read_document.data["e"] == ["text", [1, {"b": 2}]]
    assert read_document.nodes == 16


def test_a_change_to_the_data_of_one_alias_changes_no_other() -> None:
    data = document("a: &a [1]\nb: *a\n").data
    data["a"].append(2)
    assert data["b"] == [1]


def test_a_json_file_is_read() -> None:
    assert document('{"a": [1, 2.5, null, true],\n "b": "\\u00e9"}\n').data == {
        "a": [1, 2.5, None, True],
        "b": "é",
    }


def test_all_problems_of_a_file_are_reported_together() -> None:
    found = problems("a: 1\na: 2\nb: !x y\n3: z\n<<: {}\nc: *no\nd: 'open\n")
    assert [line for line, _, _ in found] == [2, 3, 4, 5, 6, 7]


LIMITS = Limits(depth=3, nodes=20, scalar_chars=10, aliases=2, problems=4)

BEYOND = [
    ("a: {b: {c: {}}}", [(1, 12, "more than 3 lists and maps inside one another")]),
    (f"a: [{', '.join('x' * 20)}]", [(1, 59, "more than 20 values, counting what aliases repeat")]),
    ("a: 12345678901", [(1, 4, "a text of 11 characters; at most 10 are allowed")]),
    ("12345678901: a", [(1, 1, "a text of 11 characters; at most 10 are allowed")]),
    ("a: &a 1\nb: [*a, *a, *a]", [(2, 13, "more than 2 aliases in one file")]),
    ("a: &a [1,1,1,1,1,1,1]\nb: [*a,*a]", [(2, 8, "more than 20 values, counting what aliases repeat")]),
    ("a: &a [[1]]\nb: [*a]", [(2, 5, "more than 3 lists and maps inside one another")]),
    ("a: [!x 1, !x 1, !x 1, !x 1, !x 1, !x 1]", 5),
]


@pytest.mark.parametrize(("text", "expected"), BEYOND)
def test_reading_stops_at_a_limit(text: str, expected: list[tuple[int, int, str]] | int) -> None:
    found = problems(text, LIMITS)
    if isinstance(expected, int):
        assert len(found) == expected
        assert found[-1][2] == "more than 4 problems; reading stopped here"
    else:
        assert found[: len(expected)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: {c: 1}}",
        f"a: [{', '.join('x' * 18)}]",
        "a: &a [1]\nb: [*a, *a]",
        "abcdefghij: abcdefghij",
    ],
)
def test_a_text_just_within_the_limits_is_read(text: str) -> None:
    assert document(text, LIMITS).data


def test_a_file_is_named_relative_to_the_project(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "fra.yaml").write_text("site: fra\n")
    read_document = read(tmp_path / "sites" / "fra.yaml", tmp_path)
    assert read_document.files == ("sites/fra.yaml",)
    assert read_document.positions[("site",)] == Position("sites/fra.yaml", 1, 7)


def test_a_missing_file_has_a_hint_at_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "factory.yaml").write_text("a: 1\n")
    with pytest.raises(Refused) as refused:
        read(tmp_path / "factroy.yaml", tmp_path)
    (problem,) = refused.value.problems
    assert problem.says == 'there is no file "factroy.yaml"'
    assert problem.hint.startswith('did you mean "factory.yaml"?')


def test_the_project_begins_at_the_nearest_marker(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    (inner / "blueprints").mkdir(parents=True)
    (tmp_path / "Pulumi.yaml").touch()
    file = inner / "blueprints" / "factory.yaml"
    file.touch()
    assert project_root(file) == tmp_path.resolve()
    (inner / "aifactory.yaml").touch()
    assert project_root(file) == inner.resolve()
    assert project_root(inner / "blueprints") == inner.resolve()
    assert project_root(tmp_path / "missing" / "x.yaml") == tmp_path.resolve()


def test_without_a_marker_the_project_is_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a" / "factory.yaml"
    file.parent.mkdir()
    file.touch()
    assert project_root(file) == file.parent.resolve()


def test_a_folder_named_like_a_marker_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    (folder / "aifactory.yaml").mkdir(parents=True)
    assert project_root(folder / "x.yaml") == folder.resolve()
    assert project_root(folder / "aifactory.yaml") == (folder / "aifactory.yaml").resolve()
