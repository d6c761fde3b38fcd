"""An answer is given again only while all it was made from is the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aifactory.cli import work
from aifactory.cli.main import cli

SHIPPED = Path(__file__).parents[2] / "blueprints"
OLD_NS = 1_600_000_000_000_000_000


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose files were written long ago, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    (folder / "nested" / "sites").mkdir(parents=True)
    (folder / "facts").mkdir()
    (folder / "aifactory.yaml").write_text("aifactory: v1\nsites: nested/sites\ncatalog: [facts]\n")
    shutil.copy(SHIPPED / "library" / "training-roce.yaml", folder / "factory.yaml")
    for site in ("fra-dc1", "ams-colo1"):
        shutil.copy(SHIPPED / "sites" / f"{site}.yaml", folder / "nested" / "sites")
    age(folder)
    return folder


def age(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, ns=(OLD_NS, OLD_NS))


@pytest.fixture
def plans(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, bool]]:
    """Runs `plan`; says what it printed, and whether it planned anew."""
    count = 0
    prepare = work.prepare

    def counted(*args: Any, **kwargs: Any) -> work.Work:
        nonlocal count
        count += 1
        return prepare(*args, **kwargs)

    monkeypatch.setattr(work, "prepare", counted)

    def run(*words: str) -> tuple[str, bool]:
        before = count
        done = CliRunner().invoke(cli, ["plan", str(project / "factory.yaml"), *words])
        return done.output, count > before

    return run


def test_the_same_question_is_planned_once(plans: Callable[..., tuple[str, bool]]) -> None:
    first, second = plans(), plans()
    assert first[1]
    assert second == (first[0], False)
    assert "train.nodes" in first[0]


@pytest.mark.parametrize(
    "words", [("--format", "json"), ("--site", "fra-dc1"), ("--details",), ("--set", "pretrain_nodes=1")]
)
def test_another_question_is_another_answer(plans: Callable[..., tuple[str, bool]], words: tuple[str, ...]) -> None:
    plain = plans()
    assert plans(*words) != plain
    assert plans(*words)[1] is False


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    os.utime(path, ns=(OLD_NS, OLD_NS))


def nearer(folder: Path) -> None:
    (folder / "sites").mkdir()
    shutil.copy(folder / "nested/sites/fra-dc1.yaml", folder / "sites")


CHANGES: dict[str, Callable[[Path], object]] = {
    "the blueprint": lambda folder: edit(folder / "factory.yaml", "weight: 2", "weight: 3"),
    "a site": lambda folder: edit(folder / "nested/sites/fra-dc1.yaml", "pue: 1.25", "pue: 1.26"),
    "the project file": lambda folder: edit(folder / "aifactory.yaml", "[facts]", "[]"),
    "a nearer site file": nearer,
    "a fact that appears": lambda folder: (folder / "facts" / "images.yaml").write_text("wrong: ["),
    "a site that is gone": lambda folder: (folder / "nested/sites/fra-dc1.yaml").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_even_with_the_old_time_of_the_file(
    project: Path, plans: Callable[..., tuple[str, bool]], change: str
) -> None:
    plans()
    assert plans()[1] is False
    CHANGES[change](project)
    assert plans()[1] is True


def test_a_file_that_is_written_meanwhile_is_not_remembered(
    project: Path, plans: Callable[..., tuple[str, bool]]
) -> None:
    (project / "factory.yaml").touch()
    assert [plans()[1], plans()[1]] == [True, True]


def test_a_refusal_is_not_remembered(project: Path, plans: Callable[..., tuple[str, bool]]) -> None:
    edit(project / "factory.yaml", "accelerator: h200", "accelerator: b20")
    assert [plans()[1], plans()[1]] == [True, True]


def test_a_cache_that_cannot_be_written_changes_nothing(
    project: Path, plans: Callable[..., tuple[str, bool]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    first = plans()
    assert plans() == first


def test_old_answers_are_forgotten(project: Path, plans: Callable[..., tuple[str, bool]], tmp_path: Path) -> None:
    plans()
    kept = tmp_path / "cache" / "aifactory" / "answers"
    for index in range(80):
        (kept / f"{index}.json").write_text("x")
        os.utime(kept / f"{index}.json", ns=(OLD_NS, OLD_NS))
    plans("--details")
    assert len(list(kept.glob("*.json"))) == 64
    assert plans()[1] is False
