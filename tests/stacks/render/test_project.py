from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.values import Json, Ref
from aifactory.stacks.assembly.rowset import from_data, row_set
from aifactory.stacks.render import json_lines
from aifactory.stacks.render.project import project_files, rows_json
from support import shipped
from support.stacking import MAKE, stack_of

trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), trees), st.integers(0, 4))
def test_json_over_lines_is_the_same_json(tree: dict[str, Any], levels: int) -> None:
    text = json_lines.dumps(tree, levels)
    assert json.loads(text) == tree
    assert text.endswith("\n")


def test_each_thing_below_the_levels_has_a_line() -> None:
    assert (
        json_lines.dumps({"a": [{"b": 1}, {"c": [2]}], "d": {}}, 2) == '{\n"a":[\n{"b":1},\n{"c":[2]}\n],\n"d":{}\n}\n'
    )


def project(stack_rows: Any, backend: str = "file://state") -> dict[str, str]:
    return dict(project_files(stack_rows, {"schema": "x"}, backend))


def test_rows_come_back_as_they_were_references_and_all() -> None:
    stack = stack_of(
        MAKE.kubernetes("v1", "ConfigMap", "a"),
        MAKE.kubernetes(
            "v1", "ConfigMap", "b", body={"data": {"x": Ref("ConfigMap/a", "metadata.name"), "$y": Json({})}}
        ),
    )
    rows = row_set(stack, "sha256:00")
    assert from_data(json.loads(rows_json(rows))) == rows


@pytest.mark.parametrize("name", shipped.STACKS)
def test_rows_of_a_shipped_stack_come_back_as_they_were(name: str) -> None:
    stack = shipped.stacks()[name]
    rows = row_set(stack, "sha256:00")
    text = rows_json(rows)
    assert from_data(json.loads(text)) == rows
    assert sum(line.startswith('{"type":') for line in text.splitlines()) == len(stack.rows)


@pytest.mark.parametrize("name", shipped.STACKS)
def test_every_file_that_names_a_digest_names_the_same(name: str) -> None:
    files = shipped.files(name)
    plan, rows = json.loads(files["plan.json"]), json.loads(files["rows.json"])
    assert plan["rows_digest"] == f"sha256:{hashlib.sha256(files['rows.json']).hexdigest()}"
    assert plan["digest"] == rows["plan_digest"]
    assert f"`{plan['digest']}`" in files["README.md"].decode()
    assert (plan["stack"]["name"], rows["stack"]) == (name, name)


@pytest.mark.parametrize(
    ("backend", "named"),
    [("file://state", None), ("file:///srv/state", None), ("s3://bucket", {"url": "s3://bucket"})],
)
def test_the_project_names_a_backend_that_means_the_same_everywhere(backend: str, named: object) -> None:
    files = project(row_set(stack_of(MAKE.kubernetes("v1", "ConfigMap", "a")), "sha256:00"), backend)
    assert yaml.safe_load(files["Pulumi.yaml"]).get("backend") == named


def test_the_program_is_short_and_sound() -> None:
    text = project(row_set(stack_of(MAKE.kubernetes("v1", "ConfigMap", "a")), "sha256:00"))["__main__.py"]
    compile(text, "__main__.py", "exec")
    assert len(text.splitlines()) < 10
