"""Realistic mistakes in shipped blueprints that serve: the planner refuses each with the number that would fix it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from support.command import call

SHIPPED = Path(__file__).parents[2] / "blueprints"
SOVEREIGN = "library/sovereign-inference.yaml"
SMALL = "library/inference-l4.yaml"
PUBLIC = "library/public-inference.yaml"
EDGE = "library/edge-slm.yaml"
LYON = "sites/lys-edge1.yaml"


def edited(tmp_path: Path, file: str, *edits: tuple[str, str]) -> Path:
    """A copy of what we ship with a file changed."""
    root = tmp_path / "blueprints"
    shutil.copytree(SHIPPED, root, ignore=shutil.ignore_patterns("schema"))
    shutil.copy(SHIPPED.parent / "Pulumi.yaml", tmp_path)
    text = (root / file).read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    (root / file).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("blueprint", "file", "edits", "rule", "says", "hint"),
    [
        pytest.param(
            SOVEREIGN,
            SOVEREIGN,
            [("itl_ms: 40", "itl_ms: 4")],
            "SRV-003",
            "at tensor 8 one request alone takes 10.4 ms, and no card does: 80 layers alone take 8.0 ms",
            "set itl_ms to 11 or more",
            id="an ITL that no H200 reaches",
        ),
        pytest.param(
            SOVEREIGN,
            "sites/ams-colo1.yaml",
            [("      - {rack: ams-r02, block: ams-b1, nodes: [ams-gpu-003, ams-gpu-004]}\n", "")],
            "GPU-012",
            "wants 4 nodes with nvidia-h200-sxm; group hgx-h200 has 2: 2 left",
            "take the load of 2 nodes off demand or quotas, or add 2 nodes",
            id="one rack short",
        ),
        pytest.param(
            SOVEREIGN,
            "sites/ams-colo1.yaml",
            [("kw_per_rack: 22.0", "kw_per_rack: 11.0")],
            "GPU-013",
            "racks of 11 kW power 2 of the 4 that are free",
            "set power.kw_per_rack to",
            id="racks without the power for a second node",
        ),
        pytest.param(
            SOVEREIGN,
            SOVEREIGN,
            [("    precision: fp8\n    stored_as: fp8\n", "    precision: fp4\n    stored_as: fp8\n")],
            "SRV-015",
            "stored as fp8 and wanted as fp4",
            "stored_as: fp4",
            id="a precision that the weights can't have",
        ),
        pytest.param(
            SMALL,
            SMALL,
            [("qwen3-8b", "llama-3.3-70b")],
            "SRV-002",
            "82 GiB of fp8 weights on 1 GPU of 24 GB",
            "give a replica 8 GPUs, in nodes of 8, or use cards of 106 GB or more and set itl_ms to 317 or more",
            id="a model too large for the card",
        ),
        pytest.param(
            SMALL,
            SMALL,
            [("    precision: fp8\n", "")],
            "SRV-008",
            "4 replicas of 1 GPU on pool small with 1 node of 1 GPU: room for 1",
            "give the pool 3 nodes more, or write nodes: demand",
            id="the precision of the weights on a card that carries half of them",
        ),
        pytest.param(
            SMALL,
            SMALL,
            [("itl_ms: 80", "itl_ms: 20")],
            "SRV-003",
            "a token every 20 ms; at tensor 1 one request alone takes 37.6 ms",
            "set itl_ms to 38 or more, or use a faster card",
            id="an ITL that no L4 reaches",
        ),
        pytest.param(
            PUBLIC,
            PUBLIC,
            [
                ("data_class: public\n      requests", "data_class: customer\n      requests"),
                ("sto-aws, iad-aws, eusc-de]", "sto-aws]"),
            ],
            "SRV-013",
            "customer data of llama-3.1-8b may be in eu under operators of eu, ch; Amazon Web Services, of US, runs it",
            "take sto-aws out of placement: fra-dc1 may have it; or serve another data class there",
            id="customer data in a region that a US company runs",
        ),
        pytest.param(
            EDGE,
            EDGE,
            [
                ("[lys-edge1]", "[ams-colo1, lys-edge1, fra-dc1]"),
                ("  - kind: gpu-node-pool\n", "  - kind: gpu-node-pool\n    sites: [lys-edge1]\n"),
                ("  - kind: serving\n", "  - kind: serving\n    sites: [lys-edge1]\n"),
                ("  - kind: gateway\n", "  - kind: gateway\n    sites: [lys-edge1]\n"),
                ("  - kind: storage-tier\n", "  - kind: storage-tier\n    sites: [lys-edge1]\n"),
                ("qwen3-4b\n", "llama-3.3-70b\n"),
                (
                    "  - kind: observability\n",
                    "  - {kind: cluster}\n\n  - kind: observability\n    sites: [lys-edge1]\n",
                ),
                ("model: qwen3-4b,", "model: llama-3.3-70b,"),
            ],
            "EDG-003",
            "weights take 82.1 GiB of 16.6 GiB a GPU; 66 GiB are missing for the weights alone",
            "ams-colo1 (NL) is the nearest site that can, on nvidia-h200-sxm: write sites: [ams-colo1] at part helper",
            id="a large model at an edge site, with two sites that hold it",
        ),
        pytest.param(
            EDGE,
            EDGE,
            [("    redundancy: none\n", "")],
            "EDG-004",
            "redundancy node asks for a second node with nvidia-l4, and lys-edge1 has 1: 1 is missing",
            "set redundancy to none, or no site of this blueprint can",
            id="the default redundancy on a site of one node",
        ),
        pytest.param(
            EDGE,
            EDGE,
            [
                (
                    '{kind: oci, image: "registry.example.com/models/qwen3-4b-fp8:2026.11"}',
                    '{kind: fetch, hub: "https://hub.example.com", size_gib: 20}',
                )
            ],
            "EDG-005",
            "weights of kind fetch come over the uplink, and lys-edge1 may be without it for 72 hours",
            "use kind oci, with the image in /var/lib/rancher/k3s/agent/images of the node",
            id="weights that come over the uplink",
        ),
        pytest.param(
            EDGE,
            LYON,
            [('driver: "580.178.04", ', "")],
            "EDG-006",
            "nodes of group l4 have no GPU driver of their own",
            "install a driver on the hosts",
            id="an edge node whose driver is built at each boot",
        ),
        pytest.param(
            EDGE,
            EDGE,
            [("    dedicated: false\n", "")],
            "EDG-008",
            "pool edge keeps its nodes for GPU pods, and lys-edge1 has no other",
            "set dedicated to false",
            id="the only node kept for GPU pods",
        ),
    ],
)
def test_a_realistic_mistake_is_refused_once_with_the_number_that_fixes_it(
    tmp_path: Path, blueprint: str, file: str, edits: list[tuple[str, str]], rule: str, says: str, hint: str
) -> None:
    path = edited(tmp_path, file, *edits) / blueprint
    ran = call("check", path, "--format", "json")
    errors = [finding for finding in json.loads(ran.out)["findings"] if finding["severity"] == "high"]
    assert ran.code == 1
    assert {finding["rule"] for finding in errors} == {rule}
    assert all(says in finding["message"] for finding in errors), errors
    assert all(hint in finding["remediation"] for finding in errors), errors
    text = call("check", path).err
    assert f"[{rule}]" in text
    assert "Traceback" not in text
