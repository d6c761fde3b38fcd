"""The endpoint picker of llm-d: which replica gets a request."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog.trains import release
from aifactory.components.serving.decided import RouterPlan
from aifactory.components.serving.spec import ServingSpec

ROUTER_PORT, ROUTER_HEALTH_PORT, ROUTER_METRICS_PORT = 9_002, 9_003, 9_090

WEIGHTS = {"queue-scorer": 2, "kv-cache-utilization-scorer": 2, "prefix-cache-scorer": 3}
"""Scorers and their weights. Source: llm-d, guides/recipes/router/base.values.yaml."""


def router_of(spec: ServingSpec, ctx: PlanContext) -> RouterPlan | None:
    """The router of a model, None where KServe balances."""
    if spec.stack == "kserve":
        ctx.decide(
            "stack",
            "kserve",
            "an InferenceService in standard mode with the whole pod written out: what runs is what the plan says",
            rejected=[
                Rejected(
                    "LLMInferenceService",
                    "v1alpha2 merges presets of the cluster into the pod, and names its pool and routes by a "
                    "convention that no status shows (kserve/kserve#6095, #5986, #5385)",
                )
            ],
            source=("stack",),
        )
        return None
    known = release(ctx.catalog, ctx.place.train, "llm-d-router")
    ctx.decide(
        "stack",
        "llm-d",
        "a router of its own picks the replica with the shortest queue, the most free KV cache and the prompt's prefix",
        rejected=[
            Rejected("round-robin", "it sends long prompts to full replicas, and computes known prefixes again"),
            Rejected(
                "the chart llm-d-router-gateway",
                "its values name neither replicas nor resources of the router, so a plan could not check them",
            ),
        ],
        facts=[known.ref],
        source=("stack",),
    )
    ctx.decide(
        "router",
        dict(WEIGHTS),
        "weights of the scorers as llm-d recommends; one router, and traffic passes without it while it restarts",
        rejected=[Rejected("several routers", "each would know half of the prefixes, or stand by for the other")],
        because=[f"{ctx.part}.stack"],
    )
    image = f"ghcr.io/llm-d/llm-d-router-endpoint-picker:{known.app_version}"
    return RouterPlan(
        name=f"{spec.identity}-epp",
        image=image,
        port=ROUTER_PORT,
        health_port=ROUTER_HEALTH_PORT,
        metrics_port=ROUTER_METRICS_PORT,
        scorers=tuple(WEIGHTS.items()),
    )
