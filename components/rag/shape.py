"""Rows of a vector store: the database, its tenants' parts of it, its backups, and where tenants find it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from aifactory.components import quantities, trusting
from aifactory.components.names import DATA_CLASS_LABEL, HOSTNAME_LABEL, TENANT_LABEL
from aifactory.components.rag.arithmetic import TYPES
from aifactory.components.rag.decided import BackupPlan, CollectionPlan, DatabasePlan, RagPlan
from aifactory.components.rows import Gate, KubernetesRow, Maker, Row, Tree, Wave, capability

CNPG = "postgresql.cnpg.io/v1"
READY_S = 3_600
"""An instance copies the one before it: the second and the third wait for the whole database."""


def rows(plan: RagPlan, maker: Maker) -> Iterator[Row]:
    """Everything of one store. A given one is the site's: tenants are told where it is."""
    after: list[str] = []
    if plan.database:
        made = list(_database(plan, plan.database, maker))
        yield from made
        after = [made[-1].id]
    for each in plan.collections:
        if plan.database:
            own = _collection(plan, each, maker, after)
            yield own
            yield _found(plan, each, maker, [own.id])
        else:
            yield _found(plan, each, maker, [capability("milvus")])
    if plan.database and plan.database.backup:
        yield _scheduled(plan, plan.database.backup, maker, after)


def _labels(plan: RagPlan) -> dict[str, str]:
    return {DATA_CLASS_LABEL: plan.data_class} if plan.data_class else {}


def _database(plan: RagPlan, found: DatabasePlan, maker: Maker) -> Iterator[KubernetesRow]:
    """The bucket of its backups, and the database last. Both stay when the stack goes."""
    after = [capability("cnpg"), *([found.class_row] if found.class_row else [])]
    if found.backup:
        bucket = _bucket(plan, found.backup, maker)
        yield bucket
        after.append(bucket.id)
        if found.backup.issuer:
            trust = trusting.trusted(maker, _trust(found.backup), plan.namespace, found.backup.issuer)
            yield trust
            after.append(trust.id)
    yield maker.kubernetes(
        CNPG,
        "Cluster",
        plan.identity,
        plan.namespace,
        labels=_labels(plan),
        spec=_cluster(plan, found),
        after=after,
        wave=Wave.SERVING,
        gate=Gate(condition="Ready", timeout_s=READY_S),
        protect=True,
        retain_on_delete=True,
    )


def _bucket(plan: RagPlan, backup: BackupPlan, maker: Maker) -> KubernetesRow:
    """A bucket of a stated name: the database is told its address before anybody could look."""
    return maker.kubernetes(
        "objectbucket.io/v1alpha1",
        "ObjectBucketClaim",
        backup.bucket,
        plan.namespace,
        labels=_labels(plan),
        spec={
            "bucketName": backup.bucket,
            "storageClassName": backup.storage_class,
            "additionalConfig": {"maxSize": quantities.gib(backup.size_gib)},
        },
        after=[backup.class_row] if backup.class_row else [],
        wave=Wave.SERVING,
        protect=True,
        retain_on_delete=True,
    )


def _cluster(plan: RagPlan, found: DatabasePlan) -> Tree:
    sizes = found.sizes
    memory = quantities.gib(sizes.memory_gib)
    spec: Tree = {
        "instances": found.instances,
        "imageName": found.image,
        "enableSuperuserAccess": False,
        "primaryUpdateStrategy": "unsupervised",
        "storage": {"storageClass": found.storage_class, "size": quantities.gib(sizes.disk_gib)},
        "walStorage": {"storageClass": found.storage_class, "size": quantities.gib(sizes.wal_gib)},
        "resources": {
            "requests": {"cpu": quantities.cpu(found.cpus * 1_000), "memory": memory},
            "limits": {"memory": memory},
        },
        # Builds of an index that several processes share take their memory of /dev/shm.
        "ephemeralVolumesSizeLimit": {"shm": quantities.gib(math.ceil(sizes.build_gib) + 1)},
        "affinity": {
            "enablePodAntiAffinity": True,
            "podAntiAffinityType": "required",
            "topologyKey": HOSTNAME_LABEL,
        },
        "bootstrap": {"initdb": {"database": "app", "owner": "app", "dataChecksums": True}},
        "managed": {"roles": [_role(each) for each in plan.collections]},
        "postgresql": _postgresql(found),
    }
    if found.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in found.pull_secrets]
    if found.backup:
        spec["backup"] = _store(found.backup)
    return spec


