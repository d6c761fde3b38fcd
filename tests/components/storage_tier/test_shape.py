"""Rows of tiers: against the real definitions and chart values, protected where they hold data, literal where people
write."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aifactory.components.offers import OperatorNote
from aifactory.components.rows import HelmRow, KubernetesRow
from support.generating import MADE_UP
from support.planning import Planned
from support.schemas import Schemas
from support.stored import (
    BULK,
    COPIES,
    KEY,
    RUN,
    VAULT,
    body,
    broken,
    racked,
    says,
    site,
    tier,
    tiered,
    values,
    without,
)

PATH = {"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 1024}
FILL = {"bucket": "tickets", "folder": "2026/11", "image": "registry.example.com/tools/rclone:1.71.0"}
AGE = {
    "image": "registry.example.com/tools/aws-cli:2.31.0",
    "expire_days": 365,
    "lock": {"mode": "governance", "days": 30},
}
OBJECTS = tier(
    "object", name="objects", size_tib=30.0, fill_percent=63, encryption=KEY, paths=[{**PATH, "retention": AGE}]
)
BLOCK = tier("block", name="volumes", beside="objects", size_tib=5.0, snapshots=True, fill_percent=63)
SCHEDULED = {
    "image": "registry.example.com/tools/kubectl:1.35.6",
    "changed_percent_a_day": 2.0,
    "schedules": [{"schedule": "nightly", "every_h": 24, "keep": 14}],
}
WORK = tier(
    "parallel",
    name="work",
    engine="rook-ceph",
    beside="objects",
    size_tib=5.0,
    fill_percent=63,
    snapshots=True,
    scheduled=SCHEDULED,
    paths=[PATH],
)
FILES = tier(fed_by="objects", paths=[{**PATH, "prefetch": FILL}])
LOCAL = tier("local-cache", name="scratch", fed_by="files")
HOME = tier(engine="nfs-rdma", name="home")
TAINT = {"key": "storage", "value": "yes", "effect": "NoSchedule"}
STORE, CEPHFS = "CephObjectStore.ceph.rook.io/rook-ceph/objects", "CephFilesystem.ceph.rook.io/rook-ceph/work"
CEPH = "CephCluster.ceph.rook.io/rook-ceph/rook-ceph"


@pytest.fixture(scope="module")
def every() -> Planned:
    """One tier of each engine and class."""
    found = tiered(OBJECTS, BLOCK, WORK, FILES, LOCAL, HOME, RUN)
    assert broken(found) == [], says(found)
    return found


def objects(found: Planned) -> list[KubernetesRow]:
    """Objects of the tiers."""
    tiers = ("objects", "volumes", "work", "files", "scratch", "home")
    return [row for row in found.rows.values() if isinstance(row, KubernetesRow) and row.part in tiers]


@pytest.mark.schema
def test_every_object_is_one_that_an_api_server_takes(every: Planned, schemas: Schemas) -> None:
    rows = objects(every)
    assert len(rows) >= 15
    over_racks = tiered(
        {**OBJECTS, "failure_domain": "rack"},
        {**WORK, "failure_domain": "rack"},
        tier(),
        at=site({**racked(1, 1, 1, 1), "taints": [TAINT]}),
    )
    plain = tiered(OBJECTS, tier(), at=site(cluster={"certificates": None}))
    for found in (over_racks, plain):
        assert [problem for row in objects(found) for problem in schemas.problems(found.stack.plain_tree(row))] == []
    assert [problem for row in rows for problem in schemas.problems(every.stack.plain_tree(row))] == []


@pytest.mark.schema
def test_every_value_is_one_that_its_chart_knows(every: Planned, schemas: Schemas) -> None:
    releases = [row for row in every.rows.values() if isinstance(row, HelmRow)]
    ours = [row for row in releases if row.chart in ("rook-ceph", "topolvm", "csi-driver-nfs")]
    assert len(ours) == 3
    found = [
        f"{row.id}: {problem}"
        for row in ours
        for problem in schemas.chart_problems(row.chart, every.stack.plain_tree(row))
    ]
    assert found == []


def test_ceph_gets_named_nodes_and_drives_and_never_all(every: Planned) -> None:
    plain = tiered(without(OBJECTS, "encryption"), tier())
    for found in (every, plain):
        storage = body(found, CEPH)["spec"]["storage"]
        assert (storage["useAllNodes"], storage["useAllDevices"]) == (False, False)
    assert body(plain, CEPH)["spec"]["storage"]["nodes"] == [
        {"name": f"sto-{node}", "devices": [{"name": path} for path in BULK["by_path"]]} for node in range(1, 5)
    ]


def volumes_of_drives(found: Planned) -> list[KubernetesRow]:
    """The drives of Ceph that are volumes."""
    return [row for row in objects(found) if row.body["kind"] == "PersistentVolume"]


def test_a_vault_has_the_keys_because_ceph_takes_the_drives_as_encrypted_volumes(every: Planned) -> None:
    """Of drives of hosts Rook asks no Vault for keys, whatever `security.kms` says (rook#13410)."""
    storage = body(every, CEPH)["spec"]["storage"]
    assert {"nodes", "config"} & set(storage) == set()
    (taken,) = storage["storageClassDeviceSets"]
    assert (taken["name"], taken["count"], taken["encrypted"], taken["portable"]) == ("bulk", 24, True, False)
    assert taken["resources"]["requests"]["memory"] == "4Gi"
    (claim,) = taken["volumeClaimTemplates"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "15360G"}},
        "storageClassName": "objects-drives",
        "volumeMode": "Block",
    }


