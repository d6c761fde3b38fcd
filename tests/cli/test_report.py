"""How problems look: the place, the line at fault, what to do; nothing a terminal obeys, no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from aifactory.cli import report
from aifactory.cli.report import refusal, rendered, tell, terminal_columns, text_columns
from aifactory.components.counting import counted
from aifactory.components.problems import Position, Problem


def written(tmp_path: Path, line: str) -> Path:
    """A folder with a file whose second line is given."""
    (tmp_path / "f.yaml").write_bytes(b"first: 1\n" + line.encode("utf-8", "surrogateescape") + b"\nthird: 3\n")
    return tmp_path


def lines(tmp_path: Path, line: str, column: int, columns: int | None = None, **problem: object) -> list[str]:
    """What is shown of a problem in the second line."""
    found = Problem("it is wrong", at=Position("f.yaml", 2, column), **problem)  # type: ignore[arg-type]  # as given
    (text,) = rendered([found], written(tmp_path, line), columns)
    return text.replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\x1b[36m", "").splitlines()


def test_a_problem_shows_its_place_its_line_and_the_cure(tmp_path: Path) -> None:
    assert lines(tmp_path, "  racks: 0", 10, path=("power", "racks"), hint="write 1", rule="GPU-015") == [
        "f.yaml:2:10: power.racks: it is wrong [GPU-015]",
        "    2 |   racks: 0",
        "                 ^",
        "hint: write 1",
    ]


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("it is wrong"), "it is wrong"),
        (Problem("it is wrong", ("parts", 1, "name")), "parts[1].name: it is wrong"),
        (Problem("it is wrong", site="lab"), "it is wrong (at lab)"),
        (Problem("it is wrong", hint="mend it"), "it is wrong\nhint: mend it"),
        (Problem("it is odd", severity="warning"), "warning: it is odd"),
        (Problem("it is wrong", at=Position("gone.yaml", 3, 1)), "gone.yaml:3:1: it is wrong"),
    ],
)
def test_what_is_not_known_of_a_problem_is_left_out(tmp_path: Path, problem: Problem, text: str) -> None:
    (shown,) = rendered([problem], tmp_path)
    assert shown.replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[33m", "").replace("\x1b[36m", "") == text


def test_one_problem_of_several_sites_is_shown_once(tmp_path: Path) -> None:
    problems = [Problem("it is wrong", site=site) for site in ("a", "b", "a")]
    assert list(rendered(problems)) == ["it is wrong (at a, b)"]


@pytest.mark.parametrize(
    ("line", "column", "excerpt", "caret"),
    [
        ("a:\tb", 4, "a: b", 3),  # a tab is one column here
        ("a: 東京 x", 7, "a: 東京 x", 8),  # a wide character is two
        ("a: e\u0301 x", 7, "a: e\u0301 x", 5),  # a mark on a letter is none
        ("a: \x1b[31mx", 5, "a: �[31mx", 4),
        ("a: \udc9bx", 5, "a: �x", 4),
        ("a: x\r", 4, "a: x", 3),
        ("a", 40, "a", 1),  # a column behind the line
    ],
)
def test_the_caret_stands_below_what_a_terminal_shows(
    tmp_path: Path, line: str, column: int, excerpt: str, caret: int
) -> None:
    _, shown, below = lines(tmp_path, line, column)
    assert shown == f"    2 | {excerpt}"
    assert below == " " * (8 + caret) + "^"


@pytest.mark.parametrize("column", [1, 60, 500, 990])
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_long_line_is_cut_around_the_caret(tmp_path: Path, column: int, columns: int) -> None:
    line = "".join(chr(ord("a") + index % 26) for index in range(1000))
    _, shown, caret = lines(tmp_path, line, column, columns)[-3:]
    assert len(shown) <= columns
    assert shown[caret.index("^")] == line[column - 1]


def test_a_long_line_of_wide_characters_is_cut_by_columns(tmp_path: Path) -> None:
    _, shown, caret = lines(tmp_path, "東" * 300, 150, 80)[-3:]
    assert caret.strip() == "^"
    assert 8 + 2 * shown.count("東") <= 80


def test_lines_that_a_file_does_not_have_are_not_shown(tmp_path: Path) -> None:
    written(tmp_path, "x: 1")
    for line in (0, 9):
        (text,) = rendered([Problem("wrong", at=Position("f.yaml", line, 1))], tmp_path)
        assert "|" not in text


@pytest.mark.parametrize(
    ("line", "column", "path", "excerpt"),
    [
        ("  password: CANARY", 13, ("password",), "  password: ***"),
        ("  environment: {A: CANARY}", 19, ("environment", "A"), "  environment: {***"),
        ("  secrets_provider: CANARY", 21, ("state", "secrets_provider"), "  secrets_provider: ***"),
        ("  x: {token: CANARY, y: 1}", 22, ("x", "y"), "  x: {token: ***, y: 1}"),
        ("  url: https://a:CANARY@b", 8, ("url",), "  url: https://***@b"),
        ("  url: https://a:CANARY@b", 20, ("url",), "  url: https://a:***"),
    ],
)  # fmt: skip
def test_the_line_at_fault_shows_no_secret(
    tmp_path: Path, line: str, column: int, path: tuple[str, ...], excerpt: str
) -> None:
    _, shown, caret = lines(tmp_path, line, column, path=path)
    assert "CANARY" not in shown
    assert shown.removeprefix("    2 | ").startswith(excerpt.removesuffix("***"))
    assert caret.strip() == "^"


def test_many_problems_are_cut_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [Problem(f"problem {index}") for index in range(250)]
    assert refusal(problems) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines()[199:] == ["problem 199", "… and 50 more", "250 problems. Nothing was written."]


def test_errors_come_before_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    tell([Problem("odd", severity="warning"), Problem("wrong")])
    assert capsys.readouterr().err.splitlines() == ["wrong", "warning: odd"]
    assert refusal([Problem("odd", severity="warning"), Problem("wrong")], outcome="") == 1
    assert capsys.readouterr().err.splitlines()[-1] == "1 problem."


def test_a_long_text_is_folded_between_words(tmp_path: Path) -> None:
    problem = Problem("word " * 30 + "x" * 50, hint="hint " * 30, at=Position("f.yaml", 2, 1))
    (text,) = rendered([problem], written(tmp_path, "a: 1"), 60)
    plain = text.replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\x1b[36m", "")
    assert all(len(line) <= 60 for line in plain.splitlines())
    assert plain.count("word") == 30


def test_text_is_at_most_120_columns_wide_and_100_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert text_columns() == 120
    monkeypatch.setenv("COLUMNS", "80")
    assert text_columns() == 80
    assert terminal_columns() is None
    monkeypatch.setattr(report.sys.stderr, "isatty", lambda: True)
    assert terminal_columns() == 80


def test_things_are_counted_in_english() -> None:
    assert [counted(count, "row") for count in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]


@pytest.mark.parametrize("columns", [None, 60])
def test_commands_have_whole_lines_of_their_own_and_nothing_a_terminal_obeys(
    tmp_path: Path, columns: int | None
) -> None:
    long = "pulumi " + "word " * 30
    shown = lines(tmp_path, "a: 1", 1, columns, hint="run:", commands=(long, "echo \x1b[2J"))
    assert shown[-3:] == ["hint: run:", f"  {long}", "  echo \\x1b[2J"]
