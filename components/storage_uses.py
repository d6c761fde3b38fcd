"""What a tier of storage is told of by one part for another: cached keys that lie on it, and volumes that it fills."""

from __future__ import annotations

from msgspec import Struct


class KvOffloadUse(Struct, frozen=True):
    """Keys and values that a served model keeps on a tier of the node."""

    part: str
    tier: str
    """Part of the tier."""
    gpus: int
    """GPUs that carry the peak."""
    gb_per_s: float
    """What they write, or read again, all together. Unit: GB per s."""
    size_gib: int
    """Volume of one pod."""
    gpus_per_pod: int
    pods_per_node: int
    """Pods of the part on one node, at most."""
    gpus_per_node: int
    pool: str
    """Part that has its GPUs."""
    mean_gb_per_s: float = 0.0
    """What is written in the mean of a day, all together. Unit: GB per s."""
    mean_gpus: int = 0
    """GPUs that always run, of those that carry the peak: no GPU carries more than the mean of a day over these, as
    more of them never run than a load spreads over."""


class FillOffer(Struct, frozen=True):
    """A volume of a tier that is filled once, before anybody reads it."""

    namespace: str
    claim: str
    row: str
    """Row of the Job that fills it, for readers to wait for."""
