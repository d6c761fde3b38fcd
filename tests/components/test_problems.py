import pytest

from aifactory.components.problems import Position, Problem, Refused, nearest, path_text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("parts",), "parts"),
        (("parts", 1, "accelerator"), "parts[1].accelerator"),
        ((0, "a"), "[0].a"),
    ],
)
def test_a_path_reads_like_code(path: tuple[str | int, ...], text: str) -> None:
    assert path_text(path) == text


def test_the_nearest_spelling_comes_first_then_what_is_known() -> None:
    assert nearest("b20", ["h200", "b200"]) == 'did you mean "b200"? Known: b200, h200'
    assert nearest("zzz", ["h200", "b200"]) == "Known: b200, h200"
    assert nearest("x", []) == "None is known"


def test_a_long_list_of_known_names_is_cut() -> None:
    assert nearest("q", [f"n{index:02d}" for index in range(20)], shown=3) == "Known: n00, n01, n02 and 17 more"


def test_a_refusal_names_all_its_problems() -> None:
    problem = Problem("too big", ("a",)).located(Position("f.yaml", 3, 2))
    refused = Refused([problem, Problem("too small")])
    assert str(refused) == "too big; too small"
    assert refused.problems[0].at == Position("f.yaml", 3, 2)
    assert str(Refused([])) == "refused"


def test_what_a_terminal_obeys_is_escaped_and_the_rest_kept() -> None:
    problem = Problem("Köln \x1b[31m\n\u202e\ud83d 東京", hint="\x07")
    assert problem.says == "Köln \\x1b[31m\\n\\u202e\\ud83d 東京"
    assert problem.hint == "\\x07"


def test_a_beginning_finds_its_word_in_any_case() -> None:
    assert nearest("ACC", ["accelerators", "drivers"]).startswith('did you mean "accelerators"?')
    assert nearest("de", ["DE", "FR"]).startswith('did you mean "DE"?')
