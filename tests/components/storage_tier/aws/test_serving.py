"""Served models at AWS read their weights from buckets and from file systems as anywhere else: from a claim."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from support.aws_sites import ACCOUNT
from support.aws_tiers import LUSTRE, files, in_base, in_cluster, objects, says, tiered, volumes
from support.models import CHAT
from support.planning import Planned

ASSIST = {"name": "assist", "workload": "inference", "gpus": 8}
WEIGHTS = {"path": "llama", "keeps": "weights", "tenant": "assist", "size_gib": 500}
DEMAND = {"models": [{**CHAT, "name": "llama-3.1-8b", "requests_per_s": {"mean": 1.0, "peak": 2.0}}]}
CHATS: dict[str, Any] = {
    "kind": "serving",
    "name": "chat",
    "model": "llama-3.1-8b",
    "pool": "train",
    "tenant": "assist",
    "stack": "kserve",
    "precision": "fp8",
    "replicas": 2,
}
HUB = {"kind": "fetch", "hub": "https://hub.example.com", "size_gib": 64, "storage_class": "files"}


@cache
def served(source: str) -> Planned:
    """A model with weights of one source."""
    sources = {
        "objects": {"kind": "claim", "claim": "objects-llama"},
        "files": {"kind": "claim", "claim": "files-llama"},
        "fetched": HUB,
    }
    filled = {**WEIGHTS, "prefetch": {"bucket": "llama"}}
    found = tiered(
        objects(paths=[WEIGHTS]),
        files(paths=[filled], lustre=LUSTRE),
        volumes(),
        {**CHATS, "weights": sources[source]},
        demand=DEMAND,
        tenant=ASSIST,
    )
    assert found.errors == [], says(found)
    return found


def test_pods_that_read_a_bucket_have_its_role_and_others_have_none() -> None:
    token = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    given = in_base(served("objects"))[f"{token}/reads-assist-chat"].properties
    assert (given["namespace"], given["serviceAccount"]) == ("assist", "chat")
    assert not any("/reads-" in row for row in in_base(served("files")))


@pytest.mark.parametrize("source", ["objects", "files"])
def test_a_server_names_a_claim_and_nothing_of_aws(source: str) -> None:
    text = json.dumps(in_cluster(served(source), "chat"))
    assert f'"claimName": "{source}-llama"' in text
    copies = f"{ACCOUNT}.dkr.ecr.eu-north-1.amazonaws.com"  # where its images lie
    assert "aws" not in text.lower().replace("awslabs", "").replace(copies, "")


def test_weights_that_a_job_fetches_lie_in_a_folder_of_the_file_system() -> None:
    (claim,) = [body for name, body in in_cluster(served("fetched"), "chat").items() if "PersistentVolumeClaim" in name]
    assert claim["spec"]["storageClassName"] == "files"
    bound = [
        body["spec"]["claimRef"]["name"]
        for name, body in in_cluster(served("fetched"), "files").items()
        if name.startswith("PersistentVolume/")
    ]
    assert claim["metadata"]["name"] in bound


def test_what_replicas_load_counts_against_the_tier() -> None:
    need = served("objects").decisions["objects.needs.chat"].value
    assert need["weights"] > 0  # type: ignore[index]
