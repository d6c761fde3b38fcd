"""The proving ground, for tests that need it: skipped with one line where its tools are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.proving.control_plane import ControlPlane
from support.proving.files_cluster import FilesCluster
from support.proving.tools import Missing
from support.proving.yard import Edit, Yard
from support.schemas import Schemas

MakeCluster = Callable[..., FilesCluster]


@pytest.fixture
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of its own. Its logs stay in pytest's folder when a test fails."""
    folder = tmp_path_factory.mktemp("plane")
    try:
        made = ControlPlane(folder)
    except Missing as missing:
        pytest.skip(str(missing))
    with made:
        yield made


@pytest.fixture
def yards(plane: ControlPlane, schemas: Schemas, tmp_path: Path) -> Callable[..., Yard]:
    """Makes the project, cluster and engine of a shipped stack."""

    def make(stack: str, *edits: Edit) -> Yard:
        try:
            return Yard(tmp_path, plane, stack, schemas, edits)
        except Missing as missing:
            pytest.skip(str(missing))

    return make


@pytest.fixture
def files_cluster(tmp_path: Path) -> MakeCluster:
    """Makes a cluster of files with a project for it, in front of the real engine."""

    def make(rows: int, state: Path | None = None) -> FilesCluster:
        try:
            return FilesCluster(tmp_path, rows, state)
        except Missing as missing:
            pytest.skip(str(missing))

    return make
