"""A run that was cut off is settled by the next one, which asks the cluster first."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error

from aifactory.components.rows import HelmRow
from aifactory.stacks.program.disk import mount_of
from support.shipped import stacks
from support.verbs import FRA, Verbs, verbs

__all__ = ["verbs"]
SITE = ("--site", "fra-dc1")


@pytest.fixture
def cut_off(verbs: Verbs) -> Verbs:
    """A first run whose engine died without writing its state."""
    verbs.engine.says = "panic: of the engine"
    assert verbs.run("up", "--yes", *SITE)[0] == 3
    verbs.engine.says = ""
    verbs.engine.charts = {row.name: row.chart for row in stacks()[FRA].rows if isinstance(row, HelmRow)}
    assert record(verbs).is_file()
    return verbs


def record(verbs: Verbs) -> Path:
    """What the last run may have made."""
    return verbs.root / f"state/.aifactory/{FRA}.begun.json"


def stored(verbs: Verbs) -> dict[str, Any]:
    """The state."""
    found: dict[str, Any] = json.loads((verbs.root / f"state/{FRA}.json").read_text(encoding="utf-8"))
    return found


def test_what_is_there_is_taken_over_and_the_record_goes(cut_off: Verbs) -> None:
    stack = cut_off.data("up", "--yes", *SITE)["stacks"][FRA]
    assert "create" not in stack["changes"]
    assert not record(cut_off).exists()
    up = [call for call in cut_off.engine.calls if call[0] == "up"][-1]
    assert "--refresh" in up


def test_what_is_not_there_is_made(cut_off: Verbs) -> None:
    cut_off.engine.absent = ("kubernetes:core/v1:Namespace",)
    code, _, err = cut_off.run("up", "--yes", *SITE)
    assert code == 0
    said = re.search(r"about (\d+) rows that.*?(\d+) of them are there", err, re.DOTALL)
    assert said is not None
    assert int(said[1]) > int(said[2]) > 0
    assert "created" in err


def test_preview_says_that_less_may_be_to_do_and_asks_nobody(cut_off: Verbs) -> None:
    code, out, _ = cut_off.run("preview", *SITE)
    assert code == 0
    assert "the last run was cut off: up first finds out what it made" in out
    assert not any(call[0] == "refresh" for call in cut_off.engine.calls)
    assert record(cut_off).exists()


def test_destroy_removes_what_it_made(cut_off: Verbs) -> None:
    code, _, err = cut_off.run("destroy", "--yes", *SITE)
    assert code == 0, err
    assert "the last run was cut off; 96 rows that it may have made go too, if they are there" in err
    assert not record(cut_off).exists()


def test_a_cluster_that_does_not_answer_leaves_the_record(cut_off: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise create_command_error(CommandResult("", "error: unreachable cluster", 255))

    monkeypatch.setattr(type(cut_off.engine), "_refresh", refuses)
    code, _, err = cut_off.run("up", "--yes", *SITE)
    assert code == 3
    assert f"can't find out what the last run of stack {FRA} made: error: unreachable cluster" in err
    assert record(cut_off).exists()


def test_a_full_disk_is_named(verbs: Verbs) -> None:
    verbs.engine.says = "error: writing snapshot: write state: no space left on device"
    code, _, err = verbs.run("up", "--yes", *SITE)
    assert code == 3
    assert f"the state of stack {FRA} can't be written, the file system at {mount_of(verbs.root)} is full" in err
    assert record(verbs).exists()


def test_a_run_that_was_locked_out_leaves_no_record(verbs: Verbs) -> None:
    verbs.engine.says = "error: the stack is currently locked by 1 lock(s)"
    assert verbs.run("up", "--yes", *SITE)[0] == 3
    assert not record(verbs).exists()


def test_pending_creates_of_the_engine_are_asked_about_too(verbs: Verbs) -> None:
    verbs.data("up", "--yes", *SITE)
    state = stored(verbs)
    row = next(one for one in state["deployment"]["resources"] if one["type"] == "kubernetes:core/v1:LimitRange")
    state["deployment"]["resources"].remove(row)
    state["deployment"]["pending_operations"] = [{"type": "creating", "resource": row}]
    (verbs.root / f"state/{FRA}.json").write_text(json.dumps(state), encoding="utf-8")
    code, _, err = verbs.run("up", "--yes", *SITE)
    assert code == 0, err
    assert "asking the cluster about 1 row that it may have made" in err
    assert "1 of them are there" in err
    assert " created" not in err
    assert "pending_operations" not in stored(verbs)["deployment"]


def test_a_release_whose_chart_is_not_told_is_not_taken_over(cut_off: Verbs) -> None:
    cut_off.engine.charts = {}
    _, _, err = cut_off.run("up", "--yes", *SITE)
    assert "Release/kueue-system/kueue is there, without the labels of this factory" in err


def test_a_broken_record_is_named_and_nothing_is_begun(cut_off: Verbs) -> None:
    record(cut_off).write_text("{", encoding="utf-8")
    code, _, err = cut_off.run("up", "--yes", *SITE)
    assert code == 3
    assert "begun.json" in err
    assert "Traceback" not in err


def test_what_a_killed_run_was_allowed_to_lose_is_protected_again(verbs: Verbs) -> None:
    claim = "PersistentVolumeClaim/research/pretrain-checkpoints"
    verbs.data("up", "--yes", *SITE)
    verbs.engine.says = "panic: of the engine"
    assert verbs.run("up", "--yes", *SITE, "--remove-protected", claim)[0] == 3
    verbs.engine.says = ""
    stack = verbs.data("destroy", "--yes", *SITE)["stacks"][FRA]
    assert claim in [row["row"] for row in stack["remains"]], "it was not named this time"


def test_the_record_of_a_killed_run_brings_protection_back(verbs: Verbs) -> None:
    claim = "PersistentVolumeClaim/research/pretrain-checkpoints"
    verbs.data("up", "--yes", *SITE)
    state = stored(verbs)
    (one,) = [one for one in state["deployment"]["resources"] if one["urn"].endswith("/pretrain-checkpoints")]
    one.update(protect=False, retainOnDelete=False)
    (verbs.root / f"state/{FRA}.json").write_text(json.dumps(state), encoding="utf-8")
    before = {"urn": one["urn"], "protect": True, "retainOnDelete": True}
    content = {"schema": "aifactory-begun/v1", "stack": FRA, "resources": [], "let_go": [before]}
    record(verbs).write_text(json.dumps(content), encoding="utf-8")
    stack = verbs.data("destroy", "--yes", *SITE)["stacks"][FRA]
    assert claim in [row["row"] for row in stack["remains"]]


def test_a_second_run_with_the_same_words_goes_on(verbs: Verbs) -> None:
    claim = "PersistentVolumeClaim/research/pretrain-checkpoints"
    verbs.data("up", "--yes", *SITE)
    words = ("--yes", *SITE, "--remove-protected", claim)
    verbs.engine.says = "panic: of the engine"
    assert verbs.run("destroy", *words)[0] == 3
    verbs.engine.says = ""
    for _ in range(2):
        assert verbs.run("destroy", *words)[0] == 0
    assert claim not in json.dumps(stored(verbs))


def test_a_name_that_two_stacks_have_needs_its_site(verbs: Verbs) -> None:
    verbs.data("up", "--yes")
    for verb in ("up", "destroy"):
        code, _, err = verbs.run(verb, "--yes", "--remove-protected", "Namespace/research")
        assert code == 1
        assert f'"Namespace/research" is a protected row of {FRA} and of ' in err
        assert "--site NAME" in err
