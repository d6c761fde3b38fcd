"""Ends a verb cleanly when its input is refused: problems to stderr, exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aifactory.components.problems import Refused


@contextmanager
def refusing(blueprint: Path) -> Iterator[None]:
    """Report what the body refuses, with the lines of the project that holds `blueprint`."""
    try:
        yield
    except Refused as refused:
        from aifactory.blueprints.root import project_root  # noqa: PLC0415 - only on this path
        from aifactory.cli.report import refusal  # noqa: PLC0415

        sys.exit(refusal(refused.problems, project_root(blueprint)))
