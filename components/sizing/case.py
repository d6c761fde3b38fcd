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
    def counted_tokens(self) -> int:
        """Tokens of a request that the speed of a replica is counted in: those of the answer, or of the text that
        becomes a vector."""
        return self.read_tokens if self.shape.dimension else self.demand.output_tokens

    @property
    def kv_bytes(self) -> int:
        """Bytes of an element of keys and values."""
        return self.options.kv_bytes or int(KV_BYTES[self.options.precision])

    @property
    def longest(self) -> int:
        """Longest request that a replica must hold. Unit: tokens."""
        return max(self.options.max_model_len, self.demand.tokens)
