"""Kubernetes objects as files: a folder a wave, a file a step and part, a kustomization that lists them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components.rows import HelmRow, KubernetesRow, Wave
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.yaml import dump, dump_all


class Step(Struct, frozen=True):
    """Rows of one wave that don't wait for each other: releases first, then a file of objects a part."""

    wave: Wave
    number: str
    """Written so that file names sort as steps do: `01`, or `001` in a wave of a hundred steps."""
    releases: tuple[HelmRow, ...]
    objects: tuple[tuple[str, tuple[KubernetesRow, ...]], ...]
    """By part, in order."""

    def file(self, part: str) -> str:
        """Name of a part's file inside the wave's folder."""
        return f"{self.number}-{part}.yaml"

    def path(self, part: str) -> str:
        """Path of a part's file from the folder of the stack."""
        return f"manifests/{self.wave}/{self.file(part)}"


def steps(stack: Stack) -> list[Step]:
    """The steps of a stack, in order."""
    found: dict[tuple[Wave, int], tuple[list[HelmRow], dict[str, list[KubernetesRow]]]] = {}
    for row in stack.cluster_rows:
        releases, objects = found.setdefault((row.wave, stack.steps[row.id]), ([], {}))
        if isinstance(row, HelmRow):
            releases.append(row)
        else:
            objects.setdefault(row.part, []).append(row)
    last = dict(sorted(found))  # by wave, the highest number
    return [
        Step(
            wave,
            f"{number:0{max(2, len(str(last[wave])))}}",
            tuple(releases),
            tuple((part, tuple(rows)) for part, rows in objects.items()),
        )
        for (wave, number), (releases, objects) in found.items()
    ]


def manifest_files(stack: Stack, ordered: list[Step]) -> Iterator[tuple[str, str]]:
    """The files below `manifests/`."""
    waves: dict[Wave, list[str]] = {}
    for step in ordered:
        for part, rows in step.objects:
            waves.setdefault(step.wave, []).append(step.file(part))
            text = dump_all([stack.plain_tree(row) for row in rows])
            yield step.path(part), _notes(rows) + text
    for wave, files in waves.items():
        yield (
            f"manifests/{wave}/kustomization.yaml",
            dump({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": files}),
        )


def _notes(rows: tuple[KubernetesRow, ...]) -> str:
    lines = [f"# overridden: {row.id}: {' '.join(row.override.split())}\n" for row in rows if row.override]
    return "".join(lines)
