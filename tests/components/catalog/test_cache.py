"""The compiled cache: it saves time, and nothing that is wrong with it changes an answer."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aifactory.components.catalog import Catalog, cache, tables
from aifactory.components.catalog.compile import compiled
from aifactory.components.catalog.source import read

READ = """
from aifactory.components.catalog import Catalog
print(Catalog.shipped().row("accelerators", "h200").count("memory_gb"))
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tables._shipped.cache_clear()
    yield tmp_path / "aifactory" / "catalog"
    tables._shipped.cache_clear()


def entry() -> Path:
    path = cache.entry("accelerators", (tables.SHIPPED / "accelerators.yaml").read_bytes())
    assert path is not None
    return path


def memory_gb() -> float:
    tables._shipped.cache_clear()
    return Catalog().row("accelerators", "h200").number("memory_gb")


def test_the_first_reading_writes_one_entry_and_the_next_uses_it(own_cache: Path) -> None:
    assert memory_gb() == 141
    assert list(own_cache.iterdir()) == [entry()]
    written = entry().stat().st_mtime_ns
    assert memory_gb() == 141
    assert entry().stat().st_mtime_ns == written


@pytest.mark.parametrize("stem", tables.stems())
def test_an_entry_holds_exactly_what_the_file_compiles_to(stem: str) -> None:
    content, problems = compiled(stem, read((tables.SHIPPED / f"{stem}.yaml").read_bytes()))
    assert problems == []
    path = entry().with_name(f"{stem}.json")
    cache.store(path, content)
    assert cache.load(path) == content
    assert json.dumps(cache.load(path)) == json.dumps(content)


def test_reading_one_table_reads_no_other(own_cache: Path) -> None:
    memory_gb()
    assert [path.name.rpartition("-")[0] for path in own_cache.iterdir()] == ["accelerators"]


def _cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _altered(body: bytes) -> bytes:
    return body.replace(b'"value":141', b'"value":999')


@pytest.mark.parametrize(
    "damage",
    [_cut, _altered, b"", b"not json", b"\xff" * 100, b"0" * 64 + b"\n{}"],
    ids=["cut", "altered", "empty", "text", "bytes", "foreign"],
)
def test_a_damaged_entry_is_ignored_and_replaced(damage: Callable[[bytes], bytes] | bytes) -> None:
    memory_gb()
    whole = entry().read_bytes()
    damaged = damage if isinstance(damage, bytes) else damage(whole)
    assert damaged != whole
    entry().write_bytes(damaged)
    assert memory_gb() == 141
    assert entry().read_bytes() == whole


def test_an_entry_of_other_bytes_or_other_code_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {cache.entry("accelerators", text) for text in (b"a", b"b")}
    cache._code_digest.cache_clear()
    monkeypatch.setattr(cache, "_CODE", ("source.py",))
    names.add(cache.entry("accelerators", b"a"))
    cache._code_digest.cache_clear()
    assert len(names) == 3


def test_an_entry_that_someone_else_owns_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    memory_gb()
    assert cache.load(entry()) is not None
    monkeypatch.setattr(os, "getuid", lambda: 4_294_000_000)
    assert cache.load(entry()) is None


def test_a_cache_that_can_not_be_written_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert memory_gb() == 141
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/path")
    monkeypatch.setenv("HOME", "also/relative")
    assert cache.folder() is None
    assert memory_gb() == 141


def test_a_write_that_fails_leaves_nothing_behind(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert memory_gb() == 141
    assert list(own_cache.iterdir()) == []


def test_processes_that_race_on_the_cache_all_read_the_same(own_cache: Path) -> None:
    racing = [subprocess.Popen([sys.executable, "-c", READ], stdout=subprocess.PIPE, text=True) for _ in range(6)]
    assert [process.communicate(timeout=60)[0].strip() for process in racing] == ["141"] * 6
    assert list(own_cache.iterdir()) == [entry()]


def test_a_cached_table_needs_no_yaml_and_no_pydantic() -> None:
    code = READ + "import sys; print(sorted({'yaml', 'pydantic', 'pydantic_core'} & set(sys.modules)))"
    for expected in ("['yaml']", "[]"):
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.split("\n")[1] == expected
