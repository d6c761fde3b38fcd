"""Where a stack's folder comes from: what it tells beside its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from aifactory.components.problems import Problem


class Origin(Struct, frozen=True):
    """The plan and the program that a folder was made by."""

    digest: str
    """Digest of the whole plan."""
    plan: Mapping[str, Any]
    """What `plan.json` holds: the plan of this stack."""
    warnings: Sequence[Problem]
    """What the planner warned of at this site."""
    images: Sequence[Mapping[str, Any]]
    """The catalog's rows of images."""
    deployer: Mapping[str, Mapping[str, Any]]
    """The catalog's rows of what whoever deploys a cloud's resources must be allowed to do, by token."""
    description: str
    """What the blueprint says it is."""
    version: str
    """Version of aifactory."""
