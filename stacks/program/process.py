"""Settings of a process that does nothing but register rows."""

from __future__ import annotations

import gc

_THRESHOLDS = (50_000, 20, 50)


def rest_collector() -> None:
    """Let the garbage collector rest: registering makes about 30 tasks a row, and none is garbage yet.

    Halves the time of 1,000 rows and more. For programs of our own alone: a user's keeps its settings.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