def test_each_drive_is_one_block_volume_of_its_node_and_stays_while_the_cluster_does(every: Planned) -> None:
    made = volumes_of_drives(every)
    where = set()
    for row in made:
        spec = body(every, row.id)["spec"]
        (term,) = spec["nodeAffinity"]["required"]["nodeSelectorTerms"]
        (here,) = term["matchExpressions"]
        assert here["key"] == "kubernetes.io/hostname"
        where.add((*here["values"], spec["local"]["path"]))
        assert (spec["volumeMode"], spec["capacity"], spec["storageClassName"]) == (
            "Block",
            {"storage": "15360G"},
            "objects-drives",
        )
        assert spec["persistentVolumeReclaimPolicy"] == "Retain"
        # The protected cluster keeps it; once that is removed, nothing keeps an object that holds no data.
        assert (row.protect, row.retain_on_delete) == (False, False)
        assert row.id in every.rows[CEPH].after
    assert where == {(f"sto-{node}", path) for node in range(1, 5) for path in BULK["by_path"]}
    assert len(made) == 24
    local = body(every, "StorageClass.storage.k8s.io/objects-drives")
    assert (local["provisioner"], local["volumeBindingMode"]) == (
        "kubernetes.io/no-provisioner",
        "WaitForFirstConsumer",
    )


