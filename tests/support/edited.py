"""Copies of what we ship with files changed, as whoever starts from it would change them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.shipped import ROOT

Edits = Mapping[str, Sequence[tuple[str, str]]]


def edited(folder: Path, edits: Edits) -> Path:
    """A copy of the shipped blueprints in a folder. `edits` are old and new text by file, from `blueprints` on.

    The result is the copy's `blueprints` folder.
    """
    root = folder / "blueprints"
    shutil.copytree(ROOT / "blueprints", root, ignore=shutil.ignore_patterns("schema"))
    shutil.copy(ROOT / "aifactory.yaml", folder)
    for file, pairs in edits.items():
        text = (root / file).read_text(encoding="utf-8")
        for old, new in pairs:
            assert text.count(old) >= 1, f"{file} has no {old!r}"
            text = text.replace(old, new)
        (root / file).write_text(text, encoding="utf-8")
    return root
