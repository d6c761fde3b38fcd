"""A blueprint: what the factory is, at every site it names. Nothing about a place stands in it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from aifactory.components.catalog import TrainKey
from aifactory.components.names import Name
from aifactory.components.parts import AnyPart
from aifactory.components.spec import Spec


class Core(Spec):
    """Where the factory runs all the time."""

    sites: list[Name] = Field(min_length=1)
    """Names of site files. Every site gets a stack of its own."""

    @model_validator(mode="after")
    def _sites_are_named_once(self) -> Self:
        if len(set(self.sites)) != len(self.sites):
            raise ValueError(f"a site is named twice in {', '.join(self.sites)}")
        return self


class Placement(Spec):
    """Where the parts go."""

    core: Core
    """Sites that always run."""

    parameters: dict[Name, dict[str, int | float | str | bool]] = {}
    """Values of parameters at single sites, such as a node count. Default none: every site gets the defaults."""

    @model_validator(mode="after")
    def _parameters_are_set_for_sites_that_are_named(self) -> Self:
        if unknown := sorted(set(self.parameters) - set(self.core.sites)):
            raise ValueError(
                f"parameters are set for {', '.join(unknown)}, which placement.core.sites doesn't name"
            )
        return self


class Blueprint(Spec):
    """An AI factory, declared once for all its sites."""

    aifactory: Literal["v1"]
    """Version of the language."""

    name: Name
    """Name of the factory. It begins the name of every stack, so it can't change later."""

    description: str = Field(default="", max_length=400)
    """What the factory is for, for people. Default empty."""

    release_train: TrainKey = "2026.11"
    """Set of chart versions that are known to fit together. Default: the newest of this release."""

    placement: Placement
    """Where the parts go."""

    parts: list[AnyPart] = Field(min_length=1)
    """Parts of the factory."""

    @model_validator(mode="after")
    def _parts_have_names_of_their_own(self) -> Self:
        names = [part.name for part in self.parts]
        names += [part.renamed_from for part in self.parts if part.renamed_from]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two parts are, or were, called {', '.join(twice)}; a name belongs to one part")
        return self

    @model_validator(mode="after")
    def _parts_stand_at_sites_that_are_named(self) -> Self:
        for part in self.parts:
            if unknown := sorted(set(part.sites or ()) - set(self.placement.core.sites)):
                raise ValueError(
                    f"part {part.name} stands at {', '.join(unknown)}, which placement.core.sites doesn't name"
                )
        return self
