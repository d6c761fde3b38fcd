"""Hand edits are named in words of the blueprint, and healed; what holds data is replaced or removed by name alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.proving.api import APPLY
from support.proving.ground import Operators
from support.proving.yard import Yard

pytestmark = pytest.mark.engine
STACK = "training-roce-ams-colo1-platform"
QUEUE = "ClusterQueue.kueue.x-k8s.io/teams-research"
CLAIM = "PersistentVolumeClaim/research/pretrain-checkpoints"
QUOTA = "ResourceQuota/research/quota"
HAND = "kubectl-edit"
NCCL = "ConfigMap/research/fabric-nccl"


def test_hand_edits_are_named_and_healed(yards: Any) -> None:
    yard: Yard = yards(STACK)
    with Operators(yard.plane.api):
        yard.data("up", "--yes")
        assert drift(yard) == {}
        hold = {"spec": {"stopPolicy": "Hold"}}
        edit(
            yard,
            {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": {"name": "teams-research"}},
            hold,
        )
        edit(yard, core("ResourceQuota", "quota"), {"spec": {"hard": {"requests.nvidia.com/gpu": "1"}}})
        yard.plane.api.delete(core("ConfigMap", "fabric-nccl"))
        told = drift(yard)
        assert {row: one["part"] for row, one in told.items()} == {QUEUE: "teams", QUOTA: "cluster", NCCL: "fabric"}
        assert (told[QUEUE]["path"], told[QUEUE]["live"], told[QUEUE]["manager"]) == ("spec.stopPolicy", "Hold", HAND)
        assert (told[QUOTA]["live"], told[QUOTA]["planned"]) == ("1", "32")
        healed = yard.data("up", "--yes", "--refresh")
        assert {row["row"] for row in healed["rows"]} == {QUOTA, NCCL}
        assert drift(yard).keys() == {QUEUE}, "what the plan doesn't say is told, and left to who said it"


def test_a_claim_is_never_replaced_unless_it_is_named(yards: Any) -> None:
    yard: Yard = yards(STACK)
    with Operators(yard.plane.api):
        yard.data("up", "--yes")
        volume = yard.plane.api.get(core("PersistentVolumeClaim", "pretrain-checkpoints"))["spec"]["volumeName"]
        yard.edit(("factory.yaml", "size_gib: 2048", "size_gib: 2560"))
        for verb in (("preview",), ("up", "--yes")):
            ran = yard.run(*verb)
            assert ran.returncode == 1, ran.stdout + ran.stderr
            assert "it is protected, since it holds data" in ran.stderr
            assert "--remove-protected" in ran.stderr
        kept = yard.plane.api.get(core("PersistentVolumeClaim", "pretrain-checkpoints"))
        assert (kept["spec"]["volumeName"], kept["status"]["phase"]) == (volume, "Bound")
        shown = yard.data("preview", "--remove-protected", CLAIM)
        assert [(row["row"], row["op"]) for row in shown["rows"]] == [(CLAIM, "replace")]
        yard.data("up", "--yes", "--remove-protected", CLAIM)
        anew = yard.plane.api.get(core("PersistentVolumeClaim", "pretrain-checkpoints"))
        assert anew["spec"]["volumeName"] != volume
        assert anew["spec"]["resources"]["requests"]["storage"] == "2560Gi"
        _a_part_with_data_is_not_dropped(yard)


def _a_part_with_data_is_not_dropped(yard: Yard) -> None:
    text = yard.blueprint.read_text(encoding="utf-8")
    left = text[: text.index("  - kind: training")].replace(", pretrain_nodes: 2", "")
    left = "".join(line for line in left.splitlines(keepends=True) if "pretrain_nodes" not in line)
    yard.blueprint.write_text(left, encoding="utf-8")
    yard.edit()
    before = yard.resources()
    ran = yard.run("up", "--yes")
    assert ran.returncode == 1
    assert f"{CLAIM} of pretrain is protected, since it holds data, and the blueprint has it no longer" in ran.stderr
    assert yard.resources() == before
    gone = yard.data("up", "--yes", "--remove-protected", CLAIM)
    assert (CLAIM, "delete") in [(row["row"], row["op"]) for row in gone["rows"]]
    assert yard.plane.api.get(core("PersistentVolumeClaim", "pretrain-checkpoints")) is None


def drift(yard: Yard) -> dict[str, Any]:
    """What `diff --live` finds, by row."""
    ran = yard.call([*yard.words("diff", "--live", "--format", "json")])
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)["stacks"][yard.name]
    return {one["row"]: one for one in found["drift"]}


def edit(yard: Yard, what: dict[str, Any], change: dict[str, Any]) -> None:
    """A change by hand: another manager takes the field."""
    path = f"{yard.plane.api.path(what)}?fieldManager={HAND}&force=true"
    yard.plane.api.call("PATCH", path, {**what, **change}, APPLY)


def core(kind: str, name: str) -> dict[str, Any]:
    """An object of the team that trains."""
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "research"}}
