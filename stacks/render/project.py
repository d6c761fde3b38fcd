"""The Pulumi project of a generated folder: it registers `rows.json` and never plans."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from aifactory.stacks.assembly.rowset import RowSet, to_data
from aifactory.stacks.program.identity import MINIMUM_ENGINE, PROJECT
from aifactory.stacks.render import json_lines
from aifactory.stacks.render.yaml import dump

_SETTINGS = """\
# Settings of this stack. Pulumi writes here, and so may you; `aifactory generate` writes the file once.
config: {}
"""

_MAIN = '''\
"""Registers the rows beside this file. They were planned and checked when they were generated."""

from pathlib import Path

from aifactory.stacks.program.folder import register_folder

register_folder(Path(__file__).parent)
'''


def rows_json(rows: RowSet) -> str:
    """The text of `rows.json`: a line a row."""
    return json_lines.dumps(to_data(rows), levels=2)


def settings_file(stack: str) -> str:
    """The file in which Pulumi keeps a stack's settings, its encryption salt among them. Pulumi's once it is there."""
    return f"Pulumi.{stack}.yaml"


def project_files(rows: RowSet, plan_data: Mapping[str, Any], backend: str) -> Iterator[tuple[str, str]]:
    """`Pulumi.yaml`, the program, the stack's settings, `plan.json` and `rows.json`."""
    rows_text = rows_json(rows)
    digest = f"sha256:{hashlib.sha256(rows_text.encode()).hexdigest()}"
    plan = {**plan_data, "digest": rows.plan_digest, "rows_digest": digest}
    yield (
        "Pulumi.yaml",
        dump(
            {
                "name": PROJECT,
                "description": f"{rows.factory} at {rows.site}",
                "runtime": {"name": "python", "options": {"toolchain": "pip"}},
                "requiredPulumiVersion": f">={MINIMUM_ENGINE}",
                **({"backend": {"url": backend}} if not backend.startswith("file://") else {}),
            }
        ),
    )
    yield settings_file(rows.stack), _SETTINGS
    yield "__main__.py", _MAIN
    yield "plan.json", json_lines.dumps(plan, levels=3)
    yield "rows.json", rows_text
