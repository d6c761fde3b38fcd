"""What a store decides, with its reasons: engine, length, memory, disk, places, and who may reach whom."""

from __future__ import annotations

from typing import Any

from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.offers import OperatorNote, StorageUse
from support.vectors import around, buckets, here, model, tier


def requests(found: Any, name: str) -> list[NamespaceRequest]:
    return [each for each in found.site_plan.namespaces if each.name == name]


def test_five_million_vectors_take_a_database_and_no_milvus(stored: Any) -> None:
    found = stored()
    decision = found.decisions["vectors.engine"]
    assert decision.value == "pgvector"
    assert "5,000,000 vectors, below 10,000,000" in decision.reason
    assert {each.value for each in decision.rejected} == {"milvus", "qdrant"}
    assert [each.capability for each in found.site_plan.requirements] == ["cnpg"]


def test_the_other_format_is_rejected_with_the_pages_that_it_takes(stored: Any) -> None:
    decision = stored().decisions["vectors.number"]
    assert (decision.value, decision.rejected[0].value) == ("halfvec", "vector")
    assert decision.reason.startswith("2731 bytes")
    assert decision.rejected[0].reason.startswith("8192 bytes")


def test_memory_and_disk_are_those_of_the_arithmetic(stored: Any) -> None:
    found = stored()
    # 5 x 3.05176 GiB of index, 8 GiB to build, 1 beside: 24.259 / 0.9 = 26.95.
    assert found.decisions["vectors.memory"].value == {"gib": 27, "index_gib": 15.26, "build_gib": 8.0}
    # Rows 5 x 4.7833 = 23.916; 15.259 + 12.207 for the largest again + 2: 53.382 / 0.8 = 66.73. (16 + 12.207) / 0.8.
    disk = found.decisions["vectors.disk"].value
    assert (disk["volume_gib"], disk["log_gib"], disk["instances_gib"]) == (67, 36, 3 * 103)
    uses = [each for each in found.site_plan.offers if isinstance(each, StorageUse)]
    kept = {each.keeps: (each.storage_class, each.size_gib) for each in uses}
    assert kept == {
        "vectors": ("databases-class", 309),
        "backups": (found.plan.database.backup.storage_class, found.plan.database.backup.size_gib),
    }


def test_vectors_inherit_the_class_of_their_documents(stored: Any) -> None:
    found = stored()
    assert found.plan.data_class == "customer"
    assert {row.body["metadata"]["labels"].get("aifactory.io/data-class") for row in found.rows().values()} == {
        "customer"
    }
    unbound = stored(offers=around(model=model(data_class=""), tier=tier(data_class="")))
    assert unbound.plan.data_class == ""
    assert "vectors.data_class" not in unbound.decisions


def test_whoever_reads_vectors_is_let_out_and_in(stored: Any) -> None:
    found = stored()
    (out,) = requests(found, "legal")
    assert out.egress_to == (("vectors", 5_432),)
    peers = {peer for each in requests(found, "vectors") for peer in each.ingress_from}
    assert peers == {"cnpg-system", "monitoring", "legal", "research-2"}
    assert {to for each in requests(found, "vectors") for to in each.egress_to} == {("rook-ceph", 8_080)}
    assert [each.ingress_from for each in requests(found, "rook-ceph")] == [("vectors",)]


def test_a_given_prometheus_is_let_in_by_nobody_who_does_not_know_it(stored: Any) -> None:
    provides = {"metrics": {"version": "88.5.3", "url": "http://prometheus.watch.svc:9090"}}
    found = stored(at=here(provides=provides))
    assert "monitoring" not in {peer for each in requests(found, "vectors") for peer in each.ingress_from}


def test_people_are_told_of_each_secret_and_of_each_table(stored: Any) -> None:
    notes = [each for each in stored().site_plan.offers if isinstance(each, OperatorNote)]
    before = [each.says for each in notes if each.when == "before"]
    assert len(before) == 2
    assert "Secret vectors-legal of vectors, of type kubernetes.io/basic-auth with username tenant_legal" in before[0]
    assert all("configmap vectors-vectors" in each.commands[0] for each in notes if each.when == "running")


def test_backups_say_where_they_lie_and_how_much_that_is(stored: Any) -> None:
    value = stored({"backup": {"tier": "objects", "keep_days": 10}}).decisions["vectors.backup"].value
    # 11 bases of 23.916 + 15.259 + 2 = 41.175, and a tenth: 498.2.
    assert value == {
        "bucket": "demo-lab-vectors-backups",
        "tier": "objects",
        "place": "DE",
        "size_gib": 499,
        "keep_days": 10,
    }


def test_a_bucket_with_a_long_name_is_cut_and_stays_its_own(stored: Any) -> None:
    names = [stored({"name": "v" * 39 + end}, factory="f" * 40).plan.database.backup.bucket for end in "ab"]
    assert all(len(name) == 63 and name.startswith("f" * 40) for name in names)
    assert len(set(names)) == 2


def test_a_plan_in_one_line_says_how_much_it_takes(stored: Any) -> None:
    said = stored().plan.in_short
    assert said == (
        "5,000,000 vectors of 1024 in 2 collections on pgvector: 3 instances of 27 GiB memory and 103 GiB of volumes"
    )


def test_archives_take_backups_too(stored: Any) -> None:
    assert stored(offers=around(buckets=buckets(tier="archive"))).plan.database.backup is not None
