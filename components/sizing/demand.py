"""What must be carried, in numbers: rates, lengths and latencies."""

from __future__ import annotations

from msgspec import Struct


class Demand(Struct, frozen=True):
    """Requests for one model."""

    mean_per_s: float
    peak_per_s: float
    input_tokens: int
    output_tokens: int
    itl_ms: float
    """Mean time between two tokens at most."""
    ttft_ms: float = 0.0
    """Time to the first token of one request alone, at most. 0: not asked."""
    agentic_factor: float = 1.0
    """Calls of the model for each request."""
    growth_percent: float = 0.0
    prefix_hit_percent: float = 0.0

    @property
    def mean_calls(self) -> float:
        """Calls of the model over a day, with the growth that must still fit. Unit: per s."""
        return self.mean_per_s * self.agentic_factor * (1 + self.growth_percent / 100)

    @property
    def peak_calls(self) -> float:
        """Calls of the model at peak, with the growth that must still fit. Unit: per s."""
        return self.peak_per_s * self.agentic_factor * (1 + self.growth_percent / 100)

    @property
    def tokens(self) -> int:
        """Tokens of a mean request."""
        return self.input_tokens + self.output_tokens

    def known_of(self, tokens: int) -> float:
        """Of so many prompt tokens those that were computed for an earlier prompt."""
        return tokens * self.prefix_hit_percent / 100
