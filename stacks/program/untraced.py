"""Keeps the Python stack of the deploying machine out of the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Constructor = TypeVar("Constructor", bound=Callable[..., None])


def untraced(constructor: Constructor) -> Constructor:
    """Let the frame of a component's `__init__` go by another name.

    Pulumi keeps, with each resource, the stack below the third frame called `__init__`. From inside a component's
    constructor that would be 2.5 KB of paths of this machine for each row, and other ones on the next machine.
    """
    function: Any = constructor
    function.__code__ = function.__code__.replace(co_name="construct")
    return constructor
