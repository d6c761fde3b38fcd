"""One question to the kernel: a demand for a model on a card, and what was decided and is known before."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.sizing.card import Card
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.formats import KV_BYTES
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.known import Known
from aifactory.components.sizing.options import Options


class Case(Struct, frozen=True):
    """What a size follows from."""

    demand: Demand
    shape: Geometry
    card: Card
    options: Options
    known: Known

    @property
    def read_tokens(self) -> int:
        """Prompt tokens that speed is estimated for: a shorter prompt than was measured counts as the shortest."""
        return max(self.demand.input_tokens, self.known.evidence.shortest_input)

    @property
    def kv_bytes(self) -> int:
        """Bytes of an element of keys and values."""
        return self.options.kv_bytes or int(KV_BYTES[self.options.precision])

    @property
    def longest(self) -> int:
        """Longest request that a replica must hold. Unit: tokens."""
        return max(self.options.max_model_len, self.demand.tokens)
