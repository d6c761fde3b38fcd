"""`aifactory up` deploys, tells how far it is, and goes on where it stopped."""

from __future__ import annotations

import json

import click
import pytest

from aifactory.cli import engine_options
from support.engine import FakeEngine
from support.verbs import AMS, FRA, Verbs, verbs

__all__ = ["verbs"]


def test_up_deploys_every_stack_and_prints_its_outputs(verbs: Verbs) -> None:
    code, out, err = verbs.run("up", "--yes")
    assert code == 0, err
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [FRA, AMS]
    assert "  namespaces:\n" in out
    assert "    research: research\n" in out
    states = {path for path in verbs.files if path.startswith("state/") and not path.startswith("state/.aifactory/")}
    assert states == {f"state/{FRA}.json", f"state/{AMS}.json"}
    assert not [path for path in verbs.files if path.endswith(".begun.json")], "the state is written, so none is needed"
    assert (verbs.root / "state").stat().st_mode & 0o777 == 0o700


def test_progress_names_each_part_of_each_wave_once_with_the_time(verbs: Verbs) -> None:
    _, _, err = verbs.run("up", "--yes", "--site", "fra-dc1")
    lines = err.splitlines()
    assert lines[0].startswith("[0:00] training-roce-fra-dc1-platform: ")
    groups = [tuple(line.split()[1:3]) for line in lines if line.endswith(" created") and line.startswith("[")]
    assert ("00-foundation", "cluster") in groups
    assert ("10-workloads", "pretrain") in groups
    assert len(groups) == len(set(groups))
    assert lines[-1].startswith(f"{FRA}: succeeded after 0:0")


def test_a_second_up_changes_nothing(verbs: Verbs) -> None:
    verbs.data("up", "--yes")
    again = verbs.data("up", "--yes")
    assert all(set(stack["changes"]) == {"same"} and stack["rows"] == [] for stack in again["stacks"].values())


def test_json_has_changes_rows_and_outputs(verbs: Verbs) -> None:
    data = verbs.data("up", "--yes", "--site", "fra-dc1")
    assert data["schema"] == "aifactory-up/v1"
    stack = data["stacks"][FRA]
    assert stack["result"] == "succeeded"
    assert stack["failed"] == []
    assert stack["changes"] == {"create": len(stack["rows"])}
    assert stack["outputs"]["plan_digest"] == data["digest"]


def test_a_failed_row_is_named_with_part_and_wave_and_the_next_up_goes_on(verbs: Verbs) -> None:
    verbs.engine.fails = {"ClusterQueue::teams/teams-research": "first line\nsecond line"}
    code, _, err = verbs.run("up", "--yes")
    assert code == 1
    assert "06-scheduling   teams                failed: ClusterQueue.kueue.x-k8s.io/teams-research" in err
    assert "failed: ClusterQueue.kueue.x-k8s.io/teams-research, part teams of wave 06-scheduling" in err
    assert "    first line\n    second line\n" in err
    assert f"{FRA}: failed after " in err
    assert "hint: what was made is in the state; mend the cause and run up again" in err
    assert f"not begun: {AMS}" in err
    verbs.engine.fails = {}
    stack = verbs.data("up", "--yes", "--site", "fra-dc1")["stacks"][FRA]
    assert stack["changes"]["same"] > 0
    assert stack["changes"]["create"] > 0


def test_a_failure_is_in_the_json_too(verbs: Verbs) -> None:
    verbs.engine.fails = {"ClusterQueue::teams/teams-research": "no"}
    code, out, _ = verbs.run("up", "--yes", "--site", "fra-dc1", "--format", "json")
    assert code == 1
    stack = json.loads(out)["stacks"][FRA]
    assert stack["result"] == "failed"
    assert stack["failed"] == [
        {"row": "ClusterQueue.kueue.x-k8s.io/teams-research", "part": "teams", "wave": "06-scheduling", "says": "no"}
    ]


def test_without_a_terminal_nothing_is_deployed_unless_yes_is_said(verbs: Verbs) -> None:
    code, out, err = verbs.run("up")
    assert (code, out) == (2, "")
    assert "add --yes" in err
    assert verbs.engine.calls == []


