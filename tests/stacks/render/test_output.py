"""The output folder: what is ours, what is foreign, and what is refused."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from aifactory.components.problems import Refused
from aifactory.stacks.render.output import Written, write

MANIFEST = ".aifactory.json"
FILES = {"README.md": b"# chat\n", "manifests/00-base/a.yaml": b"a: 1\n", "apply.sh": b"#!/bin/sh\n"}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file and link below a folder but the manifest, and each empty folder as a name with a slash."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path).encode()
        elif path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{name}/"] = b""
    found.pop(MANIFEST, None)
    return found


def times(folder: Path) -> dict[Path, int]:
    """When each file and folder was changed, in ns."""
    return {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}


def problems(folder: Path, files: dict[str, bytes], **options: object) -> list[str]:
    """What a refused run says; the folder, and what is around it, must be as before."""
    before = tree(folder.parent)
    with pytest.raises(Refused) as caught:
        write(folder, files, **options)  # type: ignore[arg-type]  # the options of the table under test
    assert tree(folder.parent) == before
    assert all(problem.hint for problem in caught.value.problems)
    return [problem.says.replace(str(folder), "OUT") for problem in caught.value.problems]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "build" / "out"


def test_files_their_manifest_and_nothing_else_are_written(out: Path) -> None:
    assert write(out, FILES) == Written(written=tuple(sorted(FILES)), unchanged=(), removed=())
    assert tree(out) == FILES
    digests = {path: sha256(data).hexdigest() for path, data in FILES.items()}
    manifest = json.loads((out / MANIFEST).read_bytes())
    assert manifest.pop("generator").keys() == {"name", "version"}
    assert manifest == {"schema": "aifactory-output/v1", "files": digests}


def test_files_may_come_one_by_one_in_any_order(tmp_path: Path) -> None:
    write(tmp_path / "a", iter(FILES.items()))
    write(tmp_path / "b", iter(reversed(FILES.items())))
    assert tree(tmp_path / "a") == tree(tmp_path / "b") == FILES
    assert (tmp_path / "a" / MANIFEST).read_bytes() == (tmp_path / "b" / MANIFEST).read_bytes()


def test_the_same_input_twice_changes_no_time(out: Path) -> None:
    write(out, FILES, executable={"apply.sh"})
    before = times(out)
    assert write(out, FILES, executable={"apply.sh"}) == Written((), tuple(sorted(FILES)), ())
    assert times(out) == before


def test_only_what_changed_is_written_and_only_what_is_stale_removed(out: Path) -> None:
    write(out, FILES | {"old/deep/x": b"x", "old/y": b"y"})
    before = times(out)
    done = write(out, FILES | {"README.md": b"# new\n", "new/deep/z": b"z"})
    assert done.written == ("README.md", "new/deep/z")
    assert done.removed == ("old/deep/x", "old/y")
    assert tree(out) == FILES | {"README.md": b"# new\n", "new/deep/z": b"z"}
    assert times(out)[out / "manifests/00-base/a.yaml"] == before[out / "manifests/00-base/a.yaml"]


def test_an_empty_run_removes_all_of_ours_and_keeps_the_manifest(out: Path) -> None:
    write(out, FILES)
    assert write(out, {}).removed == tuple(sorted(FILES))
    assert tree(out) == {}
    assert json.loads((out / MANIFEST).read_bytes())["files"] == {}


def test_foreign_files_and_folders_stay(out: Path) -> None:
    foreign = {"notes.txt": b"mine", "manifests/00-base/mine.yaml": b"m: 1\n", "old/keep": b"k"}
    for path, data in foreign.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)
    (out / "empty").mkdir()
    (out / "link").symlink_to("/etc")
    write(out, FILES | {"old/x": b"x"})
    write(out, FILES)
    write(out, {})
    assert {path: (out / path).read_bytes() for path in foreign} == foreign
    assert (out / "empty").is_dir()
    assert (out / "link").is_symlink()


def test_a_foreign_file_with_our_contents_becomes_ours(out: Path) -> None:
    write(out, FILES)
    (out / MANIFEST).unlink()
    assert write(out, FILES).unchanged == tuple(sorted(FILES))
    assert write(out, {}).removed == tuple(sorted(FILES))


def test_a_foreign_file_in_our_place_is_refused(out: Path) -> None:
    out.mkdir(parents=True)
    (out / "README.md").write_bytes(b"mine")
    assert problems(out, FILES) == ["OUT/README.md: is not ours, and a file of ours would overwrite it"]


def test_a_foreign_empty_file_in_our_place_is_refused(out: Path) -> None:
    out.mkdir(parents=True)
    (out / "README.md").touch()
    assert problems(out, FILES) == ["OUT/README.md: is not ours, and a file of ours would overwrite it"]


@pytest.mark.parametrize("content", [b"# new\n", FILES["README.md"]], ids=["changed", "same"])
def test_an_edited_file_of_ours_is_refused_even_if_the_input_is_the_same(out: Path, content: bytes) -> None:
    write(out, FILES)
    (out / "README.md").write_bytes(b"# chat\nedited\n")
    says = ["OUT/README.md: was edited since it was generated"]
    assert problems(out, FILES | {"README.md": content, "new": b""}) == says
    (out / "README.md").unlink()
    write(out, FILES | {"README.md": content})
    assert (out / "README.md").read_bytes() == content


def test_an_edited_file_that_is_no_longer_generated_is_refused(out: Path) -> None:
    write(out, FILES)
    (out / "apply.sh").write_bytes(b"#!/bin/sh\nedited\n")
    files = {path: data for path, data in FILES.items() if path != "apply.sh"}
    assert problems(out, files) == ["OUT/apply.sh: was edited, and is no longer generated"]


def test_an_edit_that_the_next_run_makes_too_is_accepted(out: Path) -> None:
    write(out, FILES)
    (out / "README.md").write_bytes(b"# new\n")
    assert "README.md" in write(out, FILES | {"README.md": b"# new\n"}).unchanged


def test_a_file_of_ours_that_a_power_cut_emptied_is_written_anew(out: Path) -> None:
    write(out, FILES)
    (out / "README.md").write_bytes(b"")
    (out / "apply.sh").write_bytes(b"")
    done = write(out, {"README.md": FILES["README.md"]})
    assert done.written == ("README.md",)
    assert tree(out) == {"README.md": FILES["README.md"]}


def test_a_file_of_ours_that_was_deleted_comes_back(out: Path) -> None:
    write(out, FILES)
    (out / "README.md").unlink()
    assert write(out, FILES).written == ("README.md",)


def test_many_problems_are_counted_not_listed(out: Path) -> None:
    files = {f"f{i:03}": b"ours" for i in range(100)}
    write(out, files)
    for path in files:
        (out / path).write_bytes(b"mine")
    says = problems(out, files)
    assert says[:1] + says[20:] == ["OUT/f000: was edited since it was generated", "and 80 more files"]


def test_a_file_of_ours_may_become_a_folder_and_back(out: Path) -> None:
    write(out, {"a": b"1", "b/c/d": b"2", "b/e": b"3"})
    write(out, {"a/x/y": b"4", "b": b"5"})
    assert tree(out) == {"a/x/y": b"4", "b": b"5"}
    write(out, {"a": b"1", "b/c/d": b"2", "b/e": b"3"})
    assert tree(out) == {"a": b"1", "b/c/d": b"2", "b/e": b"3"}


@pytest.mark.parametrize("foreign", ["b/mine", "b/c/mine", "b/empty/"])
def test_a_folder_with_foreign_things_does_not_become_a_file(out: Path, foreign: str) -> None:
    write(out, {"b/c/d": b"2"})
    if foreign.endswith("/"):
        (out / foreign).mkdir()
    else:
        (out / foreign).write_bytes(b"mine")
    says = ["OUT/b: is a folder with other files than ours, and a file is needed there"]
    assert problems(out, {"b": b"5"}) == says


def test_a_file_whose_name_changes_case_is_there_once(out: Path) -> None:
    write(out, {"Readme": b"1", "Dir/x": b"2"})
    write(out, {"README": b"1", "dir/x": b"3"})
    assert tree(out) == {"README": b"1", "dir/x": b"3"}


def test_a_new_case_on_a_disk_that_ignores_case_replaces_the_old_name(out: Path) -> None:
    write(out, {"Readme": b"1", "z": b"1"})
    os.link(out / "Readme", out / "README")  # one file under both names, as such a disk shows it
    assert write(out, {"README": b"1", "z": b"1"}) == Written(("README",), ("z",), ("Readme",))
    assert tree(out) == {"README": b"1", "z": b"1"}


def test_a_foreign_file_that_differs_from_ours_in_case_is_not_overwritten(out: Path) -> None:
    write(out, {"Readme": b"1"})
    (out / "README").write_bytes(b"mine")
    assert problems(out, {"README": b"2"}) == ["OUT/README: is not ours, and a file of ours would overwrite it"]


def test_a_linked_output_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    assert problems(tmp_path / "out", FILES) == ["OUT: is a symbolic link"]
    (tmp_path / "out").unlink()
    (tmp_path / "out").symlink_to("nowhere")
    assert problems(tmp_path / "out", FILES) == ["OUT: is a symbolic link"]


@pytest.mark.parametrize("target", ["/tmp/elsewhere", "../elsewhere", "other"])
def test_a_linked_folder_on_the_way_is_refused(out: Path, target: str) -> None:
    (out / "other").mkdir(parents=True)
    (out / "manifests").symlink_to(target)
    assert problems(out, FILES) == ["OUT/manifests: is a symbolic link, and a folder is needed there"]


def test_a_file_of_ours_behind_a_link_is_not_removed(out: Path) -> None:
    write(out, {"a/x": b"1"})
    (out / "a").rename(out / "b")
    (out / "a").symlink_to("b")
    assert problems(out, {}) == ["OUT/a: is a symbolic link, and a folder is needed there"]


def test_a_link_in_the_place_of_a_file_is_refused_not_followed(out: Path) -> None:
    write(out, FILES)
    (out / "README.md").unlink()
    (out / "README.md").symlink_to("apply.sh")
    says = ["OUT/README.md: is not a file, and a file of ours would take its place"]
    assert problems(out, FILES) == says
    assert problems(out, FILES | {"README.md": FILES["apply.sh"]}) == says


def test_something_else_in_the_place_of_a_stale_file_stays(out: Path) -> None:
    write(out, FILES | {"x": b"1", "y": b"2"})
    for name in ("x", "y"):
        (out / name).unlink()
    (out / "x").symlink_to("apply.sh")
    (out / "y").mkdir()
    assert write(out, FILES).removed == ()
    assert (out / "x").is_symlink()
    assert (out / "y").is_dir()


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    assert problems(tmp_path / "out", FILES) == ["OUT: is a file"]
    assert problems(tmp_path / "out" / "deeper", FILES) == ["OUT: Not a directory"]


@pytest.mark.parametrize("folder", ["", "factory", "factory/../factory", "up/factory"])
def test_an_output_folder_that_holds_the_source_is_refused(tmp_path: Path, folder: str) -> None:
    base = tmp_path / "base"  # its parent is ours alone, also while other tests run
    source = base / "factory" / "sites"
    source.mkdir(parents=True)
    (base / "up").symlink_to(".")
    [says] = problems(base / folder, FILES, forbidden=[base / "other", source])
    assert says.startswith("OUT: the output folder holds the source")


def test_an_output_folder_that_would_hold_a_source_not_made_yet_is_refused(tmp_path: Path) -> None:
    [says] = problems(tmp_path / "new", FILES, forbidden=[tmp_path / "new" / "factory.yaml"])
    assert says.startswith("OUT: the output folder holds the source")


def test_an_output_folder_inside_or_beside_the_source_is_accepted(tmp_path: Path) -> None:
    write(tmp_path / "out", FILES, forbidden=[tmp_path, tmp_path / "factory.yaml", tmp_path / "outer"])
    assert tree(tmp_path / "out") == FILES


@contextmanager
def unprivileged() -> Iterator[Path]:
    """A folder of a user to whom permissions apply, and that user's rights, also if the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(name, 65534, 65534)
            os.setresuid(65534, 65534, 0)
        try:
            yield Path(name)
        finally:
            if is_root:
                os.setresuid(0, 0, 0)


