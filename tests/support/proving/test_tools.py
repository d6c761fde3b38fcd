"""Tools are taken from PATH in the right version, built once otherwise, and missed in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from aifactory.components.rows import HelmRow
from support import shipped
from support.proving import tools
from support.proving.tools import BY_NAME, Missing, cache, folder_of, found, make, missing, paths

OPA = BY_NAME["opa"]


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache, and nothing on PATH but a folder of ours."""
    monkeypatch.setenv("AIFACTORY_TOOLS", str(tmp_path / "cache"))
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def put(folder: Path, name: str, says: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_a_tool_on_path_is_taken_in_the_right_version_only(empty: Path) -> None:
    put(empty, "opa", "Version: 1.21.0")
    assert found(OPA) is None
    put(empty, "opa", f"Version: {OPA.version}")
    assert found(OPA) == {"opa": empty / "opa"}


def test_a_tool_that_prints_no_version_is_never_taken_from_path(empty: Path) -> None:
    put(empty, "kueue", BY_NAME["kueue"].version)
    assert found(BY_NAME["kueue"]) is None


def test_a_built_tool_is_found_by_what_it_was_built_from(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [tool.name for tool in missing()] == [tool.name for tool in tools.TOOLS]
    put(folder_of(OPA), "opa", "anything")
    assert found(OPA) == {"opa": folder_of(OPA) / "opa"}
    assert folder_of(OPA).parent == cache() != empty
    other = empty / "modules"
    for name in ("go.mod", "go.sum"):
        (other / "opa").mkdir(parents=True, exist_ok=True)
        (other / "opa" / name).write_text("changed", encoding="utf-8")
    monkeypatch.setattr(tools, "MODULES", other)
    assert found(OPA) is None


def test_without_go_one_line_says_what_to_install(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(empty))
    with pytest.raises(Missing, match=r"^install Go 1\.26 or newer, or put opa 1\.22\.0 on PATH$"):
        make(OPA)
    with pytest.raises(Missing, match=r"^no opa 1\.22\.0: run `make engine`, which needs Go 1\.26$"):
        paths("opa")


def test_a_build_that_fails_leaves_nothing_and_says_why(empty: Path) -> None:
    put(empty, "go", "")
    (empty / "go").write_text("#!/bin/sh\necho 'no such module' >&2\nexit 1\n", encoding="utf-8")
    with pytest.raises(Missing, match=r"opa 1\.22\.0 doesn't build: no such module"):
        make(OPA)
    assert list(cache().glob("*")) == []


def test_each_tool_is_pinned_by_a_module_of_its_own() -> None:
    assert {path.name for path in tools.MODULES.iterdir()} == set(BY_NAME)
    for tool in tools.TOOLS:
        text = (tools.MODULES / tool.name / "go.mod").read_text(encoding="utf-8")
        assert f" v{tool.version}" in text, tool.name


@pytest.mark.parametrize("name", ["kueue", "jobset"])
def test_a_manager_under_test_is_the_one_that_shipped_stacks_install(name: str) -> None:
    releases = [row for stack in shipped.stacks().values() for row in stack.rows if isinstance(row, HelmRow)]
    assert {release.version for release in releases if release.name == name} == {BY_NAME[name].version}
