"""The project file, `aifactory.yaml`: where sites and private facts lie."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.spec import Spec

Folder = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$", max_length=200)]
"""A folder below the project root, with forward slashes."""


class Project(Spec):
    """A project: the folder that holds `aifactory.yaml`, and everything below it."""

    aifactory: Literal["v1"]
    """Version of the language."""

    sites: Folder = "sites"
    """Folder of site files, one `NAME.yaml` a site. Default sites."""

    catalog: list[Folder] = Field(default=[], max_length=16)
    """Folders with private catalog rows. Default none: the shipped facts alone."""