def test_racks_are_labelled_before_ceph_and_drives_wait_for_their_label() -> None:
    found = tiered({**OBJECTS, "failure_domain": "rack"}, tier(), at=site(racked(2, 1, 1, 1)))
    labels = body(found, "NodeFeatureRule.nfd.k8s-sigs.io/objects-racks")["spec"]["rules"]
    assert [(rule["labels"], rule["matchFeatures"][0]["matchExpressions"]["nodename"]["value"]) for rule in labels] == [
        ({"topology.rook.io/rack": "s1"}, ["sto-1", "sto-2"]),
        ({"topology.rook.io/rack": "s2"}, ["sto-3"]),
        ({"topology.rook.io/rack": "s3"}, ["sto-4"]),
        ({"topology.rook.io/rack": "s4"}, ["sto-5"]),
    ]
    assert "NodeFeatureRule.nfd.k8s-sigs.io/objects-racks" in found.rows[CEPH].after
    spec = body(found, CEPH)["spec"]
    (drives,) = spec["storage"]["storageClassDeviceSets"]
    hosts = body(tiered(without(OBJECTS, "encryption"), tier(), at=site(racked(2, 1, 1, 1))), CEPH)["spec"]["placement"]
    assert {"osd", "prepareosd"} & set(spec["placement"]) == set()
    for placement in (drives["placement"], drives["preparePlacement"], hosts["osd"], hosts["prepareosd"]):
        terms = placement["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        named = {each["key"]: each["values"] for each in terms["nodeSelectorTerms"][0]["matchExpressions"]}
        assert named["topology.rook.io/rack"] == ["s1", "s2", "s3", "s4"]
        assert named["kubernetes.io/hostname"] == [f"sto-{node}" for node in range(1, 6)]
    store = body(found, STORE)["spec"]
    assert (store["dataPool"]["failureDomain"], store["metadataPool"]["failureDomain"]) == ("rack", "rack")


def test_a_lost_rack_leaves_a_majority_of_monitors_where_a_tier_survives_it(every: Planned) -> None:
    found = tiered({**OBJECTS, "failure_domain": "rack"}, tier(), at=site(racked(1, 1, 1, 1)))
    (apart,) = body(found, CEPH)["spec"]["placement"]["mon"]["topologySpreadConstraints"]
    assert (apart["topologyKey"], apart["maxSkew"], apart["whenUnsatisfiable"]) == (
        "topology.rook.io/rack",
        1,
        "DoNotSchedule",
    )
    assert "mon" not in body(every, CEPH)["spec"]["placement"]


@pytest.mark.parametrize("daemon", [(STORE, "gateway"), (CEPHFS, "metadataServer")])
def test_gateways_and_metadata_servers_run_apart_on_the_nodes_with_drives(daemon: tuple[str, str]) -> None:
    row, field = daemon
    found = tiered(
        OBJECTS, {**WORK, "failure_domain": "rack"}, tier(), at=site({**racked(1, 1, 1, 1), "taints": [TAINT]})
    )
    made = body(found, row)["spec"][field]
    terms = made["placement"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == [f"sto-{node}" for node in range(1, 5)]
    wanted = {"key": "storage", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}
    assert made["placement"]["tolerations"] == [wanted]
    assert body(found, CEPH)["spec"]["placement"]["all"]["tolerations"] == [wanted]
    over = [each["topologyKey"] for each in made["placement"]["topologySpreadConstraints"]]
    assert over == ["kubernetes.io/hostname", *(["topology.rook.io/rack"] if row == CEPHFS else [])]
    assert made["priorityClassName"] == "system-cluster-critical"
    assert set(made["resources"]) == {"requests", "limits"}


def test_buckets_answer_over_tls_alone_where_the_site_has_an_issuer(every: Planned) -> None:
    gateway = body(every, STORE)["spec"]["gateway"]
    assert (gateway["securePort"], gateway["sslCertificateRef"]) == (8443, "objects-gateway-tls")
    assert "port" not in gateway
    certificate = "Certificate.cert-manager.io/rook-ceph/objects-gateway-tls"
    assert certificate in every.rows[STORE].after
    spec = body(every, certificate)["spec"]
    assert spec["dnsNames"][0] == "rook-ceph-rgw-objects.rook-ceph.svc"
    assert spec["issuerRef"] == {"kind": "ClusterIssuer", "name": "platform-ca"}
    plain = body(tiered(OBJECTS, tier(), at=site(cluster={"certificates": None})), STORE)["spec"]["gateway"]
    assert plain["port"] == 80
    assert {"securePort", "sslCertificateRef"} & set(plain) == set()


def test_a_fill_trusts_the_issuer_of_the_gateways(every: Planned) -> None:
    trust = "Certificate.cert-manager.io/research/objects-trust"
    assert body(every, trust)["spec"]["secretName"] == "objects-trust"
    (job,) = [row for row in objects(every) if row.id.startswith("Job.batch/research/files-tickets")]
    assert trust in job.after
    pod = body(every, job.id)["spec"]["template"]["spec"]
    (volume,) = [each for each in pod["volumes"] if each["name"] == "trust"]
    assert volume["secret"] == {"secretName": "objects-trust", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    plain = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    assert plain["RCLONE_CA_CERT"] == "/trust/ca.crt"
    assert plain["RCLONE_CONFIG_SRC_ENDPOINT"] == "https://rook-ceph-rgw-objects.rook-ceph.svc:8443"


def test_keys_of_drives_come_from_the_vault_by_reference(every: Planned) -> None:
    kms = body(every, CEPH)["spec"]["security"]["kms"]
    assert kms["tokenSecretName"] == "rook-vault"
    assert kms["connectionDetails"]["VAULT_ADDR"] == "https://vault.example.com:8200"
    assert "VAULT_CACERT" not in kms["connectionDetails"]
    own = tiered(OBJECTS, tier(), at=site(storage={"key_stores": [{**VAULT, "ca": "rook-vault-ca"}]}))
    assert body(own, CEPH)["spec"]["security"]["kms"]["connectionDetails"]["VAULT_CACERT"] == "rook-vault-ca"
    plain = body(tiered(without(OBJECTS, "encryption"), tier()), CEPH)["spec"]
    assert "config" not in plain["storage"]
    assert plain["security"] == {"cephx": {"csi": {"keyType": "aes"}}}
    assert plain["network"]["connections"]["encryption"] == {"enabled": False}


HOLDING = (
    "CephCluster",
    "CephBlockPool",
    "CephFilesystem",
    "CephFilesystemSubVolumeGroup",
    "CephObjectStore",
    "ObjectBucketClaim",
    "PersistentVolumeClaim",
)


def test_whatever_holds_data_is_protected_and_left_behind(every: Planned) -> None:
    kinds = {str(row.body["kind"]) for row in objects(every) if row.protect and row.retain_on_delete}
    assert kinds == set(HOLDING)
    for row in objects(every):
        assert (row.protect and row.retain_on_delete) == (row.body["kind"] in HOLDING), row.id


def test_the_namespace_with_ceph_goes_by_name_alone_and_others_as_before(every: Planned) -> None:
    spaces = {
        row.name: row.protect
        for row in every.rows.values()
        if isinstance(row, KubernetesRow) and row.body["kind"] == "Namespace"
    }
    assert spaces["rook-ceph"]
    assert not spaces["topolvm-system"]


def test_what_data_needs_is_waited_for_so_that_destroy_keeps_it(every: Planned) -> None:
    """A protected row keeps what it waits for: the operator and its namespace stay with the cluster."""
    known = every.rows
    pending, kept = [CEPH], set()
    while pending:
        name = pending.pop()
        if name not in kept:
            kept.add(name)
            pending.extend(known[name].after)
    assert {"Release/rook-ceph/rook-ceph", "Namespace/rook-ceph"} <= kept
    assert {row.id for row in volumes_of_drives(every)} <= kept
    for row in objects(every):
        if row.body["kind"] in ("CephBlockPool", "CephFilesystem", "CephObjectStore"):
            assert CEPH in row.after


def test_what_mounts_a_protected_volume_stays_with_it(every: Planned) -> None:
    """Without its driver no pod mounts a volume that `destroy` leaves, and none that is mounted is let go."""
    pending, kept = [row.id for row in objects(every) if row.body["kind"] == "PersistentVolumeClaim"], set()
    while pending:
        name = pending.pop()
        if name not in kept:
            kept.add(name)
            pending.extend(every.rows[name].after)
    driver = "Driver.csi.ceph.io/rook-ceph/rook-ceph.cephfs.csi.ceph.com"
    assert {driver, "OperatorConfig.csi.ceph.io/rook-ceph/ceph-csi-operator-config"} <= kept
    assert "Driver.csi.ceph.io/rook-ceph/rook-ceph.rbd.csi.ceph.com" in (
        every.rows["StorageClass.storage.k8s.io/volumes"].after
    )


@pytest.mark.parametrize(
    ("name", "provisioner", "binding", "reclaim", "some"),
    [
        (
            "volumes",
            "rook-ceph.rbd.csi.ceph.com",
            "Immediate",
            "Retain",
            {
                "clusterID": "rook-ceph",
                "pool": "volumes",
                "imageFormat": "2",
                "imageFeatures": "layering",
                "csi.storage.k8s.io/fstype": "ext4",
                "csi.storage.k8s.io/node-stage-secret-name": "rook-csi-rbd-node",
                "csi.storage.k8s.io/controller-publish-secret-name": "rook-csi-rbd-provisioner",
            },
        ),
        (
            "work",
            "rook-ceph.cephfs.csi.ceph.com",
            "Immediate",
            "Retain",
            {
                "clusterID": "rook-ceph",
                "fsName": "work",
                "pool": "work-data0",
                "csi.storage.k8s.io/provisioner-secret-name": "rook-csi-cephfs-provisioner",
            },
        ),
        (
            "objects",
            "rook-ceph.ceph.rook.io/bucket",
            "Immediate",
            "Retain",
            {"objectStoreName": "objects", "objectStoreNamespace": "rook-ceph"},
        ),
        ("scratch", "topolvm.io", "WaitForFirstConsumer", "Delete", {"topolvm.io/device-class": "scratch"}),
        ("home", "nfs.csi.k8s.io", "Immediate", "Retain", {"server": "nas.example.com", "share": "/ai"}),
    ],
)
def test_a_class_has_what_its_driver_documents(
    every: Planned, name: str, provisioner: str, binding: str, reclaim: str, some: dict[str, str]
) -> None:
    made = body(every, f"StorageClass.storage.k8s.io/{name}")
    assert (made["provisioner"], made["volumeBindingMode"], made["reclaimPolicy"]) == (provisioner, binding, reclaim)
    assert some.items() <= made["parameters"].items()
    assert all(isinstance(value, str) for value in made["parameters"].values())


def test_a_class_of_the_site_is_no_row(every: Planned) -> None:
    assert "StorageClass.storage.k8s.io/shared" not in every.rows


def test_the_default_class_says_so_and_no_other_does() -> None:
    found = tiered({**OBJECTS}, {**BLOCK, "default": True})
    marks = {
        row.name: body(found, row.id)["metadata"].get("annotations", {})
        for row in objects(found)
        if row.body["kind"] == "StorageClass" and row.name != "objects-drives"
    }
    assert marks == {"objects": {}, "volumes": {"storageclass.kubernetes.io/is-default-class": "true"}}
    assert "CLU-014" not in found.rules_broken


def test_snapshots_are_kept_when_their_object_goes(every: Planned) -> None:
    made = body(every, "VolumeSnapshotClass.snapshot.storage.k8s.io/volumes")
    assert (made["deletionPolicy"], made["driver"]) == ("Retain", "rook-ceph.rbd.csi.ceph.com")


def test_nfs_over_rdma_comes_after_the_driver_of_the_nics(every: Planned) -> None:
    made = every.rows["StorageClass.storage.k8s.io/home"]
    assert made.wave == "05-hardware"
    assert "Release/csi-driver-nfs/csi-driver-nfs" in made.after
    options = body(every, made.id)["mountOptions"]
    assert options == ["vers=4.1", "proto=rdma", "port=20049", "max_connect=16", "rsize=262144", "wsize=262144"]
    assert (
        "Release/nvidia-network-operator/network-operator" in every.rows["Release/csi-driver-nfs/csi-driver-nfs"].after
    )


def test_local_volumes_are_striped_over_the_drives_of_the_named_nodes(every: Planned) -> None:
    lvmd = values(every, "Release/topolvm-system/topolvm")["lvmd"]
    (made,) = lvmd["deviceClasses"]
    assert (made["volume-group"], made["stripe"]) == ("aifactory-scratch", 8)
    terms = lvmd["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == [f"hgx-h200-{node:03d}" for node in range(1, 9)]


def test_a_fill_is_a_hardened_pod_with_the_buckets_own_key(every: Planned) -> None:
    (job,) = [row for row in objects(every) if row.body["kind"] == "Job" and row.part == "files"]
    pod = body(every, job.id)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["args"][-2:] == ["src:$(BUCKET_NAME)/2026/11", "/data"]
    keys = {each["name"]: each["valueFrom"] for each in container["env"] if "valueFrom" in each}
    assert keys["RCLONE_CONFIG_SRC_SECRET_ACCESS_KEY"] == {
        "secretKeyRef": {"name": "objects-tickets", "key": "AWS_SECRET_ACCESS_KEY"}
    }
    assert {
        "ObjectBucketClaim.objectbucket.io/research/objects-tickets",
        "PersistentVolumeClaim/research/files-tickets",
    } <= set(job.after)


def test_a_fill_waits_for_a_first_object_and_fails_where_none_comes(every: Planned) -> None:
    """rclone copies an empty bucket and ends with 0: whoever reads the volume would start on nothing."""
    (job,) = [row for row in objects(every) if row.body["kind"] == "Job" and row.part == "files"]
    spec = body(every, job.id)["spec"]
    (wait,) = spec["template"]["spec"]["initContainers"]
    assert (wait["command"], wait["args"][:3]) == (["rclone"], ["copy", "--dry-run", "--error-on-no-transfer"])
    assert wait["args"][-2:] == ["src:$(BUCKET_NAME)/2026/11", "/tmp/nothing"]
    assert [each["mountPath"] for each in wait["volumeMounts"]] == ["/tmp", "/trust"]
    assert (spec["activeDeadlineSeconds"], spec["backoffLimit"]) == (3_600 + 14_400, 24)
    assert job.gate is not None
    assert (job.gate.condition, job.gate.timeout_s) == ("Complete", 18_000)
    told = [each.says for each in every.site_plan.offers if isinstance(each, OperatorNote) and each.when == "before"]
    assert [each for each in told if "Objects come to bucket objects-tickets of research within 3600 s" in each]


def test_a_fill_with_a_last_object_waits_for_that_one() -> None:
    """A first object is not the last: a copy of half a dataset ends as well as that of a whole one."""
    whole = {**FILL, "folder": "2026/11", "complete": "_SUCCESS"}
    found = tiered(OBJECTS, tier(paths=[{**PATH, "prefetch": whole}], fed_by="objects"), RUN)
    (job,) = [row for row in objects(found) if row.body["kind"] == "Job" and row.part == "files"]
    (wait,) = body(found, job.id)["spec"]["template"]["spec"]["initContainers"]
    (fill,) = body(found, job.id)["spec"]["template"]["spec"]["containers"]
    assert wait["args"][-2:] == ["src:$(BUCKET_NAME)/2026/11/_SUCCESS", "/tmp/nothing"]
    assert fill["args"][-2:] == ["src:$(BUCKET_NAME)/2026/11", "/data"]
    told = [each.says for each in found.site_plan.offers if isinstance(each, OperatorNote) and each.when == "before"]
    assert [each for each in told if "it begins once object _SUCCESS is there" in each]


def test_a_person_is_told_how_a_swapped_drive_gets_its_volume_back(every: Planned) -> None:
    told = [each.says for each in every.site_plan.offers if isinstance(each, OperatorNote) and each.when == "running"]
    (says_so,) = [each for each in told if "Before a drive of tier objects is swapped" in each]
    assert '[{"op": "remove", "path": "/spec/claimRef"}]' in says_so


def test_only_namespaces_with_buckets_reach_the_gateway(every: Planned) -> None:
    policy = body(every, "NetworkPolicy.networking.k8s.io/rook-ceph/allowed")["spec"]
    peers = [peer for rule in policy["ingress"] for peer in rule.get("from", ())]
    names = [
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for peer in peers
        if "namespaceSelector" in peer
    ]
    assert names == ["research"]
    tenant = body(every, "NetworkPolicy.networking.k8s.io/research/allowed")["spec"]
    assert [rule["ports"] for rule in tenant["egress"] if rule.get("ports") == [{"protocol": "TCP", "port": 8443}]]


def test_an_erasure_code_keeps_its_index_in_copies() -> None:
    found = tiered({**OBJECTS, "redundancy": {"data": 2, "parity": 2}}, tier())
    spec = body(found, "CephObjectStore.ceph.rook.io/rook-ceph/objects")["spec"]
    assert spec["dataPool"]["erasureCoded"] == {"dataChunks": 2, "codingChunks": 2}
    assert spec["metadataPool"]["replicated"]["size"] == 3


@settings(max_examples=20, **MADE_UP)
@given(st.text(min_size=3, max_size=60))
def test_words_about_copies_reach_no_object(word: str) -> None:
    """They are for people: notes and the plan, where they are escaped."""
    copy = {**COPIES[0], "to": f"{word.translate(dict.fromkeys((*range(32), *range(127, 160), 0x2028, 0x2029)))}-store"}
    found = tiered({**OBJECTS, "copies": [copy]}, tier())
    trees: list[Any] = [body(found, row.id) for row in objects(found)]
    assert copy["to"] not in str(trees)
