"""The proving ground, for tests that need it: skipped with one line where its tools are missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.proving import plugins
from support.proving.cli import Cli
from support.proving.control_plane import ControlPlane
from support.proving.tools import Missing


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
def provider() -> Path:
    """The script that stands in for the kubernetes provider where the real one is missing."""
    return plugins.ECHO


@pytest.fixture
def cli(tmp_path: Path, provider: Path) -> Cli:
    """The `pulumi` command, with plugins, a home and a state of its own."""
    try:
        return Cli(tmp_path / "cli", provider)
    except Missing as missing:
        pytest.skip(str(missing))
