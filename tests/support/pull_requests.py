"""A project in a repository of its own, and `check` of it against one of its commits."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from support.command import Ran, call
from support.written import BLUEPRINT, SITE, changed, write_project

COSTS = """\
costs:
  source: quote of a vendor
  seen: "2026-11-01"
  currency: USD
  cost_of_capital_percent: 6.0
  life_years: 5.0
  residual_percent: 5.0
  maintenance_percent: 6.0
  idle_nodes: factory
  servers:
    - {group: gpu, price: 300000.0}
    - {group: service, price: 15000.0}
  network_per_node: 38000.0
  space_per_kw_month: 100.0
  people: {fte: 1.0, per_year: 120000.0}
  ai_enterprise: false
  utilisation_percent: 50.0
"""
PRICED = SITE + COSTS
DAY = ("--as-of", "2026-11-20")
OVER = changed(BLUEPRINT, "name: demo\n", "name: demo\nbudget: {usd_per_month: 1000.0}\n")
"""A budget that two H200 nodes don't meet."""


def git(folder: Path, *words: str) -> str:
    """Run git as somebody who is configured nowhere."""
    who = ("-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "init.defaultBranch=main")
    ran = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def repository(folder: Path, blueprint: str = BLUEPRINT, **sites: str) -> Path:
    """A project, committed on branch `main`. Returns the path of its blueprint."""
    path = write_project(folder, blueprint, **{"lab": PRICED, **sites})
    git(folder, "init", "-q")
    commit(folder)
    return path


def commit(folder: Path) -> str:
    """Commit everything. Returns the id."""
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "a change")
    return git(folder, "rev-parse", "HEAD")


def rewrite(path: Path, old: str, new: str) -> None:
    """Change one place of a file."""
    path.write_text(changed(path.read_text(encoding="utf-8"), old, new), encoding="utf-8")


def against(path: Path, base: object, *words: object) -> dict[str, Any]:
    """The verdict and what changed, as data."""
    ran = call("check", path, "--base", base, *words, *DAY, "--format", "json")
    assert ran.err == ""
    data: dict[str, Any] = json.loads(ran.out)
    assert ran.code == {"allowed": 0, "denied": 1, "error": 3, "undecided": 4}[data["verdict"]]
    return data


def text(path: Path, base: object, *words: object) -> Ran:
    """The same for people."""
    return call("check", path, "--base", base, *words, *DAY)


def left_over() -> list[str]:
    """Folders of bases that nobody removed."""
    return [each.name for each in Path(os.environ.get("TMPDIR", "/tmp")).glob("aifactory-base-*")]
