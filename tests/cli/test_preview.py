"""`aifactory preview` shows what `up` would do, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from aifactory.cli.main import main
from support.verbs import AMS, FRA, PASSPHRASE, Verbs, verbs

__all__ = ["verbs"]


def test_a_first_preview_counts_what_is_new_by_wave_and_part_and_writes_nothing(verbs: Verbs) -> None:
    before = verbs.files
    code, out, _ = verbs.run("preview")
    assert code == 0
    lines = out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        line
        for line in lines
        if line.startswith((FRA, AMS)) and "(a new stack): " in line and line.endswith(" to create")
    ]
    assert any(line.split()[:3] == ["+", "00-foundation", "cluster"] for line in lines)
    assert verbs.files == before


def test_a_preview_of_one_site_shows_that_site_alone(verbs: Verbs) -> None:
    data = verbs.data("preview", "--site", "ams-colo1")
    assert list(data["stacks"]) == [AMS]
    stack = data["stacks"][AMS]
    assert data["schema"] == "aifactory-preview/v1"
    assert data["digest"].startswith("sha256:")
    assert (stack["result"], stack["exists"]) == ("succeeded", False)
    assert stack["changes"] == {"create": len(stack["rows"])}
    assert {row["op"] for row in stack["rows"]} == {"create"}
    assert all(row["row"] and row["part"] and row["wave"] for row in stack["rows"])


def test_a_preview_without_a_passphrase_works_until_there_is_a_state(
    verbs: Verbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    assert verbs.run("preview")[0] == 0
    (verbs.root / "state").mkdir()
    code, _, err = verbs.run("preview")
    assert code == 3
    assert "is encrypted with a passphrase, and none is given" in err
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" in err


def test_nothing_to_do_is_said_in_two_words(verbs: Verbs) -> None:
    verbs.data("up", "--yes", "--site", "fra-dc1")
    assert verbs.run("preview", "--site", "fra-dc1")[1] == f"{FRA}: no changes\n"


def test_a_change_names_each_row_with_what_differs(verbs: Verbs) -> None:
    verbs.data("up", "--yes", "--site", "fra-dc1")
    site = verbs.root / "sites/fra-dc1.yaml"
    site.write_text(site.read_text().replace("mtu: 9000", "mtu: 4200"))
    _, out, _ = verbs.run("preview", "--site", "fra-dc1")
    assert out.splitlines()[0].startswith(f"{FRA}: 8 to change, ")
    assert any(
        line.startswith("  ~ SriovNetworkNodePolicy.") and line.endswith(": spec.mtu") for line in out.splitlines()
    )


def test_a_renamed_part_is_a_change_of_labels_and_nothing_is_replaced(verbs: Verbs) -> None:
    verbs.data("up", "--yes", "--site", "fra-dc1")
    verbs.change("name: pretrain\n", "name: pretraining\n    renamed_from: pretrain\n")
    stack = verbs.data("preview", "--site", "fra-dc1")["stacks"][FRA]
    assert set(stack["changes"]) == {"update", "same"}
    assert {row["part"] for row in stack["rows"]} == {"pretraining"}
    assert all("aifactory.io/part" in path for row in stack["rows"] for path in row["changed"])


def test_a_part_that_is_renamed_again_is_known_by_every_name_it_had(verbs: Verbs) -> None:
    verbs.change("name: pretrain\n", "name: second\n    renamed_from: pretrain\n")
    verbs.data("up", "--yes", "--site", "fra-dc1")
    verbs.change("name: second\n", "name: third\n    also_renamed_from: [second]\n")
    stack = verbs.data("preview", "--site", "fra-dc1")["stacks"][FRA]
    assert set(stack["changes"]) == {"update", "same"}
    assert {row["part"] for row in stack["rows"]} == {"third"}


def test_a_missing_kubeconfig_is_a_warning(verbs: Verbs) -> None:
    code, _, err = verbs.run("preview", kubeconfig=False)
    assert code == 0
    assert "kubeconfig ~/.kube/config of fra-dc1 can't be read: No such file or directory" in err


def test_a_context_that_is_not_there_is_named_with_the_nearest(verbs: Verbs) -> None:
    verbs.kubeconfig.write_text(verbs.kubeconfig.read_text().replace("fra-dc1", "fra-dc2"))
    _, _, err = verbs.run("preview")
    assert 'has no context "fra-dc1"' in err
    assert 'did you mean "fra-dc2"?' in err


def test_a_row_that_the_cluster_would_refuse_is_named_in_blueprint_terms(verbs: Verbs) -> None:
    verbs.engine.fails = {"LocalQueue::teams/research": f"admission webhook denied the request of {PASSPHRASE}"}
    code, _, err = verbs.run("preview", "--site", "fra-dc1")
    assert code == 1
    assert "failed: LocalQueue.kueue.x-k8s.io/research/default, part teams of wave 06-scheduling" in err
    assert "    admission webhook denied the request of [PULUMI_CONFIG_PASSPHRASE]" in err


def test_a_blueprint_that_cannot_be_built_is_refused_before_the_engine(verbs: Verbs) -> None:
    verbs.change("accelerator: h200", "accelerator: b20")
    code, out, err = verbs.run("preview")
    assert (code, out) == (1, "")
    assert "Nothing was written." in err
    assert verbs.engine.calls == []


@pytest.mark.parametrize("verb", ["preview", "up", "destroy", "outputs"])
def test_without_an_engine_every_verb_says_what_is_missing_and_writes_nothing(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Verbs(tmp_path, monkeypatch, capsys)
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    before = made.files
    options = ["--yes"] if verb in ("up", "destroy") else []
    with pytest.raises(SystemExit) as ended:
        main([verb, str(made.blueprint), *options])
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (3, "")
    assert "engine: the command `pulumi` is not on PATH" in printed.err
    assert "hint: install Pulumi 3.250.0 or newer" in printed.err
    assert made.files == before


def test_an_engine_that_fails_by_itself_ends_with_3_and_shows_no_secret(
    verbs: Verbs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret-key")
    verbs.engine.says = "error: could not read with canary-secret-key"
    code, out, err = verbs.run("preview")
    assert (code, out) == (3, "")
    assert f"engine: the engine failed at stack {FRA}" in err
    assert "could not read with [AWS_SECRET_ACCESS_KEY]" in err
    assert "canary-secret-key" not in err
