"""Where a project begins: nothing above that folder is ever read."""

from __future__ import annotations

import os
from pathlib import Path

MARKERS = ("aifactory.yaml", "Pulumi.yaml")


def project_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds a marker file; else the folder of `start` itself.

    `start` is a file or a folder and need not exist. A link that is a file belongs to the folder it lies in, not
    to where it leads: what leads out of a project is not read, and not quoted in a message.
    """
    path = Path(os.path.abspath(start))
    folder = Path(os.path.realpath(path if path.is_dir() else path.parent))
    for candidate in (folder, *folder.parents):
        if any(os.path.isfile(candidate / marker) for marker in MARKERS):
            return candidate
    return folder


def site_folders(blueprint: Path, root: Path, sites: str) -> list[Path]:
    """Where site files of a blueprint are looked for, in this order: `sites` beside it or one folder higher, then
    the project's folder `sites`. `blueprint` and `root` are real paths."""
    near = (blueprint.parent / "sites", blueprint.parent.parent / "sites", root / sites)
    return [folder for folder in dict.fromkeys(near) if folder.is_relative_to(root)]
