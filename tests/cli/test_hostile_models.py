"""What people write wrong about models, endpoints and where data may go: refused in place, with the cure, and silent
about secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import call, files_below
from support.written import changed, write_project
from support.written_models import SERVED, SERVED_SITE

CANARY = "CANARY"
OCI = '{kind: oci, image: "registry.example.com/models/llama:1"}'
RATE = "{mean: 1.0, peak: 4.0}"

IN_BLUEPRINT = [
    ("peak: 4.0", "peak: -1", "requests_per_s.peak: -1 is too small"),
    ("peak: 4.0", "peak: .inf", '".inf" is not a finite number'),
    ("peak: 4.0", "peak: 1e999", "larger than any number of 64 bits"),
    ("peak: 4.0", "peak: 1000000", "wants 7210 nodes"),
    ("mean: 1.0", "mean: 9", "a mean of 9 requests per s above the peak of 4"),
    (RATE, "[1, 2]", "2 hourly rates"),
    (RATE, "5", "requests_per_s: 5 is not a map or a list"),
    (RATE, str([0] * 24), "no hour of the day has a request"),
    ("input_tokens: 800", "input_tokens: 0", "input_tokens: 0 is too small"),
    ("longest_tokens: 8192", "longest_tokens: 999999", "reads 131072 at most"),
    ("longest_tokens: 8192", "longest_tokens: 10", "the longest request has 10 tokens, and the mean one 1000"),
    ("itl_ms: 40", "itl_ms: 0.0001", "a token every 0.0001 ms"),
    ("itl_ms: 40", "itl_ms: 40\n      ttft_ms: 0.5", "a first token within 0.5 ms"),
    ("name: llama-3.1-8b\n      data", "name: llama-3.1-9b\n      data", 'did you mean "llama-3.1-8b"?'),
    ("model: llama-3.1-8b", "model: qwen3-8b", "nothing says how much qwen3-8b must carry"),
    ("data_class: customer", "data_class: patient", 'data class "patient" has no rules'),
    ("jurisdictions: [eu]", "jurisdictions: [xx]", '"xx" is not a known jurisdiction'),
    ("jurisdictions: [eu]", "jurisdictions: [us]", "lab stands in DE"),
    ("operators: [eu]", "operators: [us]", "Beispiel AG, of DE, runs it"),
    ("pool: serve\n    tenant", "pool: sreve\n    tenant", 'did you mean "serve"?'),
    ("registry.example.com/models/llama:1", "llama:1", "must begin with its registry"),
    ("registry.example.com/models/llama:1", "registry.example.com/models/llama", "neither tag nor digest"),
    (OCI, "{kind: hub}", '"hub" is not a known kind'),
    (OCI, '{kind: fetch, hub: "file:///etc", size_gib: 40}', "hub: "),
    (OCI, '{kind: fetch, hub: "https://hub.example.com", size_gib: 1}', "a volume of 1 GiB for weights of 15 GiB"),
    (OCI, f"{OCI[:-1]}, folder: ../../etc}}", '"../../etc" doesn\'t have the right form'),
    (OCI, "{kind: claim, claim: weights, folder: /etc}", '"/etc" doesn\'t have the right form'),
    ("precision: fp8", "precision: fp6", '"fp6" is not a known precision'),
    ("precision: fp8", "precision: fp8\n    digest: sha256:12", "digest: "),
    ("precision: fp8", "precision: fp8\n    revision: main", "revision: "),
    ("precision: fp8", "precision: fp8\n    parallelism: {tensor: 3}", "tensor 3 doesn't fit 32 attention heads"),
    ("precision: fp8", "precision: fp8\n    replicas: 1", "1 replica; the demand needs 1, and 2 with redundancy node"),
    ("precision: fp8", "precision: fp8\n    autoscaling: {min_replicas: 99}", "99 replicas always run"),
    ("precision: fp8", "precision: fp8\n    lora: {adapters: []}", "the list is empty"),
    ("precision: fp8", 'precision: fp8\n    lora: {adapters: [{name: a, folder: "$(x)"}]}', '"$(x)"'),
    ("precision: fp8", "precision: fp8\n    cache: /", "cache: "),
    ("reach: site", "reach: internet", '"internet" is not a known reach'),
    ("reach: site", "reach: site\n    callers: [a]", "callers are for reach cluster"),
    ("reach: site", 'host: "$(x)"', "host: "),
    ("reach: site", "models: [chta]", 'did you mean "chat"?'),
    ("reach: site", "request_timeout_s: 1", "an answer of llama-3.1-8b may take 328 s"),
    ("gpus: demand}", "gpus: 1}", "which reserves 1 of pool serve"),
    ("workload: inference, gpus", "workload: training, gpus", "no demand says what jobs need"),
]
"""Changes of a blueprint, and a part of what is said."""

IN_SITE = [
    ("ai.example.com", "ai..example.com", "endpoints.domain"),
    ("ai.example.com", '"*.example.com"', "endpoints.domain"),
    ("192.0.2.0/24", "0.0.0.0/0", "the whole address space"),
    ("192.0.2.0/24", "192.0.2.1/24", "write the network: 192.0.2.0/24"),
    ("clients: [192.0.2.0/24]", "address: 300.1.1.1", "endpoints.address"),
    ("clients: [192.0.2.0/24]", "address: 192.0.2.010", "endpoints.address"),
    ("clients: [192.0.2.0/24]", "address: 192.0.2.10", "names no client networks"),
    ("    inference-extension: {version: v1.6.0}\n", "", "kubectl apply --server-side -f"),
    ("inference-extension: {version: v1.6.0}", "inference-extension: {version: v0.1.0}", "which fits 1.6.x"),
    ("country: DE", "country: US", "lab stands in US"),
]
"""Changes of a site, and a part of what is said."""

SECRETS = [
    ("registry.example.com/models/llama:1", f"https://u:{CANARY}@registry.example.com/models/llama:1"),
    (OCI, f'{{kind: fetch, hub: "https://user:{CANARY}@hub.example.com", size_gib: 40}}'),
    (OCI, f'{{kind: fetch, hub: "https://hub.example.com/?token={CANARY}", size_gib: 40}}'),
    (OCI, f'{{kind: fetch, hub: "https://hub.example.com", size_gib: 40, token: hf_{CANARY}}}'),
    (OCI, f'{{kind: object-store, uri: "s3://AKIA:{CANARY}@b/x", endpoint: "https://s3.example.com", credentials: s}}'),
    (OCI, f'{{kind: object-store, uri: "s3://b/x", endpoint: "https://k:{CANARY}@s3.example.com", credentials: s}}'),
    (
        OCI,
        f'{{kind: object-store, uri: "s3://b/x", endpoint: "https://s3.example.com", credentials: {{key: {CANARY}}}}}',
    ),
    ("precision: fp8", f"precision: fp8\n    hf_token: {CANARY}"),
    ("precision: fp8", f'precision: fp8\n    pull_secrets: ["{CANARY}_x"]'),
    ("reach: site", f"reach: site\n    api_key: {CANARY}"),
    ("reach: site", f"reach: site\n    tls_key: {CANARY}"),
]
"""Changes that plant a secret."""


@pytest.mark.parametrize(("old", "new", "says"), IN_BLUEPRINT)
def test_a_mistake_in_a_blueprint_is_refused_at_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    _refused(write_project(tmp_path, changed(SERVED, old, new), lab=SERVED_SITE), says)


@pytest.mark.parametrize(("old", "new", "says"), IN_SITE)
def test_a_mistake_in_a_site_is_refused_at_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    _refused(write_project(tmp_path, SERVED, lab=changed(SERVED_SITE, old, new)), says)


def _refused(path: Path, says: str) -> None:
    ran = call("generate", path, "--out", path.parent / "out")
    assert ran.code == 1
    assert says in " ".join(ran.err.split())
    assert "Traceback" not in ran.err
    assert "defect of its own" not in ran.err
    assert not (path.parent / "out").exists()
    assert all(finding["target"] for finding in json.loads(call("check", path, "--format", "json").out)["findings"])


@pytest.mark.parametrize(("old", "new"), SECRETS)
def test_a_secret_is_never_shown(tmp_path: Path, old: str, new: str) -> None:
    path = write_project(tmp_path, changed(SERVED, old, new), lab=SERVED_SITE)
    for words in (("check", path), ("check", path, "--format", "json"), ("plan", path), ("diff", path, path)):
        ran = call(*words)
        assert ran.code == 1
        assert CANARY not in ran.out + ran.err


def test_names_of_secrets_are_named_and_nothing_reads_them(tmp_path: Path) -> None:
    """The token of a hub and the keys of a store are names of Secrets, in whatever is written."""
    hub = '{kind: fetch, hub: "https://hub.example.com", size_gib: 40, token: hub-token}'
    path = write_project(tmp_path, changed(SERVED, OCI, hub), lab=SERVED_SITE)
    assert call("generate", path, "--out", tmp_path / "out").code == 0
    jobs = [text.decode() for name, text in files_below(tmp_path / "out").items() if b"HF_TOKEN" in text]
    assert jobs
    assert all("secretKeyRef" in text and "name: hub-token" in text for text in jobs if "kind: Job" in text)
