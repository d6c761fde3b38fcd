"""Golden files: what differs fails, and `--update-golden` makes it the same."""

from pathlib import Path

import pytest

from support import golden as module
from support.golden import Golden, GoldenTree

TREE = {"a.yaml": b"a: 1\n", "deep/b.bin": b"\x00\xff"}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "DATA", tmp_path)
    return tmp_path


@pytest.fixture
def updating(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    monkeypatch.setattr(pytestconfig.option, "update_golden", True)


@pytest.fixture(autouse=True)
def comparing(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> None:
    """These tests hold in a run with `--update-golden`, too."""
    monkeypatch.setattr(pytestconfig.option, "update_golden", False)


def stored(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_text_passes(data: Path, golden: Golden) -> None:
    (data / "plan.txt").write_bytes("Größe\n".encode())
    golden("plan.txt", "Größe\n")


@pytest.mark.parametrize(("text", "says"), [("a: 2\n", r"-a: 1\n\+a: 2"), ("a: 1", "last newline")])
def test_another_text_fails_with_the_difference(data: Path, golden: Golden, text: str, says: str) -> None:
    (data / "plan.txt").write_bytes(b"a: 1\n")
    with pytest.raises(pytest.fail.Exception, match=says):
        golden("plan.txt", text)
    assert stored(data) == {"plan.txt": b"a: 1\n"}


def test_a_text_without_a_file_fails_and_writes_nothing(data: Path, golden: Golden) -> None:
    with pytest.raises(pytest.fail.Exception, match="does not exist; --update-golden writes it"):
        golden("plan.txt", "a: 1\n")
    assert stored(data) == {}


@pytest.mark.usefixtures("updating")
def test_an_update_writes_the_text(data: Path, golden: Golden) -> None:
    golden("deep/plan.txt", "a: 1\n")
    golden("deep/plan.txt", "a: 2\n")
    assert stored(data) == {"deep/plan.txt": b"a: 2\n"}


@pytest.mark.usefixtures("updating")
def test_an_update_makes_the_folder_hold_these_files_alone(data: Path, golden_tree: GoldenTree) -> None:
    (data / "tree").mkdir()
    (data / "tree" / "old.yaml").write_bytes(b"")
    (data / "other.yaml").write_bytes(b"")
    golden_tree("tree", TREE)
    assert stored(data / "tree") == TREE
    assert (data / "other.yaml").is_file()


def test_the_same_tree_passes_and_every_change_fails(data: Path, golden_tree: GoldenTree) -> None:
    for name, content in TREE.items():
        (data / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (data / "tree" / name).write_bytes(content)
    golden_tree("tree", TREE)
    for files in ({"a.yaml": b"a: 1\n"}, TREE | {"new.yaml": b""}, TREE | {"a.yaml": b"a: 2\n"}):
        with pytest.raises(pytest.fail.Exception):
            golden_tree("tree", files)
    assert stored(data / "tree") == TREE


@pytest.mark.parametrize("name", ["../plan.txt", "/etc/hosts", ".", ""])
def test_a_name_that_leads_out_of_the_data_is_refused(data: Path, golden: Golden, name: str) -> None:
    with pytest.raises(ValueError, match="is not below"):
        golden(name, "x")
    assert stored(data) == {}
