"""Stands before `helm` on PATH where charts can't be fetched: a chart of a repository is one of a local folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from support.proving.provider import CHARTS, HELM


def local(words: Sequence[str], charts: Path) -> list[str]:
    """The words of `helm upgrade --install NAME CHART …` with a local folder for chart, repository and version."""
    if "--install" not in words or "--version" not in words:
        return list(words)
    version = words[words.index("--version") + 1]
    at = words.index("--install") + 2
    found = [*words[:at], str(charts / f"{words[at].rpartition('/')[2]}-{version}"), *words[at + 1 :]]
    for option in ("--version", "--repo"):
        if option in found:
            index = found.index(option)
            del found[index : index + 2]
    return found


def main() -> None:
    """Become helm."""
    helm = os.environ[HELM]
    os.execv(helm, [helm, *local(sys.argv[1:], Path(os.environ[CHARTS]))])


if __name__ == "__main__":
    main()
