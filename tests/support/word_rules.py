"""Words that must not stand in the repository: unfinished work, secrets, traces of a machine."""

import re
from collections.abc import Iterator

from support.source_tree import SourceTree

UNFINISHED = "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"))
"""Written apart, so that this file keeps its own rule."""

RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("unfinished work", re.compile(rf"\b(?:{UNFINISHED})\b")),
    ("a home folder", re.compile(r"(?<![\w.])/(?:root|home/\w+|Users/\w+)/")),
    ("a folder of one machine", re.compile(r"(?<![\w.:/-])/work/\w")),
    (
        "the host of a package registry",
        re.compile(
            r"\b(?:(?:test\.)?pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|proxy\.golang\.org"
            r"|sum\.golang\.org|(?:static\.)?crates\.io|repo1?\.maven\.(?:apache\.)?org|deb\.debian\.org)\b"
        ),
    ),
    (
        "an index line in a lock",
        re.compile(r"^--?(?:index-url|extra-index-url|find-links|i |f )", re.MULTILINE),
    ),
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\s|\\n)+[A-Za-z0-9+/]{40}")),
    (
        "an access key",
        re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bpul-[0-9a-f]{40}\b"),
    ),
)
"""What is found, and how."""

ALLOWED: dict[str, str] = {}
"""`path: what` that may stand, with the reason."""


def traces(tree: SourceTree) -> Iterator[str]:
    """Each place where such a word stands; files that are not text are passed over."""
    for path in tree.files("*"):
        name = path.relative_to(tree.root).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for what, pattern in RULES:
            if f"{name}: {what}" in ALLOWED:
                continue
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{name}:{line}: {what}: {match.group()!r}"
