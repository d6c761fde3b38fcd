"""Each rule of a served model finds what it is for, with the number that fixes it, and nothing where all is well."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.serving.rules import RULES
from support.models import CHAT, EU, card, drives, reserved
from support.offered import fabric, pool
from support.planning import place

US = {"country": "US", "operator": {"name": "Example Inc", "nationality": "US"}, "support": ["US"]}
STORED = {
    "kind": "object-store",
    "uri": "s3://models/x",
    "endpoint": "https://s3.example.com",
    "credentials": "s3",
}
LORA = {"adapters": [{"name": "tone", "folder": "adapters/tone"}]}
VECTORS: dict[str, Any] = {
    "model": "bge-m3",
    "stack": "kserve",
    "precision": None,
    "stored_as": "bf16",
    "kv_cache": None,
}
TEXTS: dict[str, Any] = {
    "name": "bge-m3",
    "task": "embed",
    "requests_per_s": {"mean": 2.0, "peak": 50.0},
    "input_tokens": 450,
}
FETCH = {"kind": "fetch", "hub": "https://hub.example.com", "size_gib": 200}
OLD = {"version": "1.34.2", "kubeconfig": {"context": "lab"}}


def cluster(**changes: Any) -> dict[str, Any]:
    classes = [{"name": "local", "access": ["ReadWriteOnce"], "default": True}]
    return {"version": "1.35.6", "kubeconfig": {"context": "lab"}, "storage_classes": classes, **changes}


def cards(*more: Any, **changes: Any) -> list[Any]:
    """What a pool offers, and more."""
    return [card(**changes), fabric(), pool(nodes=40), *more]


def on_drives(tier: Any, **demand: Any) -> Any:
    """Keys and values on a tier, and what is around that."""
    around = {"offers": cards(tier), "demands": [{**CHAT, **demand}], "residency": EU}
    return {"kv_offload": {"tier": "scratch", "size_gib": 1_000}}, around


Case = tuple[dict[str, Any], dict[str, Any]]
"""Changes to the part, and to what is around it."""

CASES: dict[str, tuple[Case, Case, str, str]] = {
    "SRV-001": (({}, {"demands": ()}), ({}, {}), "how much llama-3.3-70b must carry", "add demand.models"),
    "SRV-002": (
        ({}, {"offers": cards(accelerator="nvidia-l4", gpus_per_node=1, several_join=False)}),
        ({}, {}),
        "82 GiB of fp8 weights on 1 GPU",
        "give a replica 8 GPUs",
    ),
    "SRV-003": (
        ({}, {"demands": [{**CHAT, "itl_ms": 8.0}]}),
        ({}, {"demands": [{**CHAT, "itl_ms": 11.0}]}),
        "a token every 8 ms",
        "set itl_ms to 11 or more",
    ),
    "SRV-004": (
        ({}, {"demands": [{**CHAT, "ttft_ms": 10.0}]}),
        ({}, {"demands": [{**CHAT, "ttft_ms": 2_000.0}]}),
        "a first token within 10 ms",
        "set ttft_ms to",
    ),
    "SRV-005": (
        ({}, {"offers": cards(accelerator="amd-mi250x")}),
        ({"precision": None, "stored_as": "bf16"}, {"offers": cards(accelerator="amd-mi250x")}),
        "amd-mi250x doesn't compute in fp8, and the engine doesn't unpack it there",
        "use precision bf16",
    ),
    "SRV-006": (
        ({"parallelism": {"tensor": 3}}, {}),
        ({"parallelism": {"tensor": 4}}, {}),
        "tensor 3 doesn't fit 64 attention heads",
        "use tensor 1 or 2 or 4 or 8",
    ),
    "SRV-007": (
        ({"tenant": "assist"}, {"offers": cards(reserved(8))}),
        ({"tenant": "assist"}, {"offers": cards(reserved(18))}),
        "make 18 GPUs of tenant assist, which reserves 8",
        "reserve 18, or write gpus: demand",
    ),
    "SRV-008": (
        ({}, {"offers": [cards()[0], fabric(), pool(nodes=2)]}),
        ({}, {"offers": [cards()[0], fabric(), pool(nodes=3)]}),
        "with 2 nodes of 8 GPUs: room for 8",
        "give the pool 1 node more",
    ),
    "SRV-009": (
        ({"weights": FETCH}, {"at": place(cluster=cluster())}),
        ({"weights": FETCH}, {}),
        "no StorageClass of lab serves ReadWriteMany",
        "use weights of kind oci",
    ),
    "SRV-010": (
        (
            {"model": "deepseek-r1", "stack": "kserve"},
            {
                "demands": [{**CHAT, "name": "deepseek-r1", "itl_ms": 60.0}],
                "offers": cards(accelerator="nvidia-h100-sxm"),
            },
        ),
        ({"stack": "kserve"}, {}),
        "spans 2 nodes, which stack kserve doesn't start",
        "set stack to llm-d",
    ),
    "SRV-011": (
        ({}, {"offers": cards(accelerator="amd-mi300x")}),
        ({}, {}),
        "outside of its evidence: of amd",
        "run the benchmark",
    ),
    "SRV-012": (({}, {"offers": cards(whole_gpus=False)}), ({}, {}), "shares its GPUs", "with sharing none"),
    "SRV-013": (
        ({}, {"demands": [{**CHAT, "data_class": "customer"}], "residency": EU, "at": place(location=US)}),
        ({}, {"demands": [{**CHAT, "data_class": "customer"}], "residency": EU}),
        "customer data of llama-3.3-70b may be in eu under operators of eu; lab stands in US",
        "take lab out of placement",
    ),
    "SRV-014": (
        ({}, {"demands": [{**CHAT, "longest_tokens": 200_000}]}),
        ({}, {"demands": [{**CHAT, "longest_tokens": 131_072}]}),
        "requests of 200000 tokens; llama-3.3-70b reads 131072 at most",
        "lower it to 131072",
    ),
    "SRV-015": (
        ({"stored_as": "bf16", "precision": "fp4"}, {}),
        ({"stored_as": "bf16", "precision": "fp8"}, {}),
        "stored as bf16 and wanted as fp4",
        "stored_as: fp4",
    ),
    "SRV-016": (
        ({}, {"at": place(cluster=cluster(provides={"metrics": {"version": "88.5.3"}}))}),
        (
            {},
            {
                "at": place(
                    cluster=cluster(provides={"metrics": {"version": "88.5.3", "url": "http://p.monitoring.svc:9090"}})
                )
            },
        ),
        "gives metrics without an address",
        "add url:",
    ),
    "SRV-017": (
        ({"weights": {"kind": "oci", "image": "registry.example.com/m:1"}}, {}),
        ({"weights": {"kind": "oci", "image": "registry.example.com/m:1"}, "digest": f"sha256:{'b' * 64}"}, {}),
        "nothing says which weights of meta-llama/Llama-3.3-70B-Instruct",
        "set digest",
    ),
    "SRV-018": (({"redundancy": "none"}, {}), ({"redundancy": "replica"}, {}), "no spare replica", "set redundancy"),
    "SRV-019": (
        ({"replicas": 4}, {}),
        ({"replicas": 12}, {}),
        "4 replicas; the demand needs 8, and 9 with redundancy node",
        "set replicas to 9 or more",
    ),
    "SRV-020": (
        ({"tenant": "assist", "name": "again"}, {"offers": cards(reserved(64)), "first": {"tenant": "assist"}}),
        ({"name": "again"}, {"first": {}}),
        "part chat serves llama-3.3-70b in namespace assist already",
        "make one part of both",
    ),
    "SRV-021": (
        ({}, {"offers": cards(accelerator="nvidia-h200-nvl")}),
        ({}, {}),
        "no source states memory_bandwidth_tbps",
        "private catalog folder",
    ),
    "SRV-022": (
        ({"weights": {**FETCH, "hub": "https://huggingface.co"}, "digest": f"sha256:{'b' * 64}"}, {}),
        ({"weights": FETCH, "digest": f"sha256:{'b' * 64}"}, {}),
        "a public hub",
        "a mirror of the site",
    ),
    "SRV-023": (
        ({"weights": {**FETCH, "size_gib": 40}}, {}),
        ({"weights": {**FETCH, "size_gib": 83}}, {}),
        "a volume of 40 GiB for weights of 79 GiB",
        "set size_gib to 158",
    ),
    "SRV-024": (
        ({"autoscaling": {"min_replicas": 10}}, {}),
        ({"autoscaling": {"min_replicas": 9}}, {}),
        "10 replicas always run, and the peak with the spare one needs 9",
        "set min_replicas to 9 or less, or replicas to 10",
    ),
    "SRV-028": (
        ({"weights": STORED}, {"demands": [{**CHAT, "data_class": "customer"}], "residency": EU}),
        (
            {"weights": {**STORED, "networks": ["10.20.0.0/16"]}},
            {"demands": [{**CHAT, "data_class": "customer"}], "residency": EU},
        ),
        "replicas with customer prompts may reach port 443 of any address",
        "weights.networks",
    ),
    "SRV-027": (
        (
            {"model": "gpt-oss-120b", "precision": None, "stored_as": None, "lora": LORA},
            {"demands": [{**CHAT, "name": "gpt-oss-120b"}]},
        ),
        ({"lora": LORA}, {}),
        "gpt-oss-120b has experts",
        "serve a dense model",
    ),
    "SRV-029": (
        (VECTORS, {"demands": [{**CHAT, "name": "bge-m3"}]}),
        (VECTORS, {"demands": [TEXTS]}),
        "task chat of bge-m3, which makes a vector of a text",
        "set task to embed",
    ),
    "SRV-030": (
        ({**VECTORS, "stack": "llm-d"}, {"demands": [TEXTS]}),
        (VECTORS, {"demands": [TEXTS]}),
        "bge-m3 has neither",
        "set stack to kserve",
    ),
    "SRV-031": (
        ({**VECTORS, "kv_cache": "fp8", "lora": LORA}, {"demands": [TEXTS]}),
        (VECTORS, {"demands": [TEXTS]}),
        "kv_cache and lora of an embedding model",
        "delete kv_cache and lora",
    ),
    "SRV-032": (
        on_drives(drives(nodes=39)),
        on_drives(drives()),
        "tier scratch has no drives in node n40 of pool train",
        "offload to memory: {cpu_gib: ...}",
    ),
    "SRV-033": (
        on_drives(drives(), data_class="customer"),
        on_drives(drives(data_class="customer", key="kmip://hsm.example.com/drives"), data_class="customer"),
        "keys and values of customer prompts on tier scratch, which is for data of no class",
        "set data_class of the tier to customer",
    ),
    "SRV-034": (
        on_drives(drives(node_gib=4_999)),
        on_drives(drives(node_gib=5_000)),
        "volumes of 5000 GiB on a node at the worst, 1000 that are being removed among them, and tier scratch has 4999",
        "set size_gib to 999 or less",
    ),
    "SRV-035": (
        ({"kv_offload": {"cpu_gib": 245}}, {}),
        ({"kv_offload": {"cpu_gib": 244}}, {}),
        "245 GiB of keys and values in 488 GiB of memory that a pod has beside /dev/shm",
        "set cpu_gib to 244 or less",
    ),
    "SRV-025": (
        ({"stack": "kserve", "load_mb_per_s": 282}, {}),
        ({"stack": "kserve", "load_mb_per_s": 283}, {}),
        "reading 79 GiB takes 301 s of the 600 s",
        "load_mb_per_s to 283 or more",
    ),
}


def of(case: Case, served: Any) -> Any:
    part, around = case
    around = dict(around)
    first = around.pop("first", None)
    return served(*([first] if first is not None else []), part, **around)


def test_each_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    of_a_factory = {"SRV-026"}  # tests/stacks/planning/test_factory.py
    assert set(CASES) == {rule.id for rule in RULES} - of_a_factory


@pytest.mark.parametrize("rule", CASES)
def test_the_rule_finds_it_and_says_which_number_would_fix_it(rule: str, served: Any) -> None:
    firing, _, says, hint = CASES[rule]
    problems = [problem for problem in of(firing, served).problems if problem.rule == rule]
    assert problems, [problem.says for problem in of(firing, served).problems]
    assert says in problems[0].says
    assert hint in problems[0].hint


@pytest.mark.parametrize("rule", CASES)
def test_the_nearest_thing_that_works_does_not_break_it(rule: str, served: Any) -> None:
    found = of(CASES[rule][1], served)
    assert rule not in found.broken
    assert found.plans, [problem.says for problem in found.problems]


def test_a_latency_is_shown_at_the_demand_and_a_card_at_the_part(served: Any) -> None:
    assert served({}, demands=[{**CHAT, "itl_ms": 8.0}]).only().path == ("demand", "models", 0, "itl_ms")
    assert served({}, offers=cards(accelerator="nvidia-h200-nvl")).only().path == ("parts", 0, "pool")


def test_a_class_without_rules_is_served_nowhere(served: Any) -> None:
    found = served({}, demands=[{**CHAT, "data_class": "customer"}]).only()
    assert (found.rule, found.path) == ("SRV-013", ("demand", "models", 0, "data_class"))
    assert "unknown rules allow nothing" in found.says


def test_an_operator_of_another_country_is_told_apart_from_the_place(served: Any) -> None:
    owned = {"country": "DE", "operator": {"name": "Example Inc", "nationality": "US"}, "support": ["DE"]}
    found = served({}, demands=[{**CHAT, "data_class": "customer"}], residency=EU, at=place(location=owned)).only()
    assert "Example Inc, of US, runs it" in found.says


def test_an_old_cluster_does_not_mount_images(served: Any) -> None:
    found = served({}, at=place(cluster={**cluster(), **OLD})).only()
    assert found.rule == "SRV-009"
    assert found.hint == "upgrade the cluster to 1.35, or use weights of kind claim or fetch"


def test_an_unknown_format_is_asked_for(served: Any) -> None:
    demand = {**CHAT, "name": "kimi-k2.5", "itl_ms": 100.0}
    found = served({"model": "kimi-k2.5", "precision": None, "stored_as": None}, demands=[demand]).only()
    assert (found.rule, "say stored_as" in found.hint) == ("SRV-015", True)


@pytest.mark.parametrize(
    ("spec", "offers", "says", "hint"),
    [
        ({"pool": "trian"}, None, '"trian" is no GPU node pool', 'did you mean "train"?'),
        ({"tenant": "asist"}, cards(reserved(64)), '"asist" is not a tenant of pool train', 'did you mean "assist"?'),
        ({}, cards(reserved(64)), "queue teams hands out pool train, and chat names no tenant", "set tenant to assist"),
        ({"tenant": "assist"}, None, '"assist" is not a tenant of pool train', "leave tenant out"),
    ],
)
def test_names_that_lead_nowhere_are_refused_with_the_nearest(
    spec: dict[str, Any], offers: Any, says: str, hint: str, served: Any
) -> None:
    found = served(spec, offers=offers).only()
    assert says in found.says
    assert hint in found.hint


def test_a_model_that_writes_text_embeds_nothing(served: Any) -> None:
    found = served({}, demands=[{**TEXTS, "name": "llama-3.3-70b"}]).only()
    assert (found.rule, found.path) == ("SRV-029", ("demand", "models", 0, "task"))
    assert "which makes text, and no vectors" in found.says
    assert found.hint == "ask an embedding model for it"


@pytest.mark.parametrize(
    ("tier", "rule", "says", "hint"),
    [
        (drives(part="scrach"), "", '"scratch" is no storage tier', 'did you mean "scrach"?'),
        (drives(part="files", tier="parallel"), "", '"scratch" is no storage tier', "tier: local-cache"),
        (drives(tier="parallel"), "SRV-032", "scratch is a parallel tier", "add a storage-tier with tier: local-cache"),
        (drives(data_class="public"), "SRV-033", "which is for public data", "set data_class of the tier to customer"),
        (drives(data_class="customer"), "SRV-033", "no encryption is stated", "encryption with its key to the drives"),
    ],
)
def test_drives_that_may_not_hold_prompts_hold_no_keys_of_them(
    tier: Any, rule: str, says: str, hint: str, served: Any
) -> None:
    spec, around = on_drives(tier, data_class="customer")
    found = served(spec, **around).only()
    assert (found.rule or "") == rule
    assert says in found.says
    assert hint in found.hint
    assert found.path == ("parts", 0, "kv_offload", "tier")


def test_models_of_one_node_share_its_room_and_the_overflow_is_told_once(served: Any) -> None:
    spec, around = on_drives(drives(node_gib=4_999))
    small = {**CHAT, "name": "llama-3.1-8b"}
    again = {**spec, "name": "sort", "model": "llama-3.1-8b"}
    found = served(spec, again, **{**around, "demands": [CHAT, small]})
    told = [problem for problem in found.problems if problem.rule == "SRV-034"]
    assert [problem.path for problem in told] == [("parts", 1, "kv_offload", "size_gib")]
    assert "and those of chat by as much" in told[0].hint
    roomy, wide = on_drives(drives(node_gib=20_000))
    enough = served(roomy, again, **{**wide, "demands": [CHAT, small]})
    assert "SRV-034" not in enough.broken
    assert enough.decisions["sort.kv_offload.room"].because == ("chat.kv_offload", "sort.kv_offload")
    assert "one more of each model" in enough.decisions["sort.kv_offload.room"].reason
