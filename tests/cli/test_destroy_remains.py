"""`aifactory destroy` looks at the cluster for what remains, says why, and fails if that should not be."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest

from aifactory.cli import engine_options, leaving
from aifactory.components import names
from support.held import definition, thing
from support.live import MOMENT
from support.verbs import FRA, Verbs, verbs

__all__ = ["verbs"]

ONE = ("--yes", "--site", "fra-dc1")
LABELS = names.labels("training-roce", "fra-dc1", "teams")
QUEUES = "clusterqueues.kueue.x-k8s.io"


@pytest.fixture
def deployed(verbs: Verbs) -> Verbs:
    verbs.data("up", *ONE)
    return verbs


def left(verbs: Verbs, *options: str) -> tuple[int, dict[str, Any]]:
    code, out, err = verbs.run("destroy", *ONE, "--format", "json", *options)
    assert out, err
    stack: dict[str, Any] = json.loads(out)["stacks"][FRA]
    return code, stack


def test_an_empty_cluster_is_said_to_be_empty(deployed: Verbs) -> None:
    code, stack = left(deployed)
    assert code == 0
    assert (stack["left"], stack["unchecked"], stack["deleted_definitions"]) == ([], [], [])
    deployed.run("up", *ONE)
    assert f"{FRA}: nothing of it remains\n" in deployed.run("destroy", *ONE)[2]


def test_what_should_be_gone_is_named_with_its_command_and_fails_the_verb(deployed: Verbs) -> None:
    deployed.server.put(thing("v1", "ConfigMap", "stray", "elsewhere", labels=LABELS))
    code, out, err = deployed.run("destroy", *ONE)
    assert (code, out) == (1, "")
    assert f"{FRA}: 1 object should be gone and is not\n" in err
    says = "carries the labels of this factory and site, and no row of the stack names it"
    assert f"  ! ConfigMap/elsewhere/stray of teams: {says}\n" in err
    assert "      kubectl --context fra-dc1 delete configmaps stray --namespace elsewhere\n" in err


def test_each_finding_is_in_the_json(deployed: Verbs) -> None:
    deployed.server.put(thing("v1", "ConfigMap", "stray", "elsewhere", labels=LABELS))
    code, stack = left(deployed)
    assert code == 1
    assert stack["result"] == "succeeded"
    assert stack["left"] == [
        {
            "kind": "ConfigMap",
            "group": "",
            "namespace": "elsewhere",
            "name": "stray",
            "part": "teams",
            "reason": "carries the labels of this factory and site, and no row of the stack names it",
            "expected": False,
            "remove": "kubectl --context fra-dc1 delete configmaps stray --namespace elsewhere",
        }
    ]


def test_protected_data_stays_as_intended_with_what_it_needs(deployed: Verbs) -> None:
    for name in ("research", "product"):
        deployed.server.put(thing("v1", "Namespace", name, labels=LABELS))
    deployed.server.put(thing("v1", "PersistentVolumeClaim", "pretrain-checkpoints", "research", labels=LABELS))
    deployed.server.put(thing("v1", "ConfigMap", "notes", "research"))
    code, _, err = deployed.run("destroy", *ONE)
    assert code == 0
    assert f"{FRA}: nothing remains but 4 objects that stay as intended\n" in err
    assert "  = 2 Namespace of cluster: kept because it is protected\n" in err
    assert "  = PersistentVolumeClaim/research/pretrain-checkpoints of pretrain: kept because it is protected\n" in err
    assert "  = ConfigMap/research/notes of cluster: in namespace research, which stays\n" in err


def test_protected_data_that_was_named_and_is_still_there_fails_the_verb(deployed: Verbs) -> None:
    deployed.server.put(thing("v1", "Namespace", "product", labels=LABELS, deletionTimestamp=MOMENT))
    code, stack = left(deployed, "--remove-protected", "Namespace/product")
    assert code == 1
    [one] = [each for each in stack["left"] if not each["expected"]]
    assert one["reason"] == f"Terminating since {MOMENT}: what it holds is being removed"


def test_definitions_are_kept_unless_asked(deployed: Verbs) -> None:
    deployed.server.put(definition(QUEUES))
    code, stack = left(deployed)
    assert code == 0
    assert [each["expected"] for each in stack["left"]] == [True]
    assert not any(call.method == "DELETE" for call in deployed.server.calls)


def test_one_object_that_stays_is_told_in_the_singular(deployed: Verbs) -> None:
    deployed.server.put(definition(QUEUES))
    deployed.server.put(thing("v1", "ConfigMap", "stray", "elsewhere", labels=LABELS))
    assert "1 object should be gone and is not; 1 stays as intended\n" in deployed.run("destroy", *ONE)[2]
    deployed.run("up", *ONE)
    deployed.server.remove("ConfigMap", "stray")
    assert "nothing remains but 1 object that stays as intended\n" in deployed.run("destroy", *ONE)[2]


def test_asked_for_definitions_go_and_that_is_told(deployed: Verbs) -> None:
    deployed.server.put(definition(QUEUES))
    code, _, err = deployed.run("destroy", *ONE, "--remove-crds")
    assert code == 0
    assert f"  - CRD {QUEUES}: nothing used it\n" in err
    assert f"{FRA}: nothing of it remains\n" in err


def test_asked_for_definitions_that_others_use_stay_and_fail_the_verb(deployed: Verbs) -> None:
    deployed.server.put(definition(QUEUES))
    deployed.server.put(thing("kueue.x-k8s.io/v1beta2", "ClusterQueue", "theirs"))
    code, stack = left(deployed, "--remove-crds")
    assert code == 1
    assert stack["deleted_definitions"] == []
    assert stack["left"][0]["reason"].endswith("kept because objects of its kind exist: theirs")


def test_the_question_says_that_definitions_go_too(deployed: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(engine_options, "require_answer", lambda verb, *, yes: None)
    monkeypatch.setattr(click, "confirm", lambda text, *, err: bool(asked.append(text)))
    deployed.run("destroy", "--site", "fra-dc1", "--remove-crds")
    assert asked == ["Remove them from 1 cluster, and the CRDs of their releases that nothing uses any more?"]
    assert deployed.server.calls == [call for call in deployed.server.calls if call.method != "DELETE"]


def test_a_cluster_that_does_not_answer_afterwards_is_our_failure_and_what_was_not_checked_is_told(
    deployed: Verbs,
) -> None:
    deployed.server.down = "it doesn't answer: connection refused"
    code, stack = left(deployed)
    assert code == 3
    assert stack["result"] == "succeeded"
    assert stack["unchecked"] == [{"what": "the cluster", "says": "it doesn't answer: connection refused"}]
    deployed.server.down = ""
    deployed.run("up", *ONE)
    deployed.server.down = "it doesn't answer: connection refused"
    _, _, err = deployed.run("destroy", *ONE)
    assert f"{FRA}: what remains in the cluster was not checked: it doesn't answer: connection refused\n" in err


def test_kinds_that_may_not_be_listed_leave_the_answer_open(deployed: Verbs) -> None:
    deployed.server.declines = {"/api/v1/configmaps": (403, "admin may not")}
    code, _, err = deployed.run("destroy", *ONE)
    assert code == 3
    assert "nothing of it was found where it could be looked for" in err
    assert "  ? not checked: configmaps: admin may not\n" in err


def test_an_api_of_another_server_that_does_not_answer_is_told_and_fails_nothing(deployed: Verbs) -> None:
    deployed.server.declines = {"/apis/coordination.k8s.io/v1": (503, "the server is currently unable")}
    code, stack = left(deployed)
    assert code == 0
    assert [each["what"] for each in stack["unchecked"]] == ["coordination.k8s.io/v1"]


def test_what_the_cluster_is_still_removing_is_waited_for(deployed: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.server.put(thing("v1", "Pod", "last", "elsewhere", labels=LABELS, deletionTimestamp=MOMENT))
    monkeypatch.setattr(leaving, "PATIENCE_S", 60)
    monkeypatch.setattr(leaving.time, "sleep", lambda seconds: deployed.server.remove("Pod", "last"))
    code, _, err = deployed.run("destroy", *ONE)
    assert code == 0
    assert err.count("waiting for 1 object that the cluster is removing") == 1


def test_a_failed_removal_is_not_scanned(deployed: Verbs) -> None:
    deployed.engine.fails = {"Cohort::teams": "finalizer is stuck"}
    deployed.server.calls.clear()
    code, stack = left(deployed)
    assert code == 1
    assert "left" not in stack
    assert deployed.server.calls == []


def test_many_findings_are_cut_in_text_and_whole_in_json(deployed: Verbs) -> None:
    for index in range(30):
        deployed.server.put(thing("v1", "ConfigMap", f"stray-{index}", "elsewhere", labels=LABELS))
    code, _, err = deployed.run("destroy", *ONE)
    assert code == 1
    assert err.count("  ! ConfigMap/") == 20
    assert "  … and 10 more; --format json has all\n" in err


def test_without_a_state_what_carries_our_labels_is_found_while_the_plan_names_it(verbs: Verbs) -> None:
    verbs.server.put(thing("v1", "ConfigMap", "stray", "elsewhere", labels=LABELS))
    verbs.server.put(thing("v1", "PersistentVolumeClaim", "pretrain-checkpoints", "research", labels=LABELS))
    code, stack = left(verbs)
    assert code == 1
    assert stack["result"] == "absent"
    assert {each["name"]: each["expected"] for each in stack["left"]} == {
        "stray": False,
        "pretrain-checkpoints": True,
    }


def test_without_a_state_and_any_object_nothing_more_is_said(verbs: Verbs) -> None:
    code, _, err = verbs.run("destroy", *ONE)
    assert (code, err) == (0, f"{FRA}: nothing is deployed\n")


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("no plan", "the blueprint can't be built, and nothing else says what the stack held"),
        ("no cluster", "it doesn't answer: connection refused"),
    ],
)
def test_without_a_state_and_anything_to_ask_the_answer_is_open(verbs: Verbs, why: str, says: str) -> None:
    if why == "no plan":
        verbs.change("default: 8, minimum: 1", "default: 800, minimum: 1")
    verbs.server.down = says if why == "no cluster" else ""
    code, _, err = verbs.run("destroy", *ONE)
    told = f"{FRA}: nothing is deployed\n{FRA}: what remains in the cluster was not checked: {says}\n"
    assert (code, err) == (3, told)


def test_without_a_state_kinds_that_may_not_be_listed_leave_the_answer_open(verbs: Verbs) -> None:
    verbs.server.declines = {"/api/v1/configmaps": (403, "admin may not")}
    code, _, err = verbs.run("destroy", *ONE)
    assert code == 3
    assert "  ? not checked: configmaps: admin may not\n" in err


@pytest.fixture
def gone(deployed: Verbs) -> Verbs:
    """A stack of which nothing is in the state any more, though a definition is on the cluster."""
    named = [
        part
        for row in ("Namespace/research", "Namespace/product", "PersistentVolumeClaim/research/pretrain-checkpoints")
        for part in ("--remove-protected", row)
    ]
    deployed.server.put(definition(QUEUES))
    deployed.run("destroy", *ONE, *named)
    assert left(deployed)[1]["result"] == "absent"
    return deployed


def test_a_second_removal_says_the_same_as_the_first_and_deletes_definitions_if_asked(gone: Verbs) -> None:
    code, stack = left(gone)
    assert code == 0
    assert [(each["name"], each["expected"]) for each in stack["left"]] == [(QUEUES, True)]
    code, stack = left(gone, "--remove-crds")
    assert code == 0
    assert (stack["deleted_definitions"], stack["left"]) == ([QUEUES], [])


def test_a_second_removal_of_a_stack_with_protected_rows_deletes_definitions_too(deployed: Verbs) -> None:
    deployed.server.put(definition(QUEUES))
    left(deployed)
    code, stack = left(deployed, "--remove-crds")
    assert code == 0
    assert (stack["result"], stack["deleted_definitions"]) == ("succeeded", [QUEUES])


def test_a_second_removal_asks_before_it_deletes_definitions(gone: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(engine_options, "require_answer", lambda verb, *, yes: None)
    monkeypatch.setattr(click, "confirm", lambda text, *, err: bool(asked.append(text)))
    gone.run("destroy", "--site", "fra-dc1", "--remove-crds")
    what = "the CRDs of their releases that nothing uses any more"
    assert asked == [f"Nothing is deployed. Delete {what} from 1 cluster?"]
    assert not any(call.method == "DELETE" for call in gone.server.calls)
    gone.run("destroy", "--site", "fra-dc1")
    assert len(asked) == 1, "nothing would be removed"


def test_after_a_first_run_that_was_cut_off_what_it_made_is_looked_for(verbs: Verbs) -> None:
    verbs.engine.says = "panic: of the engine"
    assert verbs.run("up", *ONE)[0] == 3
    verbs.engine.says = ""
    verbs.engine.charts = {"kueue": "kueue"}
    verbs.server.put(thing("v1", "Namespace", "kueue-system"))
    record = {"owner": "helm", "name": "kueue", "status": "failed", "version": "1"}
    verbs.server.put(thing("v1", "Secret", "sh.helm.release.v1.kueue.v1", "kueue-system", labels=record))
    code, stack = left(verbs)
    assert code == 1
    assert {each["name"]: each["reason"] for each in stack["left"]} == {
        "kueue-system": "should be gone with the stack, and is still there",
        "sh.helm.release.v1.kueue.v1": "Helm's record of release kueue",
    }
