"""Files for hosts, put in place for real below another root."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from aifactory.components.rows import HostRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.hosts import host_files
from support import shipped
from support.planning import group, place
from support.stacking import stack_of

GROUP = group(nodes=8, per_rack=2, racks_per_block=2)
NODES = tuple(node for rack in GROUP["racks"] for node in rack["nodes"])


def host(path: str, hosts: tuple[str, ...] = NODES, **fields: object) -> HostRow:
    whole = {"content": "text\n", "why": "because", **fields}
    return HostRow(f"Host/{path}/{hosts[-1]}", "part", hosts, path, **whole)  # type: ignore[arg-type]  # by name


def stack(*rows: HostRow) -> Stack:
    return stack_of(*rows, at=place(nodes=[GROUP]))


def laid_out(tmp_path: Path, *rows: HostRow) -> Path:
    for path, text in host_files(stack(*rows)):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "hosts"


def install(folder: Path, root: Path) -> str:
    ran = subprocess.run(
        ["bash", str(folder / "install.sh")],
        env={"PATH": "/usr/bin:/bin", "DESTDIR": str(root)},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_stack_without_files_for_hosts_has_no_folder_for_them() -> None:
    assert list(host_files(stack_of())) == []


def test_hosts_that_get_the_same_files_are_a_set() -> None:
    rows = (host("/etc/b"), host("/etc/a"), host("/etc/a", NODES[:2], content="other\n"))
    files = dict(host_files(stack(*rows)))
    index = yaml.safe_load(files["hosts/index.yaml"])["sets"]
    assert [(each["folder"], len(each["hosts"]), [file["path"] for file in each["files"]]) for each in index] == [
        ("hosts/set-01", 2, ["/etc/a"]),
        ("hosts/set-02", 8, ["/etc/a", "/etc/b"]),
    ]
    assert files["hosts/set-01/files/etc/a"] == "other\n"
    assert files["hosts/set-02/hosts.txt"].split() == list(NODES)


def test_files_are_put_in_place_once(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, host("/etc/x.d/a.conf"), host("/etc/y", content="")) / "set-01"
    said = install(folder, tmp_path / "root")
    assert "2 of 2 files changed" in said
    assert "/etc/x.d/a.conf\n    because" in said
    assert (tmp_path / "root/etc/x.d/a.conf").read_text() == "text\n"
    assert (tmp_path / "root/etc/y").stat().st_mode & 0o777 == 0o644
    before = (tmp_path / "root/etc/y").stat().st_mtime_ns
    assert install(folder, tmp_path / "root") == "0 of 2 files changed\n"
    assert (tmp_path / "root/etc/y").stat().st_mtime_ns == before


def test_a_reboot_is_asked_for_only_by_a_file_that_changed(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, host("/etc/a"), host("/etc/b", reboot=True)) / "set-01"
    root = tmp_path / "root"
    assert "needs a reboot" in install(folder, root)
    (root / "etc/a").write_text("old")
    assert "needs a reboot" not in install(folder, root)
    (root / "etc/b").write_text("old")
    assert "needs a reboot" in install(folder, root)


HOSTILE = 'a\'b "c" $(touch pwned) `touch pwned` | # \n\\ x'


def test_hostile_words_stay_words_and_odd_paths_are_kept(tmp_path: Path) -> None:
    path = "/etc/udev/0000:1a:00.0 $(touch pwned)/100%.rules"
    folder = laid_out(tmp_path, host(path, why=HOSTILE)) / "set-01"
    assert (folder / "files/etc/udev/0000%3a1a%3a00.0 $(touch pwned)/100%25.rules").is_file()
    assert " ".join(HOSTILE.split()) in install(folder, tmp_path / "root")
    assert (tmp_path / f"root{path}").read_text() == "text\n"
    assert not [found for found in tmp_path.rglob("*") if found.name == "pwned"]
    table = [line for line in (tmp_path / "hosts/README.md").read_text().splitlines() if "udev" in line]
    assert len(table) == 1
    assert table[0].replace("\\|", "").count("|") == 6


def test_documents_of_other_tools_are_not_put_on_hosts(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, host("talos/gpu.patch.yaml")) / "set-01"
    assert (folder / "talos/gpu.patch.yaml").is_file()
    assert not (folder / "install.sh").exists()
    assert "Not files of the hosts but documents" in (tmp_path / "hosts/README.md").read_text()


def test_the_order_goes_rack_by_rack_and_block_by_block() -> None:
    text = dict(host_files(stack(host("/etc/a", NODES[:6]))))["hosts/README.md"]
    lines = [line for line in text.splitlines() if line.startswith("| `b")]
    racks = [rack for rack in GROUP["racks"] if set(rack["nodes"]) & set(NODES[:6])]
    assert [line.split("`")[1::2] for line in lines] == [
        [rack["block"], rack["rack"], " ".join(rack["nodes"])] for rack in racks
    ]


@pytest.mark.parametrize("name", shipped.STACKS)
def test_the_programs_of_a_shipped_stack_are_sound(name: str, tmp_path: Path) -> None:
    files = {path: data for path, data in shipped.files(name).items() if path.startswith("hosts/")}
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    for folder in sorted((tmp_path / "hosts").glob("set-*")):
        checker = ["shellcheck", "--shell=bash"] if shutil.which("shellcheck") else ["bash", "-n"]
        checked = subprocess.run([*checker, str(folder / "install.sh")], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        install(folder, tmp_path / "root")
        put = {path.relative_to(tmp_path / "root") for path in (tmp_path / "root").rglob("*") if path.is_file()}
        assert put == {path.relative_to(folder / "files") for path in (folder / "files").rglob("*") if path.is_file()}


def test_commands_that_read_the_files_are_named_once_and_only_for_changes(tmp_path: Path) -> None:
    rows = (host("/etc/sysctl.d/a"), host("/etc/sysctl.d/b"), host("/etc/systemd/system/x.d/c"), host("/etc/other"))
    folder = laid_out(tmp_path, *rows) / "set-01"
    said = install(folder, tmp_path / "root")
    assert said.endswith("Then run:\n    sysctl --system\n    systemctl daemon-reload\n")
    (tmp_path / "root/etc/other").write_text("old")
    assert "Then run" not in install(folder, tmp_path / "root")
