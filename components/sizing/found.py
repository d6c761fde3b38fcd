"""What sizing finds of a demand on a card: cuts that work, cuts that don't, and why nothing does."""

from __future__ import annotations

import math
from typing import Literal

from msgspec import Struct

from aifactory.components.sizing.evidence import Band, Doubt
from aifactory.components.sizing.layouts import Cut
from aifactory.components.sizing.memory import Memory
from aifactory.components.sizing.replicas import Count
from aifactory.components.sizing.roofline import Speed

ROUNDING = 1e-6
"""Share of a request that is arithmetic, not a request."""

Kind = Literal["memory", "itl", "ttft", "precision", "heads", "unknown", "adapters"]


class Refusal(Struct, frozen=True):
    """Why a demand can't be carried so, and the number that would change that."""

    kind: Kind
    says: str
    fix: str


class Fitted(Struct, frozen=True):
    """One cut that works."""

    cut: Cut
    memory: Memory
    speed: Speed
    """At the number of requests that the latency and the memory allow."""
    doubts: tuple[Doubt, ...]
    limit: str
    """What keeps it from computing more requests at once."""
    first_s: float
    """Time to the first token of a request alone."""
    tokens: Band
    """Output tokens per s of a replica."""
    count: Count

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return self.count.replicas * self.cut.gpus

    def occupied(self, gpus_per_node: int) -> float:
        """GPUs of all replicas, with those of their nodes that stay over beside them and no replica can use."""
        cut = self.cut
        return self.count.replicas * cut.pipeline * gpus_per_node / (gpus_per_node // cut.tensor)

    @property
    def itl_ms(self) -> float:
        """Mean time between tokens, as expected."""
        return self.speed.itl_s * 1_000

    @property
    def slow_itl_ms(self) -> float:
        """The same at the slow end that replicas are counted at."""
        return self.itl_ms * self.tokens.expected / self.tokens.planned

    @property
    def batch(self) -> int:
        """Requests at once that the engine is told to take: its mean number, rounded up."""
        return math.ceil(self.speed.sequences - ROUNDING)


class Rejection(Struct, frozen=True):
    """One cut that doesn't work."""

    cut: Cut
    kind: Kind
    reason: str
    number: float
    """The ms that it reaches; 0 for memory."""
    memory: Memory