def test_a_read_only_folder_is_refused_unless_nothing_changes() -> None:
    with unprivileged() as home:
        out = home / "out"
        write(out, FILES)
        for path in (out, out / "manifests/00-base"):
            path.chmod(0o555)
        assert write(out, FILES).written == ()
        assert problems(out, FILES | {"new": b"1"}) == ["OUT: is read-only"]
        assert problems(out, FILES | {"manifests/00-base/b": b"1"}) == ["OUT/manifests/00-base: is read-only"]
        assert problems(out, {}) == ["OUT: is read-only", "OUT/manifests/00-base: is read-only"]
        home.chmod(0o555)
        assert problems(home / "other" / "out", FILES)[0].startswith("OUT: Permission denied")
        home.chmod(0o755)


def test_a_manifest_that_is_not_ours_is_refused(out: Path) -> None:
    manifests = (
        b"", b"{", b"[]", b"{}", b'{"schema": "aifactory-output/v2", "files": {}}', b"\xff", b"[" * 100_000,
        b'{"schema": "aifactory-output/v1"}', b'{"schema": "aifactory-output/v1", "files": {"../x": "0"}}',
        b'{"schema": "aifactory-output/v1", "files": {"/etc/passwd": "0"}}',
        b'{"schema": "aifactory-output/v1", "files": {"a": 1}}', b"<<<<<<< HEAD\n{}\n",
    )  # fmt: skip
    out.mkdir(parents=True)
    for text in manifests:
        for name in (MANIFEST, ".aifactory.pending.json"):
            (out / name).write_bytes(text)
            assert problems(out, FILES)[0].startswith(f"OUT/{name}: can't tell which files"), text
            (out / name).unlink()
    (out / MANIFEST).symlink_to("x")
    assert problems(out, FILES)[0].endswith("it is a symbolic link")
    (out / MANIFEST).unlink()
    (out / MANIFEST).mkdir()
    assert problems(out, FILES)[0].startswith(f"OUT/{MANIFEST}: can't tell which files")


