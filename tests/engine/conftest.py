"""The proving ground, for tests that need it: skipped with one line where its tools are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from support.lanes import STAND_IN
from support.proving import plugins
from support.proving.cli import Cli
from support.proving.control_plane import ControlPlane
from support.proving.files_cluster import FilesCluster
from support.proving.tools import Missing, paths
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
def yards(plane: ControlPlane, schemas: Schemas, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Yard]:
    """Makes the project, cluster and engine of a shipped stack. The report names what stood in for the real thing."""

    def make(stack: str, *edits: Edit) -> Yard:
        try:
            made = Yard(tmp_path, plane, stack, schemas, edits)
        except Missing as missing:
            pytest.skip(str(missing))
        request.node.user_properties += [(STAND_IN, each) for each in made.stand_ins()]
        return made

    return make


@pytest.fixture
def files_cluster(tmp_path: Path) -> Iterator[MakeCluster]:
    """Makes a cluster of files with a project for it, in front of the real engine."""
    with ExitStack() as until:

        def make(rows: int, state: Path | None = None) -> FilesCluster:
            try:
                made = FilesCluster(tmp_path, rows, state)
            except Missing as missing:
                pytest.skip(str(missing))
            until.callback(made.close)
            return made

        yield make


@pytest.fixture(scope="session")
def otelcol() -> Path:
    """A collector of the release that the operator starts."""
    try:
        return paths("otelcol")["otelcol"]
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def provider() -> Path:
    """The script that stands in for the kubernetes provider where the real one is missing."""
    return plugins.ECHO


@pytest.fixture
def cli(tmp_path: Path, provider: Path) -> Iterator[Cli]:
    """The `pulumi` command, with plugins, a home and a state of its own."""
    try:
        made = Cli(tmp_path / "cli", provider)
    except Missing as missing:
        pytest.skip(str(missing))
    with closing(made):
        yield made
