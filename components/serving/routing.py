"""The endpoint picker of llm-d: which replica gets a request."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.catalog.trains import release
from aifactory.components.serving.decided import RouterPlan
from aifactory.components.serving.spec import ServingSpec

ROUTER_PORT, ROUTER_HEALTH_PORT, ROUTER_METRICS_PORT = 9_002, 9_003, 9_090

ROUTERS = 2
"""Each learns the prefixes that it sent itself. Queues and KV use are the replicas' own word, the same for both."""

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
    return _llm_d(spec, ctx)


def _llm_d(spec: ServingSpec, ctx: PlanContext) -> RouterPlan:
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
        {"replicas": ROUTERS, **WEIGHTS},
        "weights of the scorers as llm-d recommends; two routers that both choose, because without one nobody gets an "
        "answer: Envoy AI Gateway doesn't pass traffic by a router that is gone, whatever the pool's failureMode says",
        rejected=[
            Rejected("one router", "each restart of it would be an outage (envoyproxy/ai-gateway#2502)"),
            Rejected("one in reserve", "the one in reserve is never ready, so its Deployment is never available"),
        ],
        because=[f"{ctx.part}.stack"],
    )
    image = f"ghcr.io/llm-d/llm-d-router-endpoint-picker:{known.app_version}"
    return RouterPlan(
        name=f"{spec.identity}-epp",
        image=image,
        port=ROUTER_PORT,
        health_port=ROUTER_HEALTH_PORT,
        metrics_port=ROUTER_METRICS_PORT,
        replicas=ROUTERS,
        scorers=tuple(WEIGHTS.items()),
    )
