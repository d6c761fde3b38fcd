"""No file and no function is longer than one can hold in mind."""

from pathlib import Path

import pytest

from support.size_rules import ALLOWED, FILE_LINES, FUNCTION_LINES, too_long
from support.source_tree import SourceTree


def test_no_file_and_no_function_is_too_long() -> None:
    assert too_long(SourceTree()) == []


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("stacks/a.py", "a = 1\n" * FILE_LINES, 0),
        ("stacks/a.py", "a = 1\n" * (FILE_LINES + 1), 1),
        ("stacks/README.md", "words\n" * (FILE_LINES + 1), 1),
        ("stacks/a.py", "def f():\n" + "    a = 1\n" * (FUNCTION_LINES - 1), 0),
        ("stacks/a.py", "def f():\n" + "    a = 1\n" * FUNCTION_LINES, 1),
        ("tests/a.py", "class A:\n  async def f():\n" + "    a = 1\n" * FUNCTION_LINES, 1),
        ("stacks/a.py", "class A:\n  def __init__():\n" + "    a = 1\n" * 39, 0),
        ("stacks/a.py", "class A:\n  def __init__():\n" + "    a = 1\n" * 40, 1),
    ],
)
def test_a_file_or_function_over_its_limit_is_found(tmp_path: Path, name: str, text: str, found: int) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text)
    assert len(too_long(SourceTree(tmp_path))) == found


def test_an_allowed_exception_is_not_found_and_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "a.py").write_text("def f():\n" + "    a = 1\n" * FUNCTION_LINES)
    assert too_long(SourceTree(tmp_path), {"cli/a.py:f": "a table"}) == []
    assert all(ALLOWED.values())
