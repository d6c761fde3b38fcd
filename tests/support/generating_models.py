"""Hypothesis strategies for factories that serve: a site, models behind an endpoint, and what is asked of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from support.generating import HGX, sites

SMALL = ("llama-3.1-8b", "qwen3-8b")
LARGE = ("llama-3.3-70b", "gpt-oss-120b", "qwen3-235b-a22b", "deepseek-r1")
PUBLISHED_IN_FOUR_BITS = ("gpt-oss-120b",)
MODELS = {"l4": SMALL, "l40s": SMALL}
GIVEN = {
    "gateway-api": {"version": "v1.6.1"},
    "inference-extension": {"version": "v1.6.0"},
    "load-balancer": {"version": "v0.15.2"},
}
STORE = {
    "limit_store": "redis.example.com:6379",
    "limit_store_tls": "redis-client",
    "limit_store_auth": "redis-password",
}
ENDPOINTS = {"domain": "ai.example.com", "clients": ["192.0.2.0/24"], **STORE}
Factory = tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]
"""A site, the parts at it, and the demand."""


@st.composite
def demands(draw: st.DrawFn, models: tuple[str, ...]) -> dict[str, Any]:
    """What is asked of each model, from a trickle to what fills a few nodes."""
    asked = []
    for model in models:
        peak = draw(st.sampled_from((0.05, 0.5, 2.0, 8.0)))
        asked.append(
            {
                "name": model,
                "requests_per_s": {"mean": peak * draw(st.sampled_from((0.1, 0.5, 1.0))), "peak": peak},
                "input_tokens": draw(st.sampled_from((100, 1000, 4000))),
                "output_tokens": draw(st.sampled_from((50, 400))),
                "itl_ms": draw(st.sampled_from((25.0, 50.0, 100.0))),
                "growth_percent": draw(st.sampled_from((0.0, 30.0))),
            }
        )
    return {"models": asked}


@st.composite
def weights(draw: st.DrawFn) -> dict[str, Any]:
    """Each of the places that weights come from."""
    choices: tuple[dict[str, Any], ...] = (
        {"kind": "oci", "image": "registry.example.com/models/m:1"},
        {"kind": "claim", "claim": "models", "folder": "m"},
        {"kind": "fetch", "hub": "https://hub.example.com", "size_gib": 900, "storage_class": "shared"},
        {"kind": "fetch", "hub": "https://hub.example.com", "size_gib": 900, "networks": ["10.20.0.0/16"]},
        {"kind": "object-store", "uri": "s3://models/x", "endpoint": "https://s3.example.com", "credentials": "s3"},
        {
            "kind": "object-store",
            "uri": "s3://models/x",
            "endpoint": "https://s3.example.com:9000",
            "credentials": "s3",
            "networks": ["10.20.0.0/16", "10.21.0.0/16"],
        },
    )
    return draw(st.sampled_from(choices))


@st.composite
def serving_parts(draw: st.DrawFn, index: int, model: str, tenant: str | None) -> dict[str, Any]:
    """A part that serves a model."""
    part: dict[str, Any] = {
        "kind": "serving",
        "name": f"model-{index}",
        "model": model,
        "pool": "serve",
        "stack": draw(st.sampled_from(("llm-d", "llm-d", "kserve"))),
        "weights": draw(weights()),
        "redundancy": draw(st.sampled_from(("none", "replica", "node"))),
        "autoscaling": {"enabled": draw(st.booleans())},
    }
    if model not in PUBLISHED_IN_FOUR_BITS and draw(st.booleans()):
        part["precision"] = "fp8"
    if tenant:
        part["tenant"] = tenant
    return part


@st.composite
def doors(draw: st.DrawFn, parts: list[dict[str, Any]], tenants: list[str]) -> dict[str, Any]:
    """A plain door, or a governed one with some of what it can do."""
    reach = draw(st.sampled_from(("cluster", "site")))
    if draw(st.booleans()):
        return {"kind": "endpoint", "name": "door", "reach": reach}
    who = tenants or ["everybody"]
    keys = {"secret": "keys", "clients": [{"tenant": tenant, "name": "app"} for tenant in who]}
    oidc = {"issuer": "https://login.example.com", "jwks": "https://login.example.com/keys", "audiences": ["ai"]}
    sign_in = draw(st.sampled_from(({"oidc": oidc}, {"keys": keys}, {"oidc": oidc, "keys": keys})))
    models = [
        {
            "name": part["name"],
            "legs": [{"part": part["name"]}],
            "aliases": draw(st.sampled_from(([], [f"alias-{part['name']}"]))),
            "tenants": who,
            "price": {"input_usd": 0.5, "output_usd": draw(st.sampled_from((0.5, 1.5)))},
        }
        for part in parts
        if part["kind"] == "serving"
    ]
    limits = [{"name": tenant, "tokens_per_minute": 1000, "usd_per_month": 10.0} for tenant in who]
    tenants_limits = draw(st.sampled_from(([], limits)))
    return {"kind": "gateway", "name": "door", "reach": reach, "sign_in": sign_in, "models": models} | (
        {"tenants": tenants_limits} if tenants_limits else {}
    )


@st.composite
def served_factories(draw: st.DrawFn) -> Factory:
    """A factory that serves one or two models, with or without a queue that also trains."""
    accelerator = draw(st.sampled_from((*HGX * 4, "l40s", "l4")))
    fabric = "none" if accelerator in MODELS else draw(st.sampled_from(("roce", "infiniband", "none")))
    nodes = draw(st.integers(2, 10))
    site = draw(sites(accelerator, fabric, nodes))
    site["cluster"]["provides"] |= GIVEN
    site["endpoints"] = {
        "domain": "ai.example.com",
        "clients": ["192.0.2.0/24"],
        **STORE,
    }
    known = MODELS.get(accelerator, (*SMALL, *LARGE))
    models = tuple(draw(st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True)))
    queued = draw(st.booleans())
    pool = {
        "kind": "gpu-node-pool",
        "name": "serve",
        "accelerator": accelerator,
        "nodes": draw(st.sampled_from(("demand", "demand", "all"))),
        "workload": "inference",
        "fabric": "none" if fabric == "none" else "rdma",
    }
    parts: list[dict[str, Any]] = [pool]
    tenants = [f"team-{index}" for index in range(len(models))]
    if queued:
        served = [{"name": tenant, "workload": "inference", "gpus": "demand"} for tenant in tenants]
        trains = [{"name": "tuning", "gpus": 0}] if draw(st.booleans()) else []
        parts.append({"kind": "queue", "name": "teams", "pools": ["serve"], "tenants": [*served, *trains]})
    for index, model in enumerate(models):
        parts.append(draw(serving_parts(index, model, tenants[index] if queued else None)))
    parts.append(draw(doors(parts, tenants if queued else [])))
    return site, draw(st.permutations(parts)), draw(demands(models))