@pytest.mark.parametrize("agrees", [True, False])
def test_at_a_terminal_it_shows_the_preview_and_asks(
    verbs: Verbs, monkeypatch: pytest.MonkeyPatch, agrees: bool
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(engine_options, "require_answer", lambda verb, *, yes: None)
    monkeypatch.setattr(click, "confirm", lambda text, *, err: asked.append(text) or agrees)
    code, out, err = verbs.run("up")
    assert code == 0
    assert asked == ["Deploy 2 stacks?"]
    assert f"{FRA} (a new stack): " in err
    assert (f"state/{FRA}.json" in verbs.files) is agrees
    assert bool(out) is agrees
    assert ("nothing was deployed" in err) is not agrees


def test_a_preview_that_fails_is_not_asked_about(verbs: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_options, "require_answer", lambda verb, *, yes: None)
    verbs.engine.fails = {"ClusterQueue::teams/teams-research": "no"}
    assert verbs.run("up")[0] == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "can't be read: No such file or directory"),
        ("contexts: {", "is not a kubeconfig"),
        ("[]", "is not a kubeconfig"),
        ("contexts: []", 'has no context "fra-dc1"'),
    ],
)
def test_a_cluster_that_cannot_be_reached_is_found_before_the_engine(verbs: Verbs, text: str | None, says: str) -> None:
    verbs.kubeconfig.unlink()
    if text is not None:
        verbs.kubeconfig.write_text(text)
    code, _, err = verbs.run("up", "--yes")
    assert code == 1
    assert says in err
    assert not any(path.startswith("state/") for path in verbs.files)


def test_the_passphrase_must_be_there(verbs: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    code, _, err = verbs.run("up", "--yes")
    assert code == 3
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" in err
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(verbs.kubeconfig))
    assert verbs.run("up", "--yes")[0] == 0


def test_a_state_folder_that_is_a_file_is_said(verbs: Verbs) -> None:
    (verbs.root / "state").write_text("")
    code, _, err = verbs.run("up", "--yes")
    assert code == 3
    assert f"the state of stack {FRA} can't lie in" in err


def test_a_state_with_another_encryption_is_not_taken_over(verbs: Verbs) -> None:
    verbs.data("up", "--yes", "--site", "fra-dc1")
    path = verbs.root / f"state/{FRA}.json"
    state = json.loads(path.read_text())
    state["deployment"]["secrets_providers"] = {"type": "cloud", "state": {"url": "awskms://alias/other"}}
    path.write_text(json.dumps(state))
    code, _, err = verbs.run("up", "--yes", "--site", "fra-dc1")
    assert code == 3
    assert "is encrypted with awskms://alias/other, and the site says passphrase" in err


def test_refresh_is_passed_on(verbs: Verbs) -> None:
    verbs.data("up", "--yes", "--refresh", "--site", "fra-dc1")
    assert any("--refresh" in call for call in verbs.engine.calls if call[0] == "up")
    verbs.engine.calls.clear()
    verbs.data("up", "--yes", "--site", "fra-dc1")
    assert not any("--refresh" in call for call in verbs.engine.calls if call[0] == "up")


def test_a_run_that_is_stopped_says_so_and_ends_with_130(verbs: Verbs, monkeypatch: pytest.MonkeyPatch) -> None:
    from aifactory.stacks.program.engine import Cancelled

    def stop(engine: FakeEngine, state: object, args: list[str]) -> None:
        assert engine.on_cancel is not None
        engine.on_cancel()
        raise Cancelled

    monkeypatch.setattr(FakeEngine, "_up", stop)
    code, _, err = verbs.run("up", "--yes")
    assert code == 130
    assert "stopping: what was begun is finished first" in err
    assert f"{FRA}: cancelled after " in err
    assert "run up again to go on" in err
    assert f"not begun: {AMS}" in err


def test_a_locked_stack_is_the_engines_failure(verbs: Verbs) -> None:
    verbs.engine.says = "error: the stack is currently locked by 1 lock(s)."
    code, _, err = verbs.run("up", "--yes")
    assert code == 3
    assert f"another run holds the lock of stack {FRA}: error: the stack is currently locked" in err
    assert "pulumi cancel" in err


def test_a_backend_with_its_own_address_is_taken_as_it_is(verbs: Verbs, tmp_path: object) -> None:
    site = verbs.root / "sites/fra-dc1.yaml"
    site.write_text(site.read_text().replace("file://state", f"file://{tmp_path}/elsewhere"))
    verbs.data("up", "--yes", "--site", "fra-dc1")
    assert not any(path.startswith("state/") for path in verbs.files)
