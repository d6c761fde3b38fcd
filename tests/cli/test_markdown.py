"""Markdown of a comment: hostile text stays text, and no comment is longer than a forge takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from aifactory.cli.markdown import LONGEST, LONGEST_TEXT, comment, first, plain, table

HOSTILE = [
    ("a | b", r"a \| b"),
    ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
    ("`code`", r"\`code\`"),
    ("**bold** _it_", r"\*\*bold\*\* \_it\_"),
    ("[a](javascript:b)", r"\[a\](javascript:b)"),
    ("two\nlines\r\n# heading", "two lines #&#8203; heading"),
    ("@octocat and @org/team", "@&#8203;octocat and @&#8203;org/team"),
    ("#12 !7", "#&#8203;12 !&#8203;7"),
    ("https://a.example www.b.example", "https:&#8203;//a.example www&#8203;.b.example"),
    ("&lt; & &#64;", "&amp;lt; &amp; &amp;#&#8203;64;"),
    ("</details>", "&lt;/details&gt;"),
    ("a\\|b", r"a\\\|b"),
    ("\u202egnp.exe\x1b[31m", r"gnp.exe \[31m"),
    ("$x$ ~~y~~", r"\$x\$ \~\~y\~\~"),
]


@pytest.mark.parametrize(("text", "expected"), HOSTILE)
def test_markup_stays_text(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(alphabet="|<>`*_[]()@#!~\\&$^:/w.a1 \n\t\r-+=\u202e\x00", max_size=60))
def test_whatever_stands_in_a_cell_a_table_has_its_cells_and_shows_the_text(text: str) -> None:
    page = "\n".join(table(("one", "two"), [(plain(text), "end")]))
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
    cells = [tokens[index + 1] for index, token in enumerate(tokens) if token.type == "td_open"]
    assert [cell.content for cell in cells][1:] == ["end"]
    children = cells[0].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    seen = "".join(child.content for child in children).replace("\u200b", "")
    wanted = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    assert seen.strip() == wanted


def test_a_long_text_is_cut() -> None:
    assert len(plain("x" * 10_000)) == LONGEST_TEXT


def test_no_half_of_an_escape_is_left_where_a_text_is_cut() -> None:
    assert re.fullmatch(r"(\\\|)+…", plain("|" * 10_000))


def test_more_lines_than_a_person_reads_are_counted() -> None:
    assert list(first(["- a", "- b", "- c"], 2, "findings")) == ["- a", "- b", "- … and 1 more findings"]


def test_a_comment_is_never_longer_than_a_forge_takes_and_says_what_it_leaves_out() -> None:
    text = comment([["head"], ["x" * LONGEST], [], ["tail"]])
    assert len(text) < LONGEST
    assert text == "head\n\ntail\n\n1 more sections are too long for a comment; `aifactory check` shows them."
