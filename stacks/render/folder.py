"""All files of one generated stack folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aifactory.components.problems import Problem
from aifactory.stacks.assembly.rowset import row_set
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.argocd import argocd_files
from aifactory.stacks.render.charts import chart_files
from aifactory.stacks.render.hosts import host_files, switch_files
from aifactory.stacks.render.images import images_file
from aifactory.stacks.render.manifests import manifest_files, steps
from aifactory.stacks.render.project import project_files
from aifactory.stacks.render.readme import readme
from aifactory.stacks.render.script import apply_script

EXECUTABLE = ("apply.sh",)


def stack_files(
    stack: Stack, digest: str, plan_data: dict[str, Any], warnings: list[Problem]
) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file of a stack's folder, made one at a time. Same stack, same bytes."""
    seen: set[str] = set()
    for path, text in _texts(stack, digest, plan_data):
        seen.add(path.partition("/")[0])
        yield path, text.encode()
    yield "README.md", readme(stack, digest, warnings, files=seen).encode()


def _texts(stack: Stack, digest: str, plan_data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    ordered = steps(stack)
    yield from project_files(row_set(stack, digest), plan_data, stack.plan.place.state.backend)
    yield from manifest_files(stack, ordered)
    yield from chart_files(stack)
    yield from argocd_files(stack, ordered)
    yield from host_files(stack)
    yield from switch_files(stack)
    yield "images.txt", images_file(stack)
    yield "apply.sh", apply_script(stack, ordered)
