"""What is installed on this machine, asked of the tools themselves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from aifactory.stacks.program.identity import MINIMUM_ENGINE

_PROVIDER = "pulumi-kubernetes"
_ASK_S = 20
_INSTALL_ENGINE = "needed by preview, up, destroy and outputs: https://www.pulumi.com/docs/install/"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `broken` keeps the tool from working, `missing` only from deploying."""

    name: str
    state: Literal["ok", "missing", "broken"]
    found: str
    advice: str = ""


def examined() -> list[Check]:
    """All checks, in order of importance."""
    return [_python(), *_packages(), *_facts(), *_tools()]


def _python() -> Check:
    return Check("Python", "ok", ".".join(map(str, sys.version_info[:3])))


def _packages() -> Iterator[Check]:
    for name in ("ai-factory-blueprints", "pulumi", _PROVIDER):
        try:
            yield Check(f"package {name}", "ok", version(name))
        except PackageNotFoundError:
            yield Check(f"package {name}", "broken", "not installed", "pip install ai-factory-blueprints")


def _facts() -> Iterator[Check]:
    from aifactory.components.catalog import Catalog, cache  # noqa: PLC0415 - after the packages were looked at

    catalog = Catalog.shipped()
    rows, trains = len(catalog.keys("accelerators")), ", ".join(catalog.keys("trains"))
    yield Check("facts", "ok", f"{rows} accelerators, release trains {trains}")
    folder = cache.folder()
    advice = "facts are parsed at every start, which takes longer; set XDG_CACHE_HOME to a folder of yours"
    if folder is None:
        yield Check("cache of facts", "missing", "no home folder", advice)
    elif os.access(next(each for each in (folder, *folder.parents) if each.exists()), os.W_OK):
        yield Check("cache of facts", "ok", str(folder))
    else:
        yield Check("cache of facts", "missing", f"{folder} can't be written", advice)


def _tools() -> Iterator[Check]:
    yield _tool("pulumi", ["version"], _INSTALL_ENGINE, MINIMUM_ENGINE)
    yield _tool("pulumi-language-python", None, "needed by plain `pulumi up`; it comes with pulumi")
    yield _plugin()
    yield _tool("kubectl", ["version", "--client"], "needed by apply.sh")
    yield _tool("helm", ["version", "--short"], "needed by apply.sh")


def _plugin() -> Check:
    """The provider's plugin of the version that the installed package asks for."""
    name = "pulumi-resource-kubernetes"
    try:
        wanted = version(_PROVIDER)
    except PackageNotFoundError:
        return Check(name, "missing", f"package {_PROVIDER} is missing")
    home = Path(os.environ.get("PULUMI_HOME") or Path("~/.pulumi").expanduser())
    if (home / "plugins" / f"resource-kubernetes-v{wanted}" / name).is_file():
        return Check(name, "ok", f"v{wanted}")
    if shutil.which(name):
        return Check(name, "ok", "on PATH")
    advice = f"the first preview fetches it; before that: pulumi plugin install resource kubernetes {wanted}"
    return Check(name, "missing", f"v{wanted} is not in {home / 'plugins'}", advice)


def _tool(name: str, words: list[str] | None, advice: str, minimum: str = "0.0.0") -> Check:
    path = shutil.which(name)
    if path is None:
        return Check(name, "missing", "not on PATH", advice)
    if words is None:
        return Check(name, "ok", "on PATH")
    try:
        asked = subprocess.run([path, *words], capture_output=True, text=True, timeout=_ASK_S, check=False)  # noqa: S603 - a tool found on PATH, words of ours
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, "missing", f"does not run: {type(error).__name__}", advice)
    found = re.search(r"v?(\d+)\.(\d+)\.(\d+)", asked.stdout + asked.stderr)
    if found is None:
        return Check(name, "missing", "tells no version", advice)
    if tuple(map(int, found.groups())) < tuple(map(int, minimum.split("."))):
        return Check(name, "missing", f"{found.group()} is too old", f"install {minimum} or later")
    return Check(name, "ok", found.group())
