"""What a request costs, as an expression that Envoy AI Gateway evaluates when the answer has ended."""

from __future__ import annotations

from collections.abc import Sequence

from aifactory.components.gateway.decided import NANO_PER_UNIT
from aifactory.components.gateway.spec_models import Price


def expression(prices: Sequence[tuple[str, Price | None]]) -> str:
    """Units of 10 micro-dollars, rounded up; by backend where prices differ. Empty when a place has no price.

    All are unsigned integers: USD per million tokens with three decimals are whole nano-dollars a token. The name of
    the backend is matched as a whole between separators, since documentation and log spell what is around it otherwise.
    """
    known = {name: _nano(price) for name, price in prices if price is not None}
    if not known or len(known) < len({name for name, _ in prices}):
        return ""
    *others, (_, last) = known.items()
    text = last
    for name, each in reversed(others):
        if each != last or text != last:
            text = f"(backend.matches('(^|/){name}([./]|$)') ? {each} : {text})"
    return f"({text} + {NANO_PER_UNIT - 1}u) / {NANO_PER_UNIT}u"


def _nano(price: Price) -> str:
    return f"(input_tokens * {round(price.input_usd * 1_000)}u + output_tokens * {round(price.output_usd * 1_000)}u)"
