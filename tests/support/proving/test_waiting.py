"""The stand-in waits for what the real provider waits for."""

from __future__ import annotations

from typing import Any

import pytest

from support.proving.api import Api
from support.proving.waiting import patience_s, unready, unready_when_read


class Answers(Api):
    """An API that holds some objects."""

    def __init__(self, **held: Any) -> None:
        self.held = held

    def get(self, body: Any) -> Any:
        return self.held.get(str(body["kind"]))


def body(version: str, kind: str, notes: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    metadata = {"name": "a", "namespace": "b", "generation": 2, "annotations": notes or {}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {}, **more}


DONE = {"observedGeneration": 2}


@pytest.mark.parametrize(
    ("live", "why"),
    [
        (body("apps/v1", "Deployment"), "its controller has not seen it"),
        (body("apps/v1", "Deployment", status={**DONE, "updatedReplicas": 1}), "0 of 1 pods are available"),
        (body("apps/v1", "Deployment", status={**DONE, "updatedReplicas": 1, "availableReplicas": 1}), None),
        (
            body("apps/v1", "DaemonSet", status={**DONE, "desiredNumberScheduled": 2, "numberReady": 1}),
            "1 of 2 pods are ready",
        ),
        (body("batch/v1", "Job"), "it has not completed"),
        (
            body("batch/v1", "Job", status={"conditions": [{"type": "Failed", "status": "True", "message": "m"}]}),
            "it failed: m",
        ),
        (body("v1", "Service"), "Service does not target any Pods"),
        (body("v1", "Service", spec={"clusterIP": "None"}), None),
        (body("v1", "PersistentVolumeClaim", status={"phase": "Pending"}), "the claim is Pending"),
        (body("v1", "ResourceQuota", spec={"hard": {"cpu": "1"}}), "the quota has not been taken up"),
        (body("example.com/v1", "Anything"), None),
    ],
)
def test_an_object_is_ready_when_its_kind_says_so(live: dict[str, Any], why: str | None) -> None:
    assert unready(Answers(), live, live) == why


def test_a_service_with_pods_behind_it_is_ready() -> None:
    api = Answers(Endpoints={"subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]})
    assert unready(api, body("v1", "Service"), body("v1", "Service")) is None


def test_a_claim_that_waits_for_its_first_pod_is_ready_while_it_does() -> None:
    api = Answers(StorageClass={"volumeBindingMode": "WaitForFirstConsumer"})
    live = body("v1", "PersistentVolumeClaim", spec={"storageClassName": "s"}, status={"phase": "Pending"})
    assert unready(api, live, live) is None


@pytest.mark.parametrize(
    ("text", "status", "why"),
    [
        ("condition=Ready", {}, "condition Ready is not there"),
        ("condition=Ready", {"conditions": [{"type": "Ready", "status": "True"}]}, None),
        ("condition=Ready", {"conditions": [{"type": "Ready", "status": "False"}]}, "condition Ready is False"),
        ("jsonpath={.status.state}=ready", {"state": "ready"}, None),
        ("jsonpath={.status.state}=ready", {"state": "error"}, ".status.state is error, not ready"),
        ("anything", {}, "pulumi.com/waitFor: anything is no condition and no JSON path"),
    ],
)
def test_a_gate_takes_the_place_of_the_kinds_own_rule(text: str, status: dict[str, Any], why: str | None) -> None:
    asked = body("batch/v1", "Job", {"pulumi.com/waitFor": text})
    assert unready(Answers(), asked, {**asked, "status": status}) == why


def test_what_is_not_to_be_awaited_is_ready() -> None:
    asked = body("v1", "Service", {"pulumi.com/skipAwait": "true"})
    assert unready(Answers(), asked, asked) is None
    assert unready_when_read(Answers(), asked, asked) is None


def test_a_refresh_asks_workloads_by_their_own_rules_whatever_their_gate() -> None:
    asked = body("batch/v1", "Job", {"pulumi.com/waitFor": "condition=Suspended"})
    assert unready_when_read(Answers(), asked, asked) == "it has not completed"
    assert unready_when_read(Answers(), body("v1", "ResourceQuota"), body("v1", "ResourceQuota")) is None


@pytest.mark.parametrize(
    ("kind", "notes", "given_s", "expected_s"),
    [
        ("Job", {}, 0, 600),
        ("ResourceQuota", {}, 0, 60),
        ("Job", {"pulumi.com/timeoutSeconds": "30"}, 0, 30),
        ("Job", {"pulumi.com/timeoutSeconds": "30"}, 5, 5),
    ],
)
def test_patience_is_the_resources_then_the_annotations_then_the_kinds(
    kind: str, notes: dict[str, str], given_s: float, expected_s: float
) -> None:
    assert patience_s(body("v1", kind, notes), given_s) == expected_s
