"""Who imports whom in what we ship, and that each rule can fail."""

from pathlib import Path

import pytest

from support.import_rules import IMPURE_ALLOWED, MAY_IMPORT, breaches
from support.source_tree import ROOMS, ROOT, SourceTree


def tree_with(root: Path, path: str, code: str) -> SourceTree:
    """A small repository of two parts, with one more file."""
    for part in ("fabric", "queue"):
        (root / "components" / part).mkdir(parents=True)
        (root / "components" / part / "spec.py").write_text("")
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(code)
    return SourceTree(root)


def test_every_import_of_every_room_keeps_the_rules() -> None:
    assert breaches(SourceTree()) == []


def test_the_rules_saw_every_room() -> None:
    seen = {module.room for module in SourceTree().modules(*ROOMS)}
    assert seen == set(ROOMS) == set(MAY_IMPORT)


BROKEN = [
    ("components/a.py", "from aifactory.blueprints.load import load", "components imports blueprints"),
    ("blueprints/a.py", "import aifactory.stacks.planning", "blueprints imports stacks"),
    ("stacks/a.py", "from aifactory import cli", "stacks imports cli"),
    ("stacks/a.py", "from aifactory.policies import verdict", "stacks imports policies"),
    ("policies/a.py", "from aifactory.components import rows", "policies imports components"),
    ("cli/a.py", "def f():\n    from . import work", "a relative import"),
    ("cli/a.py", "import components.rows", "imports components, which the project"),
    ("components/fabric/plan.py", "from aifactory.components.queue.spec import X", "imports the part queue"),
    ("components/fabric/plan.py", "from aifactory.components import queue", "imports the part queue"),
    ("components/fabric/plan.py", "from aifactory.components.parts import PARTS", "imports the parts table"),
    ("components/base.py", "from aifactory.components.queue.spec import X", "only components/parts.py may"),
    ("components/catalog/a.py", "import aifactory.components.queue", "only components/parts.py may"),
    ("stacks/a.py", "from support.golden import Golden", "imports support, which the project"),
    ("stacks/render/a.py", "import pulumi", "only stacks/program/* and policies/packs/* may"),
    ("cli/a.py", "def f():\n    from pulumi.automation import Stack", "only stacks/program/*"),
    ("cli/a.py", "from pulumi_kubernetes.core.v1 import Pod", "only stacks/program/*"),
    ("stacks/live/a.py", "import pulumi", "only stacks/program/*"),
    ("stacks/live/a.py", "import kubernetes", "only stacks/live/connection.py may"),
    ("cli/a.py", "from urllib3 import HTTPError", "only stacks/live/connection.py may"),
    ("stacks/render/a.py", "from aifactory.stacks.live.cluster import Cluster", "only cli may"),
    ("blueprints/a.py", "import time", "no clock"),
    ("components/a.py", "from urllib import request", "no clock"),
    ("stacks/render/a.py", "import os, random", "no clock"),
    ("policies/a.py", "from subprocess import run", "no clock"),
    ("cli/a.py", "import matplotlib", "only stacks/estimate/charts.py may"),
    ("cli/a.py", "import attrs", "does not depend on"),
]


@pytest.mark.parametrize(("path", "code", "says"), BROKEN, ids=[f"{path}: {code}" for path, code, _ in BROKEN])
def test_an_import_that_breaks_a_rule_is_found(tmp_path: Path, path: str, code: str, says: str) -> None:
    [found] = breaches(tree_with(tmp_path, path, code))
    assert found.startswith(f"{path}:")
    assert says in found


SOUND = [
    (
        "cli/a.py",
        "from aifactory.policies import verdict\nfrom aifactory.stacks import planning\nimport time",
    ),
    (
        "components/fabric/plan.py",
        "from aifactory.components import rows, catalog\nimport aifactory.components.fabric.x",
    ),
    ("components/parts.py", "from aifactory.components.queue.spec import X"),
    ("stacks/live/connection.py", "import kubernetes, urllib3"),
    ("stacks/live/a.py", "from aifactory.stacks.live.cluster import Cluster"),
    ("cli/a.py", "from aifactory.stacks.live.cluster import Cluster"),
    ("stacks/program/a.py", "import pulumi_kubernetes, time\nfrom google.protobuf import json_format"),
    ("blueprints/a.py", "from urllib.parse import quote\nimport yaml\nfrom pydantic import Field"),
]


@pytest.mark.parametrize(("path", "code"), SOUND, ids=[path for path, _ in SOUND])
def test_an_import_that_keeps_the_rules_is_not_found(tmp_path: Path, path: str, code: str) -> None:
    assert breaches(tree_with(tmp_path, path, code)) == []


def test_every_exception_is_still_needed() -> None:
    stale = [pattern for pattern in IMPURE_ALLOWED if not list(ROOT.glob(pattern))]
    assert stale == []
