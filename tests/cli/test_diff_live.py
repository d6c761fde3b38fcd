"""`aifactory diff --live` says in blueprint terms where a cluster differs, and who changed what."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from aifactory.components.rows import KubernetesRow
from support import shipped
from support.live import FakeServer
from support.verbs import AMS, FRA, Verbs, verbs

__all__ = ["verbs"]

ONE = ("--live", "--site", "fra-dc1")
QUEUE = "/apis/kueue.x-k8s.io/v1beta2/clusterqueues/teams-research"


def fill(server: FakeServer, name: str = FRA) -> None:
    """The stack, on a cluster."""
    stack = shipped.stacks()[name]
    for row in stack.cluster_rows:
        if not isinstance(row, KubernetesRow):
            labels = {"owner": "helm", "name": row.name, "status": "deployed", "version": "1"}
            metadata = {"name": f"sh.helm.release.v1.{row.name}.v1", "namespace": row.namespace, "labels": labels}
            server.put({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
            continue
        version, kind = str(row.body["apiVersion"]), str(row.body["kind"])
        if not any(each[:2] == (version, kind) for each in server.kinds):
            server.kinds.append((version, kind, f"{kind.lower()}s", bool(row.namespace)))
        server.put(copy.deepcopy(stack.plain_tree(row)), manager="pulumi-kubernetes-1")


@pytest.fixture
def running(verbs: Verbs) -> Verbs:
    fill(verbs.server)
    return verbs


def drift(verbs: Verbs, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = verbs.data("diff", *ONE, *options)["stacks"][FRA]["drift"]
    return found


def test_a_cluster_as_planned_is_one_line(running: Verbs) -> None:
    code, out, err = running.run("diff", *ONE, "--exit-code")
    assert (code, err) == (0, "")
    assert out == f"{FRA}: no drift in {len(list(shipped.stacks()[FRA].cluster_rows))} rows\n"
    assert running.engine.calls == [], "no engine is needed"


def test_a_hand_edit_is_named_by_part_line_path_values_and_hand(running: Verbs) -> None:
    kept = running.server.objects[QUEUE]
    kept["spec"]["cohortName"] = "mine"
    entry = {"manager": "kubectl-edit", "time": "2026-11-29T08:00:00Z", "fieldsV1": {"f:spec": {"f:cohortName": {}}}}
    kept["metadata"]["managedFields"].append(entry)
    code, out, err = running.run("diff", *ONE, "--exit-code")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    where = running.blueprint.read_text().split("\n").index("  - kind: queue") + 1
    assert lines[:2] == [FRA, f"  ~ ClusterQueue.kueue.x-k8s.io/teams-research of teams (factory.yaml:{where})"]
    assert " ".join(" ".join(lines[2:]).split()) == (
        'spec.cohortName differs: "mine" on the cluster, "teams" in the plan (by kubectl-edit, 2026-11-29T08:00:00Z)'
    )
    [one] = drift(running)
    assert one == {
        "verb": "changed",
        "part": "teams",
        "row": "ClusterQueue.kueue.x-k8s.io/teams-research",
        "says": "spec.cohortName differs",
        "path": "spec.cohortName",
        "live": "mine",
        "planned": "teams",
        "file": "factory.yaml",
        "line": where,
        "column": 5,
        "manager": "kubectl-edit",
        "changed_at": "2026-11-29T08:00:00Z",
    }


def test_missing_and_extra_objects_have_their_signs(running: Verbs) -> None:
    labels = running.server.objects[QUEUE]["metadata"]["labels"]
    stray = {"name": "stray", "namespace": "research", "labels": {**labels, "aifactory.io/part": "gone"}}
    running.server.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": stray}, manager="kubectl-create")
    running.server.remove("Namespace", "product")
    code, out, _ = running.run("diff", *ONE)
    assert code == 0
    assert "  - Namespace/product of cluster (sites/fra-dc1.yaml:" in out
    assert "): is missing\n" in out
    says = "carries the labels of this factory and site, and no row names it (by kubectl-create, 2026-11-28T10:00:00Z)"
    assert f"  + ConfigMap/research/stray of gone: {says}\n" in out


def test_an_override_is_named_where_it_is_written(running: Verbs) -> None:
    queue = "ClusterQueue.kueue.x-k8s.io/teams-research"
    text = running.blueprint.read_text()
    change = "patch: {spec: {stopPolicy: Hold}}, reason: frozen while a rack moves"
    patch = f"    overrides:\n      - {{row: {queue}, {change}}}\n"
    running.blueprint.write_text(text.replace("    name: teams\n", f"    name: teams\n{patch}"))
    line = running.blueprint.read_text().split("\n").index(patch.split("\n")[1]) + 1
    found = drift(running)
    assert {(one["file"], one["line"]) for one in found if one["row"] == queue} == {("factory.yaml", line)}


def test_what_is_called_like_a_secret_is_masked(running: Verbs) -> None:
    metadata = running.server.objects[QUEUE]["metadata"]
    metadata["annotations"] = {"example.com/api-token": "canary-one"}
    running.server.objects[QUEUE]["spec"]["env"] = [{"name": "API_KEY", "value": "canary-two"}]
    fields = {"f:metadata": {"f:annotations": {"f:example.com/api-token": {}}}, "f:spec": {"f:env": {}}}
    metadata["managedFields"].append({"manager": "kubectl-edit", "time": "2", "fieldsV1": fields})
    code, out, err = running.run("diff", *ONE)
    assert code == 0
    assert "API_KEY" in out
    assert "canary" not in out + err
    assert "canary" not in json.dumps(drift(running))


def test_a_cluster_that_does_not_answer_is_our_failure_and_the_others_are_compared(
    running: Verbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aifactory.cli import clusters

    gone = FakeServer()
    gone.down = "it doesn't answer: connection refused"
    of = {"fra-dc1": running.server, "ams-colo1": gone}
    monkeypatch.setattr(clusters, "connect", lambda given, root, instead: of[given.context])
    code, out, err = running.run("diff", "--live")
    assert code == 3
    assert out.startswith(f"{FRA}: no drift in ")
    assert f"{AMS}: not compared: it doesn't answer: connection refused\n" in err
    code, out, _ = running.run("diff", "--live", "--format", "json")
    assert code == 3
    data = json.loads(out)
    assert data["schema"] == "aifactory-diff-live/v1"
    assert data["stacks"][AMS]["unchecked"] == [
        {"what": "the cluster", "says": "it doesn't answer: connection refused"}
    ]


def test_what_could_not_be_looked_at_is_told(running: Verbs) -> None:
    running.server.declines = {"/apis/coordination.k8s.io/v1": (503, "the server is currently unable")}
    code, _, err = running.run("diff", *ONE)
    assert code == 0
    assert "warning: not looked at: coordination.k8s.io/v1: the server is currently unable" in err


def test_a_kubeconfig_that_is_missing_is_wrong_input(running: Verbs) -> None:
    running.kubeconfig.unlink()
    code, _, err = running.run("diff", *ONE)
    assert code == 1
    assert "can't be read: No such file or directory" in err


def test_parameters_are_those_of_the_deployment(running: Verbs) -> None:
    assert drift(running, "--set", "pretrain_nodes=2") != []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Missing argument 'AFTER'"),
        (("other.yaml", "--live"), "leave AFTER out"),
        (("other.yaml", "--set", "a=b"), "--set and --kubeconfig are for --live"),
    ],
)
def test_sides_that_do_not_fit_are_a_wrong_command_line(verbs: Verbs, words: tuple[str, ...], says: str) -> None:
    code, _, err = verbs.run("diff", *words, kubeconfig=False)
    assert code == 2
    assert says in err


def test_nothing_is_written(running: Verbs) -> None:
    before, objects = running.files, copy.deepcopy(running.server.objects)
    running.run("diff", *ONE)
    assert (running.files, running.server.objects) == (before, objects)
    assert {call.method for call in running.server.calls} == {"GET", "PATCH"}
    assert all(call.query["dryRun"] == "All" for call in running.server.calls if call.method == "PATCH")
    assert not Path(running.root, "state").exists()
