"""What stands where: the top level, the rooms behind their import names, the folder of a part."""

from pathlib import Path

import pytest

from support.source_tree import ROOMS, ROOT, SourceTree

ROOMS_AND_PROGRAM = {
    *ROOMS,
    "tests",
    "docs",
    "Pulumi.yaml",
    "PulumiPlugin.yaml",
    "pyproject.toml",
    "aifactory.yaml",
}
PLUGIN = {"__main__.py"}
"""Pulumi starts the program of `PulumiPlugin.yaml` beside it."""
TOOLS = {
    "Makefile",
    ".ci",
    ".pkg",
    ".gitignore",
    ".gitattributes",
    ".editorconfig",
    "requirements",
    "changelog.d",
}
TEXTS = {"README.md", "LICENSE", "NOTICE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}

REQUIRED_OF_A_PART = ("__init__.py", "spec.py", "plan.py", "shape.py", "README.md")
REQUIRED_OF_ITS_TESTS = ("test_spec.py", "test_plan.py", "test_shape.py")


def missing_of_parts(tree: SourceTree) -> list[str]:
    """Files that a part's folders should have and don't."""
    wanted = [
        path
        for part in tree.parts()
        for path in (
            *(f"components/{part}/{name}" for name in REQUIRED_OF_A_PART),
            *(f"tests/components/{part}/{name}" for name in REQUIRED_OF_ITS_TESTS),
        )
    ]
    return [path for path in wanted if not (tree.root / path).is_file()]


def test_nothing_else_stands_at_the_top() -> None:
    assert SourceTree().top() - ROOMS_AND_PROGRAM - PLUGIN - TOOLS - TEXTS == set()


def test_everything_that_belongs_there_stands_at_the_top() -> None:
    assert (ROOMS_AND_PROGRAM | PLUGIN | TOOLS | TEXTS) - SourceTree().top() == set()


def test_what_git_ignores_does_not_count_as_the_top(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n*.pyc\n")
    for name in ("build", ".git", "strange"):
        (tmp_path / name).mkdir()
    assert SourceTree(tmp_path).top() == {".gitignore", "strange"}


def test_each_room_is_reached_by_its_import_name() -> None:
    links = {path.name: path.resolve() for path in (ROOT / ".pkg" / "aifactory").iterdir() if path.is_symlink()}
    assert links == {room: ROOT / room for room in ROOMS}


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_typed_for_those_who_import_it(room: str) -> None:
    assert (ROOT / room / "py.typed").is_file()


def test_every_part_has_its_hops_its_text_and_its_tests() -> None:
    assert missing_of_parts(SourceTree()) == []


def test_a_part_without_a_hop_is_found(tmp_path: Path) -> None:
    for path in ("components/dpu", "tests/components/dpu"):
        (tmp_path / path).mkdir(parents=True)
    for name in REQUIRED_OF_A_PART[:-1]:
        (tmp_path / "components" / "dpu" / name).touch()
    for name in REQUIRED_OF_ITS_TESTS:
        (tmp_path / "tests" / "components" / "dpu" / name).touch()
    assert missing_of_parts(SourceTree(tmp_path)) == ["components/dpu/README.md"]


def test_the_parts_table_names_every_part_folder_and_no_other() -> None:
    from aifactory.components.parts import BY_KIND

    assert sorted(kind.replace("-", "_") for kind in BY_KIND) == SourceTree().parts()
