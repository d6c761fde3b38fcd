"""Helm releases as the Kubernetes provider makes, changes, reads and removes them: by Helm itself.

Source: pulumi-kubernetes 4.34, `provider/pkg/provider/helm_release.go`. Charts can't be fetched where tests run, so
each comes from a folder, by name and version: see charts.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

Inputs = dict[str, Any]
_DEFAULT_S = 300
COMPUTED = ("checksum", "resourceNames")
"""Inputs that the provider itself adds: digest and names of what the chart renders."""


class HelmFailed(Exception):
    """Helm said no. `exists` tells whether a release is there all the same."""

    def __init__(self, says: str, *, exists: bool) -> None:
        super().__init__(says)
        self.exists = exists


class Releases:
    """Releases of one cluster."""

    def __init__(self, kubeconfig: str, context: str, charts: Path, helm: str = "helm") -> None:
        """`charts` holds a folder `NAME-VERSION` for each chart."""
        # In the real provider Helm is part of the process, and ends with it in the middle of what it does.
        self._words = ["setpriv", "--pdeathsig=KILL", helm] if shutil.which("setpriv") else [helm]
        self._cluster = [f"--kubeconfig={kubeconfig}", f"--kube-context={context}"]
        self._charts = charts

    def checked(self, inputs: Inputs) -> Inputs:
        """Inputs with what the provider computes from the rendered chart. Raises HelmFailed without the chart."""
        rendered = self._run(["template", inputs["name"], self._chart(inputs), "--include-crds", "--values=-"], inputs)
        names: dict[str, list[str]] = {}
        for body in yaml.load_all(rendered, yaml.CSafeLoader):
            if body:
                space = body["metadata"].get("namespace", "")
                name = f"{space}/{body['metadata']['name']}" if space else body["metadata"]["name"]
                names.setdefault(f"{body['kind']}.{body['apiVersion']}", []).append(name)
        return {**inputs, "checksum": sha256(rendered.encode()).hexdigest(), "resourceNames": names}

    def install(self, inputs: Inputs) -> Inputs:
        """Install. An existing release is an error. Returns the checkpoint."""
        if self.status(inputs["namespace"], inputs["name"]) is not None:
            raise HelmFailed("cannot re-use a name that is still in use", exists=False)
        words = ["install", inputs["name"], self._chart(inputs), "--values=-", *self._waiting(inputs)]
        self._run(words, inputs)
        return self.checkpoint(inputs)

    def upgrade(self, inputs: Inputs) -> Inputs:
        """Upgrade. Returns the checkpoint."""
        words = ["upgrade", inputs["name"], self._chart(inputs), "--values=-", *self._waiting(inputs)]
        if inputs.get("cleanupOnFail"):
            words.append("--cleanup-on-fail")
        self._run([*words, f"--history-max={inputs.get('maxHistory', 0)}"], inputs)
        return self.checkpoint(inputs)

    def uninstall(self, state: Mapping[str, Any]) -> None:
        """Remove, and wait. Raises HelmFailed if it isn't there, as the provider does."""
        timeout = f"--timeout={state.get('timeout', _DEFAULT_S)}s"
        self._run(["uninstall", state["name"], "--wait", timeout], state)

    def status(self, namespace: str, name: str) -> dict[str, Any] | None:
        """What Helm has of a release, pending or not; None if there is none. Raises HelmFailed if it can't say."""
        words = ["list", f"--filter=^{name}$", "--output=json", "--deployed", "--failed", "--pending", "--uninstalling"]
        found: list[dict[str, Any]] = json.loads(self._run(words, {"namespace": namespace}))
        return found[0] if found else None

    def imported(self, namespace: str, name: str) -> Inputs:
        """Inputs as they are read of a release that the state knows by its name alone."""
        where = {"namespace": namespace}
        about = json.loads(self._run(["get", "metadata", name, "--output=json"], where))
        values = json.loads(self._run(["get", "values", name, "--output=json"], where)) or {}
        return {
            "name": name,
            "namespace": namespace,
            "chart": about["chart"],
            "version": about["version"],
            "values": values,
        }

    def checkpoint(self, inputs: Inputs) -> Inputs:
        """Inputs and status, as the state keeps them."""
        found = self.status(inputs["namespace"], inputs["name"]) or {}
        status = {
            "name": inputs["name"],
            "namespace": inputs["namespace"],
            "revision": int(found.get("revision", 1)),
            "status": found.get("status", ""),
            "appVersion": found.get("app_version", ""),
            "chart": inputs["chart"].rpartition("/")[2],
            "version": inputs["version"],
        }
        return {**inputs, "status": status, "__inputs": inputs}

    def _is_there(self, inputs: Mapping[str, Any]) -> bool:
        try:
            return self.status(inputs["namespace"], inputs["name"]) is not None
        except HelmFailed:
            return True  # nobody can say; then it is kept, and read again

    def _chart(self, inputs: Inputs) -> str:
        name = inputs["chart"].rpartition("/")[2]
        folder = self._charts / f"{name}-{inputs['version']}"
        if not folder.is_dir():
            raise HelmFailed(f"chart {inputs['chart']} {inputs['version']} can't be fetched", exists=False)
        return str(folder)

    def _waiting(self, inputs: Inputs) -> list[str]:
        words = [f"--timeout={inputs.get('timeout', _DEFAULT_S)}s"]
        if not inputs.get("skipAwait"):
            words.append("--wait=legacy")
        if inputs.get("skipCrds"):
            words.append("--skip-crds")
        return words

    def _run(self, words: list[str], inputs: Mapping[str, Any]) -> str:
        cluster = [] if words[0] == "template" else self._cluster
        command = [*self._words, *words, f"--namespace={inputs['namespace']}", *cluster]
        values = json.dumps(inputs.get("values") or {})
        ran = subprocess.run(
            command,
            input=values,
            capture_output=True,
            text=True,
            check=False,
            timeout=inputs.get("timeout", _DEFAULT_S) + 60,
        )
        if ran.returncode:
            says = ran.stderr.strip().splitlines()
            exists = words[0] in ("install", "upgrade") and self._is_there(inputs)
            raise HelmFailed(says[-1] if says else f"helm ended with {ran.returncode}", exists=exists)
        return ran.stdout
