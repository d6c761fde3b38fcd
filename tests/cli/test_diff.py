"""`aifactory diff`: what changed, by meaning, between blueprints and generated folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from aifactory.cli.main import cli
from support.command import call, spawn
from support.written import BLUEPRINT, SITE, write_project

OTHER = SITE.replace("site: lab", "site: other")
BIG = SITE.replace("racks: 4", "racks: 20").replace(
    "      - {rack: r1, block: b1, nodes: [node-1, node-2]}\n",
    "".join(f"      - {{rack: g{rack}, block: b1, nodes: [g{rack}a, g{rack}b]}}\n" for rack in range(5)),
).replace("[swp1, swp2, swp3, swp4]", f"[{', '.join(f'swp{port}' for port in range(1, 17))}]")  # fmt: skip


def two(tmp_path: Path, before: str, after: str, **sites: str) -> tuple[Path, Path]:
    """Two projects with the same sites."""
    return write_project(tmp_path / "before", before, **sites), write_project(tmp_path / "after", after, **sites)


def test_no_change_is_one_line(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    assert call("diff", path, path) == (0, "no changes\n", "")
    assert call("diff", path, path, "--exit-code").code == 0


def test_eight_nodes_became_ten(tmp_path: Path) -> None:
    before, after = two(
        tmp_path, BLUEPRINT.replace("nodes: 2", "nodes: 8"), BLUEPRINT.replace("nodes: 2", "nodes: 10"), lab=BIG
    )
    ran = call("diff", before, after)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "demo-lab-platform"
    assert lines[1].startswith("  train: 8 H200 nodes became 10: ")
    assert lines[-1].startswith("  rows: ")
    assert call("diff", before, after, "--exit-code").code == 1


def test_rows_are_counted_and_listed_on_demand(tmp_path: Path) -> None:
    before, after = two(tmp_path, BLUEPRINT, BLUEPRINT.replace("name: product", "name: research-2"))
    plain, listed = call("diff", before, after).out, call("diff", before, after, "--rows").out
    assert "+ " not in plain
    assert "+ Namespace/research-2" in listed
    assert "- Namespace/product" in listed
    added = sum(line.strip().startswith("+ ") for line in listed.splitlines())
    assert f"rows: {added} added, " in plain


def test_a_renamed_part_replaces_nothing(tmp_path: Path) -> None:
    after = BLUEPRINT.replace("    name: train\n", "    name: gpus\n    renamed_from: train\n").replace(
        "[train]", "[gpus]"
    )
    out = call("diff", *two(tmp_path, BLUEPRINT, after)).out
    assert "part train is now called gpus; nothing is replaced" in out
    assert " 0 added, " in out
    assert out.rstrip().endswith(" 0 removed")


def test_a_part_that_came_or_went_is_named(tmp_path: Path) -> None:
    without = BLUEPRINT.partition("  - kind: queue")[0]
    before, after = two(tmp_path, BLUEPRINT, without)
    assert "part teams (queue) is gone" in call("diff", before, after).out
    assert "part teams (queue) is new" in call("diff", after, before).out


def test_a_site_that_came_or_went_is_a_stack_that_did(tmp_path: Path) -> None:
    before, after = two(tmp_path, BLUEPRINT, BLUEPRINT.replace("[lab]", "[lab, other]"), other=OTHER)
    assert "stack demo-other-platform is new" in call("diff", before, after).out
    assert "stack demo-other-platform is gone" in call("diff", after, before).out
    assert call("diff", before, after, "--site", "lab").out == "no changes\n"
    assert "is new" in call("diff", before, after, "--site", "other").out


def test_a_generated_folder_can_be_either_side(tmp_path: Path) -> None:
    before, after = two(
        tmp_path, BLUEPRINT, BLUEPRINT.replace("nodes: 2", "nodes: quotas").replace("gpus: 8}", "gpus: 4}")
    )
    assert call("generate", before, "--out", tmp_path / "out").code == 0
    stack = tmp_path / "out" / "demo-lab-platform"
    assert call("diff", tmp_path / "out", before).out == "no changes\n"
    assert call("diff", stack, before).out == "no changes\n"
    assert call("diff", stack, after).out == call("diff", before, after).out
    assert "became" in call("diff", stack, after).out


def test_as_data_each_change_has_its_sentence_and_both_values(tmp_path: Path) -> None:
    before, after = two(tmp_path, BLUEPRINT, BLUEPRINT.replace("{name: product, gpus: 8}", "{name: product, gpus: 0}"))
    ran = call("diff", before, after, "--format", "json")
    data = json.loads(ran.out)
    assert data["schema"] == "aifactory-diff/v1"
    assert all(
        set(change) == {"stack", "subject", "verb", "target", "says", "before", "after", "fields"}
        for change in data["changes"]
    )
    changed = [change for change in data["changes"] if change["subject"] == "decision"]
    assert changed
    assert all(change["before"] != change["after"] for change in changed)
    assert any(change["fields"] for change in data["changes"] if change["subject"] == "row")


def test_each_side_is_refused_with_its_own_lines(tmp_path: Path) -> None:
    before, after = two(tmp_path, BLUEPRINT, BLUEPRINT.replace("accelerator: h200", "accelerator: b20"))
    for pair in ((before, after), (after, before)):
        ran = call("diff", *pair)
        assert (ran.code, ran.out) == (1, "")
        assert "    9 |     accelerator: b20" in ran.err


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: None, "holds no generated stack"),
        (lambda folder: (folder / "plan.json").write_text("{}"), "rows.json can't be read"),
        (
            lambda folder: [(folder / name).write_text("{}") for name in ("plan.json", "rows.json")],
            "not written by this",
        ),
        (lambda folder: [(folder / name).write_text("[") for name in ("plan.json", "rows.json")], "can't be read"),
    ],
)
def test_a_folder_that_holds_no_stack_is_refused(tmp_path: Path, make: object, says: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    make(folder)  # type: ignore[operator]  # one of those above
    ran = call("diff", folder, write_project(tmp_path / "project"))
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    assert "defect" not in ran.err


def test_a_site_of_neither_side_is_refused(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    ran = call("diff", path, path, "--site", "lba")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith('"lba" is a site of neither side\nhint: did you mean "lab"?')


@pytest.mark.parametrize("columns", [80, 120])
def test_sentences_fit_the_terminal(tmp_path: Path, columns: int) -> None:
    before, after = two(tmp_path, BLUEPRINT, BLUEPRINT.replace("gpus: 8}", "gpus: 4, lend_gpus: 0}"))
    out = spawn("diff", before, after, "--rows", env={"COLUMNS": str(columns)}).out
    wide = [line for line in out.splitlines() if len(line) > columns]
    assert all(" " not in line.strip() for line in wide), wide


def test_a_folder_of_one_stack_is_compared_with_that_stack_alone(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "blueprints" / "library"
    runner = CliRunner()
    for name in ("training-roce", "training-infiniband"):
        assert runner.invoke(cli, ["generate", str(shipped / f"{name}.yaml"), "--out", str(tmp_path)]).exit_code == 0
    blueprint = str(shipped / "training-roce.yaml")
    for folder in (tmp_path / "training-roce-fra-dc1-platform", tmp_path):
        assert runner.invoke(cli, ["diff", str(folder), blueprint]).output == "no changes\n"
        assert runner.invoke(cli, ["diff", blueprint, str(folder)]).output == "no changes\n"
