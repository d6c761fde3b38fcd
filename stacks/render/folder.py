"""All files of one generated stack folder."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from aifactory.stacks.assembly.rowset import row_set
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.argocd import argocd_files
from aifactory.stacks.render.charts import chart_files
from aifactory.stacks.render.copies import COPY_IMAGES, copy_script
from aifactory.stacks.render.deployer import deployer_files
from aifactory.stacks.render.hosts import host_files, host_sets
from aifactory.stacks.render.images import images_file
from aifactory.stacks.render.manifests import manifest_files, steps
from aifactory.stacks.render.origin import Origin
from aifactory.stacks.render.project import project_files
from aifactory.stacks.render.readme import readme
from aifactory.stacks.render.script import apply_script
from aifactory.stacks.render.switches import switch_files


def stack_files(stack: Stack, origin: Origin) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file of a stack's folder, made one at a time. Same stack, same bytes."""
    for path, text in _texts(stack, origin):
        yield path, text.encode()


def executables(stack: Stack) -> Collection[str]:
    """Paths of the files that are programs."""
    if stack.layer == "base":
        return ()
    copying = {COPY_IMAGES} if stack.plan.mirror else set()
    return {"apply.sh", *copying, *(f"hosts/{each.name}/install.sh" for each in host_sets(stack) if each.files)}


def _texts(stack: Stack, origin: Origin) -> Iterator[tuple[str, str]]:
    ordered = steps(stack)
    yield "README.md", readme(stack, origin, ordered)
    yield from project_files(row_set(stack, origin.digest), origin.plan, stack.plan.place.state.backend)
    if stack.layer == "base":
        yield from deployer_files(stack, origin.deployer)
        return  # nothing of it is applied to a cluster: there is none before it
    yield from manifest_files(stack, ordered)
    yield from chart_files(stack)
    yield from argocd_files(stack, ordered)
    yield from host_files(stack)
    yield from switch_files(stack)
    yield "images.txt", images_file(stack, origin.images)
    yield "apply.sh", apply_script(stack, ordered)
    if stack.plan.mirror is not None:
        yield COPY_IMAGES, copy_script(stack, stack.plan.mirror)
