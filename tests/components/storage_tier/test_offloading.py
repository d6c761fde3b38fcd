"""Keys and values that models keep on drives of their nodes, as the tier counts and judges them."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.storage_uses import KvOffloadUse
from support.models import CHAT
from support.planning import Planned
from support.stored import EU, GATEWAYS, SCRATCH, SHARED, broken, offer, says, site, tier, tiered, without

LOCKED = {**SCRATCH, "encryption": {"key": "kmip://hsm.example.com/drives", "place": "DE"}}
CHATS = {"models": [{**CHAT, "data_class": "customer"}]}
ASSIST = {"tenants": [{"name": "assist", "workload": "inference", "gpus": "demand"}]}
OFFLOADING = {
    "kind": "serving",
    "name": "chat",
    "model": "llama-3.3-70b",
    "pool": "train",
    "tenant": "assist",
    "precision": "fp8",
    "stored_as": "fp8",
    "weights": {"kind": "oci", "image": f"registry.example.com/models/llama:1@sha256:{'a' * 64}"},
    "kv_offload": {"tier": "scratch", "size_gib": 1_000},
}


def offloaded(scratch: dict[str, Any], drives: dict[str, Any], **serving: Any) -> Planned:
    """A model that offloads customers' keys and values to a tier on such drives."""
    at = site(drives=drives, classes=[{**SHARED, "default": False}], cluster={"provides": GATEWAYS})
    return tiered(scratch, {**OFFLOADING, **serving}, at=at, residency=EU, demand=CHATS, queue=ASSIST)


def test_what_a_model_offloads_is_counted_without_being_asked_twice() -> None:
    scratch = tier("local-cache", name="scratch", data_class="customer")
    found = offloaded(scratch, LOCKED)
    assert not found.errors, says(found)
    (use,) = [each for each in found.site_plan.offers if isinstance(each, KvOffloadUse)]
    plan = found.plans["scratch"]
    assert plan.gpus == use.gpus
    assert plan.read_needed == plan.write_needed == pytest.approx(use.gb_per_s)
    # 16 requests of 2150 tokens, each with 80 layers x 2 x 8 heads x 128 x 2 bytes.
    assert use.gb_per_s == pytest.approx(16 * 2_150 * 327_680 / 1e9)
    value: Any = found.site_plan.decisions["scratch.needs.chat"].value
    assert value["kv_offload"] == pytest.approx(11.272, abs=0.001)


def test_a_measured_rate_in_a_feed_takes_the_place_of_the_demands() -> None:
    feed = {"part": "chat", "gpus": 10, "kv_offload_gb_per_s_per_gpu": 0.25}
    scratch = tier("local-cache", name="scratch", data_class="customer", feeds=[feed])
    found = offloaded(scratch, LOCKED)
    assert found.plans["scratch"].write_needed == pytest.approx(2.5)


def test_drives_too_slow_for_what_is_offloaded_starve_its_gpus() -> None:
    scratch = tier("local-cache", name="scratch", data_class="customer")
    slow = {**LOCKED, "write_gb_per_s": 0.3}
    found = offloaded(scratch, slow)
    assert broken(found) == ["STO-008"]
    assert "drives into each node instead of 8" in says(found)


@pytest.mark.parametrize(
    ("dwpd", "cure"),
    [(3.0, "their warranty allows 3 | have drives for"), (None, "nobody states how often they may be | add dwpd")],
)
def test_drives_that_wear_out_before_their_time_are_told_of(dwpd: float | None, cure: str) -> None:
    """Half of a peak of 11.272 GB/s in the mean, on 16 GPUs or fewer: far above what drives for reading allow."""
    scratch = tier("local-cache", name="scratch", data_class="customer")
    found = offloaded(scratch, {**without(LOCKED, "dwpd"), **({"dwpd": dwpd} if dwpd else {})})
    assert "STO-053" in broken(found)
    assert cure in says(found)
    (use,) = [each for each in found.site_plan.offers if isinstance(each, KvOffloadUse)]
    value: Any = found.site_plan.decisions["scratch.drive_writes_a_day"].value
    on_a_node = use.mean_gb_per_s / use.mean_gpus * min(8, use.mean_gpus)
    assert value["writes"] == pytest.approx(on_a_node * 86_400 / (8 * 3_840), abs=0.01)
    assert use.mean_gb_per_s < use.gb_per_s


@pytest.mark.parametrize(
    ("autoscaling", "replicas"),
    [
        ({"enabled": False}, 4),  # All that the peak needs, at any hour.
        ({"min_replicas": 3}, 3),
        ({"min_replicas": 1}, 1),  # In hours of little load one carries all.
    ],
)
def test_drives_wear_by_the_mean_of_the_gpus_that_carry_it(autoscaling: dict[str, Any], replicas: int) -> None:
    scratch = tier("local-cache", name="scratch", data_class="customer")
    found = offloaded(scratch, LOCKED, autoscaling=autoscaling)
    (use,) = [each for each in found.site_plan.offers if isinstance(each, KvOffloadUse)]
    assert (use.gpus, use.mean_gpus) == (16, replicas * 4)


@pytest.mark.parametrize(
    ("gpus", "autoscaling", "writes"),
    [
        # 20 GPUs write 0.25 each at peak, 5 GB/s; over the day 6 / 16 of it, 1.875, on 16 that always run: 8 of a node
        # write 0.9375 GB/s, 81 TB a day, on 30.72 TB.
        (None, {"enabled": False}, 2.64),
        # 8 at one time: 2 GB/s, 0.75 over the day, on 4 that always run, all of one node: 64.8 TB a day.
        (8, {"min_replicas": 1}, 2.11),
    ],
)
def test_a_measured_rate_wears_drives_in_the_place_of_the_demands(
    gpus: int | None, autoscaling: dict[str, Any], writes: float
) -> None:
    feed = {"part": "chat", "kv_offload_gb_per_s_per_gpu": 0.25, **({"gpus": gpus} if gpus else {})}
    scratch = tier("local-cache", name="scratch", data_class="customer", feeds=[feed])
    found = offloaded(scratch, LOCKED, autoscaling=autoscaling)
    value: Any = found.site_plan.decisions["scratch.drive_writes_a_day"].value
    assert value["writes"] == writes


def test_a_tier_of_the_node_offers_its_nodes_their_room_and_the_key_of_its_drives() -> None:
    found = offer(tiered(tier("local-cache", name="scratch"), at=site(drives=LOCKED)), "scratch")
    assert found.nodes == tuple(f"hgx-h200-{index + 1:03d}" for index in range(8))
    # 8 x 3.84 TB = 28610.2 GiB, of which the driver spares a quarter, 7153.
    assert (found.node_gib, found.key) == (21_457, "kmip://hsm.example.com/drives")
    other = offer(tiered(tier()), "files")
    assert (other.nodes, other.node_gib) == ((), None)


def test_drives_whose_key_lies_elsewhere_hold_no_data_of_the_class() -> None:
    abroad = {**LOCKED, "encryption": {"key": "kmip://hsm.example.com/drives", "place": "US"}}
    scratch = tier("local-cache", name="scratch", data_class="customer")
    found = tiered(scratch, at=site(drives=abroad), residency=EU)
    assert broken(found) == ["STO-013"]
    assert "the key of tier scratch lies in US" in says(found)


def test_a_class_on_drives_without_encryption_asks_for_theirs() -> None:
    found = tiered(tier("local-cache", name="scratch", data_class="customer"), residency=EU)
    assert broken(found) == ["STO-014"]
    assert "add encryption to the site file" in says(found)
