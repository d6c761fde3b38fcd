"""Where a project begins: nothing above that folder is ever read."""

from __future__ import annotations

import os
from pathlib import Path

MARKERS = ("aifactory.yaml", "Pulumi.yaml")


def project_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds a marker file; else the folder of `start` itself.

    `start` is a file or a folder, need not exist, and is taken after following links.
    """
    real = Path(os.path.realpath(start))
    folder = real if real.is_dir() else real.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).is_file() for marker in MARKERS):
            return candidate
    return folder


def site_folders(blueprint: Path, root: Path, sites: str) -> list[Path]:
    """Where site files of a blueprint are looked for, in this order: `sites` beside it or one folder higher, then
    the project's folder `sites`. `blueprint` and `root` are real paths."""
    near = (blueprint.parent / "sites", blueprint.parent.parent / "sites", root / sites)
    return [folder for folder in dict.fromkeys(near) if folder.is_relative_to(root)]
