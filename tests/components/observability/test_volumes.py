"""Where Prometheus and its neighbours have their volumes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from aifactory.components.offers import StorageOffer, StorageUse
from support.watching import BLOCK, DISKS, GIVEN, SCRATCH, Seen, watched

FILES = replace(BLOCK, name="files", part="files", tier="parallel", access=("ReadWriteOnce", "ReadWriteMany"), row="f")
NFS = replace(FILES, name="share", part="share", engine="nfs-rdma", row="n")


def cluster(*classes: dict[str, Any]) -> dict[str, Any]:
    return {"cluster": {**DISKS, "storage_classes": list(classes)}}


def given(vendor: str, *access: str) -> dict[str, Any]:
    return {"name": "own", "access": list(access), "default": True, "system": {"vendor": vendor}}


def claim(seen: Seen) -> dict[str, Any]:
    spec = seen.asked("metrics")["prometheus"]["prometheusSpec"]["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert isinstance(spec, dict)
    return spec


@pytest.mark.parametrize(
    ("own", "rules"),
    [
        (given("vast", "ReadWriteOnce"), ["OBS-016"]),
        (given("vast", "ReadWriteOnce", "ReadWriteMany"), ["OBS-016"]),
        (given("weka", "ReadWriteOnce"), ["OBS-017"]),
        (given("ddn", "ReadWriteOnce", "ReadWriteMany"), ["OBS-017"]),
        (given("other", "ReadWriteOnce", "ReadWriteMany"), ["OBS-017"]),
        (given("pure", "ReadWriteOnce"), []),
        ({"name": "own", "access": ["ReadWriteOnce"], "default": True}, []),
    ],
)
def test_a_class_of_the_site_is_judged_by_what_a_volume_of_it_is(own: dict[str, Any], rules: list[str]) -> None:
    assert watched(site=cluster(own)).broken == rules


@pytest.mark.parametrize(("tier", "rules"), [(BLOCK, []), (FILES, ["OBS-017"]), (NFS, ["OBS-016"]), (SCRATCH, [])])
def test_a_tier_is_taken_by_its_name_and_judged(tier: StorageOffer, rules: list[str]) -> None:
    seen = watched(before=(tier,), storage_class=tier.part)
    assert seen.broken == rules
    if not rules:
        assert claim(seen)["storageClassName"] == tier.name


def test_a_tier_that_is_called_block_and_lies_on_a_file_server_is_none() -> None:
    lying = replace(BLOCK, name="own", part="databases", engine="existing", row="")
    seen = watched(before=(lying,), site=cluster(given("vast", "ReadWriteOnce")))
    assert seen.broken == ["OBS-016"]
    assert watched(before=(lying, BLOCK), site=cluster(given("vast", "ReadWriteOnce"))).broken == []


def test_without_a_word_a_block_tier_comes_before_the_clusters_own_class() -> None:
    seen = watched(before=(FILES, SCRATCH, BLOCK))
    assert claim(seen)["storageClassName"] == "volumes"
    manager = seen.asked("metrics")["alertmanager"]["alertmanagerSpec"]["storage"]["volumeClaimTemplate"]["spec"]
    assert (manager["storageClassName"], manager["resources"]) == ("volumes", {"requests": {"storage": "1Gi"}})
    assert seen.asked("loki")["singleBinary"]["persistence"] == {
        "enabled": True,
        "size": "10Gi",
        "storageClass": "volumes",
    }
    assert seen.asked("tempo")["persistence"]["storageClassName"] == "volumes"
    assert seen.site_plan.decisions["watch.storage"].value == "volumes"
    assert "storageClassName" not in claim(watched())


def test_loki_and_tempo_wait_for_the_class_of_a_tier_and_the_rest_of_a_site_does_not() -> None:
    seen = watched(before=(BLOCK,))
    after = {each.capability: each.after for each in seen.site_plan.requirements}
    assert after["loki"] == after["tempo"] == (BLOCK.row,)
    assert after["metrics"] == ()


def test_a_tier_is_told_what_lies_on_it() -> None:
    """By hand: 200 GiB of Prometheus, two Alertmanagers of 1, three Lokis of 10, one Tempo of 10."""
    seen = watched(before=(BLOCK,))
    uses = [each for each in seen.site_plan.offers if isinstance(each, StorageUse)]
    assert {(each.storage_class, each.keeps) for each in uses} == {("volumes", "telemetry")}
    sizes = {each.what: each.size_gib for each in uses}
    assert sizes == {"Prometheus": 200, "Alertmanager": 2, "Loki": 30, "Tempo": 10}


def test_the_alert_that_is_always_on_goes_to_the_switch_and_never_to_the_pager() -> None:
    def config(sinks: list[dict[str, Any]]) -> Any:
        return watched({"store": GIVEN["store"], "sinks": sinks}).asked("metrics")["alertmanager"]["config"]

    pager, switch = GIVEN["sinks"]
    for sinks, receiver in (([pager, switch], "switch"), ([pager], "null"), ([switch], "switch")):
        made = config(sinks)
        (watchdog,) = [each for each in made["route"]["routes"] if each["matchers"] == ['alertname = "Watchdog"']]
        assert watchdog["receiver"] == receiver
        assert made["route"]["receiver"] == ("pager" if pager in sinks else "null")
        assert {each["name"] for each in made["receivers"]} == {"null", *(sink["name"] for sink in sinks)}
    hooks = {each["name"]: each["webhook_configs"][0] for each in config([pager, switch])["receivers"][1:]}
    assert (hooks["pager"]["send_resolved"], hooks["switch"]["send_resolved"]) == (True, False)
