"""Each rule of a vector store finds what it is for, with the cure, and nothing where all is well."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.rag.rules import RULES
from support.vectors import around, buckets, here, model, queue, service, tier

LARGE = [{"tenant": "legal", "vectors": 40_000_000}]
MILVUS = {"milvus": {"version": "2.6.15", "url": "http://milvus.milvus.svc:19530"}}
QWEN = model(model="qwen3-embedding-8b", dimension=4_096, least_dimension=32)
GIVEN: dict[str, Any] = {"collections": LARGE, "tier": None, "backup": None}
US = {"country": "US", "operator": {"name": "Example Inc", "nationality": "US"}, "support": ["US"]}

Case = tuple[dict[str, Any], dict[str, Any]]
"""Changes to the part, and to what is around it."""
FIRING: list[tuple[str, Case, str, str]] = [
    (
        "RAG-001",
        ({"collections": LARGE, "engine": "pgvector"}, {}),
        "40,000,000 vectors, and pgvector",
        "delete engine",
    ),
    ("RAG-001", (GIVEN, {}), "want Milvus in standalone, and lab gives none", "write cluster.provides.milvus"),
    (
        "RAG-001",
        ({**GIVEN, "collections": [{"tenant": "legal", "vectors": 200_000_000}]}, {}),
        "want Milvus in cluster mode",
        "keep fewer than 10,000,000 vectors",
    ),
    (
        "RAG-001",
        ({"engine": "milvus", "tier": None, "backup": None}, {}),
        "and lab gives none",
        "set engine to pgvector",
    ),
    ("RAG-002", ({"embedder": "embad"}, {}), 'no part "embad" serves', 'did you mean "embed"?'),
    ("RAG-002", ({}, {"offers": around(model=model(dimension=0))}), "which writes text", "add a serving part with an"),
    ("RAG-003", ({"dimension": 512}, {}), "of which 1024 alone can be used", "set dimension to 1024"),
    ("RAG-003", ({"dimension": 9_000}, {"offers": around(model=QWEN)}), "32 to 4096", "set dimension to 4096"),
    ("RAG-003", ({}, {"offers": around(model=QWEN)}), "4096 numbers in halfvec", "set dimension to 4000 or less"),
    (
        "RAG-003",
        ({"dimension": 2_560, "number": "single"}, {"offers": around(model=QWEN)}),
        "2560 numbers in vector, and an index of pgvector takes 2000",
        "set number to half",
    ),
    ("RAG-004", ({"tier": None}, {}), "names no tier", "write tier"),
    ("RAG-004", ({"tier": "objects"}, {}), "objects is a tier of kind object", "name databases"),
    ("RAG-004", ({"tier": "database"}, {}), '"database" is no storage tier', "name databases"),
    ("RAG-004", ({}, {"offers": around(tier=tier(failure_domain="none"))}), "dies with a node", "name databases"),
    ("RAG-004", ({"backup": {"tier": "databases"}}, {}), "databases is a tier of kind block", "name objects"),
    (
        "RAG-004",
        ({}, {"offers": around(buckets=buckets(endpoint=""))}),
        "has no buckets that a claim makes",
        "rook-ceph",
    ),
    # 5 million: volumes of 66 + 34 GiB, three times 100.
    ("RAG-005", ({}, {"offers": around(tier=tier(usable_tib=0.25))}), "and tier databases holds 256", "give the tier"),
    ("RAG-006", ({}, {"at": here(service(memory_gib=24))}), "the largest node leaves 21", "or add nodes of"),
    ("RAG-006", ({"number": "single"}, {"at": here(service(memory_gib=48))}), "leaves 43", "set number to half"),
    ("RAG-006", ({"cpus": 32}, {}), "the largest node leaves 0 to pods with 32 CPUs", "or add nodes of"),
    ("RAG-007", ({}, {"at": here(service(nodes=2))}), "on 2 nodes that have the room", "set instances to 2"),
    ("RAG-008", ({"data_class": "public"}, {}), "made of customer documents", "set data_class to customer"),
    ("RAG-008", ({}, {"residency": None}), 'data class "customer" has no rules', "move the part"),
    ("RAG-008", ({}, {"at": here(location=US)}), "customer data may not be at lab, in US", "move the part"),
    (
        "RAG-009",
        ({}, {"offers": around(tier=tier(data_class=""))}),
        "keeps no stated data, and the vectors are customer",
        "set data_class of tier databases to customer",
    ),
    (
        "RAG-009",
        ({}, {"offers": around(buckets=buckets(data_class="public"))}),
        "tier objects keeps public data",
        "set data_class of tier objects to customer",
    ),
    ("RAG-010", ({}, {"offers": around(tier=tier(system="rook-ceph"))}), "lie in one system", "put one of them"),
    ("RAG-011", ({"backup": None}, {}), "all 5,000,000 vectors are made again", "write backup"),
    ("RAG-012", ({}, {"offers": around(queue=queue("legal"))}), '"research-2" is no tenant of a queue', "legal"),
    ("RAG-012", ({}, {"offers": around(queue=None)}), '"legal" is no tenant of a queue', "add a queue"),
    ("RAG-012", ({"name": "legal"}, {}), "namespace legal is tenant legal's", "give the part another name"),
    ("RAG-013", ({}, {"offers": around(buckets=buckets(usable_tib=0.5))}), "holds 512", "or keep fewer days"),
    ("RAG-014", ({}, {"offers": around(tier=tier(key=""))}), "no encryption is stated", "state its encryption"),
]
NEAREST: list[tuple[str, Case]] = [
    ("RAG-001", ({"collections": [{"tenant": "legal", "vectors": 9_999_999}]}, {})),
    ("RAG-001", (GIVEN, {"at": here(provides=MILVUS)})),
    ("RAG-003", ({"dimension": 1_024}, {"offers": around(model=QWEN)})),
    ("RAG-003", ({"dimension": 4_000}, {"offers": around(model=QWEN), "at": here(service(memory_gib=512))})),
    ("RAG-003", ({"dimension": 4_096, **GIVEN}, {"offers": around(model=QWEN), "at": here(provides=MILVUS)})),
    ("RAG-005", ({}, {"offers": around(tier=tier(usable_tib=None))})),
    ("RAG-006", ({}, {"at": here(service(memory_gib=32))})),
    ("RAG-007", ({"instances": 2}, {"at": here(service(nodes=2))})),
    ("RAG-008", ({"data_class": "customer"}, {"offers": around(model=model(data_class=""))})),
    ("RAG-009", ({}, {"offers": around(model=model(data_class=""), tier=tier(data_class=""))})),
    ("RAG-014", ({}, {"offers": around(model=model(data_class=""), tier=tier(key=""))})),
]


def ids(case: tuple[Any, ...]) -> str:
    return str(case[0])


def test_each_rule_has_a_case_that_fires() -> None:
    assert {case[0] for case in FIRING} == {rule.id for rule in RULES}


def test_a_store_that_works_breaks_nothing(stored: Any) -> None:
    found = stored()
    assert found.problems == []
    assert set(found.site_plan.evaluated) == {rule.id for rule in RULES}


@pytest.mark.parametrize("case", FIRING, ids=ids)
def test_the_rule_finds_it_and_says_what_to_do(case: tuple[str, Case, str, str], stored: Any) -> None:
    rule, (changes, rest), says, hint = case
    found = stored(changes, **rest)
    problems = [problem for problem in found.problems if problem.rule == rule]
    assert problems, [problem.says for problem in found.problems]
    assert says in problems[0].says
    assert hint in problems[0].hint
    level = next(each.level for each in RULES if each.id == rule)
    assert (found.made is None) == (level == "error")


@pytest.mark.parametrize("case", NEAREST, ids=ids)
def test_the_nearest_thing_that_works_does_not_break_it(case: tuple[str, Case], stored: Any) -> None:
    rule, (changes, rest) = case
    found = stored(changes, **rest)
    assert rule not in found.broken
    assert found.plan


def test_a_part_that_refused_is_not_told_of_twice(stored: Any) -> None:
    """One mistake is one problem: the model's own problem says all."""
    found = stored(offers=around(model=None), refused=("embed",))
    assert found.made is None
    assert found.problems == []
