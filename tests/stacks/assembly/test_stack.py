from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.problems import Refused
from aifactory.components.rows import HostRow, KubernetesRow
from aifactory.components.values import Format, Json, Ref, SecretRef
from aifactory.stacks.assembly.stack import assemble, output
from aifactory.stacks.assembly.trees import plain_json, references
from support.planning import group, place, plan_site
from support.stacking import MAKE, release, stack_of

POOL = {"kind": "gpu-node-pool", "accelerator": "h200", "nodes": 4, "fabric": "rdma"}


def config(name: str, **data: object) -> KubernetesRow:
    return MAKE.kubernetes("v1", "ConfigMap", name, body={"data": data})


def test_a_row_without_references_is_sent_as_it_is() -> None:
    row = config("a", x="1")
    assert stack_of(row).plain_tree(row) is row.body


def test_references_are_answered_by_the_rows_they_name() -> None:
    reader = config("b", x=Ref("ConfigMap/a", "data.k"), y=Format(("v", Ref("Release/op/op", "version"))))
    stack = stack_of(config("a", k="1"), release("op"), reader)
    tree: Any = stack.plain_tree(stack.by_id[reader.id])  # type: ignore[arg-type]  # a Kubernetes row
    assert tree["data"] == {"x": "1", "y": "v1.2.3"}
    assert stack.by_id[reader.id].after == ("ConfigMap/a", "Release/op/op")


@pytest.mark.parametrize("path", ["status.ready", "data", "data.k.deeper", "data.later", ""])
def test_an_output_that_is_not_known_yet_is_a_defect_found_at_once(path: str) -> None:
    row = config("a", k="1", later=Ref("ConfigMap/c", "data.k"))
    with pytest.raises(KeyError):
        output(row, path)
    with pytest.raises(KeyError):
        stack_of(row, config("c", k="1"), config("b", x=Ref("ConfigMap/a", path)))


def test_a_reference_to_a_row_that_is_not_there_is_a_defect() -> None:
    with pytest.raises(KeyError, match="refers to ConfigMap/gone"):
        stack_of(config("b", x=Ref("ConfigMap/gone", "kind")))


def test_files_and_releases_have_few_outputs() -> None:
    with pytest.raises(KeyError):
        output(HostRow("Host/a", "p", ("n",), "/etc/x", "", "why"), "path")
    assert output(release("op", "ns"), "namespace") == "ns"
    with pytest.raises(KeyError):
        output(release("op"), "status")


@pytest.mark.parametrize(
    ("tree", "is_plain"),
    [
        ({"a": [1, "x", None, True, {"b": ("c",)}]}, True),
        ({"a": [Ref("r", "p")]}, False),
        ({"a": {"b": Format(("x",))}}, False),
        ({"a": Json({})}, False),
        ({"a": SecretRef("s", "k")}, False),
    ],
)
def test_a_tree_is_plain_when_nothing_in_it_is_to_be_resolved(tree: object, is_plain: bool) -> None:
    assert (plain_json(tree) is not None) == is_plain


def test_only_rows_with_something_to_resolve_are_looked_into() -> None:
    rows = {row.id: row for row in (config("a"), config("b", x=Json({"y": Ref("ConfigMap/a", "kind")})))}
    assert references(rows) == {"ConfigMap/b": {Ref("ConfigMap/a", "kind")}}


def test_two_parts_that_make_the_same_row_are_refused() -> None:
    at = place(nodes=[group(nodes=8)])
    planned = plan_site([{**POOL, "name": "one"}], at)
    assert planned.stack_plan is not None
    plan = planned.stack_plan
    twice = type(plan)(
        plan.name, plan.factory, plan.place, (*plan.parts, plan.parts[-1]), plan.decisions, plan.promises
    )
    with pytest.raises(Refused) as refused:
        assemble(twice)
    assert all("both make" in problem.says and problem.site == "lab" for problem in refused.value.problems)
    assert len(refused.value.problems) >= 5
