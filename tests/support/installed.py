"""Our wheel as a user has it: alone with its dependencies, outside the repository, without a network."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from support.source_tree import ROOT

DISTRIBUTION = "ai-factory-blueprints"


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder, with the tools that are installed."""
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(folder))
    _run([sys.executable, "-I", "-m", "pip", "wheel", *options, str(ROOT)])
    [wheel] = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Make an environment of the wheel and what it depends on, and no more. Returns its `aifactory` command.

    The dependencies are linked from the environment that runs the tests, so nothing is downloaded.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    for name in sorted(dependencies(DISTRIBUTION)):
        _link(name, site)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    command = folder / "bin" / "aifactory"
    command.write_text(f"#!{folder / 'bin' / 'python'}\nfrom aifactory.cli.main import main\nmain()\n")
    command.chmod(0o755)
    return command


def dependencies(name: str) -> set[str]:
    """Names of all distributions that one needs on this machine, without extras and without itself."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for text in metadata.requires(waiting.pop()) or ():
            requirement = Requirement(text)
            key = re.sub(r"[-_.]+", "-", requirement.name).lower()
            if key not in found and (not requirement.marker or requirement.marker.evaluate({"extra": ""})):
                found.add(key)
                waiting.append(key)
    return found


def run(command: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder, with nothing of ours in the environment."""
    environment = {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [str(command), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def files_below(folder: Path) -> dict[str, bytes]:
    """Content of each file below a folder, by its path from there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _link(name: str, site: Path) -> None:
    files: Iterable[metadata.PackagePath] = metadata.files(name) or ()
    for file in files:
        if ".." in file.parts:
            continue
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).symlink_to(Path(file.locate()).resolve())


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
