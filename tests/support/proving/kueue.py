"""Kueue's and JobSet's real managers beside a control plane, with the definitions and webhooks of their modules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.proving.control_plane import ControlPlane
from support.proving.modules import documents, sources
from support.proving.processes import Server, answers, free_port
from support.proving.tools import paths
from support.proving.webhooks import LOOPBACK, Certificates, converted, redirected

KUEUE = "sigs.k8s.io/kueue"
JOBSET = "sigs.k8s.io/jobset"
OF_JOBS = ("batch", "jobset.x-k8s.io")
"""Groups of jobs whose hooks are kept; the others' kinds aren't there."""
POD_OF_A_JOBSET = {"matchExpressions": [{"key": "jobset.sigs.k8s.io/jobset-name", "operator": "Exists"}]}


def start_jobset(plane: ControlPlane) -> None:
    """Run JobSet's manager until the plane ends. Raises Missing."""
    binary = paths("jobset")["jobset"]
    components = sources("jobset", JOBSET) / "config" / "components"
    certificates = Certificates(plane.folder / "jobset", "jobset-ca", "jobset-webhook-service.jobset-system.svc")
    port, health = free_port(), free_port()
    plane.define(documents(*sorted((components / "crd" / "bases").iterdir())))
    configuration = {
        "apiVersion": "config.jobset.x-k8s.io/v1alpha1",
        "kind": "Configuration",
        "internalCertManagement": {"enable": False},
        **_on_loopback(port, health, certificates.folder),
    }
    _run(plane, "jobset", binary, configuration, health)
    for each in documents(components / "webhook" / "manifests.yaml"):
        hooks = redirected(_named("jobset", each), port, certificates.bundle)
        for hook in hooks["webhooks"]:
            if "pod" in hook["name"]:
                hook["objectSelector"] = POD_OF_A_JOBSET  # as its own deployment narrows them
        plane.api.apply(hooks)


def start_kueue(plane: ControlPlane, planned: Mapping[str, Any]) -> None:
    """Run Kueue's manager until the plane ends, with the configuration of a plan. What a plan says of ports and
    certificates is replaced; the rest is as planned. Needs the kinds of its frameworks. Raises Missing."""
    binary = paths("kueue")["kueue"]
    components = sources("kueue", KUEUE) / "config" / "components"
    certificates = Certificates(plane.folder / "kueue", "kueue-ca", "kueue-webhook-service.kueue-system.svc")
    port, health = free_port(), free_port()
    plane.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kueue-system"}})
    plane.api.apply(certificates.secret("kueue-system", "kueue-webhook-server-cert"))
    convertible = _convertible(components / "crd" / "kustomization.yaml")
    definitions = documents(*sorted((components / "crd" / "bases").iterdir()))
    plane.define(_converted(each, convertible, port, certificates) for each in definitions)
    # It asks these hooks for its own objects from its first moment, and gives them its authority before.
    for each in documents(components / "webhook" / "manifests.yaml"):
        plane.api.apply(redirected(_named("kueue", each), port, certificates.bundle, _is_ours))
    configuration = {
        **planned,
        # Without this it wants certificates in a fixed folder of the machine. The secret is there, so it makes none.
        "internalCertManagement": {"enable": True},
        "featureGates": {**planned.get("featureGates", {}), "VisibilityOnDemand": False},
        **_on_loopback(port, health, certificates.folder),
    }
    configuration["metrics"] = {**planned.get("metrics", {}), **configuration["metrics"]}
    _run(plane, "kueue", binary, configuration, health)


def _on_loopback(port: int, health: int, certificates: Path) -> dict[str, Any]:
    return {
        "leaderElection": {"leaderElect": False},
        "health": {"healthProbeBindAddress": f"{LOOPBACK}:{health}"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"host": LOOPBACK, "port": port, "certDir": str(certificates)},
    }


def _run(plane: ControlPlane, name: str, binary: Path, configuration: Mapping[str, Any], health: int) -> None:
    file = plane.folder / f"{name}.json"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    server = Server(name, [binary, f"--config={file}", f"--kubeconfig={plane.kubeconfig}"], plane.folder)
    plane.servers[name] = server
    server.wait_until(lambda: answers(f"http://{LOOPBACK}:{health}/readyz"))


def _named(prefix: str, body: Any) -> Any:
    """A hook configuration under the name that a deployment gives it."""
    return {**body, "metadata": {**body["metadata"], "name": f"{prefix}-{body['metadata']['name']}"}}


def _is_ours(hook: Any) -> bool:
    groups = {group for rule in hook["rules"] for group in rule["apiGroups"]}
    return groups <= {"kueue.x-k8s.io", *OF_JOBS}


def _convertible(kustomization: Path) -> set[str]:
    """Plurals of the kinds that have a converter. Others would break by one: nobody answers for them."""
    (listed,) = documents(kustomization)
    files = [Path(patch["path"]).stem for patch in listed["patches"]]
    return {file.removeprefix("webhook_in_") for file in files if file.startswith("webhook_in_")}


def _converted(definition: Any, convertible: set[str], port: int, certificates: Certificates) -> Any:
    if definition["spec"]["names"]["plural"] not in convertible:
        return definition
    return converted(definition, port, certificates.bundle)
