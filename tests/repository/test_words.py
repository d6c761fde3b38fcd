"""No unfinished work, no trace of a machine, no secret stands in the repository."""

from pathlib import Path

import pytest

from support.source_tree import SourceTree
from support.word_rules import ALLOWED, RULES, traces

SAMPLES = {
    "unfinished work": "# TO" + "DO: later",
    "a home folder": "cd /ro" + "ot/project",
    "a folder of one machine": "see /wo" + "rk/main",
    "the host of a package registry": "https://py" + "pi.org/simple",
    "an index line in a lock": "--index" + "-url https://example.org",
    "a private key": "-----BEGIN RSA PRIV" + "ATE KEY-----\n" + "MIIE" * 16,
    "an access key": "AKI" + "A0123456789ABCDEF",
}


def test_no_such_word_stands_in_the_repository() -> None:
    assert list(traces(SourceTree())) == []


def test_each_rule_has_a_sample_and_each_exception_a_reason() -> None:
    assert [what for what, _ in RULES] == list(SAMPLES)
    assert all(ALLOWED.values())


@pytest.mark.parametrize("what", SAMPLES)
def test_such_a_word_is_found_with_its_line(tmp_path: Path, what: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(f"first\n{SAMPLES[what]}\n")
    [found] = traces(SourceTree(tmp_path))
    assert found.startswith(f"docs/a.md:2: {what}")


@pytest.mark.parametrize(
    "text",
    [
        "nvcr.io/nvidia/driver",
        "/var/lib/kubelet",
        "docs/home/x",
        "a/root/b",
        "https://example.org/work/a",
        "todos",
    ],
)
def test_words_that_only_look_alike_are_not_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.md").write_text(text)
    assert list(traces(SourceTree(tmp_path))) == []
