"""Helm releases as files: the values of each, and how the chart is named on a command line."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.rows import HelmRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.yaml import dump


def values_file(row: HelmRow) -> str:
    """Path of a release's values, from the folder of the stack."""
    return f"helm/{row.name}.yaml"


def chart_reference(row: HelmRow) -> str:
    """The chart as `helm` takes it: an OCI reference, or the name in a repository."""
    return f"{row.repository.rstrip('/')}/{row.chart}" if row.repository.startswith("oci://") else row.chart


def chart_repository(row: HelmRow) -> str:
    """The repository as `helm --repo` takes it, empty for an OCI reference."""
    return "" if row.repository.startswith("oci://") else row.repository


def chart_files(stack: Stack) -> Iterator[tuple[str, str]]:
    """The files below `helm/`."""
    for row in stack.cluster_rows:
        if isinstance(row, HelmRow):
            heading = f"# {row.name} in namespace {row.namespace}: chart {row.chart} {row.version} of {row.repository}\n"
            heading += f"# overridden: {' '.join(row.override.split())}\n" if row.override else ""
            yield values_file(row), heading + dump(stack.plain_tree(row))
