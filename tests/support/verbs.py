"""Runs the verbs that need an engine in a project of their own, with the engine of tests behind them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from aifactory.cli import clusters, deploying, leaving
from aifactory.cli.main import main
from support.engine import FakeEngine
from support.live import FakeServer
from support.shipped import ROOT

PASSPHRASE = "canary-passphrase-of-the-state"
FRA = "training-roce-fra-dc1-platform"
AMS = "training-roce-ams-colo1-platform"
SITES = ("fra-dc1", "ams-colo1")


class Verbs:
    """A project with `training-roce` at its two sites, a kubeconfig, and an engine."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = folder / "project"
        self.blueprint = self.root / "factory.yaml"
        self.kubeconfig = folder / "kubeconfig"
        self.engine = FakeEngine()
        self.server = FakeServer()
        """The cluster of every site."""
        self._capsys = capsys
        (self.root / "sites").mkdir(parents=True)
        (self.root / "aifactory.yaml").write_text("aifactory: v1\n", encoding="utf-8")
        shutil.copy(ROOT / "blueprints/library/training-roce.yaml", self.blueprint)
        for site in SITES:
            shutil.copy(ROOT / "blueprints/sites" / f"{site}.yaml", self.root / "sites")
        contexts = [{"name": site, "context": {"cluster": site, "user": "admin"}} for site in SITES]
        users = [{"name": "admin", "user": {"token": "canary-token-of-the-cluster"}}]
        self.kubeconfig.write_text(yaml.safe_dump({"contexts": contexts, "users": users}), encoding="utf-8")
        monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setattr(deploying, "Engine", self._made)
        monkeypatch.setattr(clusters, "connect", lambda given, root, instead: self.server)
        monkeypatch.setattr(leaving, "PATIENCE_S", 0)

    def run(self, verb: str, *options: str, kubeconfig: bool = True) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a verb on the blueprint."""
        given = ["--kubeconfig", str(self.kubeconfig)] if kubeconfig and verb != "outputs" else []
        with pytest.raises(SystemExit) as ended:
            main([verb, str(self.blueprint), *given, *options])
        printed = self._capsys.readouterr()
        assert PASSPHRASE not in printed.out + printed.err
        assert "canary-token" not in printed.out + printed.err
        code = ended.value.code
        return (code if isinstance(code, int) else 0), printed.out, printed.err

    def data(self, verb: str, *options: str) -> dict[str, Any]:
        """What a verb prints as JSON; it must end well."""
        code, out, err = self.run(verb, "--format", "json", *options)
        assert code == 0, err
        printed: dict[str, Any] = json.loads(out)
        return printed

    def change(self, old: str, new: str) -> None:
        """Rewrite the blueprint."""
        text = self.blueprint.read_text(encoding="utf-8")
        assert old in text
        self.blueprint.write_text(text.replace(old, new), encoding="utf-8")

    @property
    def files(self) -> set[str]:
        """Every file of the project."""
        return {path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()}

    def _made(self, on_cancel: Any = None) -> FakeEngine:
        self.engine.on_cancel = on_cancel
        return self.engine


@pytest.fixture
def verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verbs:
    """A project with its own engine."""
    return Verbs(tmp_path, monkeypatch, capsys)
