"""When the provider takes an object for ready, and what it says while it isn't.

Source: pulumi-kubernetes 4.34, `provider/pkg/await`. What takes part there in each kind is asked for here too: a
Service waits for pods behind it, a claim for its volume, a Job for its end, a release's objects are Helm's affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from support.proving.api import Api

MINUTES_S = 60
SKIP = "pulumi.com/skipAwait"
_WAIT_FOR = "pulumi.com/waitFor"
_TIMEOUT = "pulumi.com/timeoutSeconds"
Unready = str | None
"""Why an object isn't ready; None when it is."""


def notes_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Annotations of an object."""
    return dict(body.get("metadata", {}).get("annotations") or {})


def unready(api: Api, asked: Mapping[str, Any], live: Mapping[str, Any]) -> Unready:
    """Why the object isn't ready yet."""
    notes = notes_of(asked)
    if notes.get(SKIP) == "true":
        return None
    if _WAIT_FOR in notes:
        return _gate(notes[_WAIT_FOR], live)
    check = _KINDS.get((str(live["apiVersion"]), str(live["kind"])))
    return check(api, live) if check else None


def unready_when_read(api: Api, asked: Mapping[str, Any], live: Mapping[str, Any]) -> Unready:
    """The same for `refresh`, which looks at workloads and Services alone, once, and by their own rules."""
    if notes_of(asked).get(SKIP) == "true" or live["kind"] not in _READ:
        return None
    check = _KINDS.get((str(live["apiVersion"]), str(live["kind"])))
    return check(api, live) if check else None


def patience_s(asked: Mapping[str, Any], given_s: float) -> float:
    """How long to wait. A timeout of the resource ranks above the annotation."""
    default = {"Namespace": 5, "PersistentVolumeClaim": 5, "ResourceQuota": 1}.get(str(asked.get("kind")), 10)
    return given_s or float(notes_of(asked).get(_TIMEOUT, 0)) or default * MINUTES_S


def condition(live: Mapping[str, Any], kind: str) -> Any:
    """A condition of an object, an empty one if it isn't there."""
    found = live.get("status", {}).get("conditions") or []
    return next((each for each in found if each.get("type") == kind), {})


def at(live: Any, path: str) -> Any:
    """The value at a JSON path such as `.status.state`; None if there is none."""
    for step in path.strip("{}").lstrip(".").split("."):
        live = live.get(step) if isinstance(live, Mapping) else None
    return live


def _gate(text: str, live: Mapping[str, Any]) -> Unready:
    if text.startswith("condition="):
        kind, _, wanted = text.removeprefix("condition=").partition("=")
        status = condition(live, kind).get("status", "not there")
        return None if status == (wanted or "True") else f"condition {kind} is {status}"
    found = re.fullmatch(r"jsonpath=\{([^}]+)\}(?:=(.*))?", text)
    if found is None:
        return f"{_WAIT_FOR}: {text} is no condition and no JSON path"
    value = at(live, found[1])
    return None if str(value) == found[2] else f"{found[1]} is {value}, not {found[2]}"


def _workload(_api: Api, live: Mapping[str, Any]) -> Unready:
    status = live.get("status", {})
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
        return "its controller has not seen it"
    wanted = live["spec"].get("replicas", 1)
    ready = status.get("updatedReplicas", 0), status.get("availableReplicas", status.get("readyReplicas", 0))
    return None if min(ready) >= wanted else f"{min(ready)} of {wanted} pods are available"


def _daemon_set(_api: Api, live: Mapping[str, Any]) -> Unready:
    status = live.get("status", {})
    if status.get("observedGeneration", 0) < live["metadata"].get("generation", 0):
        return "its controller has not seen it"
    wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    return None if ready >= wanted else f"{ready} of {wanted} pods are ready"


def _job(_api: Api, live: Mapping[str, Any]) -> Unready:
    failed = condition(live, "Failed")
    if failed.get("status") == "True":
        return f"it failed: {failed.get('message', failed.get('reason'))}"
    return None if condition(live, "Complete").get("status") == "True" else "it has not completed"


def _service(api: Api, live: Mapping[str, Any]) -> Unready:
    spec, metadata = live["spec"], live["metadata"]
    if spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName":
        return None
    if spec.get("type") == "LoadBalancer" and not live.get("status", {}).get("loadBalancer", {}).get("ingress"):
        return "Service was not allocated an IP address; does your cloud provider support this?"
    where = {"name": metadata["name"], "namespace": metadata["namespace"]}
    behind = api.get({"apiVersion": "v1", "kind": "Endpoints", "metadata": where})
    return None if (behind or {}).get("subsets") else "Service does not target any Pods"


def _claim(api: Api, live: Mapping[str, Any]) -> Unready:
    phase, name = live.get("status", {}).get("phase"), live["spec"].get("storageClassName")
    where = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    mode = (api.get(where) or {}).get("volumeBindingMode") if name else None
    wanted = "Pending" if mode == "WaitForFirstConsumer" else "Bound"
    return None if phase == wanted else f"the claim is {phase}"


def _quota(_api: Api, live: Mapping[str, Any]) -> Unready:
    same = live["spec"].get("hard") == live.get("status", {}).get("hard")
    return None if same else "the quota has not been taken up"


_KINDS: dict[tuple[str, str], Callable[[Api, Mapping[str, Any]], Unready]] = {
    ("apps/v1", "Deployment"): _workload,
    ("apps/v1", "StatefulSet"): _workload,
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("batch/v1", "Job"): _job,
    ("v1", "Service"): _service,
    ("v1", "PersistentVolumeClaim"): _claim,
    ("v1", "ResourceQuota"): _quota,
}
_READ = ("Deployment", "StatefulSet", "Job", "Service")
