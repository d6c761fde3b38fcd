"""Which sites a blueprint names, and which file describes each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from aifactory.blueprints.document import Document
from aifactory.blueprints.model import MOST_SITES
from aifactory.blueprints.root import site_folders
from aifactory.components.names import NAME_CHARS, NAME_PATTERN
from aifactory.components.problems import Path as TreePath
from aifactory.components.problems import Problem, nearest

SITES: TreePath = ("placement", "core", "sites")
"""Where a blueprint names its sites."""

FLEX_SITES: TreePath = ("placement", "flex", "sites")
"""Where it names those that are used when the others can't."""

_NAME = re.compile(NAME_PATTERN)


def named_sites(document: Document) -> dict[str, TreePath]:
    """The sites that a blueprint names, with the place of each, read before the blueprint is validated.

    What is not a name is left out, so that no path is made of it; the model refuses it.
    """
    found: dict[str, TreePath] = {}
    for at in (SITES, FLEX_SITES):
        value: object = document.data
        for step in at:
            value = value.get(str(step)) if isinstance(value, Mapping) else None
        for index, name in enumerate(value[:MOST_SITES] if isinstance(value, list) else ()):
            if isinstance(name, str) and len(name) <= NAME_CHARS and _NAME.fullmatch(name):
                found.setdefault(name, (*at, index))
    return found


def site_file(name: str, blueprint: Path, root: Path, sites: str) -> Path | Problem:
    """The file of a site: in `sites` beside the blueprint or one folder higher, else in the project's folder.

    `blueprint` is a real path. A problem without a place when there is no such file.
    """
    folders = site_folders(blueprint, root, sites)
    for folder in folders:
        if os.path.isfile(folder / f"{name}.yaml"):
            return folder / f"{name}.yaml"
    known = {file.stem for folder in folders if folder.is_dir() for file in folder.glob("*.yaml")}
    looked = ", ".join(folder.relative_to(root).as_posix() for folder in folders)
    return Problem(f'there is no site file for "{name}" in {looked}', hint=nearest(name, known))
