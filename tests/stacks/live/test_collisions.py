"""What stands in the way is found before anything is made, with who made it and the line that adopts it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from aifactory.components import names
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.live.cluster import Cluster
from aifactory.stacks.live.collisions import Collisions, collisions, first_line, import_line
from aifactory.stacks.program import identity
from support import shipped
from support.held import thing
from support.live import FakeServer

NAME = "training-roce-fra-dc1-platform"
SPACE = "Namespace/research"


@pytest.fixture(scope="module")
def rows() -> RowSet:
    return row_set(shipped.stacks()[NAME], "sha256:none")


def look(server: FakeServer, rows: RowSet, held: frozenset[str] = frozenset()) -> Collisions:
    return collisions(Cluster(server), rows, held)


def ours(part: str, *, factory: str = "training-roce", site: str = "fra-dc1") -> dict[str, str]:
    return names.labels(factory, site, part)


def record(name: str, namespace: str, revision: int, status: str) -> dict[str, Any]:
    labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
    return thing("v1", "Secret", f"sh.helm.release.v1.{name}.v{revision}", namespace, labels=labels)


def test_a_new_cluster_is_asked_for_its_namespaces_and_what_has_none(rows: RowSet) -> None:
    server = FakeServer()
    assert look(server, rows) == Collisions((), ())
    objects = [call.path for call in server.calls if "/namespaces/" in call.path]
    assert all(path.count("/") == 4 for path in objects), "in a namespace that isn't there nothing is"


MAKERS: list[tuple[dict[str, Any], str]] = [
    ({}, "nothing says who made it"),
    (
        {"annotations": {"meta.helm.sh/release-name": "a", "meta.helm.sh/release-namespace": "b"}},
        "Helm release b/a made it",
    ),
    ({"labels": ours("cluster", factory="other")}, "factory other made it, at site fra-dc1"),
    ({"labels": ours("cluster", site="elsewhere")}, "factory training-roce made it, at site elsewhere"),
    ({"annotations": {"argocd.argoproj.io/tracking-id": "app:v1/Namespace:x/y"}}, "Argo CD made it (app)"),
    (
        {
            "managedFields": [
                {"manager": "later", "time": "2026-02-02T00:00:00Z"},
                {"manager": "kubectl-create", "time": "2026-01-01T00:00:00Z"},
            ]
        },
        "kubectl-create made it, 2026-01-01T00:00:00Z",
    ),
]


@pytest.mark.parametrize(("metadata", "says"), MAKERS, ids=[says for _, says in MAKERS])
def test_an_object_of_others_names_who_made_it(rows: RowSet, metadata: dict[str, Any], says: str) -> None:
    server = FakeServer()
    server.put(thing("v1", "Namespace", "research", **metadata))
    found = look(server, rows)
    assert [(one.row, one.part) for one in found.foreign] == [(SPACE, "cluster")]
    assert found.foreign[0].says == f"{SPACE} exists and is not in the state; {says}"
    assert found.leftovers == ()


def test_what_the_state_has_is_in_nobodys_way(rows: RowSet) -> None:
    server = FakeServer()
    server.put(thing("v1", "Namespace", "research"))
    assert look(server, rows, frozenset({SPACE})) == Collisions((), ())


def test_what_carries_the_labels_of_the_very_part_is_a_leftover(rows: RowSet) -> None:
    server = FakeServer()
    server.put(thing("v1", "Namespace", "research", labels=ours("cluster")))
    server.put(thing("v1", "Namespace", "product", labels=ours("teams")))
    found = look(server, rows)
    assert [one.row for one in found.leftovers] == [SPACE]
    assert [one.row for one in found.foreign] == ["Namespace/product"]


def test_a_kind_that_the_server_does_not_know_collides_with_nothing(rows: RowSet) -> None:
    server = FakeServer()
    server.put(thing("kueue.x-k8s.io/v1beta2", "ClusterQueue", "teams-research"))
    assert [one.row for one in look(server, rows).foreign] == ["ClusterQueue.kueue.x-k8s.io/teams-research"]
    server.kinds = [kind for kind in server.kinds if "kueue" not in kind[0]]
    assert look(server, rows) == Collisions((), ())


@pytest.mark.parametrize(("labels", "whose"), [({}, "foreign"), (ours("cluster"), "leftovers")])
def test_a_release_is_found_by_helms_newest_record(rows: RowSet, labels: dict[str, str], whose: str) -> None:
    server = FakeServer()
    server.put(thing("v1", "Namespace", "kueue-system", labels=labels))
    server.put(record("kueue", "kueue-system", 9, "superseded"))
    server.put(record("kueue", "kueue-system", 10, "failed"))
    server.put(record("other", "kueue-system", 11, "deployed"))
    found = [one for one in getattr(look(server, rows), whose) if one.row.startswith("Release/")]
    assert [one.says for one in found] == [
        "Release/kueue-system/kueue exists and is not in the state; Helm has it in revision 10, failed"
    ]


def test_an_import_makes_the_urn_that_our_program_makes(rows: RowSet) -> None:
    """The engine puts parent, type and name together as this does: pkg/resource/deploy/import.go, generateURN."""
    by_id = {row.id: row for row in identity.cluster_rows(rows)}
    for urn, row in identity.urns(rows).items():
        words = shlex.split(import_line(rows, by_id[row]))
        assert words[:2] == ["pulumi", "import"]
        token, name, identifier = words[2:5]
        parent = next(word for word in words if word.startswith("--parent=")).split("=", 2)
        kinds = parent[2].split("::")[2]
        assert f"urn:pulumi:{NAME}::{identity.PROJECT}::{kinds}${token}::{name}" == urn
        assert parent[1] == parent[2].rpartition("::")[2] == by_id[row].part
        assert identifier == "/".join(filter(None, (by_id[row].namespace, by_id[row].name)))


def test_an_import_keeps_the_protection_of_the_row_and_names_the_stack_and_its_provider(rows: RowSet) -> None:
    by_id: dict[str, KubernetesRow | HelmRow] = {row.id: row for row in identity.cluster_rows(rows)}
    words = shlex.split(import_line(rows, by_id[SPACE]))
    assert f"--stack={NAME}" in words
    assert "--protect=true" in words
    assert f"--provider=cluster-provider={identity.provider_urn(rows)}" in words
    release = "Release/kueue-system/kueue"
    assert "--protect=false" in shlex.split(import_line(rows, by_id[release]))
    assert identity.provider_urn(rows) == (
        f"urn:pulumi:{NAME}::aifactory::aifactory:index:AiFactory$pulumi:providers:kubernetes::training-roce-fra-dc1"
    )


def test_in_a_new_stack_the_parents_and_the_provider_are_made_first(rows: RowSet) -> None:
    cluster = next(part for part in rows.parts if part.name == "cluster")
    targets = [word.partition("=")[2] for word in shlex.split(first_line(rows, ["cluster", "cluster"]))[3:]]
    assert targets == [
        f"urn:pulumi:{NAME}::aifactory::aifactory:index:AiFactory::training-roce",
        identity.provider_urn(rows),
        identity.part_urn(rows, cluster),
    ]


def test_a_group_that_does_not_answer_is_not_taken_for_empty(rows: RowSet) -> None:
    server = FakeServer()
    server.declines = {
        "/apis/kueue.x-k8s.io/v1beta2": (503, "the server is currently unable"),
        "/apis/coordination.k8s.io/v1": (503, "the server is currently unable"),
    }
    cluster = Cluster(server)
    cluster.kinds()
    found = collisions(cluster, rows, frozenset())
    assert [each.what for each in found.unread] == ["kueue.x-k8s.io/v1beta2"], "no row needs the other"
    held = frozenset(row.id for row in identity.cluster_rows(rows))
    assert collisions(cluster, rows, held).unread == (), "what the state has needs no look"


def test_secrets_that_may_not_be_listed_are_told_only_where_a_release_is_to_go(rows: RowSet) -> None:
    server = FakeServer()
    server.declines = {"/api/v1/namespaces/kueue-system/secrets": (403, "admin may not")}
    assert look(server, rows).unread == (), "there is no such namespace, so no release"
    server.put(thing("v1", "Namespace", "kueue-system"))
    assert [(each.what, each.says) for each in look(server, rows).unread] == [("secrets", "admin may not")]
