"""Ends a verb cleanly when its input is refused: problems to stderr, exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aifactory.components.problems import Refused


@contextmanager
def refusing(start: Path, *, reads_only: bool = False) -> Iterator[None]:
    """Report what the body refuses, with source lines of the project that holds `start`.

    A verb that `reads_only` has nothing to write, and need not say that nothing was written.
    """
    try:
        yield
    except Refused as refused:
        from aifactory.blueprints.root import project_root  # noqa: PLC0415 - only on this path
        from aifactory.cli.report import refusal  # noqa: PLC0415

        outcome = "" if reads_only else "Nothing was written."
        sys.exit(refusal(refused.problems, project_root(start), outcome))
