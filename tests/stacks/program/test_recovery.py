"""What a run that was cut off may have made is claimed, asked about, and taken into the state if it is ours."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.stacks.program.recovery import found, lost_track, questions, settled, unsettled

PLACE = "urn:pulumi:demo-lab-platform::aifactory::"
PROVIDER = f"{PLACE}pulumi:providers:kubernetes::lab"
LABELS = {
    "app.kubernetes.io/managed-by": "aifactory",
    "app.kubernetes.io/part-of": "demo",
    "aifactory.io/site": "lab",
    "aifactory.io/part": "queue",
}


def config_map(name: str, **more: Any) -> dict[str, Any]:
    """A row as the state has it."""
    sent = {"metadata": {"name": name, "namespace": "ml", "labels": {**LABELS, "mine": "x"}}}
    return {
        "urn": f"{PLACE}kubernetes:core/v1:ConfigMap::queue/ml/{name}",
        "custom": True,
        "id": f"ml/{name}",
        "type": "kubernetes:core/v1:ConfigMap",
        "inputs": sent,
        "outputs": {},
        **more,
    }


def release(**more: Any) -> dict[str, Any]:
    """A release as it is claimed."""
    kind = "kubernetes:helm.sh/v3:Release"
    sent = {"chart": "oci://registry.example.com/charts/kueue", "name": "kueue", "namespace": "ml"}
    return {
        "urn": f"{PLACE}{kind}::queue/ml/kueue",
        "custom": True,
        "id": "ml/kueue",
        "type": kind,
        "inputs": sent,
    } | more


def live(claim: dict[str, Any], **outputs: Any) -> dict[str, Any]:
    """What the engine read for a claim."""
    return {**claim, "outputs": outputs or claim["inputs"]}


def test_a_pending_create_is_claimed_with_the_id_that_it_gets() -> None:
    begun = {key: value for key, value in config_map("a").items() if key not in ("id", "outputs")}
    claimed = unsettled({"pending_operations": [{"type": "creating", "resource": begun}]}, [])
    assert claimed == [config_map("a")]


@pytest.mark.parametrize("kind", ["updating", "deleting", "reading"])
def test_other_pending_operations_are_of_what_the_state_holds(kind: str) -> None:
    assert unsettled({"pending_operations": [{"type": kind, "resource": config_map("a")}]}, []) == []


def test_a_provider_that_was_being_made_exists_in_no_cluster() -> None:
    provider = {"urn": PROVIDER, "custom": True, "type": "pulumi:providers:kubernetes"}
    assert unsettled({"pending_operations": [{"type": "creating", "resource": provider}]}, []) == []


def test_what_the_state_holds_is_settled() -> None:
    assert unsettled({"resources": [config_map("a")]}, [config_map("a"), config_map("b")]) == [config_map("b")]


def test_only_what_is_claimed_is_asked_about_and_no_release_is_handed_back_unread() -> None:
    provider = {"urn": PROVIDER, "custom": True, "id": "1", "type": "pulumi:providers:kubernetes"}
    state = {"resources": [provider, config_map("a")], "pending_operations": [{}]}
    claim = config_map("b", dependencies=[config_map("a")["urn"], PROVIDER], protect=True)
    asked = questions(state, [claim, release()])
    assert "pending_operations" not in asked
    assert [one["urn"] for one in asked["resources"]] == [PROVIDER, claim["urn"], release()["urn"]]
    assert asked["resources"][1]["dependencies"] == [PROVIDER]
    assert asked["resources"][1]["protect"] is False
    assert asked["resources"][2]["inputs"] == {}


def test_what_is_there_and_ours_goes_into_the_state() -> None:
    above = {"urn": PROVIDER, "custom": True, "id": "1", "type": "pulumi:providers:kubernetes"}
    first, second = config_map("a", protect=True), config_map("b", dependencies=[config_map("a")["urn"], "gone"])
    answer = found([above, first, second], [live(first, **first["inputs"]), live(second)])
    after = settled({"resources": [], "pending_operations": [{}]}, [above, first, second], answer)
    assert [one["urn"] for one in after["resources"]] == [PROVIDER, first["urn"], second["urn"]]
    assert after["resources"][1]["protect"] is True
    assert after["resources"][2]["dependencies"] == [first["urn"]]
    assert "pending_operations" not in after


def test_what_is_not_there_stays_out() -> None:
    answer = found([config_map("a")], [])
    assert (answer.adopted, answer.foreign) == ((), ())
    assert settled({"resources": []}, [config_map("a")], answer)["resources"] == []


@pytest.mark.parametrize("key", sorted(LABELS))
def test_an_object_with_other_labels_of_ours_is_not_ours(key: str) -> None:
    claim = config_map("a")
    answer = found([claim], [live(claim, metadata={"labels": {**LABELS, key: "other"}})])
    assert (answer.adopted, answer.foreign) == ((), ("ConfigMap/ml/a",))


def test_labels_that_are_no_proof_may_differ() -> None:
    claim = config_map("a")
    assert found([claim], [live(claim, metadata={"labels": {**LABELS, "mine": "y"}})]).foreign == ()


@pytest.mark.parametrize(
    ("outputs", "ours"),
    [({"chart": "kueue"}, True), ({"status": {"chart": "kueue"}}, True), ({"chart": "redis"}, False)],
)
def test_a_release_of_another_chart_is_not_ours(outputs: dict[str, Any], ours: bool) -> None:
    assert bool(found([release()], [live(release(), **outputs)]).adopted) is ours


def test_the_field_manager_that_made_an_object_keeps_it() -> None:
    claim = config_map("a")
    fields = [
        {"manager": "kube-controller-manager", "operation": "Update"},
        {"manager": "pulumi-kubernetes-0a1b2c3d", "operation": "Apply"},
    ]
    answer = found([claim], [live(claim, metadata={"labels": LABELS, "managedFields": fields})])
    assert answer.adopted[0]["outputs"]["__fieldManager"] == "pulumi-kubernetes-0a1b2c3d"


def of_cloud(kind: str, row: str, **inputs: Any) -> dict[str, Any]:
    """A resource of AWS that was being made."""
    tags = {"aifactory:factory": "demo", "aifactory:site": "lab", "aifactory:part": "cluster"}
    urn = f"urn:pulumi:demo-lab-base::aifactory::{kind}::cluster/{row}"
    return {"urn": urn, "custom": True, "type": kind, "inputs": {**inputs, "tags": tags}}


ROLE = of_cloud("aws:iam/role:Role", "node", name="demo-node")
VPC = of_cloud("aws:ec2/vpc:Vpc", "cluster", cidrBlock="10.0.0.0/16")
CUT_OFF = {"pending_operations": [{"type": "creating", "resource": one} for one in (ROLE, VPC)]}


def test_what_has_its_name_for_an_id_is_asked_about_and_the_rest_is_told() -> None:
    (claim,) = unsettled(CUT_OFF, ())
    assert (claim["urn"], claim["id"]) == (ROLE["urn"], "demo-node")
    assert lost_track(CUT_OFF) == ["aws:ec2/vpc:Vpc/cluster"]


def test_a_resource_of_a_cloud_is_ours_by_its_tags() -> None:
    (claim,) = unsettled(CUT_OFF, ())
    assert found([claim], [live(claim)]).adopted[0]["id"] == "demo-node"
    other = found([claim], [live(claim, tags={"aifactory:factory": "another"})])
    assert (other.adopted, other.foreign) == ((), ("aws:iam/role:Role/node",))
