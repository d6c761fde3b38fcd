"""Looks for images of elsewhere in a stack that pulls copies: in every text of every row, whatever the field."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aifactory.components.mirroring import MirrorOffer
from aifactory.components.rows import ClusterRow, HelmRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.images import images, images_in

PUBLISHERS = (
    *("docker.io", "quay.io", "ghcr.io", "nvcr.io", "gcr.io", "registry.k8s.io", "public.ecr.aws"),
    *("mcr.microsoft.com", "registry.example.com", "cr.example.com"),
)
"""Registries from which rows, charts and examples take images."""
_ELSEWHERE = re.compile(rf"(?<![\w./-])(?:[\w-]+[.])*(?:{'|'.join(map(re.escape, PUBLISHERS))})/[\w./-]+")


def mirror_of(stack: Stack) -> MirrorOffer:
    """The registry of a stack that pulls copies."""
    mirror = stack.plan.mirror
    assert mirror is not None
    return mirror


def elsewhere(stack: Stack) -> list[str]:
    """Row and text of each image that is no copy, by field and by spelling."""
    mirror = mirror_of(stack)
    found = [f"{name}: not in {mirror.own}" for name in images(stack) if not mirror.holds(name)]
    for row in stack.cluster_rows:
        found += [f"{row.id}: {name}" for name in images_in(stack.plain_tree(row)) if not mirror.holds(name)]
        found += [f"{row.id}: {text}" for text in _texts(row, stack.plain_tree(row)) if _ELSEWHERE.search(text)]
    return found


def _texts(row: ClusterRow, tree: object) -> Iterator[str]:
    """Every text but where a chart comes from, which nodes don't read."""
    assert not isinstance(row, HelmRow) or row.repository not in str(tree)
    if isinstance(tree, dict):
        for value in tree.values():
            yield from _texts(row, value)
    elif isinstance(tree, (list, tuple)):
        for value in tree:
            yield from _texts(row, value)
    elif isinstance(tree, str):
        yield tree


def repositories(stack: Stack) -> set[str]:
    """Repositories of the copies that a platform names."""
    mirror = mirror_of(stack)
    return {mirror.repository_of(name) for name in images(stack)} - {""}
