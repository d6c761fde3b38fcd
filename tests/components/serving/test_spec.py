"""A served model as written: what is accepted and what is refused at once."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.serving.spec import ServingSpec

LEAST: dict[str, Any] = {
    "kind": "serving",
    "name": "chat",
    "model": "llama-3.3-70b",
    "pool": "train",
    "weights": {"kind": "claim", "claim": "weights"},
}


def spec(**changes: Any) -> ServingSpec:
    return ServingSpec.model_validate({**LEAST, **changes})


def test_a_model_needs_a_pool_and_weights_alone() -> None:
    found = spec()
    assert (found.engine, found.stack, found.replicas, found.redundancy) == ("vllm", "llm-d", "demand", "node")
    assert found.autoscaling.enabled
    assert found.precision is None


@pytest.mark.parametrize(
    "weights",
    [
        {"kind": "oci", "image": "registry.example.com/models/llama:1"},
        {"kind": "oci", "image": "registry.example.com/models/llama:1", "folder": "a/b", "node_cache": False},
        {"kind": "claim", "claim": "weights", "folder": "llama"},
        {"kind": "fetch", "hub": "https://hub.example.com:8443/mirror", "size_gib": 200, "token": "hub"},
        {
            "kind": "object-store",
            "uri": "s3://models/llama-3.3-70b",
            "endpoint": "https://s3.example.com",
            "credentials": "s3",
        },
    ],
)
def test_weights_come_from_four_kinds_of_places(weights: dict[str, Any]) -> None:
    assert spec(weights=weights).weights.kind == weights["kind"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "llama-4"}, '"llama-4" is not a known model'),
        ({"engine": "sglang"}, "'vllm'"),
        ({"stack": "dynamo"}, "'llm-d' or 'kserve'"),
        ({"precision": "int8"}, "'bf16', 'fp8', 'fp4' or 'mxfp4'"),
        ({"replicas": 0}, "greater than or equal to 1"),
        ({"replicas": "many"}, "'demand'"),
        ({"digest": "sha256:abc"}, "should match pattern"),
        ({"digest": "latest"}, "should match pattern"),
        ({"revision": "main"}, "should match pattern"),
        ({"parallelism": {"tensor": 0}}, "greater than or equal to 1"),
        ({"lora": {"adapters": []}}, "at least 1"),
        (
            {"lora": {"adapters": [{"name": "a", "folder": "x"}, {"name": "a", "folder": "y"}]}},
            '"a" names two adapters',
        ),
        ({"lora": {"adapters": [{"name": "a", "folder": "../x"}]}}, "should match pattern"),
        ({"lora": {"adapters": [{"name": "a", "folder": "x"}], "max_rank": 7}}, "8, 16, 32"),
        ({"image": "vllm/vllm-openai:v1"}, "must begin with its registry"),
        ({"cache": "cache"}, "should match pattern"),
        ({"weights": {"kind": "hf", "repository": "x/y"}}, "hf"),
        ({"weights": {"kind": "fetch", "hub": "https://user:secret@hub.example.com", "size_gib": 1}}, "match pattern"),
        ({"weights": {"kind": "fetch", "hub": "ftp://hub.example.com", "size_gib": 1}}, "match pattern"),
        (
            {
                "weights": {
                    "kind": "object-store",
                    "uri": "s3://key:secret@b/x",
                    "endpoint": "https://s",
                    "credentials": "c",
                }
            },
            "match",
        ),
        (
            {"weights": {"kind": "object-store", "uri": "s3://b/../x", "endpoint": "https://s", "credentials": "c"}},
            "match",
        ),
        ({"weights": {"kind": "oci", "image": "registry.example.com/m:1", "folder": "/etc"}}, "match pattern"),
        ({"autoscaling": {"min_replicas": 0}}, "greater than or equal to 1"),
        ({"trust_remote_code": True}, "Extra inputs are not permitted"),
    ],
)
def test_what_is_no_served_model_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        spec(**changes)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("kv_offload", "says"),
    [
        ({}, "nowhere to keep keys and values"),
        ({"tier": "scratch"}, "tier and size_gib need each other"),
        ({"size_gib": 100}, "tier and size_gib need each other"),
        ({"tier": "scratch", "size_gib": 100, "cpu_gib": 100}, "on drives and in memory at once"),
        ({"tier": "scratch", "size_gib": 0}, "greater than or equal to 1"),
        ({"tier": "Scratch\nx", "size_gib": 1}, "should match pattern"),
    ],
)
def test_keys_and_values_go_to_one_place_of_a_stated_size(kv_offload: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        spec(kv_offload=kv_offload)
