"""`aifactory up` refuses what stands in its way before the engine starts; `preview` warns of it."""

from __future__ import annotations

import pytest

from aifactory.components import names
from support.held import thing
from support.verbs import AMS, FRA, Verbs, verbs

__all__ = ["verbs"]

ONE = ("--site", "fra-dc1")
LABELS = names.labels("training-roce", "fra-dc1", "cluster")


def applied(verbs: Verbs) -> bool:
    return any(call[0] == "up" for call in verbs.engine.calls)


def test_an_object_of_others_is_refused_with_the_line_that_adopts_it(verbs: Verbs) -> None:
    verbs.server.put(thing("v1", "Namespace", "research"), manager="kubectl-create")
    code, out, err = verbs.run("up", "--yes", *ONE)
    assert (code, out) == (1, "")
    assert "Namespace/research exists and is not in the state; kubectl-create made it, 2026-11-28T10:00:00Z" in err
    assert f"in the generated folder of the stack:\n  pulumi up --stack={FRA} --target=" in err
    assert "\n  pulumi import kubernetes:core/v1:Namespace cluster/research research '--parent=cluster=urn:" in err
    assert f"--stack={FRA} --protect=true --generate-code=false" in err
    assert err.startswith("sites/fra-dc1.yaml:")
    assert "1 problem. Nothing was written." in err
    assert not applied(verbs)
    assert not any(path.startswith("state/") for path in verbs.files)


def test_in_a_stack_that_exists_the_import_is_enough_and_the_part_has_its_line(verbs: Verbs) -> None:
    verbs.data("up", "--yes", *ONE)
    verbs.change("{name: product,", "{name: product-2,")
    verbs.server.put(thing("kueue.x-k8s.io/v1beta2", "ClusterQueue", "teams-product-2"))
    verbs.engine.calls.clear()
    code, _, err = verbs.run("up", "--yes", *ONE)
    assert code == 1
    assert "ClusterQueue.kueue.x-k8s.io/teams-product-2 exists and is not in the state" in err
    assert err.startswith("factory.yaml:")
    assert "pulumi up" not in err
    assert "pulumi import kubernetes:kueue.x-k8s.io/v1beta2:ClusterQueue teams/teams-product-2 " in err
    assert not applied(verbs)


def test_what_the_state_has_is_deployed_again(verbs: Verbs) -> None:
    verbs.data("up", "--yes", *ONE)
    verbs.server.put(thing("v1", "Namespace", "research"))
    assert verbs.run("up", "--yes", *ONE)[0] == 0


def test_leftovers_of_an_interrupted_run_are_refused_until_a_refresh_is_asked(verbs: Verbs) -> None:
    verbs.server.put(thing("v1", "Namespace", "research", labels=LABELS))
    code, _, err = verbs.run("up", "--yes", *ONE)
    assert code == 1
    assert "for the same part: a run was interrupted, or it was kept on delete" in err
    assert "hint: run it again as: aifactory up --refresh factory.yaml" in err
    assert not applied(verbs)
    assert verbs.run("up", "--yes", "--refresh", *ONE)[0] == 0


def test_an_up_without_a_cluster_ends_as_our_failure_and_a_preview_only_warns(verbs: Verbs) -> None:
    verbs.server.down = "it doesn't answer: connection refused"
    code, _, err = verbs.run("up", "--yes")
    assert code == 3
    assert "sites/" not in err, "the site file is not to blame"
    assert "the cluster of fra-dc1 can't be reached: it doesn't answer: connection refused" in err
    assert "the cluster of ams-colo1 can't be reached" in err
    assert "hint: deploying needs it" in err
    assert not applied(verbs)
    code, out, err = verbs.run("preview")
    assert code == 0
    assert {line.partition(" ")[0] for line in out.splitlines() if line.startswith("t")} == {FRA, AMS}
    assert err.count("warning: ") == 2


