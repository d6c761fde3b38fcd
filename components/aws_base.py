"""What parts at AWS ask of the base: add-ons, that the network of what they keep stays, and how nodes read files."""

from __future__ import annotations

from msgspec import Struct


class KeptIn(Struct, frozen=True):
    """Says that something stays in a zone when the stack goes: so do its subnet and the VPC, which hold its
    interfaces."""

    part: str
    zone: str


class LustreOverEfa(Struct, frozen=True):
    """Says that a file system of FSx for Lustre in a zone is reached over EFA by nodes there that have it."""

    part: str
    zone: str


class AddonDemand(Struct, frozen=True):
    """An EKS add-on that a part needs, beside those that every cluster has."""

    part: str
    addon: str
    why: str
