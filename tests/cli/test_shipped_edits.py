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
