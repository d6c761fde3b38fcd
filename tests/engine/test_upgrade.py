"""What a release deployed goes to this version with nothing replaced, and nothing that holds data touched.

The states are those that each release exported (`tests/data/states`). Their objects are made as that release made them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from aifactory.components.names import HELM_RELEASE_TOKEN
from aifactory.components.rows import KubernetesRow
from aifactory.components.values import plain
from aifactory.stacks.program.identity import PROJECT
from aifactory.stacks.program.state import state_rows
from support.proving.charts import write_chart
from support.proving.ground import Operators
from support.proving.yard import Yard
from support.shipped import ROOT

pytestmark = pytest.mark.engine
STATES = ROOT / "tests" / "data" / "states"
MANAGER = "pulumi-kubernetes-of-then"


def deployed() -> Iterator[tuple[str, str]]:
    """Release and stack of each state."""
    for path in sorted(STATES.glob("*/*.json")):
        yield path.parent.name, path.stem


@pytest.mark.parametrize(("release", "stack"), list(deployed()))
def test_what_a_release_deployed_goes_to_this_version(yards: Any, release: str, stack: str) -> None:
    yard: Yard = yards(stack)
    with Operators(yard.plane.api):
        state = json.loads((STATES / release / f"{stack}.json").read_text(encoding="utf-8"))
        restore(yard, state)
        then = {row.row for row in state_rows(state["deployment"]["resources"])}
        before = {row.id: uid(yard, row) for row in objects(yard) if row.id in then}
        assert len(before) > len(objects(yard)) / 2
        told = yard.data("up", "--yes")
        assert "replace" not in told["changes"]
        assert yard.data("preview")["changes"] == {"same": len(yard.cluster_rows())}
    after = {row.id: uid(yard, row) for row in objects(yard) if row.id in before}
    assert after == before, "an object was made anew"


def restore(yard: Yard, state: dict[str, Any]) -> None:
    """Make what the state holds, and give the state to the engine."""
    for one in state["deployment"]["resources"]:
        if one["type"] == HELM_RELEASE_TOKEN:
            one["outputs"] = installed(yard, one["inputs"])
        elif str(one["type"]).startswith("kubernetes:"):
            one["outputs"] = made(yard, one["inputs"])
    project = {"name": PROJECT, "runtime": "python", "backend": {"url": f"file://{yard.state}"}}
    folder = yard.root / "then"
    folder.mkdir()
    yard.state.mkdir()
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
    for words in (["stack", "init", yard.name], ["stack", "import", "--file", "state.json", "--stack", yard.name]):
        ran = yard.call(["pulumi", "--non-interactive", *words], cwd=folder)
        assert ran.returncode == 0, ran.stderr


def made(yard: Yard, body: dict[str, Any]) -> dict[str, Any]:
    """An object as the provider made it then, and what it keeps of it."""
    api = yard.plane.api
    parent = api.path(body).rpartition("/")[0]
    live = api.call("POST", f"{parent}?fieldManager={MANAGER}", body)
    return {**live, "__inputs": body, "__fieldManager": MANAGER, "__initialApiVersion": body["apiVersion"]}


def installed(yard: Yard, inputs: dict[str, Any]) -> dict[str, Any]:
    """A release as the provider made it then."""
    name = inputs["chart"].rpartition("/")[2]
    crds = next((row.crds for row in yard.releases() if row.chart == name), ())
    write_chart(yard.charts, name, inputs["version"], crds, [], yard.schemas)
    chart = str(yard.charts / f"{name}-{inputs['version']}")
    where = [f"--namespace={inputs['namespace']}", f"--kubeconfig={yard.kubeconfig}", "--wait=legacy"]
    ran = yard.call([str(yard.helm), "install", inputs["name"], chart, *where])
    assert ran.returncode == 0, ran.stderr
    return {**inputs, "__inputs": inputs}


def objects(yard: Yard) -> list[KubernetesRow]:
    """Objects of the plan of this version."""
    return [row for row in yard.cluster_rows() if isinstance(row, KubernetesRow)]


def uid(yard: Yard, row: KubernetesRow) -> str:
    """The identity of an object: another one means that it was made anew."""
    return str(yard.plane.api.get(plain(row.body, lambda ref: ref.row))["metadata"]["uid"])
