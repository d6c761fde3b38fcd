"""The project file, `aifactory.yaml`: where sites and private facts lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from aifactory.components.forms import Folder
from aifactory.components.spec import Misfit, Spec, truth, twice


class Project(Spec):
    """A project: the folder that holds `aifactory.yaml`, and everything below it."""

    aifactory: Literal["v1"]
    """Version of the language."""

    sites: Folder = "sites"
    """Folder of site files, one `NAME.yaml` a site. Default sites."""

    catalog: list[Folder] = Field(default=[], max_length=16)
    """Folders with private catalog rows. Default none: the shipped facts alone."""

    @truth
    def _folders_are_named_once(self) -> Iterator[Misfit]:
        for index in twice(self.catalog):
            yield Misfit(f'"{self.catalog[index]}" is named twice', "name it once", ("catalog", index))
