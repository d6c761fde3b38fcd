"""What a tier decides, offers and asks for."""

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.offers import OperatorNote
from support.planning import Planned, plan_site
from support.stored import (
    BULK,
    EU,
    GATEWAYS,
    RUN,
    SHARED,
    SYSTEM,
    broken,
    offer,
    racked,
    says,
    site,
    storage_group,
    tier,
    tiered,
    values,
    without,
)

OBJECTS = tier("object", name="objects", size_tib=40.0, fill_percent=63)
PATHS = [{"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 1024}]
FILL = {"bucket": "tickets", "image": "registry.example.com/tools/rclone:1.71.0"}


def decided(found: Planned, key: str) -> Any:
    """The value of a decision."""
    return found.decisions[key].value


def test_a_class_of_the_site_is_used_with_its_figures_and_never_made() -> None:
    found = tiered(tier())
    plan = found.plans["files"]
    assert (plan.storage_class, plan.made_class, plan.ceph) == ("shared", None, None)
    assert (plan.figures.usable_tib, plan.figures.read_gb_per_s) == (300.0, 40.0)
    assert (plan.key, plan.key_place, plan.failure_domain) == ("kmip://hsm.example.com/ai", "DE", "node")
    assert not [row for row in found.rows.values() if row.part == "files"]


def test_what_a_tier_is_stands_in_its_offer() -> None:
    found = offer(tiered(OBJECTS), "objects")
    assert (found.tier, found.failure_domain, found.place, found.access) == ("object", "node", "DE", ())
    # Two gateways on four nodes of 25 GB/s: 25 / 0.625 to read, 25 / 1.125 to write.
    assert (found.usable_tib, found.read_gb_per_s) == (40.0, 40.0)
    assert found.write_gb_per_s == pytest.approx(22.222, abs=0.001)


def test_a_tier_alone_in_its_cluster_takes_all_that_is_there() -> None:
    found = tiered(without(OBJECTS, "size_tib"))
    # 24 x 15.36 TB = 335.276 TiB; / 3 x 0.63 = 70.408.
    assert found.plans["objects"].figures.usable_tib == pytest.approx(70.408, abs=0.001)


def test_racks_of_unequal_size_hold_what_their_smallest_allow() -> None:
    even = {**without(OBJECTS, "size_tib"), "failure_domain": "rack"}
    # A node has 6 x 15.36 TB = 92.16 TB = 83.819 TiB. Racks of 4, 2 and 2 nodes, one copy in each: the small are full
    # at 2 x 3 = 6 of 8 nodes: 502.914 TiB; / 3 x 0.63 = 105.612.
    found = tiered(even, tier(), at=site(racked(4, 2, 2)))
    plan = found.plans["objects"]
    assert plan.figures.usable_tib == pytest.approx(105.612, abs=0.001)
    assert (plan.failure_domain, plan.pool.failure_domain) == ("rack", "rack")
    assert "335.3, 167.6, 167.6 TiB can be filled to 75.0%" in found.decisions["objects.capacity"].reason
    # Over hosts the eight nodes fill evenly: 670.552 / 3 x 0.63 = 140.816.
    hosts = tiered(without(OBJECTS, "size_tib"), tier(), at=site(racked(4, 2, 2))).plans["objects"]
    assert hosts.figures.usable_tib == pytest.approx(140.816, abs=0.001)


def test_a_tier_over_racks_takes_more_of_the_cluster_when_racks_are_unequal() -> None:
    block = tier("block", name="volumes", beside="objects", size_tib=20.0, fill_percent=63)
    found = tiered({**OBJECTS, "failure_domain": "rack"}, block, tier(), at=site(racked(4, 2, 2)))
    # 40 TiB x 3 = 120 raw, at 6 of 8 nodes 160; and 20 x 3 = 60.
    assert found.decisions["objects.raw_capacity"].value["wanted_tib"] == pytest.approx(220.0)


@pytest.mark.parametrize("domain", ["drive", "node", "rack"])
def test_the_failure_domain_of_a_tier_is_stated_and_explained(domain: str) -> None:
    found = tiered({**OBJECTS, "failure_domain": domain}, tier(), at=site(racked(2, 2, 2, 2)))
    assert found.plans["objects"].failure_domain == domain
    assert found.decisions["objects.failure_domain"].reason == f"one {domain} may be lost without losing data"


def test_places_of_keys_and_copies_are_those_that_the_site_states() -> None:
    old = {"vault": "https://vault.example.com:8200", "token": "rook-vault"}
    for key in ({"keys": "vault"}, old):
        found = tiered({**OBJECTS, "data_class": "customer", "encryption": key}, tier(), residency=EU)
        plan = found.plans["objects"]
        assert (plan.key, plan.key_place) == ("https://vault.example.com:8200/rook", "DE"), says(found)
        assert (plan.ceph.vault, plan.ceph.token) == ("https://vault.example.com:8200", "rook-vault")
        assert plan.copies == (("far", "tape library", "DE"),)
    kept = tiered({**OBJECTS, "data_class": "customer", "encryption": {}}, tier(), residency=EU).plans["objects"]
    assert (kept.key, kept.key_place, kept.ceph.vault) == ("the store of Ceph's monitors at lab", "DE", "")


def test_data_without_a_class_may_be_copied_to_places_that_nobody_states() -> None:
    copy = {"copy_name": "far", "kind": "replica", "to": "somebody's shelf", "every_h": 24}
    found = tiered({**OBJECTS, "copies": [copy]}, tier())
    assert broken(found) == []
    assert found.plans["objects"].copies == (("far", "somebody's shelf", ""),)


def test_files_past_the_cpu_need_the_system_the_module_and_a_driver_of_ours() -> None:
    fast = site(classes=[{**SHARED, "system": {**SYSTEM, "gds": True}}])
    found = tiered(tier(gds=True), at=fast, pool={"gds": True})
    assert broken(found) == [], says(found)
    assert found.decisions["files.gds"].value is True
    assert any("gdscheck -p" in each.says for each in found.site_plan.offers if isinstance(each, OperatorNote))
    local = tiered(tier("local-cache", name="scratch", gds=True), tier(), pool={"gds": True})
    assert broken(local) == [], says(local)


def test_files_past_the_cpu_are_not_promised_where_hosts_own_the_driver() -> None:
    here = site(classes=[{**SHARED, "system": {**SYSTEM, "gds": True}}])
    (gpus, *others) = here.nodes
    owned = gpus.model_copy(update={"host": gpus.host.model_copy(update={"driver": "580.178.04"})})
    found = tiered(tier(gds=True), at=replace(here, nodes=(owned, *others)), pool={"gds": True})
    assert "STO-027" in broken(found), says(found)
    assert "hosts of pool train own their driver" in says(found)


def test_a_run_gets_the_tier_that_it_names_or_the_first_that_outlives_a_node() -> None:
    scratch = tier("local-cache", name="scratch")
    for asked in ({}, {"storage_class": "files"}, {"storage_class": "shared"}):
        run = {**RUN, "checkpoint": {"size_gib": 2048, **asked}}
        found = tiered(scratch, tier(), run)
        assert found.plans["pretrain"].checkpoint.storage_class == "shared", says(found)


SERVED = {
    "kind": "serving",
    "name": "chat",
    "model": "llama-3.1-8b",
    "pool": "serve",
    "tenant": "product",
    "load_mb_per_s": 2_000,
    "redundancy": "none",
    "replicas": 4,
    "autoscaling": {"min_replicas": 1},
}


def served(*tiers: dict[str, Any], **weights: Any) -> Planned:
    """A small model with weights that lie somewhere."""
    parts = [
        *tiers,
        {"kind": "gpu-node-pool", "name": "serve", "accelerator": "h200", "nodes": "demand", "workload": "inference"},
        {
            "kind": "queue",
            "name": "teams",
            "pools": ["serve"],
            "tenants": [{"name": "product", "workload": "inference", "gpus": "demand"}],
        },
        {**SERVED, "weights": weights},
    ]
    rate = {"mean": 0.1, "peak": 0.2}
    demand = {"name": "llama-3.1-8b", "requests_per_s": rate, "input_tokens": 800, "output_tokens": 100, "itl_ms": 50.0}
    return plan_site(parts, site(cluster={"provides": GATEWAYS}), demand={"models": [demand]})


def test_a_served_model_may_name_a_tier_and_counts_on_it_when_replicas_start() -> None:
    found = served(tier(), kind="fetch", hub="https://hub.example.com", size_gib=64, storage_class="files")
    assert found.plans["chat"].weights.fetch.storage_class == "shared"
    # All four replicas start when the power comes back, and each node reads 2 GB/s.
    assert found.plans["files"].read_needed == pytest.approx(8.0), says(found)


def test_weights_on_a_path_of_a_tier_count_too_and_on_any_other_claim_are_refused() -> None:
    path = {"path": "llama", "keeps": "weights", "tenant": "product", "size_gib": 64}
    found = served(tier(paths=[path]), kind="claim", claim="files-llama")
    assert found.plans["files"].read_needed == pytest.approx(8.0), says(found)
    other = served(tier(paths=[path]), kind="claim", claim="lama")
    assert broken(other) == ["STO-011"]
    assert "weights of part chat lie on claim lama of product, which no tier has" in says(other)


def test_a_misspelled_tier_is_answered_with_the_nearest() -> None:
    found = tiered(tier(), {**RUN, "checkpoint": {"size_gib": 1, "storage_class": "fiels"}})
    assert 'did you mean "files"?' in says(found)


def test_a_run_on_a_tier_waits_for_it_by_the_rule_of_thumb() -> None:
    plan = tiered(tier(), RUN).plans["files"]
    # 64 GPUs: 64 x 0.16 = 10.24 and 64 x 0.08 = 5.12.
    assert (plan.gpus, plan.read_needed, plan.write_needed) == (64, pytest.approx(10.24), pytest.approx(5.12))


def test_measured_figures_take_the_place_of_rules_of_thumb() -> None:
    checkpoint = {"gb": 1120.0, "write_within_s": 100, "restart_within_s": 50}
    feed = {"part": "pretrain", "dataset_gb_per_s_per_gpu": 0.05, "checkpoint": checkpoint}
    plan = tiered(tier(feeds=[feed]), RUN).plans["files"]
    # 64 x 0.05 = 3.2 reads; restart 1120 / 50 = 22.4 is more; writes 1120 / 100 = 11.2.
    assert (plan.read_needed, plan.write_needed) == (pytest.approx(22.4), pytest.approx(11.2))


def test_weights_and_cached_keys_are_counted() -> None:
    feed = {
        "part": "train",
        "gpus": 16,
        "weights": {"gb": 140.0, "at_once": 4, "load_within_s": 56},
        "kv_offload_gb_per_s_per_gpu": 0.25,
    }
    plan = tiered(tier(feeds=[feed])).plans["files"]
    # 4 x 140 / 56 = 10, and 16 x 0.25 = 4 each way.
    assert (plan.read_needed, plan.write_needed) == (pytest.approx(14.0), pytest.approx(4.0))


def test_unknown_figures_stay_unknown_and_are_said() -> None:
    bare = {**SHARED, "system": {"vendor": "vast", "failure_domain": "node"}}
    found = tiered(tier(), at=site(classes=[bare]))
    figures = found.plans["files"].figures
    assert (figures.usable_tib, figures.read_gb_per_s, figures.write_gb_per_s) == (None, None, None)
    assert broken(found) == ["STO-002"]
    assert "it is unknown how much it holds, what it reads, what it writes" in says(found)
    assert "unknown" in found.plans["files"].in_short


def test_tiers_beside_each_other_share_one_ceph_cluster() -> None:
    block = tier("block", name="volumes", beside="objects", size_tib=20.0, snapshots=True)
    files = tier("parallel", name="work", engine="rook-ceph", beside="objects", size_tib=10.0)
    found = tiered(OBJECTS, block, files, tier())
    plans = found.plans
    assert [plans[name].ceph is None for name in ("objects", "volumes", "work")] == [False, True, True]
    assert plans["objects"].ceph.drivers == ("rook-ceph.cephfs.csi.ceph.com", "rook-ceph.rbd.csi.ceph.com")
    assert plans["objects"].ceph.snapshots
    assert plans["objects"].ceph.csi_key_type == "aes"
    assert [row for row in found.rows if row.startswith("CephCluster")] == [
        "CephCluster.ceph.rook.io/rook-ceph/rook-ceph"
    ]


def test_kernels_that_know_new_keys_get_what_rook_chooses() -> None:
    host = {"os": "ubuntu-24.04", "kernel": "7.0", "management_nic": "intel"}
    found = tiered(OBJECTS, tier(), at=site(storage_group(host=host)))
    assert found.plans["objects"].ceph.csi_key_type == "aes", "GPU nodes have older ones"


def test_the_load_of_one_tier_takes_from_the_others_of_its_cluster() -> None:
    heavy = tier("parallel", name="work", engine="rook-ceph", beside="objects", size_tib=10.0, fill_percent=63)
    heavy["feeds"] = [{"part": "train", "dataset_gb_per_s_per_gpu": 1.0}]
    light = {**OBJECTS, "feeds": [{"part": "train", "dataset_gb_per_s_per_gpu": 0.5}]}
    # 64 GPUs read 64 of 100 GB/s on one tier and 32 on the other: each alone would do, both don't.
    alone = tiered(light, tier())
    assert broken(alone) == []
    both = tiered(light, heavy, tier())
    assert broken(both) == ["STO-007"], "one problem for one cluster"
    # 32 of 40 through gateways and 64 of 100 by kernels: 0.8 + 0.64. Four gateways would give 57 to the first: still
    # 0.56 + 0.64, so the network is what is short: 25 x 1.44.
    assert "tiers objects and work share the Ceph cluster of objects" in says(both)
    assert "tier objects 32.00 of 40.00 (train), tier work 64.00 of 100.00 (train); together 144%" in says(both)
    assert "give each node 36.0 GB/s of storage network instead of 25" in says(both)


def test_buckets_and_volumes_lie_with_their_tenants_and_are_filled_once() -> None:
    objects = {**OBJECTS, "paths": PATHS}
    files = tier(fed_by="objects", paths=[{**PATHS[0], "prefetch": FILL}])
    found = tiered(objects, files)
    (bucket,), (volume,) = found.plans["objects"].paths, found.plans["files"].paths
    assert (bucket.name, bucket.namespace, bucket.bucket) == ("objects-tickets", "research", True)
    assert (volume.name, volume.namespace, volume.bucket) == ("files-tickets", "research", False)
    (fill,) = found.plans["files"].fills
    assert (fill.bucket, fill.endpoint) == ("objects-tickets", "https://rook-ceph-rgw-objects.rook-ceph.svc:8443")
    again = tiered(objects, tier(fed_by="objects", paths=[{**PATHS[0], "prefetch": {**FILL, "run": 2}}]))
    assert again.plans["files"].fills[0].job != fill.job


def test_a_fill_counts_on_both_tiers_while_it_runs() -> None:
    objects = {**OBJECTS, "paths": PATHS}
    # 1024 GiB = 1099.51 GB within 1000 s: 1.09951 GB/s.
    files = tier(fed_by="objects", paths=[{**PATHS[0], "prefetch": {**FILL, "within_s": 1_000}}])
    plans = tiered(objects, files).plans
    assert plans["objects"].read_needed == plans["files"].write_needed == pytest.approx(1.09951, abs=1e-5)
    assert plans["objects"].write_needed == plans["files"].read_needed == 0
    # In 50 s it would be 21.99 GB/s, and the files take 20.
    hasty = tier(fed_by="objects", paths=[{**PATHS[0], "prefetch": {**FILL, "within_s": 50}}])
    found = tiered(objects, hasty)
    assert broken(found) == ["STO-008"]
    assert "the fill of files/tickets write 21.99 GB/s" in says(found)
    assert "give within_s of each prefetch more time" in says(found)


def test_names_stay_when_a_tier_is_renamed() -> None:
    objects = {**OBJECTS, "paths": PATHS, "name": "cold", "renamed_from": "objects"}
    files = tier(fed_by="cold", paths=[{**PATHS[0], "prefetch": FILL}])
    found = tiered(objects, files)
    assert found.plans["files"].fills[0].endpoint == "https://rook-ceph-rgw-objects.rook-ceph.svc:8443"
    assert "CephObjectStore.ceph.rook.io/rook-ceph/objects" in found.rows


def test_long_names_fit_where_kubernetes_counts_them() -> None:
    long = "o" * 40
    path = {**PATHS[0], "path": "p" * 50}
    objects = {**OBJECTS, "name": long, "paths": [path]}
    files = tier(name="f" * 40, fed_by=long, paths=[{**path, "prefetch": {**FILL, "bucket": "p" * 50}}])
    found = tiered(objects, files)
    (fill,) = found.plans["f" * 40].fills
    assert len(fill.job) <= 63


def test_who_deploys_is_told_what_no_row_does() -> None:
    found = tiered({**OBJECTS, "encryption": {"keys": "vault"}}, tier("local-cache", name="scratch"))
    notes = [each.says for each in found.site_plan.offers if isinstance(each, OperatorNote)]
    assert any("Secret rook-vault of rook-ceph, with key token" in note for note in notes)
    assert any("volume group aifactory-scratch" in note for note in notes)
    assert any("to tape library (DE) each 24 h" in note for note in notes)


def test_snapshots_need_their_definitions_before_drivers() -> None:
    found = tiered(tier(snapshots=True))
    assert "volume-snapshots" in [each.capability for each in found.site_plan.requirements]
    assert found.plans["files"].snapshot_class == "vast-snapshots"
    missing = tiered(tier(snapshots=True), at=site(cluster={"provides": {}}))
    assert "cluster.provides.volume-snapshots: {version: v8.6.0}" in says(missing)


def test_places_of_data_keys_and_copies_are_judged_by_the_class_of_the_data() -> None:
    assert broken(tiered(tier(data_class="customer"), residency=EU)) == []


def test_a_tier_that_is_refused_refuses_nobody_twice() -> None:
    found = tiered(tier("object", name="objects", drives="bluk"), tier(fed_by="objects"))
    assert [each.rule for each in found.errors] == ["STO-001"]
    assert 'did you mean "bulk"?' in says(found)


def test_order_of_parts_changes_nothing() -> None:
    parts = [{**OBJECTS, "paths": PATHS}, tier(fed_by="objects"), tier("local-cache", name="scratch", fed_by="files")]
    first, second = tiered(*parts), tiered(*reversed(parts))
    assert first.plans == second.plans


def test_local_volumes_are_made_on_the_nodes_that_have_the_drives() -> None:
    found = tiered(tier("local-cache", name="scratch"))
    plan = found.plans["scratch"]
    # 64 drives x 3.84 TB = 245.76 TB = 223.517 TiB x 0.75 = 167.638; a node reads 8 x 6.8 = 54.4, eight 435.2.
    assert plan.figures.usable_tib == pytest.approx(167.638, abs=0.001)
    assert plan.figures.read_gb_per_s == pytest.approx(435.2)
    assert (plan.failure_domain, plan.made_class.waits, plan.made_class.reclaim) == ("none", True, "Delete")


def test_a_share_over_rdma_becomes_a_class_of_ours() -> None:
    plan = tiered(tier(engine="nfs-rdma", name="home")).plans["home"]
    assert plan.made_class.mount_options[:3] == ("vers=4.1", "proto=rdma", "port=20049")
    assert dict(plan.made_class.parameters) == {"server": "nas.example.com", "share": "/ai", "onDelete": "retain"}


def test_the_given_figures_of_a_system_are_those_that_count() -> None:
    slow = {**SHARED, "system": {**SYSTEM, "read_gb_per_s": 5.0}}
    found = tiered(tier(), RUN, at=site(classes=[slow]))
    assert broken(found) == ["STO-007"]
    assert "have a system that reads 10.24 GB/s" in says(found)
    assert BULK["drives"] not in says(found)


def test_tiers_of_one_class_share_its_rates_and_its_room() -> None:
    feed = {"part": "train", "dataset_gb_per_s_per_gpu": 0.25}
    paths = [{**PATHS[0], "size_gib": 102_400}]
    found = tiered(tier(feeds=[feed], paths=paths), tier(name="more", feeds=[feed], paths=paths))
    assert broken(found) == []
    # 64 x 0.25 = 16 each of 40: each leaves 24 to the other. 100 TiB each of 300.
    for name, other in (("files", "more"), ("more", "files")):
        assert decided(found, f"{name}.read_gb_per_s") == {"gives": 24.0, "needed": 16.0, "for_each_gpu": 0.375}
        capacity = decided(found, f"{name}.capacity")
        assert (capacity["usable_tib"], capacity["volumes_tib"], capacity["left_tib"]) == (300.0, 100.0, 200.0)
        assert capacity["tiers_beside_tib"] == {other: 100.0}


def test_a_volume_on_a_class_of_two_tiers_is_counted_by_one_of_them() -> None:
    first, second = tiered(tier(), tier(name="more"), RUN).plans, tiered(tier(), tier(name="more", feeds=[WAITS]), RUN)
    assert (first["files"].gpus, first["more"].gpus) == (64, 0)
    assert (second.plans["files"].gpus, second.plans["more"].gpus) == (0, 64)
    assert decided(second, "more.capacity")["volumes_gib"] == {"checkpoints of pretrain": 2048}
    assert decided(second, "files.capacity")["volumes_gib"] == {}


WAITS = {"part": "pretrain"}


def test_everything_that_lands_on_a_tier_counts_with_its_name() -> None:
    # Files of many nodes, and no NFS, which Prometheus doesn't support.
    here = site(classes=[{**SHARED, "system": {**SYSTEM, "vendor": "weka"}}], telemetry=KEPT)
    found = tiered(tier(paths=PATHS), RUN, WATCH, at=here)
    # Nodes of this site are more than three, so Loki has three replicas.
    assert decided(found, "files.capacity")["volumes_gib"] == {
        "path tickets": 1024,
        "checkpoints of pretrain": 2048,
        "Prometheus of watch": 200,
        "Loki of watch": 30,
        "Tempo of watch": 10,
    }
    assert "Prometheus of watch (200 GiB)" in found.decisions["files.capacity"].reason
    bare = tiered(tier(), {"kind": "cluster", "name": "base", "capabilities": ["metrics"]})
    assert decided(bare, "files.capacity")["volumes_gib"] == {"Prometheus of base": 200}


def test_telemetry_may_lie_on_drives_of_a_node_and_checkpoints_may_not() -> None:
    local = {**SHARED, "name": "local", "access": ["ReadWriteOnce"], "system": {**SYSTEM, "failure_domain": "none"}}
    here = site(classes=[{**SHARED, "default": False}, local], telemetry=KEPT)
    fleeting = tier("block", name="cheap", engine="existing", storage_class="local")
    assert broken(tiered(tier(storage_class="shared"), fleeting, WATCH, at=here)) == []


WATCH = {"kind": "observability", "name": "watch"}
KEPT = {
    "store": {
        "endpoint": "s3.example.com",
        "logs": "logs",
        "traces": "traces",
        "secret": "telemetry-store",
        "place": {"country": "DE", "operator": "Example", "nationality": "DE"},
    }
}


def test_few_gpus_need_what_one_node_asks_for() -> None:
    found = tiered(tier(feeds=[{"part": "train", "gpus": 8, "level": "better"}]))
    plan = found.plans["files"]
    assert (plan.read_needed, plan.write_needed) == (pytest.approx(8.0), pytest.approx(4.0))
    reason = found.decisions["files.needs.train"].reason
    assert "8 GPUs x 0.16 / 0.08 GB/s, and what one node of 8 GPUs alone reads / writes, 8 / 4 (NVIDIA DGX" in reason


def test_drives_of_a_node_count_once_for_a_pool_and_what_runs_on_it() -> None:
    pool = {"part": "train", "dataset_gb_per_s_per_gpu": 4.0}
    run = {"part": "pretrain", "kv_offload_gb_per_s_per_gpu": 3.0}
    found = tiered(tier("local-cache", name="scratch", feeds=[pool, run]), tier(), RUN)
    # A node reads 8 x 6.8 = 54.4, and is asked for 8 x 4 + 8 x 3 = 56: 8 x 56 / 54.4 = 8.2 drives.
    assert broken(found) == ["STO-007"]
    assert "read 56.00 GB/s of the drives of one node at the worst moment, and tier scratch gives 54.40" in says(found)
    assert "put 9 drives into each node instead of 8" in says(found)
    less = tiered(
        tier("local-cache", name="scratch", feeds=[{**pool, "dataset_gb_per_s_per_gpu": 3.5}, run]), tier(), RUN
    )
    assert less.plans["scratch"].gpus == 64
    assert decided(less, "scratch.read_gb_per_s") == {"gives": 54.4, "needed": 52.0, "for_each_gpu": 6.8}


def test_a_run_on_a_pool_that_a_tier_feeds_is_counted_with_the_pool() -> None:
    found = tiered(tier(feeds=[{"part": "train", "level": "better"}]), RUN).plans["files"]
    # 64 x 0.16 once, though the run's checkpoints lie there.
    assert (found.gpus, found.read_needed) == (64, pytest.approx(10.24))
    # The pool's feed speaks of 16 GPUs, so 48 of the run come beside: 2.56 and 7.68, and 8 - 2.56 for one node.
    part = tiered(tier(feeds=[{"part": "train", "gpus": 16, "level": "better"}]), RUN).plans["files"]
    assert part.read_needed == pytest.approx(2.56 + 7.68 + 5.44)


def test_a_pool_of_ceph_has_a_quota_with_and_without_a_size() -> None:
    found = tiered(without(OBJECTS, "size_tib"))
    # 70.408 TiB, as above, are 72 097 GiB.
    assert found.plans["objects"].pool.max_bytes == 72_097 * 2**30
    assert decided(found, "objects.quota") == {"max_gib": 72_097}
    assert tiered(OBJECTS).plans["objects"].pool.max_bytes == 40 * 2**40


def test_local_volumes_leave_free_what_the_fill_limit_says() -> None:
    spare = {}
    for percent in (75, 90):
        planned = tiered(tier("local-cache", name="scratch", fill_percent=percent))
        (device_class,) = values(planned, "Release/topolvm-system/topolvm")["lvmd"]["deviceClasses"]
        spare[percent] = device_class["spare-gb"]
    # A node has 8 x 3.84 TB = 28610.2 GiB: a quarter is 7152.6, a tenth 2861.02.
    assert spare == {75: 7153, 90: 2862}


def test_a_fill_takes_no_more_time_than_its_bucket_holds() -> None:
    objects = {**OBJECTS, "paths": PATHS}
    # The bucket holds 1024 GiB, whatever the volume has: 1099.51 GB within 1000 s.
    files = tier(fed_by="objects", paths=[{**PATHS[0], "size_gib": 4096, "prefetch": {**FILL, "within_s": 1_000}}])
    assert tiered(objects, files).plans["files"].write_needed == pytest.approx(1.09951, abs=1e-5)
    # 256 GiB of a folder: 0.27488.
    wish = {**FILL, "within_s": 1_000, "folder": "new", "size_gib": 256}
    folder = tier(fed_by="objects", paths=[{**PATHS[0], "prefetch": wish}])
    assert tiered(objects, folder).plans["objects"].read_needed == pytest.approx(0.27488, abs=1e-5)
