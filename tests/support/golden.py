"""Golden files: outputs kept under `tests/data/` and compared byte for byte.

`pytest --update-golden` rewrites them and removes what is no longer made; the reviewer reads the diff.
"""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parent.parent / "data"
"""Folder of all golden files."""

SHOWN_LINES = 60
"""Lines of a difference that a failure prints."""

Golden = Callable[[str, str], None]
"""`golden(path below tests/data, text)`: fails with a diff when the text isn't the stored one."""

GoldenTree = Callable[[str, Mapping[str, bytes]], None]
"""`golden_tree(folder below tests/data, files by relative path)`: the folder holds these files alone."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files instead of comparing")


@pytest.fixture
def golden(pytestconfig: pytest.Config) -> Golden:
    """Compare a text with a golden file, or rewrite the file with `--update-golden`."""

    def check(name: str, text: str) -> None:
        _check(_inside(name), text.encode(), _updating(pytestconfig))

    return check


@pytest.fixture
def golden_tree(pytestconfig: pytest.Config) -> GoldenTree:
    """Compare a set of files with a golden folder, or rewrite the folder with `--update-golden`."""

    def check(name: str, files: Mapping[str, bytes]) -> None:
        _check_tree(_inside(name), files, _updating(pytestconfig))

    return check


def _updating(config: pytest.Config) -> bool:
    return bool(config.getoption("--update-golden"))


def _inside(name: str, root: Path | None = None) -> Path:
    """The path below `root`, the golden data by default; a name that leads out of it is a test's bug."""
    root = root or DATA
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()) or path == root.resolve():
        raise ValueError(f"golden path {name!r} is not below {root.name}/")
    return path


def _check_tree(folder: Path, files: Mapping[str, bytes], update: bool) -> None:
    paths = {_inside(name, folder): content for name, content in files.items()}
    stored = {path for path in folder.rglob("*") if path.is_file()}
    gone = sorted(stored - set(paths))
    if update:
        for path in gone:
            path.unlink()
    elif gone:
        pytest.fail(f"no longer made: {[str(path.relative_to(folder)) for path in gone]}; see --update-golden")
    for path, content in sorted(paths.items()):
        _check(path, content, update)


def _check(path: Path, content: bytes, update: bool) -> None:
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
        return
    if not path.is_file():
        pytest.fail(f"golden file {path.name} does not exist; --update-golden writes it ({path})")
    stored = path.read_bytes()
    if stored != content:
        pytest.fail(f"{path} differs; --update-golden rewrites it\n{_difference(stored, content)}")


def _difference(stored: bytes, content: bytes) -> str:
    lines = list(
        difflib.unified_diff(
            stored.decode(errors="replace").splitlines(),
            content.decode(errors="replace").splitlines(),
            "stored",
            "made now",
            lineterm="",
        )
    )
    more = [f"... {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
    return "\n".join(lines[:SHOWN_LINES] + more) or "same lines; line ends or the last newline differ"
