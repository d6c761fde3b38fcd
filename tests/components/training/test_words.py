"""Words reach the program as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.training import words


def expanded(word: str, variables: dict[str, str]) -> str:
    """What Kubernetes makes of a word: third_party/forked/golang/expansion, retold."""
    out, at = [], 0
    while at < len(word):
        after = word[at + 1 : at + 2]
        end = word.find(")", at + 2)
        if word[at] != "$" or not after:
            out.append(word[at])
        elif after == "$":
            out.append("$")
            at += 1
        elif after == "(" and end >= 0:
            name = word[at + 2 : end]
            out.append(variables.get(name, f"$({name})"))
            at = end
        else:
            out.append("$" + after)
            at += 1
        at += 1
    return "".join(out)


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain", "plain"),
        ("$HOME", "$HOME"),
        ("${HOME}", "${HOME}"),
        ("$(hostname)", "$$(hostname)"),
        ("$$(x)", "$$$$(x)"),
        ("cost: 5$", "cost: 5$"),
        ("$$", "$$$$"),
        ("a$$b", "a$$$$b"),
    ],
)
def test_a_word_is_escaped_only_where_kubernetes_would_change_it(word: str, written: str) -> None:
    assert words.literal(word) == written


@given(st.text(alphabet="$()AB{} ", max_size=30))
def test_every_word_survives_kubernetes(word: str) -> None:
    assert expanded(words.literal(word), {"A": "1", "AB": "2", "B": "3"}) == word


def test_without_the_escape_a_known_variable_would_be_replaced() -> None:
    assert expanded("$(A)", {"A": "1"}) == "1"


def test_references_are_found_by_name() -> None:
    assert words.references(["--to=$(MASTER_ADDR):$(PORT)", "$HOME", "$(not a name)"]) == {
        "MASTER_ADDR",
        "PORT",
    }
