"""The rules of observability: each fires on what breaks it, and on nothing else."""

from typing import Any

import pytest
from msgspec.structs import replace

from support.planning import place, plan_site
from support.watching import CHAT, DISKS, EU, GIVEN, HERE, OFFERS, PAGER, STORE, SWITCH, watched

ALLOWED = {**EU, "prompts_in_telemetry": True}
US_PARENT = {**HERE, "nationality": "US"}
IN_US = {**HERE, "country": "US"}
OTHER = {"metrics": {"version": "88.5.3"}}
CLUSTER = {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "provides": OTHER}


def sink(kind: str, **fields: Any) -> dict[str, Any]:
    return {**PAGER, "name": f"to-{kind}", "kind": kind, **fields}


def test_what_is_right_breaks_no_rule() -> None:
    assert watched().broken == []
    assert watched(prompt_text="keep", classes={"customer": ALLOWED}).broken == []
    assert watched(data_class="customer").broken == []


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({**GIVEN, "store": {**STORE, "place": None}}, ["OBS-001"]),
        ({**GIVEN, "sinks": [SWITCH, {**PAGER, "place": None}]}, ["OBS-001"]),
        ({**GIVEN, "store": {**STORE, "place": IN_US}}, ["OBS-002"]),
        ({**GIVEN, "store": {**STORE, "place": US_PARENT}}, ["OBS-002"]),
        ({**GIVEN, "sinks": [SWITCH, {**PAGER, "place": US_PARENT}]}, ["OBS-002"]),
        ({**GIVEN, "sinks": [SWITCH, PAGER, sink("prometheus", place=IN_US)]}, ["OBS-002"]),
        ({**GIVEN, "sinks": [SWITCH, PAGER, sink("loki", place=US_PARENT)]}, ["OBS-002"]),
        (None, ["OBS-004"]),
        ({"sinks": [SWITCH, PAGER]}, ["OBS-004"]),
        ({**GIVEN, "store": {**STORE, "traces": None}}, ["OBS-004"]),
        ({"sinks": [SWITCH, PAGER, sink("otlp", signals=["logs", "traces"])]}, []),
        ({"store": STORE}, ["OBS-006", "OBS-018"]),
        ({"store": STORE, "sinks": [PAGER]}, ["OBS-018"]),
        ({"store": STORE, "sinks": [SWITCH]}, ["OBS-006"]),
        ({**GIVEN, "store": {**STORE, "networks": []}}, ["OBS-008"]),
    ],
)
def test_a_rule_on_destinations_finds_what_breaks_it(given: dict[str, Any] | None, rules: list[str]) -> None:
    assert watched(given).broken == rules


def test_a_destination_that_no_signal_uses_is_not_judged() -> None:
    unused = {**GIVEN, "sinks": [SWITCH, PAGER, sink("loki", place=None)]}
    assert watched(unused, signals=["traces"]).broken == []
    assert watched(unused).broken == ["OBS-001"]


@pytest.mark.parametrize(
    ("classes", "fields", "rules"),
    [
        ({"customer": EU}, {"prompt_text": "keep"}, ["OBS-003"]),
        ({"customer": ALLOWED, "own": EU}, {"prompt_text": "keep", "data_class": "own"}, ["OBS-003"]),
        ({"customer": ALLOWED, "own": ALLOWED}, {"prompt_text": "keep", "data_class": "own"}, []),
        ({}, {}, ["OBS-002"]),
        ({"customer": EU}, {"data_class": "secret"}, ["OBS-002"]),
        ({"customer": EU, "swiss": {"jurisdictions": ["ch"], "operators": ["ch"]}}, {"data_class": "swiss"}, 4),
        ({"customer": EU}, {"promises": []}, ["OBS-007"]),
        ({"customer": EU}, {"promises": [{"model": "llama-3.1-8b", "ttft_p99_ms": 9}]}, ["OBS-010"]),
    ],
)
def test_a_rule_on_classes_and_promises_finds_what_breaks_it(
    classes: dict[str, Any], fields: dict[str, Any], rules: Any
) -> None:
    expected = ["OBS-002"] * rules if isinstance(rules, int) else rules
    assert watched(classes=classes, **fields).broken == expected


def test_without_a_class_no_text_is_kept() -> None:
    free = (replace(CHAT, data_class=""), *OFFERS[1:])
    assert watched(offers=free, prompt_text="keep").broken == ["OBS-003"]
    assert watched(offers=free).broken == []


@pytest.mark.parametrize(
    ("sinks", "rules"), [([], []), ([PAGER], ["OBS-009"]), ([sink("prometheus")], ["OBS-009"]), ([sink("loki")], [])]
)
def test_a_prometheus_of_the_site_is_not_configured(sinks: list[dict[str, Any]], rules: list[str]) -> None:
    assert watched({"store": STORE, "sinks": sinks}, site={"cluster": CLUSTER}).broken == rules


def test_a_second_part_is_refused() -> None:
    parts = [{"kind": "observability", "name": name} for name in ("first", "second")]
    found = plan_site(parts, place(telemetry=GIVEN, cluster=DISKS))
    assert [(problem.rule, problem.path) for problem in found.problems] == [("OBS-005", ("parts", 1))]
    assert plan_site(parts[:1], place(telemetry=GIVEN, cluster=DISKS)).problems == []


def test_a_storage_class_that_the_site_lacks_is_refused() -> None:
    seen = watched(storage_class="fast")
    assert [problem.says for problem in seen.problems] == ['"fast" is no StorageClass of lab, and no storage tier']
    assert watched(storage_class="disks").broken == []


def test_a_message_names_place_law_and_cure() -> None:
    (problem,) = watched({**GIVEN, "store": {**STORE, "place": US_PARENT}}).problems
    assert problem.says == (
        "telemetry of customer data may be in eu under operators of eu; "
        "store s3.example.com is run by Example AG, of US"
    )
    assert problem.path == ("telemetry", "store", "place")
    assert problem.document == "site"
