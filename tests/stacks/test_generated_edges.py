"""Made-up edge sites: what is planned starts offline and fits; what isn't is refused in words, with a way out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support import edges
from support.edges import MODEL, POOL, demand, edge, location
from support.generating import MADE_UP
from support.graph import unreached
from support.planning import Planned, place, plan_site
from support.served import gpus_add_up

EXAMPLES = 120
HITS = 3
IMAGES = (
    "registry.example.com/m/x:1",
    "registry.example.com/m/x:latest",
    f"registry.example.com/m/x@sha256:{'c' * 64}",
)
WEIGHTS: tuple[dict[str, Any], ...] = (
    {"kind": "claim", "claim": "weights"},
    {"kind": "fetch", "hub": "https://hub.example.com", "size_gib": 400},
    *({"kind": "oci", "image": image} for image in IMAGES),
    *[{"kind": "oci", "image": IMAGES[0]}] * 5,
)
OTHERS = tuple(place(site=f"hall-{country.lower()}", location=location(country)) for country in ("US", "DE", "FR"))


@st.composite
def planned_edges(draw: st.DrawFn) -> Planned:
    """An edge site with a pool, a model and now and then a mistake, planned."""
    bare = {"os": "ubuntu-24.04", "kernel": "6.8", "management_nic": "intel"}
    owned = {**bare, "driver": "580.178.04"}
    group = edges.nodes(
        draw(st.sampled_from((1, 1, 1, 2, 5))),
        gpus_per_node=draw(st.sampled_from((1, 2))),
        host=draw(st.sampled_from((owned, owned, owned, bare))),
    )
    model = draw(st.sampled_from(("qwen3-4b", "qwen3-4b", "llama-3.1-8b", "qwen3-32b", "llama-3.3-70b")))
    served = {
        **MODEL,
        "model": model,
        "weights": draw(st.sampled_from(WEIGHTS)),
        "redundancy": draw(st.sampled_from(("none", "none", "replica", "node"))),
    }
    pool = {**POOL, "nodes": "all", "dedicated": draw(st.sampled_from((False, False, False, True)))}
    return plan_site(
        [pool, served, {"kind": "endpoint", "name": "door", "callers": ["shop"]}],
        edge(nodes=[group]),
        demand=demand(model),
        others=OTHERS[: draw(st.integers(0, len(OTHERS)))],
    )


def test_made_up_edge_sites_start_offline_or_are_refused_with_a_way_out(capsys: Any) -> None:
    hits: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, **MADE_UP)
    @given(planned_edges())
    def build(result: Planned) -> None:
        if result.errors:
            assert {problem.rule[:4] for problem in result.errors} <= {"EDG-", "SRV-"}
            assert all(problem.says and problem.hint for problem in result.errors)
            hits.update(problem.rule for problem in result.errors)
            return
        stack = result.stack
        assert gpus_add_up(stack.plan, stack.rows) == []
        assert unreached(stack) == []
        assert result.plans["helper"].weights.fetch is None
        assert result.plans["edge"].driver.owner == "host"
        hits["planned"] += 1

    build()
    with capsys.disabled():
        print(f"\nmade-up edge sites: {dict(sorted(hits.items()))}")  # noqa: T201
    wanted = ("planned", "EDG-003", "EDG-004", "EDG-005", "EDG-006", "EDG-007", "EDG-008")
    assert {name: hits[name] for name in wanted if hits[name] < HITS} == {}