def test_a_staging_folder_that_is_not_ours_is_refused(out: Path) -> None:
    out.mkdir(parents=True)
    (out / ".aifactory.new").write_bytes(b"mine")
    assert problems(out, FILES) == ["OUT/.aifactory.new: is not a folder of ours"]
    (out / ".aifactory.new").unlink()
    (out / ".aifactory.new").mkdir()
    (out / ".aifactory.new" / "mine").write_bytes(b"mine")
    assert problems(out, FILES) == ["OUT/.aifactory.new: holds files that are not ours"]


def test_an_input_that_breaks_off_leaves_nothing(out: Path) -> None:
    def files() -> Iterator[tuple[str, bytes]]:
        yield from FILES.items()
        raise KeyError("a part")

    with pytest.raises(KeyError, match="a part"):
        write(out, files())
    assert not out.parent.exists()


def test_a_disk_that_takes_a_file_in_pieces_gets_all_of_it(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    write(out, FILES | {"long": b"0123456789" * 100})
    assert tree(out) == FILES | {"long": b"0123456789" * 100}


def test_modes_follow_the_umask_and_executables_are_executable(out: Path) -> None:
    before = os.umask(0o027)
    try:
        write(out, FILES, executable={"apply.sh"})
    finally:
        os.umask(before)
    modes = {path: (out / path).stat().st_mode & 0o777 for path in (*FILES, "manifests", MANIFEST)}
    assert modes.pop("apply.sh") == 0o750
    assert modes.pop("manifests") == 0o750
    assert set(modes.values()) == {0o640}


def test_a_file_that_becomes_executable_is_written_again(out: Path) -> None:
    write(out, FILES)
    assert write(out, FILES, executable={"apply.sh"}).written == ("apply.sh",)
    assert (out / "apply.sh").stat().st_mode & 0o111
    assert write(out, FILES).written == ("apply.sh",)
    assert not (out / "apply.sh").stat().st_mode & 0o111
