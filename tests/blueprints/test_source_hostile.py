"""Hostile files (HI-01 to HI-07, HI-13, HI-14, our own): refused at the right place, fast, in little memory.

The small ones are in `tests/data/hostile/`, each a row of `CORPUS`; the large ones are made here.
"""

import errno
import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from aifactory.blueprints import events
from aifactory.blueprints.limits import Limits
from aifactory.blueprints.source import parse, read
from aifactory.components.problems import Refused

HOSTILE = Path(__file__).resolve().parent.parent / "data" / "hostile"

ON_NO_SCREEN = "it does not show on every screen"
AS_UTF8 = "save the file as UTF-8"
NO_TAGS = "tags are not used here"

CORPUS: dict[str, list[tuple[int, int, str, str]]] = {
    # HI-03: aliases
    "recursive-alias.yaml": [(1, 11, 'the alias "a" stands inside what it repeats', "write the values out")],
    "recursive-alias-indirect.yaml": [(3, 10, 'the alias "a" stands inside', "write the values out")],
    "alias-bomb.yaml": [(6, 16, "more than 250000 values, counting what aliases repeat", "drop the aliases")],
    "alias-depth.yaml": [(64, 12, "more than 64 lists and maps inside one another", "flatten")],
    "alias-unknown.yaml": [(2, 5, 'the alias "example" has no anchor above it', "quote text that starts with *")],
    "anchor-twice.yaml": [(2, 4, 'the anchor "x" is set twice, first at line 1', "its own name")],
    # HI-04: tags
    "tag-python.yaml": [(1, 6, f'the tag "!!python/object/apply:os.system"; {NO_TAGS}', "delete it")],
    "tag-include.yaml": [(1, 8, f'the tag "!Include"; {NO_TAGS}', "use include: at the top")],
    "tag-binary.yaml": [(1, 6, f'the tag "!!binary"; {NO_TAGS}', "delete it")],
    "tag-set.yaml": [(1, 8, f'the tag "!!set"; {NO_TAGS}', "delete it")],
    "tag-string.yaml": [(1, 10, f'the tag "!!str"; {NO_TAGS}', "quote a value to make it text")],
    "tag-unknown.yaml": [(1, 7, f'the tag "!"; {NO_TAGS}', "delete it")],
    "tag-handle.yaml": [(1, 1, "a %TAG line", NO_TAGS), (3, 7, "the tag", "delete it")],
    # HI-05: documents, and what hides a value behind another
    "second-document.yaml": [(3, 1, "a second document in one file", "keep one document")],
    "duplicate-key.yaml": [(3, 1, '"region" is set twice, first at line 1, column 1', "keep one")],
    "duplicate-key-quoted.yaml": [(2, 1, '"region" is set twice, first at line 1', "keep one")],
    "merge-key.yaml": [(3, 3, "the merge key <<", "include a fragment")],
    "yaml-1-1.yaml": [(1, 1, "%YAML 1.1; files are read as YAML 1.2", "delete the line")],
    # HI-06: encodings and control characters
    "utf16.yaml": [(1, 1, "the file starts with a byte order mark (UTF-16)", AS_UTF8)],
    "utf16-without-mark.yaml": [(1, 2, "the character U+0000 NUL is not allowed", "UTF-16")],
    "byte-order-mark.yaml": [(1, 1, "the file starts with a byte order mark (UTF-8)", AS_UTF8)],
    "invalid-utf8.yaml": [(1, 8, "the byte 0xf6 is not UTF-8", AS_UTF8)],
    "surrogate.yaml": [(1, 7, "lone surrogate U+D83D", AS_UTF8)],
    "surrogate-escaped.yaml": [(1, 10, "an escape that is no character", "write the character itself")],
    "nul.yaml": [(1, 8, "the character U+0000 NUL is not allowed", AS_UTF8)],
    "nul-escaped.yaml": [(1, 7, "the escaped character U+0000 NUL is not allowed", "delete it")],
    "c1-control.yaml": [(1, 8, "U+009B CONTROL SEQUENCE INTRODUCER is not allowed", ON_NO_SCREEN)],
    "terminal-escape.yaml": [
        (1, 7, "the character U+001B ESCAPE is not allowed", ON_NO_SCREEN),
        (1, 16, "the character U+0007 BELL is not allowed", ON_NO_SCREEN),
    ],
    "terminal-escape-escaped.yaml": [(1, 7, "the escaped character U+001B ESCAPE", ON_NO_SCREEN)],
    "carriage-return.yaml": [(1, 11, "U+000D CARRIAGE RETURN is not allowed", "end lines with LF or CRLF")],
    "line-separator.yaml": [(1, 11, "U+2028 LINE SEPARATOR is not allowed", ON_NO_SCREEN)],
    # HI-07: what cannot be seen
    "zero-width-space.yaml": [(1, 11, "U+200B ZERO WIDTH SPACE is not allowed", ON_NO_SCREEN)],
    "bidi-override.yaml": [(1, 14, "U+202E RIGHT-TO-LEFT OVERRIDE is not allowed", ON_NO_SCREEN)],
    "bidi-override-escaped.yaml": [(1, 9, "the escaped character U+202E RIGHT-TO-LEFT OVERRIDE", ON_NO_SCREEN)],
    "no-break-space.yaml": [(2, 1, "U+00A0 NO-BREAK SPACE is not allowed", "use a plain space")],
    "tag-characters.yaml": [
        (1, 9, "the character U+E0041 TAG LATIN CAPITAL LETTER A", ON_NO_SCREEN),
        (1, 10, "the character U+E0042 TAG LATIN CAPITAL LETTER B", ON_NO_SCREEN),
    ],
    "variation-selector.yaml": [(1, 9, "U+E0101 VARIATION SELECTOR-18 is not allowed", ON_NO_SCREEN)],
    "private-use.yaml": [(1, 7, "the character U+E0B0 is not allowed", ON_NO_SCREEN)],
    # HI-13, HI-14: templates, keys and numbers
    "template.yaml": [(1, 8, "a list or map used as a key", "quote text that starts with {")],
    "keys-not-text.yaml": [
        (1, 1, "the key 1 is not text", 'quote it: "1"'),
        (2, 1, "the key null is not text", 'quote it: "null"'),
        (3, 1, "the key true is not text", 'quote it: "true"'),
        (4, 1, "the key 1.5 is not text", 'quote it: "1.5"'),
        (5, 1, "", ""),  # the two parsers say it in their own words
    ],
    "key-list.yaml": [(1, 3, "a list or map used as a key", "quote text")],
    "key-alias.yaml": [(2, 1, "an alias used as a key", "write the key out")],
    "numbers.yaml": [
        (1, 7, "0755 starts with a zero", 'quote it: "0755", or write 0o'),
        (2, 6, '"99999999999999999999" does not fit in 64 bits', "quote it"),
        (3, 6, '".inf" is not a finite number', "quote it"),
        (4, 6, '".nan" is not a finite number', "quote it"),
        (5, 7, "1e999 is larger than any number of 64 bits", "quote it"),
    ],
    # Plain mistakes
    "tab.yaml": [(2, 1, "a tab where only spaces may stand", "indent with spaces")],
    "quote-open.yaml": [(1, 7, "this quote is never closed", "close it")],
    "bracket-open.yaml": [(1, 8, "this [ is never closed", "close it with ]")],
    "empty.yaml": [(1, 1, "the file is empty", "aifactory: v1")],
    "comments-only.yaml": [(1, 1, "the file is empty", "aifactory: v1")],
}

