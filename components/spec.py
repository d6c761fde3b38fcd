"""The base of everything that a person writes: frozen, strict, and closed to unknown fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any, ClassVar, Self

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from aifactory.components.forms import Line
from aifactory.components.names import Name
from aifactory.components.problems import Path

MISFITS = "misfits"
"""Type of the pydantic error that carries misfits, in its `ctx`."""


class Misfit(Struct, frozen=True):
    """Fields that don't fit together, although each is right by itself."""

    says: str
    hint: str = ""
    at: Path = ()
    """The field to change, relative to the model."""


Truth = Callable[[Any], Iterator[Misfit]]
_TRUTH = "is_truth"


def truth(method: Truth) -> Truth:
    """Marks a method of a `Spec` that yields what breaks the truth it is named for. All are always asked."""
    setattr(method, _TRUTH, True)
    return method


class Spec(BaseModel):
    """A piece of a document. Field texts stand below the fields; `schema` and messages read them there."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    belongs_elsewhere: ClassVar[Mapping[str, str]] = {}
    """Fields that a sister model has, each with what to do about it here."""

    _truths: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Collects the truths of a model and of the models it extends."""
        own = [name for name, value in vars(cls).items() if _is_truth(value)]
        cls._truths = tuple(dict.fromkeys([*cls._truths, *own]))

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        misfits = [misfit for name in self._truths for misfit in getattr(self, name)()]
        if misfits:
            says = "; ".join(misfit.says for misfit in misfits)
            raise PydanticCustomError(MISFITS, "{says}", {"misfits": tuple(misfits), "says": says})
        return self


def _is_truth(value: object) -> bool:
    return isinstance(value, FunctionType) and getattr(value, _TRUTH, False) is True


def twice(names: list[str]) -> Iterator[int]:
    """Indexes of names that stand further up already."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index
        seen.add(name)


class Override(Spec):
    """A patch to one row that this part makes, for what the blueprint language can't say."""

    row: Line = Field(min_length=3, max_length=400)
    """Identity of the row, as `plan` and `rows.json` print it: `ClusterQueue.kueue.x-k8s.io/research`."""

    patch: dict[str, object] = Field(min_length=1)
    """JSON merge patch (RFC 7386) on the object, or on the values of a Helm release. null removes a field."""

    reason: Line = Field(min_length=10, max_length=300)
    """Why the row must differ. Shown wherever the row is shown."""


class PartSpec(Spec):
    """What every part has."""

    name: Name
    """Name of the part, unique in the blueprint. It names the part's objects and Pulumi resources."""

    renamed_from: Name | None = None
    """The name that the part had first. Objects keep the names they had, and Pulumi gets an alias, so a rename replaces
    nothing. Default none: the part was never renamed."""

    also_renamed_from: list[Name] = Field(default=[], max_length=20)
    """Names between the first and today's, so that stacks deployed under one of them follow, too. Default none: it was
    renamed at most once."""

    sites: list[Name] | None = Field(default=None, min_length=1)
    """Sites of `placement` at which the part exists. Default: all of them."""

    overrides: list[Override] = []
    """Patches to rows of this part. Default none: rows are as the planner decided."""

    @property
    def identity(self) -> str:
        """The name that the part's objects carry for life: the first one it had."""
        return self.renamed_from or self.name

    @property
    def former_names(self) -> tuple[str, ...]:
        """Every name that the part had, the first one first."""
        return (*([self.renamed_from] if self.renamed_from else []), *self.also_renamed_from)

    @property
    def hosts_at_least(self) -> int:
        """Hosts that the part is spread over: a kind that copies data over several says how many."""
        return 1

    @truth
    def _a_second_rename_follows_a_first(self) -> Iterator[Misfit]:
        if self.also_renamed_from and self.renamed_from is None:
            says = "names between the first and today's, without the first"
            yield Misfit(says, "write the first name as renamed_from", ("also_renamed_from",))
        for index in twice([self.name, *self.former_names]):
            if index > 1:
                says = f'"{self.also_renamed_from[index - 2]}" is written twice'
                yield Misfit(says, "name each former name once", ("also_renamed_from", index - 2))

    @truth
    def _a_former_name_is_another(self) -> Iterator[Misfit]:
        if self.renamed_from == self.name:
            says = f'"{self.name}" is the name it has'
            yield Misfit(says, "write the name it had before, or delete the line", ("renamed_from",))

    @truth
    def _a_site_is_named_once(self) -> Iterator[Misfit]:
        sites = self.sites or []
        for index in twice(sites):
            yield Misfit(f'"{sites[index]}" is named twice', "name each site once", ("sites", index))
