"""Links in Markdown: each relative one leads to a file that is there, each `#part` to a heading of it."""

import re
from collections.abc import Iterator
from pathlib import Path

from support.source_tree import SourceTree

_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def dead_links(tree: SourceTree) -> Iterator[str]:
    """Each link that leads nowhere. Links to the web are not followed: no test needs a network."""
    for path in tree.files("*.md"):
        text = _CODE.sub("", _FENCE.sub("", path.read_text(encoding="utf-8")))
        for target in _LINK.findall(text):
            says = _dead(path, target)
            if says:
                yield f"{path.relative_to(tree.root).as_posix()}: {target}: {says}"


def _dead(path: Path, target: str) -> str:
    if re.match(r"[a-z]+:", target):
        return ""
    name, _, part = target.partition("#")
    to = (path.parent / name).resolve() if name else path
    if not to.exists():
        return "no such file"
    if part and part not in headings(to):
        return f"no such heading in {to.name}"
    return ""


def headings(path: Path) -> set[str]:
    """The names by which headings of a Markdown file are linked."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in _HEADING.findall(text)}
