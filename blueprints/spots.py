"""Where in a document a pydantic location leads, and which field of which model stands there.

A location has steps that no document has: the tag of a union's member, the name of a plain type, `[key]`.
"""

from __future__ import annotations

import re
from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aifactory.components.problems import Path
from aifactory.components.spec import Spec

_KEY = "[key]"


class Spot(Struct, frozen=True):
    """A place in a document as the model sees it."""

    path: Path
    owner: type[BaseModel] | None = None
    """The model of the last field on the way, None for the document itself."""
    field: str = ""
    """The last field on the way."""
    known: tuple[str, ...] = ()
    """Fields of the model that stands here."""
    tags: tuple[str, ...] = ()
    """Tags of the models that may stand here, where a tag chooses among them."""
    union: Path | None = None
    """Path of the union of plain types that the way leads through."""
    is_key: bool = False
    """Whether the key is meant, not the value."""
    model: type[Spec] | None = None
    """The model that stands around it, where it is one of ours."""


def spot(model: type[BaseModel], loc: tuple[int | str, ...]) -> Spot:
    """The spot that a pydantic location names."""
    walk = _Walk(model)
    around: type[Spec] | None = None
    for step in loc:
        around = walk.model
        walk.take(step)
    return Spot(tuple(walk.path), walk.owner, walk.field, walk.known, walk.tags, walk.union, walk.is_key, around)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation speaks of, through lists, maps, unions and `Annotated`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, Union, UnionType, list, dict):
        return [found for inner in get_args(annotation) for found in models_in(inner)]
    return []


class _Walk:
    """One step after another along a location."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.path: list[int | str] = []
        self.owner: type[BaseModel] | None = None
        self.field = ""
        self.union: Path | None = None
        self.is_key = False
        self._members: list[Any] = [model]
        self._tag = ""
        self._came_by_key = False

    @property
    def model(self) -> type[Spec] | None:
        """The model that stands here."""
        here = self._members[0] if len(self._members) == 1 else None
        return here if isinstance(here, type) and issubclass(here, Spec) else None

    @property
    def known(self) -> tuple[str, ...]:
        """Fields of the models that may stand here."""
        models = [each for each in self._members if _is_model(each)]
        names = (name for each in models for name in each.model_fields)
        return tuple(dict.fromkeys([self._tag, *names] if self._tag else names))

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of the models that may stand here."""
        if not self._tag:
            return ()
        return tuple(tag for each in self._members for tag in _tags(each, self._tag))

    def take(self, step: int | str) -> None:
        """Go one step further."""
        if len(self._members) > 1:
            self._choose(str(step))
            return
        here = self._members[0] if self._members else None
        if _is_model(here) and step in here.model_fields:
            self._enter_field(here, str(step))
        elif get_origin(here) in (list, dict):
            self._enter(get_args(here)[-1])
        elif step == _KEY and self._came_by_key:
            self.is_key = True
            return
        elif not _is_model(here):
            self._members = []
        self._came_by_key = get_origin(here) is dict
        self.path.append(step)

    def _enter_field(self, model: type[BaseModel], name: str) -> None:
        field = model.model_fields[name]
        self.owner, self.field = model, name
        self._enter(field.annotation, _discriminator(field))

    def _enter(self, annotation: Any, tag: str = "") -> None:
        self._members, self._tag = _members(annotation, tag)

    def _choose(self, label: str) -> None:
        """Take the member of a union that a step names: by its tag, else by its type."""
        if self._tag:
            chosen = [each for each in self._members if label in _tags(each, self._tag)]
        else:
            self.union = tuple(self.path) if self.union is None else self.union
            chosen = [each for each in self._members if _is_called(each, label)]
        annotation = chosen[0] if chosen else None
        self._enter(annotation)


def _members(annotation: Any, tag: str = "") -> tuple[list[Any], str]:
    """What may stand at an annotation, and the field whose value says which. `None` isn't counted."""
    while True:
        origin, inner = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            metas = [meta for meta in inner[1:] if isinstance(meta, FieldInfo)]
            tag = next(filter(None, map(_discriminator, metas)), tag)
            annotation = inner[0]
        elif origin in (Union, UnionType):
            members = [each for each in inner if each is not type(None)]
            if len(members) > 1:
                return members, tag
            annotation = members[0]
        else:
            return [annotation], ""


def _discriminator(field: FieldInfo) -> str:
    return field.discriminator if isinstance(field.discriminator, str) else ""


def _is_called(member: Any, label: str) -> bool:
    """Whether pydantic means this member of a union by a label such as `dict[str,int]` or `Tenant`."""
    origin = get_origin(_members(member)[0][0])
    if origin in (list, dict):
        return label.startswith(f"{origin.__name__}[")
    return _is_model(member) and re.search(rf"\b{member.__name__}\b", label) is not None


def _tags(member: Any, field: str) -> tuple[str, ...]:
    """The values of the tag that mean this member of a union."""
    return get_args(member.model_fields[field].annotation) if _is_model(member) else ()


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
