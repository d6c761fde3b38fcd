"""`aifactory up` loses nothing that holds data, unless it is named."""

from __future__ import annotations

import pytest

from support.verbs import Verbs, verbs

__all__ = ["verbs"]
CLAIM = "PersistentVolumeClaim/research/pretrain-checkpoints"


def without_training(verbs: Verbs) -> None:
    """Take the part that trains out of the blueprint, and what it alone uses."""
    text = verbs.blueprint.read_text(encoding="utf-8")
    left = text[: text.index("  - kind: training")].replace(", pretrain_nodes: 2", "")
    lines = [line for line in left.splitlines(keepends=True) if "pretrain_nodes" not in line]
    verbs.blueprint.write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def deployed(verbs: Verbs) -> Verbs:
    verbs.data("up", "--yes", "--site", "fra-dc1")
    return verbs


@pytest.mark.parametrize("verb", [("up", "--yes"), ("preview",)])
def test_a_blueprint_that_lost_a_protected_row_is_refused_before_anything_runs(
    deployed: Verbs, verb: tuple[str, ...]
) -> None:
    without_training(deployed)
    calls = len(deployed.engine.calls)
    code, _, err = deployed.run(*verb, "--site", "fra-dc1")
    assert code == 1
    assert f"{CLAIM} of pretrain is protected, since it holds data, and the blueprint has it no longer" in err
    assert f"--remove-protected {CLAIM}" in err
    assert not [call for call in deployed.engine.calls[calls:] if call[0] in ("up", "preview", "destroy")]


def test_a_named_row_goes(deployed: Verbs) -> None:
    without_training(deployed)
    shown = deployed.data("preview", "--site", "fra-dc1", "--remove-protected", CLAIM)
    (stack,) = shown["stacks"].values()
    assert (CLAIM, "delete") in [(row["row"], row["op"]) for row in stack["rows"]]
    done = deployed.data("up", "--yes", "--site", "fra-dc1", "--remove-protected", CLAIM)
    (stack,) = done["stacks"].values()
    assert (CLAIM, "delete") in [(row["row"], row["op"]) for row in stack["rows"]]
    again = deployed.data("up", "--yes", "--site", "fra-dc1")
    assert all(set(one["changes"]) == {"same"} for one in again["stacks"].values())


def test_a_row_that_is_not_protected_cannot_be_named(deployed: Verbs) -> None:
    code, _, err = deployed.run("up", "--yes", "--site", "fra-dc1", "--remove-protected", f"{CLAIM}s")
    assert code == 1
    assert f'"{CLAIM}s" is not a protected row of what is deployed' in err
    assert f'did you mean "{CLAIM}"?' in err


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("unable to replace resource x as it is currently marked for protection. To unprotect …", "--remove-protected"),
        ("another operation (install/upgrade/rollback) is in progress", "helm history NAME --namespace NAMESPACE"),
    ],
)
def test_what_the_engine_and_helm_refuse_is_told_with_the_way_on(deployed: Verbs, says: str, told: str) -> None:
    deployed.engine.fails = {"ClusterQueue::teams/teams-research": says}
    deployed.change("weight: 2", "weight: 3")
    code, _, err = deployed.run("up", "--yes", "--site", "fra-dc1")
    assert code == 1
    assert told in err
