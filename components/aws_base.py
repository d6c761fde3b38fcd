"""What parts at AWS ask of the cluster that the base makes: add-ons, and that the network of what they keep stays."""

from __future__ import annotations

from msgspec import Struct


class KeptIn(Struct, frozen=True):
    """Says that something stays in a zone when the stack goes: so do its subnet and the VPC, which hold its
    interfaces."""

    part: str
    zone: str


class AddonDemand(Struct, frozen=True):
    """An EKS add-on that a part needs, beside those that every cluster has."""

    part: str
    addon: str
    why: str
