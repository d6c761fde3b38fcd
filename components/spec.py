"""The base of everything that a person writes: frozen, strict, and closed to unknown fields."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from aifactory.components.names import Name


class Spec(BaseModel):
    """A piece of a document as written. Field texts stand below the fields; `schema` reads them from there."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class Override(Spec):
    """A patch to one row that this part makes, for what the blueprint language can't say."""

    row: str = Field(min_length=3)
    """Identity of the row, as `plan` and `rows.json` print it: `ClusterQueue.kueue.x-k8s.io/research`."""

    patch: dict[str, object] = Field(min_length=1)
    """JSON merge patch (RFC 7386) on the object, or on the values of a Helm release. null removes a field."""

    reason: str = Field(min_length=10, max_length=300)
    """Why the row must differ. Shown wherever the row is shown."""


class PartSpec(Spec):
    """What every part has."""

    name: Name
    """Name of the part, unique in the blueprint. It names the part's objects and Pulumi resources."""

    renamed_from: Name | None = None
    """The part's former name. Objects keep the names they had, and Pulumi gets an alias, so a rename replaces
    nothing. Default none: the part was never renamed."""

    sites: list[Name] | None = Field(default=None, min_length=1)
    """Sites of `placement` at which the part exists. Default: all of them."""

    overrides: list[Override] = []
    """Patches to rows of this part. Default none: rows are as the planner decided."""

    @property
    def identity(self) -> str:
        """The name that the part's objects carry for life: the first one it had."""
        return self.renamed_from or self.name


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2 code."""

Version = Annotated[str, Field(pattern=r"^v?\d+(\.\d+){1,3}(-[0-9A-Za-z.]+)?$")]
"""A dotted version, quoted in YAML: an unquoted 1.30 is the number 1.3."""
