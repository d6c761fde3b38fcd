"""Sources of the modules that tools are built from: definitions and webhooks of a manager lie beside its code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from support.proving.tools import GO_MINOR, MODULES, Missing


def sources(tool: str, module: str) -> Path:
    """Folder of a module, in the version that the tool's go.mod pins; fetched if Go's cache no longer has it.
    Raises Missing."""
    if shutil.which("go") is None:
        raise Missing(f"install Go 1.{GO_MINOR} or newer: it finds the sources of {module}")
    said = _go(tool, ["list", "-m", "-json", module])
    if "Dir" not in said:
        said = _go(tool, ["mod", "download", "-json", module])
    if folder := said.get("Dir"):
        return Path(folder)
    raise Missing(f"no sources of {module}: {said.get('Error', 'Go has no folder for it')}")


def _go(tool: str, words: list[str]) -> dict[str, Any]:
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    ran = subprocess.run(
        ["go", *words], cwd=MODULES / tool, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    said: dict[str, Any] = json.loads(ran.stdout or "{}")
    return said or {"Error": ran.stderr.strip()[-400:]}


def documents(*files: Path) -> Iterator[Any]:
    """Objects of YAML files, in order."""
    for file in files:
        with file.open(encoding="utf-8") as text:
            yield from (each for each in yaml.safe_load_all(text) if each)
