"""What is installed on this machine, asked of the tools themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

ENGINE_MINIMUM = (3, 250, 0)
_ASK_S = 20


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `broken` keeps the tool from working at all, `missing` only from deploying."""

    name: str
    state: Literal["ok", "missing", "broken"]
    found: str
    advice: str = ""


def examined() -> list[Check]:
    """All checks, in order of importance."""
    return [_python(), *_packages(), _facts(), *_tools()]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):
        return Check("Python", "broken", found, "install Python 3.11 or later")
    return Check("Python", "ok", found)


def _packages() -> Iterator[Check]:
    for name in ("ai-factory-blueprints", "pulumi", "pulumi-kubernetes"):
        try:
            yield Check(f"package {name}", "ok", version(name))
        except PackageNotFoundError:
            yield Check(f"package {name}", "broken", "not installed", "pip install ai-factory-blueprints")


def _facts() -> Check:
    from aifactory.components.catalog import Catalog  # noqa: PLC0415 - after the packages were looked at

    catalog = Catalog.shipped()
    rows = len(catalog.keys("accelerators"))
    return Check("catalog", "ok", f"{rows} accelerators, release trains {', '.join(catalog.keys('trains'))}")


def _tools() -> Iterator[Check]:
    yield _tool(
        "pulumi",
        ["version"],
        "needed by preview, up, destroy and outputs; see https://www.pulumi.com/docs/install/",
        minimum=ENGINE_MINIMUM,
    )
    yield _tool("pulumi-language-python", None, "needed by plain `pulumi up`; it comes with pulumi")
    yield _tool(
        "pulumi-resource-kubernetes",
        None,
        "pulumi fetches it at the first preview; without network: pulumi plugin install",
    )
    yield _tool("kubectl", ["version", "--client"], "needed by apply.sh")
    yield _tool("helm", ["version", "--short"], "needed by apply.sh")


def _tool(name: str, words: list[str] | None, advice: str, minimum: tuple[int, ...] = ()) -> Check:
    path = shutil.which(name)
    if path is None:
        return Check(name, "missing", "not on PATH", advice)
    if words is None:
        return Check(name, "ok", "on PATH")
    try:
        asked = subprocess.run([path, *words], capture_output=True, text=True, timeout=_ASK_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, "missing", f"does not run: {type(error).__name__}", advice)
    found = re.search(r"v?(\d+)\.(\d+)\.(\d+)", asked.stdout + asked.stderr)
    if found is None:
        return Check(name, "missing", "tells no version", advice)
    if tuple(int(step) for step in found.groups()) < minimum:
        wanted = ".".join(map(str, minimum))
        return Check(name, "missing", f"{found.group()} is too old", f"install {wanted} or later")
    return Check(name, "ok", found.group())
