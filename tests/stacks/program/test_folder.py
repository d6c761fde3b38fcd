"""The program of a generated folder: it registers what was generated, or refuses."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from aifactory.stacks.program.folder import register_folder
from aifactory.stacks.render.project import project_files
from support.made_up import STACK, row_set
from support.recorder import Recorded, record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in project_files(row_set(), {"schema": "aifactory-plan/v1"}, "file://state"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def registered(folder: Path, stack: str = STACK, config: dict[str, str] | None = None) -> Recorded:
    def program() -> None:
        register_folder(folder)

    return record(program, stack=stack, config=config)


def test_the_program_in_the_folder_registers_its_rows(folder: Path) -> None:
    def program() -> None:
        runpy.run_path(str(folder / "__main__.py"))

    assert record(program, stack=STACK) == registered(folder)
    assert registered(folder).outputs["namespaces"] == {"ml": "ml"}


def test_a_kubeconfig_in_the_stacks_settings_counts_from_the_folder(folder: Path) -> None:
    found = registered(folder, config={"aifactory:kubeconfig": "kube.yaml"})
    (provider,) = found.of_type("pulumi:providers:kubernetes")
    assert provider.inputs["kubeconfig"] == str(folder / "kube.yaml")


def by_hand(folder: Path) -> None:
    path = folder / "rows.json"
    path.write_text(path.read_text().replace('"ml"', '"mine"'))


def other_schema(folder: Path) -> None:
    rewrite(folder, lambda rows: {**rows, "schema": "aifactory-rows/v9"})


def missing_field(folder: Path) -> None:
    rewrite(folder, lambda rows: {key: value for key, value in rows.items() if key != "cluster"})


def unknown_row(folder: Path) -> None:
    rewrite(folder, lambda rows: {**rows, "rows": [{"type": "moon"}]})


def rewrite(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the rows and their digest alike, as another version of the generator would."""
    import hashlib

    text = json.dumps(change(json.loads((folder / "rows.json").read_text())))
    (folder / "rows.json").write_text(text)
    plan = json.loads((folder / "plan.json").read_text())
    plan["rows_digest"] = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    (folder / "plan.json").write_text(json.dumps(plan))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (by_hand, "is not what was generated"),
        (lambda folder: (folder / "plan.json").write_text("{}"), "plan.json says None"),
        (lambda folder: (folder / "plan.json").write_text("[]"), "plan.json says None"),
        (lambda folder: (folder / "plan.json").write_text("{"), "plan.json in .* is not JSON"),
        (lambda folder: (folder / "plan.json").unlink(), "plan.json can't be read"),
        (lambda folder: (folder / "rows.json").unlink(), "rows.json can't be read"),
        (other_schema, "can't be read by this version of aifactory .*aifactory-rows/v9"),
        (missing_field, "can't be read by this version of aifactory"),
        (unknown_row, "can't be read by this version of aifactory"),
    ],
)
def test_a_folder_that_was_changed_is_refused(folder: Path, change: Callable[[Path], object], says: str) -> None:
    change(folder)
    with pytest.raises(pulumi.RunError, match=says):
        registered(folder)


def test_another_stack_is_refused_with_the_command_that_selects_the_right_one(folder: Path) -> None:
    with pytest.raises(pulumi.RunError, match=f"pulumi stack select {STACK}"):
        registered(folder, stack="dev")
