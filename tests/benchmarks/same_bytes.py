"""Whether the same input gives the same bytes, whatever the hash seed, locale, time zone and folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

VARIANTS: dict[str, dict[str, str]] = {
    "as it is": {},
    "hash seed 1": {"PYTHONHASHSEED": "1"},
    "hash seed 4242": {"PYTHONHASHSEED": "4242"},
    "Turkish locale, Kiritimati time": {
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
        "TZ": "Pacific/Kiritimati",
    },
    "C locale, narrow terminal": {"LC_ALL": "C", "COLUMNS": "40", "NO_COLOR": "1"},
    "optimised, no bytecode": {"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"},
}
"""What differs from run to run; each also runs in a folder of its own name and length."""


def outputs(command: Path, repository: Path, blueprint: str, folder: Path) -> dict[str, dict[str, bytes]]:
    """What `generate` writes of a shipped blueprint under each variant, by path."""
    found: dict[str, dict[str, bytes]] = {}
    for index, (name, variables) in enumerate(VARIANTS.items()):
        place = folder / ("deeper/" * index) / f"copy {index}"
        for part in ("library", "sites"):
            shutil.copytree(repository / "blueprints" / part, place / "blueprints" / part)
        shutil.copy(repository / "aifactory.yaml", place)
        arguments = [str(command), "generate", blueprint, "--out", "out"]
        subprocess.run(arguments, cwd=place, env={**os.environ, **variables}, capture_output=True, check=True)
        out = place / "out"
        found[name] = {
            path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
        }
    return found


def differing(found: dict[str, dict[str, bytes]]) -> list[str]:
    """Each variant and path that differs from the first variant; a variant that wrote nothing differs too."""
    first = next(iter(found.values()))
    if not first:
        return ["nothing was written"]
    return [
        f"{name}: {path}"
        for name, files in found.items()
        for path in sorted(first.keys() | files.keys())
        if first.get(path) != files.get(path)
    ]
