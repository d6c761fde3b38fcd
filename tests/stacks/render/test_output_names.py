"""Which paths a generated folder may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from aifactory.components.problems import Refused
from aifactory.stacks.render.output import write


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "build" / "out"


NAMES = (
    ("", "is empty"), ("/etc/passwd", "is absolute"), ("..", '".." as a name'),
    ("a/../../b", '".." as a name'),
    ("./a", '"." as a name'), ("a//b", '"" as a name'), ("a/", '"" as a name'), ("a\\b", "every disk"),
    ("C:/x", "every disk"), ("a\nb", "every disk"), ("a\x00", "every disk"), ("\x1b[2J", "every disk"),
    ("a\udc80", "every disk"), ("what?", "every disk"), ("con", "device"), ("a/NUL.yaml", "device"),
    ("Com1.txt", "device"), ("a.", "Windows drops"), ("a /b", "Windows drops"), ("n" * 256, "255 bytes"),
    ("é" * 128, "255 bytes"), (".aifactory.json", "our own records"), (".AIfactory.new/0", "our own records"),
    (".aifactory/x", "our own records"),
)  # fmt: skip


@pytest.mark.parametrize(("path", "why"), NAMES)
def test_a_path_that_is_no_portable_name_is_refused_and_nothing_written(out: Path, path: str, why: str) -> None:
    with pytest.raises(Refused) as caught:
        write(out, {"good": b"1", path: b"2"})
    assert [why in problem.says for problem in caught.value.problems] == [True]
    assert caught.value.problems[0].says.isprintable()
    assert not out.parent.exists()


COLLISIONS = (
    (["a", "A"], 'is the same file as "a"'),
    (["x/a", "X/b"], 'is in the same folder as "x"'),
    (["straße", "STRASSE"], 'is the same file as "straße"'),
    (["\u00e9", "e\u0301"], "is the same file as"),
    (["a", "a/b"], 'is in a folder, and "a" is a file'),
    (["a/b", "a"], 'is a file, and "a" is a folder'),
    (["A/b", "a"], 'is a file, and "A" is a folder'),
    (["a", "b", "a"], "is there twice"),
)


@pytest.mark.parametrize(("paths", "why"), COLLISIONS)
def test_two_paths_that_collide_on_some_disk_are_refused(out: Path, paths: list[str], why: str) -> None:
    with pytest.raises(Refused) as caught:
        write(out, ((path, b"") for path in paths))
    assert [why in problem.says for problem in caught.value.problems] == [True]
    assert not out.parent.exists()


def test_usual_names_are_accepted(out: Path) -> None:
    files = dict.fromkeys(("a-b_c.d", ".gitignore", "a b", "ü/模型", "console", "x/.aifactory.json", "n" * 255), b"1")
    assert write(out, files).written == tuple(sorted(files))
    assert {path: (out / path).read_bytes() for path in files} == files
