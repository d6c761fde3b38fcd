"""Rows of vector stores: against the real definitions, protected where they hold data, literal where people write."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.rag.placing import ROLE_PREFIX, role_of
from support.planning import Planned, group, place, plan_site
from support.schemas import Schemas
from support.stored import BULK, COPIES, SHARED, body, storage_group, tier
from support.vectors import around, buckets, here, model, queue

CLUSTER = "Cluster.postgresql.cnpg.io/vectors/vectors"
BUCKET = "ObjectBucketClaim.objectbucket.io/vectors/demo-lab-vectors-backups"
EVERY = {
    "pull_secrets": ["registry"],
    "image": "registry.example.com/data/postgresql:18.3-vector",
    "backup": {"tier": "objects", "hour": 3, "keep_days": 7},
}
WORDS = (
    "all",
    "replication",
    "public",
    "postgres",
    "template1",
    "sameuser",
    "pg-read-all-data",
    "none",
    "true",
    "null",
)
"""Names of tenants that mean something to PostgreSQL or to YAML."""


def test_the_database_is_what_was_decided(stored: Any) -> None:
    found = stored(EVERY)
    spec = found.body(CLUSTER)["spec"]
    sizes = found.plan.database.sizes
    assert (spec["instances"], spec["enableSuperuserAccess"]) == (3, False)
    assert spec["storage"] == {"storageClass": "databases-class", "size": f"{sizes.disk_gib}Gi"}
    assert spec["walStorage"] == {"storageClass": "databases-class", "size": f"{sizes.wal_gib}Gi"}
    assert spec["resources"]["requests"]["memory"] == spec["resources"]["limits"]["memory"] == f"{sizes.memory_gib}Gi"
    assert spec["affinity"]["podAntiAffinityType"] == "required"
    assert spec["imageName"] == EVERY["image"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["postgresql"]["synchronous"]["number"] == 1


def test_one_instance_waits_for_no_other(stored: Any) -> None:
    assert "synchronous" not in stored({"instances": 1}).body(CLUSTER)["spec"]["postgresql"]


def test_whatever_holds_data_is_protected_and_left_behind(stored: Any) -> None:
    rows = stored(EVERY).rows().values()
    kept = {row.body["kind"] for row in rows if row.protect and row.retain_on_delete}
    assert kept == {"Cluster", "Database", "ObjectBucketClaim"}
    assert {row.body["kind"] for row in rows if not row.protect} == {"ConfigMap", "ScheduledBackup"}


def test_backups_go_to_the_bucket_with_the_key_that_comes_with_it(stored: Any) -> None:
    found = stored(EVERY)
    name = found.body(BUCKET)["spec"]["bucketName"]
    store = found.body(CLUSTER)["spec"]["backup"]
    assert store["retentionPolicy"] == "7d"
    assert store["barmanObjectStore"]["destinationPath"] == f"s3://{name}/"
    keys = store["barmanObjectStore"]["s3Credentials"]
    assert {each["name"] for each in keys.values()} == {BUCKET.rpartition("/")[2]}
    assert found.body("ScheduledBackup.postgresql.cnpg.io/vectors/vectors")["spec"]["schedule"] == "0 0 3 * * *"
    assert BUCKET in found.rows()[CLUSTER].after


def test_backups_over_tls_trust_the_issuer_of_the_gateways(stored: Any) -> None:
    secure = buckets(issuer="platform-ca", endpoint="https://rook-ceph-rgw-objects.rook-ceph.svc:8443")
    found = stored(EVERY, offers=around(buckets=secure))
    name = f"{BUCKET.rpartition('/')[2]}-trust"
    certificate = f"Certificate.cert-manager.io/vectors/{name}"
    assert found.body(certificate)["spec"]["secretName"] == name
    assert certificate in found.rows()[CLUSTER].after
    store = found.body(CLUSTER)["spec"]["backup"]["barmanObjectStore"]
    assert store["endpointCA"] == {"name": name, "key": "ca.crt"}
    plain = stored(EVERY).body(CLUSTER)["spec"]["backup"]["barmanObjectStore"]
    assert "endpointCA" not in plain


def test_a_store_without_backups_asks_no_bucket(stored: Any) -> None:
    found = stored({"backup": None})
    assert "backup" not in found.body(CLUSTER)["spec"]
    assert {row.body["kind"] for row in found.rows().values()} == {"Cluster", "Database", "ConfigMap"}


def test_a_tenant_reaches_its_own_database_by_tls_and_no_other(stored: Any) -> None:
    assert stored().body(CLUSTER)["spec"]["postgresql"]["pg_hba"] == [
        "hostssl tenant_legal tenant_legal all scram-sha-256",
        "host all tenant_legal all reject",
        "hostssl tenant_research_2 tenant_research_2 all scram-sha-256",
        "host all tenant_research_2 all reject",
    ]


def test_passwords_are_named_and_nowhere_written(stored: Any) -> None:
    collections = [{"tenant": "legal", "vectors": 5, "password": "of-legal"}, {"tenant": "research-2", "vectors": 5}]
    roles = stored({"collections": collections}).body(CLUSTER)["spec"]["managed"]["roles"]
    assert [role["passwordSecret"] for role in roles] == [{"name": "of-legal"}, {"name": "vectors-research-2"}]
    assert not any(role[power] for role in roles for power in ("superuser", "createdb", "createrole"))


@pytest.mark.parametrize("word", WORDS)
def test_a_tenant_that_is_called_like_a_word_of_the_database_is_a_tenant(word: str, stored: Any) -> None:
    """Ten injections through a name that every form accepts."""
    found = stored({"collections": [{"tenant": word, "vectors": 5}]}, offers=around(queue=queue(word)))
    role = f"tenant_{word.replace('-', '_')}"
    lines = found.body(CLUSTER)["spec"]["postgresql"]["pg_hba"]
    assert lines == [f"hostssl {role} {role} all scram-sha-256", f"host all {role} all reject"]
    assert found.body(f"Database.postgresql.cnpg.io/vectors/vectors-{word}")["spec"]["name"] == role


NAMES = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=40)


@given(NAMES, NAMES)
def test_two_tenants_never_have_one_role(first: str, second: str) -> None:
    assert (role_of(first) == role_of(second)) == (first == second)
    assert role_of(first).startswith(ROLE_PREFIX)
    assert len(role_of(first)) <= 63


def test_tenants_are_told_where_their_vectors_are_and_how_to_make_the_table(stored: Any) -> None:
    data = stored({"number": "single", "links": 24}).body("ConfigMap/legal/vectors-vectors")["data"]
    assert (data["host"], data["port"], data["collection"]) == ("vectors-rw.vectors.svc", "5432", "tenant_legal")
    assert "embedding vector(1024) NOT NULL" in data["schema.sql"]
    assert "USING hnsw (embedding vector_cosine_ops) WITH (m = 24)" in data["schema.sql"]


def test_a_given_milvus_is_used_and_never_made(stored: Any) -> None:
    provides = {"milvus": {"version": "2.6.15", "url": "http://milvus.data.svc:19530"}}
    wish = {"collections": [{"tenant": "legal", "vectors": 40_000_000}], "tier": None, "backup": None}
    found = stored(wish, at=here(provides=provides))
    assert list(found.rows()) == ["ConfigMap/legal/vectors-vectors"]
    data = found.body("ConfigMap/legal/vectors-vectors")["data"]
    assert (data["engine"], data["host"], data["port"]) == ("milvus", "milvus.data.svc", "19530")
    (request,) = [each for each in found.site_plan.namespaces if each.name == "legal"]
    assert request.egress_to == (("data", 19_530),)
    assert [each.capability for each in found.site_plan.requirements] == ["milvus"]


DEMAND: dict[str, Any] = {
    "models": [
        {
            "name": "qwen3-embedding-0.6b",
            "task": "embed",
            "requests_per_s": {"mean": 5.0, "peak": 50.0},
            "input_tokens": 400,
        }
    ]
}


def whole(database: dict[str, Any] | None = None, copies: list[dict[str, Any]] | None = None) -> Planned:
    """A store among the parts that it needs, at a site with drives."""
    parts: list[dict[str, Any]] = [
        {"kind": "gpu-node-pool", "name": "serve", "accelerator": "h200", "nodes": "demand", "workload": "inference"},
        {
            "kind": "queue",
            "name": "teams",
            "pools": ["serve"],
            "tenants": [
                {"name": "answers", "workload": "inference", "gpus": "demand"},
                {"name": "legal", "gpus": 0},
                {"name": "all", "gpus": 0},
            ],
        },
        {
            "kind": "serving",
            "name": "embed",
            "model": "qwen3-embedding-0.6b",
            "stack": "kserve",
            "pool": "serve",
            "tenant": "answers",
            "weights": {"kind": "oci", "image": "registry.example.com/models/qwen3-embedding:1"},
        },
        {
            "kind": "rag",
            "name": "vectors",
            "embedder": "embed",
            "tier": "volumes",
            "collections": [{"tenant": "legal", "vectors": 3_000_000}, {"tenant": "all", "vectors": 10}],
            "backup": {"tier": "objects"},
        },
        tier("object", name="objects", size_tib=30.0, fill_percent=63, copies=copies or []),
        database or tier("block", name="volumes", beside="objects", size_tib=5.0, fill_percent=63),
        tier(copies=COPIES),
    ]
    at = place(
        cluster={
            "version": "1.35.6",
            "kubeconfig": {"context": "lab"},
            "provides": {"volume-snapshots": {"version": "v8.6.0"}},
            "storage_classes": [SHARED],
        },
        nodes=[group(), storage_group(drives=BULK)],
    )
    return plan_site(parts, at=at, demand=DEMAND)


@pytest.mark.schema
def test_every_object_is_one_that_an_api_server_takes_and_every_value_one_that_the_chart_knows(
    schemas: Schemas,
) -> None:
    found = whole()
    assert found.errors == []
    rows = [row for row in found.rows.values() if row.part == "vectors"]
    assert {"Cluster", "Database", "ScheduledBackup"} <= {row.body["kind"] for row in rows}
    assert [problem for row in rows for problem in schemas.problems(found.stack.plain_tree(row))] == []
    operator = found.rows["Release/cnpg-system/cloudnative-pg"]
    assert schemas.chart_problems("cloudnative-pg", found.stack.plain_tree(operator)) == []


def test_the_database_and_its_backups_in_one_ceph_cluster_are_told_of() -> None:
    found = whole()
    assert "RAG-010" in found.rules_broken
    made = body(found, CLUSTER)
    assert made["spec"]["storage"]["storageClass"] == "volumes"
    assert "StorageClass.storage.k8s.io/volumes" in found.stack.by_id[CLUSTER].after
    copied = whole(copies=COPIES)
    assert "RAG-010" not in copied.rules_broken, "a copy of the buckets elsewhere outlives the cluster"


def test_a_database_in_a_folder_of_an_nfs_server_is_told_of() -> None:
    """The class of the site is VAST's, which mounts NFS; devices of Ceph are none."""
    assert "STO-052" in whole(tier("block", name="volumes", engine="existing", size_tib=5.0)).rules_broken
    assert "STO-052" not in whole().rules_broken


def test_the_vectors_of_a_model_with_a_short_beginning_may_be_cut(stored: Any) -> None:
    qwen = model(model="qwen3-embedding-8b", dimension=4_096, least_dimension=32)
    found = stored({"dimension": 1_024}, offers=around(model=qwen))
    assert found.plan.dimension == 1_024
    assert found.decisions["vectors.dimension"].reason == "as written, of 4096 that qwen3-embedding-8b makes"
