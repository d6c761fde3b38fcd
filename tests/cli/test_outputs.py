"""`aifactory outputs` prints what a deployed stack tells, and no secrets."""

from __future__ import annotations

import json

from support.verbs import AMS, FRA, Verbs, verbs

__all__ = ["verbs"]


def test_outputs_are_printed_by_stack(verbs: Verbs) -> None:
    verbs.data("up", "--yes")
    code, out, err = verbs.run("outputs")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [FRA, AMS]
    assert "  training_runs:\n    research/pretrain-1: pretrain-1\n" in out


def test_outputs_are_json_for_programs(verbs: Verbs) -> None:
    deployed = verbs.data("up", "--yes", "--site", "fra-dc1")["stacks"][FRA]["outputs"]
    data = verbs.data("outputs", "--site", "fra-dc1")
    assert data == {"schema": "aifactory-outputs/v1", "stacks": {FRA: {"outputs": deployed}}}


def test_a_secret_output_is_never_shown(verbs: Verbs) -> None:
    verbs.data("up", "--yes", "--site", "fra-dc1")
    path = verbs.root / f"state/{FRA}.json"
    state = json.loads(path.read_text())
    stack = next(one for one in state["deployment"]["resources"] if one["type"] == "pulumi:pulumi:Stack")
    stack["outputs"]["token"] = {"secret": "canary-token-in-an-output"}
    path.write_text(json.dumps(state))
    assert verbs.data("outputs", "--site", "fra-dc1")["stacks"][FRA]["outputs"]["token"] == "[secret]"
    assert "  token: [secret]\n" in verbs.run("outputs", "--site", "fra-dc1")[1]


def test_a_stack_that_is_not_deployed_is_said_beside_those_that_are(verbs: Verbs) -> None:
    verbs.data("up", "--yes", "--site", "fra-dc1")
    code, out, err = verbs.run("outputs", "--format", "json")
    assert code == 1
    assert json.loads(out)["stacks"][AMS] == {"outputs": None}
    assert json.loads(out)["stacks"][FRA]["outputs"]["plan_digest"]
    assert f"stack {AMS} is not deployed; deploy it with: aifactory up" in err


def test_a_stack_that_was_removed_is_not_deployed(verbs: Verbs) -> None:
    verbs.data("up", "--yes", "--site", "fra-dc1")
    protected = ["Namespace/product", "Namespace/research", "PersistentVolumeClaim/research/pretrain-checkpoints"]
    named = [word for row in protected for word in ("--remove-protected", row)]
    verbs.data("destroy", "--yes", "--site", "fra-dc1", *named)
    code, _, err = verbs.run("outputs", "--site", "fra-dc1")
    assert code == 1
    assert f"stack {FRA} is not deployed" in err


def test_an_unknown_site_is_refused_with_the_nearest(verbs: Verbs) -> None:
    code, out, err = verbs.run("outputs", "--site", "fra-dc2")
    assert (code, out) == (1, "")
    assert 'did you mean "fra-dc1"?' in err