PYTHON_SAYS_OTHERWISE = {"surrogate-escaped.yaml"}
"""Files that PyYAML's own parser refuses at another column; the test below holds that it refuses them."""


def refused(content: bytes) -> list[tuple[int, int, str, str]]:
    """The problems of a content that must be refused."""
    with pytest.raises(Refused) as raised:
        parse(content, "f.yaml")
    return [(p.at.line, p.at.column, p.says, p.hint) for p in raised.value.problems if p.at is not None]


def test_every_hostile_file_is_in_the_table() -> None:
    assert sorted(CORPUS) == sorted(path.name for path in HOSTILE.glob("*.yaml"))


CASES = [
    (name, engine)
    for name in CORPUS
    for engine in ("libyaml", "python")
    if engine == "libyaml" or name not in PYTHON_SAYS_OTHERWISE
]


@pytest.mark.parametrize(("name", "engine"), CASES)
def test_a_hostile_file_is_refused_with_place_reason_and_hint(
    name: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "__with_libyaml__", engine == "libyaml")
    with pytest.raises(Refused) as raised:
        read(HOSTILE / name, HOSTILE)
    problems = raised.value.problems
    assert len(problems) == len(CORPUS[name])
    for problem, (line, column, says, hint) in zip(problems, CORPUS[name], strict=True):
        assert problem.at is not None
        assert (problem.at.file, problem.at.line, problem.at.column) == (name, line, column)
        assert says in problem.says
        assert hint in problem.hint


