"""A project, a cluster and an engine of their own: where a test deploys a shipped blueprint as a user would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from aifactory.cli.work import Work, prepare
from aifactory.components.catalog.trains import releases
from aifactory.components.rows import ClusterRow, HelmRow
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.program import identity
from support.proving import plugins
from support.proving.charts import write_charts
from support.proving.control_plane import ControlPlane
from support.proving.ground import give
from support.proving.processes import CALM
from support.proving.provider import CHARTS, HELM
from support.proving.tools import paths
from support.schemas import Schemas
from support.shipped import ROOT, works

PASSPHRASE = "canary-passphrase-of-the-state"
LEFT_OUT = ("PULUMI_", "KUBE", "COVERAGE_")
Edit = tuple[str, str, str]


class Yard:
    """One site of a shipped blueprint, in a project of its own below `folder`."""

    def __init__(
        self, folder: Path, plane: ControlPlane, stack: str, schemas: Schemas, edits: Iterable[Edit] = ()
    ) -> None:
        """Copy the blueprint and its sites, make the site's cluster and the charts. Raises Missing without tools.

        `edits` are made before: a file of the project, the text there, the text instead.
        """
        tools = paths("pulumi", "helm")
        name, shipped = next((name, work) for name, work in works().items() if stack in work.stacks)
        self.plane = plane
        self.schemas = schemas
        self.root = folder / "project"
        self.blueprint = self.root / "factory.yaml"
        self.kubeconfig = folder / "kubeconfig"
        self.charts = folder / "charts"
        self.bin = folder / "bin"
        self._home = folder
        (self.root / "sites").mkdir(parents=True)
        (self.root / "aifactory.yaml").write_text("aifactory: v1\n", encoding="utf-8")
        shutil.copy(ROOT / "blueprints/library" / f"{name}.yaml", self.blueprint)
        for site in shipped.loaded.sites:
            shutil.copy(ROOT / "blueprints/sites" / f"{site}.yaml", self.root / "sites")
        shutil.copytree(ROOT / "blueprints/sites/prices", self.root / "sites/prices")
        self.helm = tools["helm"]
        self.removable: set[str] = set()
        """Definitions that go when their release goes; Helm leaves the others."""
        self.name = stack
        self.edit(*edits)
        self.site = self.stack.plan.place.site
        give(plane, self.stack, schemas)
        self.write_kubeconfig()
        plugins.make(self.bin, tools["pulumi"], plugins.REAL)
        (self.bin / "helm").symlink_to(tools["helm"])

    def edit(self, *edits: Edit) -> None:
        """Change files of the project, and plan it again."""
        for file, old, new in edits:
            path = self.root / file
            text = path.read_text(encoding="utf-8")
            assert old in text, f"{file} has no {old}"
            path.write_text(text.replace(old, new), encoding="utf-8")
        self.work: Work = prepare(self.blueprint)
        self.stack: Stack = self.work.stacks[self.name]
        known = releases(self.work.loaded.catalog, self.stack.plan.place.train)
        self.removable |= write_charts(self.charts, self.stack.rows, known, self.schemas)

    def protected(self) -> list[str]:
        """Rows that stay unless they are named."""
        return [row.id for row in self.stack.rows if getattr(row, "protect", False)]

    def stand_ins(self) -> list[str]:
        """What isn't the real thing here."""
        missing = [name for name in plugins.STOOD_IN if (self.bin / name).is_file()]
        charts = [
            f"chart {row.chart} {row.version}: real definitions, a workload that does nothing"
            for row in self.releases()
        ]
        return [*missing, *charts]

    def releases(self) -> list[HelmRow]:
        """Releases of the plan."""
        return [row for row in self.stack.rows if isinstance(row, HelmRow)]

    def cluster_rows(self) -> list[ClusterRow]:
        """Rows of the plan that exist inside the cluster."""
        return identity.cluster_rows(self.rows)

    @property
    def rows(self) -> RowSet:
        """What is registered of the stack."""
        return row_set(self.stack, self.work.digest)

    @property
    def state(self) -> Path:
        """Folder of the state backend."""
        return self.root / "state"

    def write_kubeconfig(self) -> None:
        """A kubeconfig whose contexts are named as the sites name them."""
        found = yaml.safe_load(self.plane.kubeconfig.read_text(encoding="utf-8"))
        wanted = self.stack.plan.place.cluster.kubeconfig.context
        found["contexts"] = [{"name": wanted, "context": found["contexts"][0]["context"]}]
        self.kubeconfig.write_text(yaml.safe_dump({**found, "current-context": wanted}), encoding="utf-8")

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Environment of a run: no settings of this machine's user, plugins from PATH alone.

        Its lines aren't counted: that takes a seventh of the lane, and quicker tests reach them.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
        return {
            **kept,
            **CALM,
            "HOME": str(self._home),
            "PATH": os.pathsep.join([str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PULUMI_HOME": str(self._home / "pulumi"),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            CHARTS: str(self.charts),
            HELM: str(self.helm),
            "NO_COLOR": "1",
            **(more or {}),
        }

    def words(self, verb: str, *options: str) -> list[str]:
        """Command line of a verb at the site."""
        kubeconfig = [] if verb in ("outputs", "check", "plan", "generate") else ["--kubeconfig", str(self.kubeconfig)]
        command = [str(Path(sys.executable).with_name("aifactory")), verb, str(self.blueprint)]
        return [*command, "--site", self.site, *kubeconfig, *options]

    def run(self, verb: str, *options: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        return self.call(self.words(verb, *options), env)

    def call(
        self, words: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run any command to its end. Its output never holds a secret."""
        ran = subprocess.run(
            list(words),
            env=self.environment(env),
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert PASSPHRASE not in ran.stdout + ran.stderr
        return ran

    def data(self, verb: str, *options: str) -> Any:
        """What a verb prints as JSON for the stack; it must end well."""
        ran = self.run(verb, "--format", "json", *options)
        assert ran.returncode == 0, ran.stdout[-2_000:] + ran.stderr[-6_000:]
        return json.loads(ran.stdout)["stacks"][self.stack.name]

    def helm_words(self, namespace: str) -> list[str]:
        """Options of a helm command in a namespace of the cluster."""
        return [f"--namespace={namespace}", f"--kubeconfig={self.kubeconfig}"]

    def helm_releases(self, *states: str) -> list[dict[str, Any]]:
        """Releases of the cluster as Helm lists them, those in some states."""
        words = [str(self.helm), "list", "--all-namespaces", "--output=json", f"--kubeconfig={self.kubeconfig}"]
        found: list[dict[str, Any]] = json.loads(self.call([*words, *states]).stdout)
        return found

    def resources(self) -> list[dict[str, Any]]:
        """Resources of the state; none when there is no state."""
        found = self.exported().get("checkpoint", {}).get("latest") or {}
        return list(found.get("resources") or [])

    def exported(self) -> dict[str, Any]:
        """The state as the backend keeps it."""
        path = self.state / ".pulumi" / "stacks" / "aifactory" / f"{self.stack.name}.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return found

    def script_tools(self) -> Path:
        """A folder for PATH with a helm whose charts come from a folder."""
        folder = self._home / "script-bin"
        folder.mkdir()
        plugins.write_module(folder / "helm", "support.proving.chart_folder")
        return folder
