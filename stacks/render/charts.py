"""Helm releases as files: the values of each, and how the chart is named on a command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from aifactory.components.rows import HelmRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.yaml import dump


def release_labels(stack: Stack) -> dict[str, str]:
    """What files and applications call each release, by row: its name, with its namespace if another has it too."""
    rows = [row for row in stack.cluster_rows if isinstance(row, HelmRow)]
    names = Counter(row.name for row in rows)
    return {row.id: row.name if names[row.name] == 1 else f"{row.namespace}.{row.name}" for row in rows}


def values_file(label: str) -> str:
    """Path of a release's values, from the folder of the stack."""
    return f"helm/{label}.yaml"


def chart_reference(row: HelmRow) -> str:
    """The chart as `helm` takes it: an OCI reference, or the name in a repository."""
    return f"{row.repository.rstrip('/')}/{row.chart}" if row.repository.startswith("oci://") else row.chart


def chart_repository(row: HelmRow) -> str:
    """The repository as `helm --repo` takes it, empty for an OCI reference."""
    return "" if row.repository.startswith("oci://") else row.repository


def chart_files(stack: Stack) -> Iterator[tuple[str, str]]:
    """The files below `helm/`."""
    labels = release_labels(stack)
    for row in stack.cluster_rows:
        if isinstance(row, HelmRow):
            yield values_file(labels[row.id]), _heading(row) + dump(stack.plain_tree(row))


def _heading(row: HelmRow) -> str:
    says = [f"{row.name} in namespace {row.namespace}: chart {row.chart} {row.version} of {row.repository}"]
    says += [f"overridden: {row.override}"] if row.override else []
    return "".join(f"# {' '.join(line.split())}\n" for line in says)