def test_an_escape_beyond_unicode_is_refused_by_both_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    for libyaml in (True, False):
        monkeypatch.setattr(events, "__with_libyaml__", libyaml)
        for escape in ("\\uD83D", "\\U00110000", "\\UFFFFFFFF"):
            assert refused(f'name: "{escape}"\n'.encode())


@pytest.mark.parametrize("name", CORPUS)
def test_no_message_about_a_hostile_file_holds_a_hidden_character(name: str) -> None:
    with pytest.raises(Refused) as raised:
        read(HOSTILE / name, HOSTILE)
    text = "".join(problem.says + problem.hint for problem in raised.value.problems)
    assert text.isprintable()


LARGE: dict[str, tuple[bytes, str]] = {
    "100,000 opening brackets (HI-01)": (b"[" * 100_000, "more than 64 lists"),
    "100,000 opening braces (HI-01)": (b"{" * 100_000, "more than 64 lists"),
    "100,000 dashes": (b"- " * 100_000, "more than 64 lists"),
    "2,000 nested maps (HI-01)": (b"".join(b" " * i + b"a:\n" for i in range(2_000)), "more than 64 lists"),
    "a text of 7 MB (HI-02)": (b"a: " + b"x" * 7_000_000, "a text of 7000000 characters"),
    "a folded text of 7 MB": (b"a: >\n" + b"  x\n" * 1_750_000, "characters; at most 1048576"),
    "a key of 7 MB": (b"x" * 7_000_000 + b": 1", ""),
    "700,000 empty lists": (b"- []\n" * 700_000, "more than 250000 values"),
    "1,500,000 commas": (b"[" + b"x," * 1_500_000 + b"x]", "more than 250000 values"),
    "a number of 7 million digits": (b"a: " + b"9" * 7_000_000, "a text of 7000000 characters"),
    "1,001 aliases": (b"a: &a 1\nb: [" + b"*a," * 1_001 + b"]", "more than 1000 aliases"),
    "200,000 duplicate keys": (b"a: 1\n" * 200_000, "more than 100 problems"),
    "200,000 tags": (b"- !x 1\n" * 200_000, "more than 100 problems"),
    "2 million zero-width spaces": (
        "a: \u200b".encode() + "\u200b".encode() * 2_000_000,
        "more such characters follow",
    ),
    "7 million escape characters": (b"\x1b" * 7_000_000, "more such characters follow"),
    "7 million NULs": (b"\x00" * 7_000_000, "NUL"),
    "7 MB of comments": (b"# x\n" * 1_750_000, "the file is empty"),
    "7 MB of empty lines": (b"\n" * 7_000_000, "the file is empty"),
    "7 MB of document starts": (b"---\n" * 1_750_000, "a second document"),
    "7 MB of an unclosed quote": (b"a: '" + b"x\n " * 2_300_000, "never closed"),
    "100,000 question marks": (b"? " * 100_000, ""),
    "100,000 anchors on nothing": (b"&a " * 100_000, ""),
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_hostile_file_is_refused_in_bounded_time_and_memory(name: str) -> None:
    content, says = LARGE[name]
    start = time.process_time()
    problems = refused(content)
    elapsed_s = time.process_time() - start
    assert len(problems) <= 101
    assert says in problems[-1][2]
    assert elapsed_s < (1 if "HI-01" in name else 5) * (4 if sys.gettrace() else 1)  # counted lines take time too
    tracemalloc.start()
    refused(content)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 160 * 1024 * 1024


READ_IN_A_SMALL_PROCESS = """
import json, pathlib, resource, sys, time
from aifactory.blueprints.source import read
from aifactory.components.problems import Refused
path = pathlib.Path(sys.argv[1])
before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
try:
    read(path, path.parent)
    says = "read"
except Refused as refused:
    says = refused.problems[0].says
after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"says": says, "seconds": time.process_time() - start, "grown_kib": after_kib - before_kib}))
"""


def in_a_small_process(path: Path) -> dict[str, object]:
    """Reads a file in a process of its own: what it said, how long it took, by how much memory grew."""
    command = [sys.executable, "-c", READ_IN_A_SMALL_PROCESS, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


def test_a_file_of_300_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    result = in_a_small_process(path)
    assert result["says"] == "large.yaml has 300000000 bytes or more; at most 8388608 are read"
    assert float(str(result["seconds"])) < 1
    assert int(str(result["grown_kib"])) < 8 * 1024


def test_a_scalar_of_50_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: " + b"x" * 50_000_000)
    result = in_a_small_process(path)
    assert "has 50000003 bytes or more" in str(result["says"])
    assert int(str(result["grown_kib"])) < 8 * 1024


def test_ten_thousand_nested_maps_are_refused_in_under_a_second(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_bytes(b"{a: " * 10_000 + b"1" + b"}" * 10_000)
    result = in_a_small_process(path)
    assert "more than 64 lists and maps" in str(result["says"])
    assert float(str(result["seconds"])) < 1


def test_an_alias_bomb_costs_little_memory() -> None:
    result = in_a_small_process(HOSTILE / "alias-bomb.yaml")
    assert "more than 250000 values" in str(result["says"])
    assert int(str(result["grown_kib"])) < 16 * 1024


def says_of(path: Path, root: Path, limits: Limits = Limits()) -> str:  # noqa: B008 - frozen
    """What is said of a file that must be refused."""
    with pytest.raises(Refused) as raised:
        read(path, root, limits)
    (problem,) = raised.value.problems
    return problem.says


def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert says_of(tmp_path / "pipe.yaml", tmp_path) == "pipe.yaml is not a regular file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    assert says_of(tmp_path / "sites", tmp_path) == "sites is a folder, not a file"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero on this system")
def test_a_device_is_refused() -> None:
    assert says_of(Path("/dev/zero"), Path("/dev")) == "zero is not a regular file"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc on this system")
def test_a_file_that_claims_to_be_empty_is_read_up_to_the_limit_only() -> None:
    folder = Path(os.path.realpath("/proc/self"))
    assert "bytes or more; at most 10 are read" in says_of(folder / "maps", folder, Limits(file_bytes=10))


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("a: canary\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "factory.yaml").symlink_to(tmp_path / "secret.yaml")
    says = says_of(project / "factory.yaml", project)
    assert "lies outside the project" in says
    assert "canary" not in says


def test_links_that_go_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "b.yaml")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "a.yaml")
    assert "cannot be read" in says_of(tmp_path / "a.yaml", tmp_path)


@pytest.mark.parametrize("name", ["a\x1b[2Jb.yaml", "a\nb.yaml", "a\u202eb.yaml", "a\udcffb.yaml"])
def test_a_file_name_that_hides_characters_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("a: 1\n")
    says = says_of(tmp_path / name, tmp_path)
    assert "hides characters" in says
    assert says.isprintable()


@pytest.mark.parametrize("name", ["a\x00b.yaml", "x" * 5_000 + ".yaml", "x" * 300 + ".yaml"])
def test_a_file_name_that_no_system_takes_is_refused(name: str, tmp_path: Path) -> None:
    says = says_of(tmp_path / name, tmp_path)
    assert "cannot be read" in says or "there is no file" in says
    assert says.isprintable()
    assert len(says) < 200


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n")

    def denied(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")  # root, which runs in containers, may read all

    monkeypatch.setattr(os, "open", denied)
    assert "cannot be read: Permission denied" in says_of(tmp_path / "a.yaml", tmp_path)


def test_environment_placeholders_stay_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "canary-value")
    text = b"a: ${CANARY}\nb: $CANARY\nc: '{{ CANARY }}'\nd: '%CANARY%'\ne: ~/x\nf: $(id)\n"
    assert parse(text, "f.yaml").data == {
        "a": "${CANARY}",
        "b": "$CANARY",
        "c": "{{ CANARY }}",
        "d": "%CANARY%",
        "e": "~/x",
        "f": "$(id)",
    }


def test_letters_of_other_scripts_are_text() -> None:
    full_width, cyrillic = (
        "\uff45\uff55-central-1",
        "\u0435u-central-1",
    )  # look-alikes are judged where names are
    text = f"a: {full_width}\nb: {cyrillic}\n"
    assert parse(text.encode(), "f.yaml").data == {"a": full_width, "b": cyrillic}
