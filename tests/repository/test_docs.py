"""The documentation is true: its commands run, its YAML loads, its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text(encoding="utf-8")) if found == language]


def steps(block: str) -> list[tuple[str, list[str]]]:
    """Commands of a console block, each with the lines printed below it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def matches(printed: str, shown: list[str]) -> bool:
    """Whether the shown lines appear in order; `...` stands for anything, inside a line too."""
    parts = [re.escape(line).replace(r"\.\.\.", r"[\s\S]*?") for line in shown]
    pattern = "\n".join(parts).replace("[\\s\\S]*?\n", "[\\s\\S]*?").replace("\n[\\s\\S]*?", "[\\s\\S]*?")
    return re.search(pattern, printed) is not None


def test_the_commands_of_the_guide_print_what_it_shows(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    ran = 0
    for block in blocks(ROOT / "docs" / "guide.md", "console"):
        for command, shown in steps(block):
            wanted = 1 if any("exit 1" in line for line in shown) else 0
            done = subprocess.run(
                command,
                shell=True,
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            printed = done.stdout + done.stderr
            assert done.returncode == wanted, f"{command}\n{printed}"
            assert matches(printed, [line for line in shown if "exit 1" not in line]), f"{command}\n{printed}"
            ran += 1
    assert ran > 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_yaml_in_the_pages_loads(page: Path) -> None:
    for block in blocks(page, "yaml"):
        assert yaml.safe_load(block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target
