"""What changed between two plans, in sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aifactory.components.problems import Refused
from aifactory.stacks.assembly.codec import encode
from aifactory.stacks.comparing.changes import Change, changes
from aifactory.stacks.comparing.snapshot import Snapshot, of_folder, of_stacks
from aifactory.stacks.planning.data import stack_data
from support.offered import queue, training
from support.planning import plan_site

POOL = {"kind": "gpu-node-pool", "name": "train", "accelerator": "h200", "nodes": 8, "fabric": "rdma"}
RUN = training()
JOBSET = "JobSet.jobset.x-k8s.io/research/pretrain-1"


def snapshot(*parts: dict[str, Any]) -> Snapshot:
    """The parts, planned at the made-up site."""
    return of_stacks([plan_site(parts).stack])


def found(before: Snapshot, after: Snapshot, subject: str) -> list[Change]:
    """What changed in one subject."""
    return [each for each in changes(before, after) if each.subject == subject]


def says(before: Snapshot, after: Snapshot, subject: str) -> list[str]:
    """The sentences on one subject."""
    return [each.says for each in found(before, after, subject)]


BEFORE = snapshot(POOL, queue(), RUN)


def test_the_same_plan_has_no_changes() -> None:
    assert changes(BEFORE, snapshot(RUN, queue(), POOL)) == []


def test_nodes_are_told_first_and_by_their_model() -> None:
    after = snapshot(POOL | {"nodes": 7}, queue(), RUN)
    assert says(BEFORE, after, "decision")[0].startswith("train: 8 H200 nodes became 7: ")


def test_stacks_come_and_go() -> None:
    assert [(each.verb, each.says) for each in changes(BEFORE, {})] == [("removed", "stack demo-lab-platform is gone")]
    assert [(each.verb, each.says) for each in changes({}, BEFORE)] == [("added", "stack demo-lab-platform is new")]


def test_a_tenant_that_came_and_one_that_went_are_told() -> None:
    tenants = [{"name": "research", "gpus": 40}, {"name": "lab", "gpus": 8}]
    after = snapshot(POOL, queue(tenants=tenants), RUN)
    told = "\n".join(says(BEFORE, after, "decision"))
    assert "teams.tenants.lab.train is new: guaranteed 8, may_borrow" in told
    assert "teams.tenants.product.train is gone: it was guaranteed 16, may_borrow" in told


def test_what_a_new_part_decided_is_not_told_beside_the_part() -> None:
    told = changes(BEFORE, snapshot(POOL, queue(), RUN, training(name="tune")))
    assert [each.says for each in told if each.subject == "part"] == ["part tune (training) is new"]
    assert not [each for each in told if each.target.startswith("tune.")]
    assert says(snapshot(POOL, queue(), RUN), snapshot(POOL, queue()), "part") == ["part pretrain (training) is gone"]


@pytest.mark.parametrize("name", ["gpus", "newest"])
def test_a_renamed_part_is_the_same_part_under_another_name(name: str) -> None:
    renamed = [POOL | {"name": name, "renamed_from": "train"}, queue(pools=[name]), RUN | {"pool": name}]
    after = snapshot(*renamed)
    assert says(BEFORE, after, "part") == [f"part train is now called {name}; nothing is replaced"]
    assert says(BEFORE, after, "decision") == []
    assert {each.verb for each in found(BEFORE, after, "row")} == {"changed"}


def test_a_part_renamed_twice_is_still_the_same() -> None:
    once = snapshot(POOL, queue(), RUN | {"name": "second", "renamed_from": "pretrain"})
    twice = snapshot(POOL, queue(), RUN | {"name": "third", "renamed_from": "pretrain"})
    assert says(once, twice, "part") == ["part second is now called third; nothing is replaced"]
    assert says(twice, snapshot(POOL, queue(), RUN), "part") == [
        "part third is now called pretrain; nothing is replaced"
    ]


def test_a_rename_leaves_templates_that_cannot_change_as_they_are() -> None:
    after = snapshot(
        POOL | {"name": "gpus", "renamed_from": "train"},
        queue(pools=["gpus"]),
        RUN | {"name": "first", "renamed_from": "pretrain", "pool": "gpus"},
        {"kind": "fabric", "name": "rails", "renamed_from": "fabric"},
    )
    for row in found(BEFORE, after, "row"):
        if row.target.startswith(("Job.batch", "JobSet")):
            assert not [field for field in row.fields if field.startswith("spec.")], row


def test_an_override_is_told_with_its_reason() -> None:
    note = {"row": JOBSET, "patch": {"spec": {"ttlSecondsAfterFinished": 5}}, "reason": "cleaned by a janitor"}
    after = snapshot(POOL, queue(), RUN | {"overrides": [note]})
    assert says(BEFORE, after, "part") == [f"pretrain: {JOBSET} is overridden: cleaned by a janitor"]
    assert says(after, BEFORE, "part") == [
        f"pretrain: {JOBSET} is no longer overridden as before: cleaned by a janitor"
    ]
    (row,) = found(BEFORE, after, "row")
    assert set(row.fields) == {"metadata.annotations", "spec.ttlSecondsAfterFinished", "override"}


def test_what_outlives_its_removal_is_said_to() -> None:
    told = says(BEFORE, snapshot(POOL, queue()), "row")
    (volume,) = [each for each in told if "PersistentVolumeClaim" in each]
    assert "protected" in volume
    assert f"- {JOBSET} (pretrain)" in told
    stays = {name: dict(row) for name, row in BEFORE["demo-lab-platform"].rows.items()}
    stays[JOBSET] |= {"retain_on_delete": True}
    before = {"demo-lab-platform": type(BEFORE["demo-lab-platform"])("demo-lab-platform", "lab", {}, {}, stays)}
    assert f"- {JOBSET} (pretrain): it stays in the cluster" in says(before, snapshot(POOL, queue()), "row")


def test_a_row_with_many_changes_names_the_first() -> None:
    rows = {"X/y": {"part": "p", "body": {f"k{n}": n for n in range(9)}}}
    other = {"X/y": {"part": "p", "body": {f"k{n}": n + 1 for n in range(9)}}}
    kind = type(BEFORE["demo-lab-platform"])
    before, after = ({"s": kind("s", "lab", {}, {}, each)} for each in (rows, other))
    assert says(before, after, "row") == ["~ X/y (p): k0, k1, k2, k3, k4, k5 and 3 more"]


def written(folder: Path) -> Path:
    """A stack's folder, as far as a comparison reads it."""
    stack = plan_site([POOL, queue(), RUN]).stack
    folder.mkdir()
    folder.joinpath("plan.json").write_text(json.dumps({"stack": {"name": stack.name, **stack_data(stack.plan)}}))
    rows = [encode(row, stack.steps[row.id]) for row in stack.rows]
    folder.joinpath("rows.json").write_text(json.dumps({"rows": rows}))
    return folder


def test_a_generated_folder_compares_as_the_plan_it_came_from(tmp_path: Path) -> None:
    folder = written(tmp_path / "one")
    assert changes(of_folder(folder), BEFORE) == []
    assert of_folder(tmp_path).keys() == BEFORE.keys()


@pytest.mark.parametrize(
    ("plan", "message"),
    [(None, "holds no generated stack"), ("{", "can't be read"), ("{}", "was not written by this version")],
)
def test_a_folder_that_holds_no_plan_is_refused(tmp_path: Path, plan: str | None, message: str) -> None:
    if plan is not None:
        tmp_path.joinpath("plan.json").write_text(plan)
        tmp_path.joinpath("rows.json").write_text("{}")
    with pytest.raises(Refused) as refused:
        of_folder(tmp_path)
    assert message in refused.value.problems[0].says