def test_a_preview_warns_of_collisions_and_has_them_in_its_json(verbs: Verbs) -> None:
    verbs.server.put(thing("v1", "Namespace", "research"))
    verbs.server.put(thing("v1", "Namespace", "product", labels=LABELS))
    code, _, err = verbs.run("preview", *ONE)
    assert code == 0
    assert "warning: " in err
    assert "Namespace/research exists and is not in the state" in err
    found = verbs.data("preview", *ONE)["stacks"][FRA]["collisions"]
    assert [(one["row"], one["part"], one["whose"]) for one in found] == [
        ("Namespace/research", "cluster", "foreign"),
        ("Namespace/product", "cluster", "leftover"),
    ]
    assert all(one["adopt"].startswith("pulumi import ") for one in found)
    assert verbs.files == {"aifactory.yaml", "factory.yaml", "sites/fra-dc1.yaml", "sites/ams-colo1.yaml"}


@pytest.mark.parametrize("count", [3])
def test_the_line_that_makes_parents_is_told_once(verbs: Verbs, count: int) -> None:
    for name in ("research", "product", "kueue-system")[:count]:
        verbs.server.put(thing("v1", "Namespace", name))
    _, _, err = verbs.run("up", "--yes", *ONE)
    assert err.count("pulumi import ") == count
    assert err.count("pulumi up ") == 1


def test_no_secret_is_read_whole(verbs: Verbs) -> None:
    verbs.data("up", "--yes", *ONE)
    secrets = [call for call in verbs.server.calls if "/secrets" in call.path]
    assert all("PartialObjectMetadata" in call.accept for call in secrets)


def test_a_cluster_that_lets_nobody_look_is_told_so(verbs: Verbs) -> None:
    verbs.server.declines = {"/api/v1/namespaces": (403, "admin may not")}
    code, _, err = verbs.run("up", "--yes", *ONE)
    assert code == 1
    assert "the cluster of fra-dc1 can't be looked at: admin may not" in err


def test_a_preview_looks_at_the_clusters_whose_kubeconfig_is_there(verbs: Verbs) -> None:
    verbs.server.put(thing("v1", "Namespace", "research"))
    verbs.kubeconfig.write_text(verbs.kubeconfig.read_text().replace("name: ams-colo1", "name: gone"))
    code, _, err = verbs.run("preview")
    assert code == 0
    assert 'has no context "ams-colo1"' in err
    assert err.count("Namespace/research exists and is not in the state") == 1


def test_what_is_needed_and_can_not_be_looked_at_refuses_up_and_a_preview_warns(verbs: Verbs) -> None:
    verbs.server.put(thing("v1", "Namespace", "kueue-system", labels=LABELS))
    verbs.server.declines = {"/api/v1/namespaces/kueue-system/secrets": (403, "admin may not list secrets")}
    code, _, err = verbs.run("up", "--yes", "--refresh", *ONE)
    assert code == 1
    assert "not looked at: secrets: admin may not list secrets" in err
    assert not applied(verbs)
    code, _, err = verbs.run("preview", *ONE)
    assert code == 0
    assert "warning: " in err
    assert "not looked at: secrets: admin may not list secrets" in err
    stack = verbs.data("preview", *ONE)["stacks"][FRA]
    assert stack["unchecked"] == [{"what": "secrets", "says": "admin may not list secrets"}]


def test_what_no_row_needs_may_stay_closed(verbs: Verbs) -> None:
    verbs.server.declines = {"/apis/coordination.k8s.io/v1": (503, "the server is currently unable")}
    assert verbs.run("up", "--yes", *ONE)[0] == 0


def test_a_cluster_that_does_not_answer_leaves_a_missing_kubeconfig_wrong_input(verbs: Verbs) -> None:
    verbs.server.down = "it doesn't answer: connection refused"
    verbs.kubeconfig.unlink()
    code, _, err = verbs.run("up", "--yes", *ONE)
    assert code == 1
    assert "can't be read" in err
