"""`aifactory destroy` removes what is deployed, and says what stays."""

from __future__ import annotations

import json

import click
import pytest

from aifactory.cli import engine_options
from support.verbs import AMS, FRA, Verbs, verbs

__all__ = ["verbs"]

CLAIM = "PersistentVolumeClaim/research/pretrain-checkpoints"
PROTECTED = ["Namespace/product", "Namespace/research", CLAIM]
ONE = ("--yes", "--site", "fra-dc1")


@pytest.fixture
def deployed(verbs: Verbs) -> Verbs:
    verbs.data("up", *ONE)
    return verbs


def named(rows: list[str]) -> list[str]:
    return [word for row in rows for word in ("--remove-protected", row)]


def test_protected_rows_and_what_they_need_stay_and_are_named(deployed: Verbs) -> None:
    code, out, err = deployed.run("destroy", *ONE)
    assert (code, out) == (0, "")
    for row in PROTECTED:
        assert f"  = {row} of " in err
    assert "is protected and stays, with what it needs" in err
    assert "--remove-protected ROW" in err
    state = json.loads((deployed.root / f"state/{FRA}.json").read_text())["deployment"]["resources"]
    assert {one["urn"].rpartition("::")[2] for one in state if one["protect"]} == {
        "cluster/product",
        "cluster/research",
        "pretrain/research/pretrain-checkpoints",
    }
    assert {one["type"] for one in state} >= {"pulumi:providers:kubernetes", "aifactory:index:AiFactory"}


def test_named_protected_rows_go_too(deployed: Verbs) -> None:
    stack = deployed.data("destroy", *ONE, *named(PROTECTED))["stacks"][FRA]
    assert stack["result"] == "succeeded"
    assert (CLAIM, "delete") in [(row["row"], row["op"]) for row in stack["rows"]]
    assert "remains" not in stack
    assert json.loads((deployed.root / f"state/{FRA}.json").read_text())["deployment"]["resources"] == []


def test_what_remains_is_in_the_json(deployed: Verbs) -> None:
    stack = deployed.data("destroy", *ONE, *named(["Namespace/product"]))["stacks"][FRA]
    assert [row["row"] for row in stack["remains"] if row["protected"]] == ["Namespace/research", CLAIM]


def test_a_row_that_is_not_protected_cannot_be_named(deployed: Verbs) -> None:
    code, _, err = deployed.run("destroy", *ONE, *named(["Namespace/resarch", "Namespace/product"]))
    assert code == 1
    assert '"Namespace/resarch" is not a protected row of what is deployed' in err
    assert 'did you mean "Namespace/research"?' in err
    assert not any(call[0] in ("destroy", "state") for call in deployed.engine.calls)


def test_a_blueprint_that_cannot_be_built_any_more_can_still_be_removed(deployed: Verbs) -> None:
    deployed.change("default: 8, minimum: 1", "default: 800, minimum: 1")
    assert deployed.run("plan", kubeconfig=False)[0] == 1
    assert deployed.run("destroy", *ONE)[0] == 0


def test_a_row_that_cannot_be_removed_is_named(deployed: Verbs) -> None:
    deployed.engine.fails = {"Cohort::teams": "finalizer is stuck"}
    code, _, err = deployed.run("destroy", "--yes")
    assert code == 1
    assert "failed: Cohort.kueue.x-k8s.io/" in err
    assert "    finalizer is stuck" in err
    assert "mend the cause and destroy again" in err
    deployed.engine.fails = {}
    assert deployed.run("destroy", "--yes")[0] == 0


def test_nothing_deployed_is_said_and_is_no_failure(verbs: Verbs) -> None:
    code, out, err = verbs.run("destroy", "--yes", kubeconfig=False)
    assert (code, out) == (0, "")
    assert err.splitlines() == [f"{FRA}: nothing is deployed", f"{AMS}: nothing is deployed"]
    data = verbs.data("destroy", "--yes")
    assert {stack["result"] for stack in data["stacks"].values()} == {"absent"}
    assert not any(path.startswith("state/") for path in verbs.files)


def test_without_a_terminal_nothing_is_removed_unless_yes_is_said(deployed: Verbs) -> None:
    code, _, err = deployed.run("destroy")
    assert code == 2
    assert "add --yes" in err


def test_at_a_terminal_it_asks(deployed: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_options, "require_answer", lambda verb, *, yes: None)
    monkeypatch.setattr(click, "confirm", lambda text, *, err: False)
    code, _, err = deployed.run("destroy")
    assert code == 0
    assert "nothing was removed" in err
    assert not any(call[0] == "destroy" for call in deployed.engine.calls)


def test_the_kubeconfig_of_this_machine_replaces_the_one_in_the_state(deployed: Verbs) -> None:
    other = deployed.kubeconfig.with_name("other")
    deployed.kubeconfig.rename(other)
    code, _, err = deployed.run("destroy", *ONE, kubeconfig=False)
    assert code == 1
    assert f"kubeconfig {deployed.kubeconfig} of fra-dc1 can't be read" in err
    assert deployed.run("destroy", *ONE, "--kubeconfig", str(other), kubeconfig=False)[0] == 0
    state = json.loads((deployed.root / f"state/{FRA}.json").read_text())["deployment"]["resources"]
    (provider,) = [one for one in state if one["type"] == "pulumi:providers:kubernetes"]
    assert provider["inputs"]["kubeconfig"] == str(other)