def _role(each: CollectionPlan) -> Tree:
    return {
        "name": each.role,
        "ensure": "present",
        "login": True,
        "superuser": False,
        "createdb": False,
        "createrole": False,
        "passwordSecret": {"name": each.password},
    }


def _postgresql(found: DatabasePlan) -> Tree:
    spec: Tree = {"parameters": dict(found.parameters), "pg_hba": list(found.access)}
    if found.instances > 1:
        # A write is there once a second instance has it: what a failure may not take.
        spec["synchronous"] = {"method": "any", "number": 1, "dataDurability": "preferred"}
    return spec


def _trust(backup: BackupPlan) -> str:
    """Secret with the certificate of the issuer that signs for the buckets."""
    return f"{backup.bucket}-trust"


def _store(backup: BackupPlan) -> Tree:
    def key(name: str) -> Tree:
        return {"name": backup.bucket, "key": name}

    return {
        "target": "prefer-standby",
        "retentionPolicy": f"{backup.keep_days}d",
        "barmanObjectStore": {
            "destinationPath": f"s3://{backup.bucket}/",
            "endpointURL": backup.endpoint,
            **({"endpointCA": {"name": _trust(backup), "key": trusting.AUTHORITY}} if backup.issuer else {}),
            "s3Credentials": {
                "accessKeyId": key("AWS_ACCESS_KEY_ID"),
                "secretAccessKey": key("AWS_SECRET_ACCESS_KEY"),
            },
            "wal": {"compression": "gzip", "maxParallel": 4},
            "data": {"jobs": 2},
        },
    }


def _collection(plan: RagPlan, each: CollectionPlan, maker: Maker, after: list[str]) -> KubernetesRow:
    return maker.kubernetes(
        CNPG,
        "Database",
        f"{plan.identity}-{each.tenant}",
        plan.namespace,
        labels={**_labels(plan), TENANT_LABEL: each.tenant},
        spec={
            "cluster": {"name": plan.identity},
            "name": each.role,
            "owner": each.role,
            "ensure": "present",
            "databaseReclaimPolicy": "retain",
            "extensions": [{"name": "vector", "ensure": "present"}],
        },
        after=[capability("cnpg"), *after],
        wave=Wave.SERVING,
        protect=True,
        retain_on_delete=True,
    )


def _scheduled(plan: RagPlan, backup: BackupPlan, maker: Maker, after: list[str]) -> KubernetesRow:
    return maker.kubernetes(
        CNPG,
        "ScheduledBackup",
        plan.identity,
        plan.namespace,
        labels=_labels(plan),
        spec={
            "cluster": {"name": plan.identity},
            "schedule": f"0 0 {backup.hour} * * *",  # six fields: the first are seconds
            "method": "barmanObjectStore",
            "target": "prefer-standby",
            "backupOwnerReference": "none",
            "immediate": True,
        },
        after=[capability("cnpg"), *after],
        wave=Wave.SERVING,
    )


def _found(plan: RagPlan, each: CollectionPlan, maker: Maker, after: list[str]) -> KubernetesRow:
    """Where pods of a tenant find their collection, and how it is made. No secret stands in it."""
    host, _, port = plan.address.partition(":")
    data = {
        "engine": plan.engine,
        "host": host,
        "port": port,
        "collection": each.role,
        "model": plan.model,
        "dimension": str(plan.dimension),
    }
    if plan.database:
        data |= {"type": TYPES[plan.number], "sslmode": "verify-full", "schema.sql": _schema(plan)}
    return maker.kubernetes(
        "v1",
        "ConfigMap",
        f"{plan.identity}-vectors",
        each.namespace,
        labels={**_labels(plan), TENANT_LABEL: each.tenant},
        body={"data": data},
        after=after,
        wave=Wave.SERVING,
    )


def _schema(plan: RagPlan) -> str:
    kind = TYPES[plan.number]
    return (
        "CREATE TABLE IF NOT EXISTS chunks (\n"
        "  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
        "  added timestamptz NOT NULL DEFAULT now(),\n"
        "  document text NOT NULL,\n"
        "  chunk text NOT NULL,\n"
        f"  embedding {kind}({plan.dimension}) NOT NULL\n"
        ");\n"
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS chunks_embedding ON chunks\n"
        f"  USING hnsw (embedding {kind}_cosine_ops) WITH (m = {plan.links});\n"
    )
