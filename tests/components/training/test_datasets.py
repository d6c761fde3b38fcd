"""Runs that read paths of storage tiers: mounted, counted, and of their own class of data."""

from typing import Any

import pytest

from support.planning import Planned
from support.stored import EU, RUN, SHARED, SYSTEM, body, says, site, tier, tiered

PATH = {"path": "tickets", "keeps": "dataset", "tenant": "research", "size_gib": 1024}
READ = {"tier": "files", "path": "tickets"}
CHECKPOINTS = {**SHARED, "name": "fast", "default": False}


def reading(*tiers: dict[str, Any], residency: dict[str, Any] | None = None, **fields: Any) -> Planned:
    """A run that reads a path."""
    here = site(classes=[SHARED, CHECKPOINTS])
    return tiered(
        *(tiers or (tier(paths=[PATH]),)), {**RUN, "datasets": [READ], **fields}, at=here, residency=residency
    )


def gang(found: Planned) -> dict[str, Any]:
    """The JobSet."""
    return body(found, "JobSet.jobset.x-k8s.io/research/pretrain-1")


def pod(found: Planned) -> dict[str, Any]:
    """The pod of the gang."""
    (job,) = gang(found)["spec"]["replicatedJobs"]
    return dict(job["template"]["spec"]["template"])


def test_the_path_is_mounted_read_only_on_each_node_and_named_to_the_program() -> None:
    found = reading()
    spec = pod(found)["spec"]
    claim = {"claimName": "files-tickets", "readOnly": True}
    assert {"name": "dataset-0", "persistentVolumeClaim": claim} in spec["volumes"]
    (container,) = spec["containers"]
    assert {"name": "dataset-0", "mountPath": "/datasets/tickets", "readOnly": True} in container["volumeMounts"]
    assert {"name": "DATASET_DIRS", "value": "/datasets/tickets"} in container["env"]
    assert "reads files/tickets" in found.plans["pretrain"].in_short


def test_the_gang_waits_for_the_claim_and_for_the_fill() -> None:
    fill = {"bucket": "tickets", "image": "registry.example.com/tools/rclone:1.71.0"}
    objects = tier("object", name="objects", size_tib=30.0, fill_percent=63, paths=[PATH])
    found = reading(objects, tier(fed_by="objects", paths=[{**PATH, "prefetch": fill}]))
    after = found.rows["JobSet.jobset.x-k8s.io/research/pretrain-1"].after
    assert "PersistentVolumeClaim/research/files-tickets" in after
    (job,) = [row for row in found.rows if row.startswith("Job.batch/research/files-tickets-")]
    assert job in after


def test_reading_counts_where_the_data_lies_and_writing_where_checkpoints_do() -> None:
    fast = tier(name="fast", storage_class="fast")
    found = reading(tier(paths=[PATH]), fast, checkpoint={"size_gib": 2048, "storage_class": "fast"})
    # 64 GPUs: 64 x 0.16 = 10.24 read, 64 x 0.08 = 5.12 written.
    needed = {name: (found.plans[name].read_needed, found.plans[name].write_needed) for name in ("files", "fast")}
    assert needed == {"files": (pytest.approx(10.24), 0.0), "fast": (0.0, pytest.approx(5.12))}, says(found)


def test_both_on_one_tier_count_once() -> None:
    plan = reading().plans["files"]
    assert (plan.gpus, plan.read_needed, plan.write_needed) == (64, pytest.approx(10.24), pytest.approx(5.12))


def test_a_run_that_starves_on_its_dataset_is_told_so() -> None:
    slow = site(classes=[{**SHARED, "system": {**SYSTEM, "read_gb_per_s": 8.0}}])
    found = tiered(tier(paths=[PATH]), {**RUN, "datasets": [READ]}, at=slow)
    assert "0.125 GB/s for each of 64 GPUs, which need 0.160" in says(found)


def test_a_misspelled_tier_or_path_is_answered_with_the_nearest() -> None:
    assert 'did you mean "files"?' in says(reading(datasets=[{**READ, "tier": "fiels"}]))
    assert 'did you mean "tickets"?' in says(reading(datasets=[{**READ, "path": "tikets"}]))


def test_a_classed_run_is_labelled_and_its_checkpoints_lie_on_its_class() -> None:
    classed = tier(paths=[PATH], data_class="customer")
    found = reading(classed, data_class="customer", residency=EU)
    assert not found.errors, says(found)
    for labels in (gang(found)["metadata"]["labels"], pod(found)["metadata"]["labels"]):
        assert labels["aifactory.io/data-class"] == "customer"
    fast = tier(name="fast", storage_class="fast")
    saved = {"size_gib": 2048, "storage_class": "fast"}
    elsewhere = reading(classed, fast, data_class="customer", residency=EU, checkpoint=saved)
    assert "checkpoints of customer data would lie on tier fast, which keeps no stated data" in says(elsewhere)


def test_a_class_is_not_read_where_it_may_not_be() -> None:
    elsewhere = {"data_classes": {"customer": {"jurisdictions": ["us"], "operators": ["us"]}}}
    found = reading(data_class="customer", residency=elsewhere)
    assert "customer data may be in us under operators of us" in says(found)
    assert "TRN-020" in found.rules_broken


def test_a_run_of_another_class_reads_nothing_of_this_one() -> None:
    rules = {"data_classes": {**EU["data_classes"], "public": {"jurisdictions": ["eu"], "operators": ["eu"]}}}
    found = reading(tier(paths=[PATH], data_class="customer"), data_class="public", residency=rules)
    assert "tier files keeps customer data, and the run is of class public" in says(found)


def test_a_run_beside_a_tier_that_was_refused_says_nothing_more() -> None:
    found = reading(tier(paths=[PATH], storage_class="sharde"))
    assert [each.rule for each in found.errors] == ["STO-001"], says(found)
