"""What the provider takes for a change: the live object, pruned to what was asked for, against what is asked now.

Source: pulumi-kubernetes 4.34, `provider/pkg/provider`: Diff, pruneLiveState, forceNewProperties.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

_READ_ONLY = ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields")
_SERVERS_OWN = (*_READ_ONLY, "resourceVersion", "uid")
_TYPED = re.compile(
    r"((apps|autoscaling|batch|policy"
    r"|(admissionregistration|networking|rbac\.authorization|scheduling|storage)\.k8s\.io)/)?v[12]"
)
"""Versions of the server's own kinds: the provider knows their types, so that 1000m and 1 are equal there."""
_QUANTITIES = re.compile(r"(^|\.)(resources|hard|capacity|limits|requests|default|defaultRequest|max|min)(\.|\[)")
_REPLACING: dict[tuple[str, str], tuple[str, ...]] = {
    ("v1", "PersistentVolumeClaim"): ("spec",),
    ("v1", "ResourceQuota"): ("spec.scopes",),
    ("v1", "Secret"): ("type", "data", "stringData"),
    ("v1", "Service"): ("spec.clusterIP",),
    ("v1", "ConfigMap"): ("data", "binaryData"),
    ("apps/v1", "Deployment"): ("spec.selector",),
    ("apps/v1", "DaemonSet"): ("spec.selector",),
    ("apps/v1", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("v1", "Pod"): ("spec",),
    ("batch/v1", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): ("roleRef",),
    ("storage.k8s.io/v1", "StorageClass"): ("parameters", "provisioner"),
}
_POWERS = {"m": -1, "": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}


class Change(Struct, frozen=True):
    """A place where an object is to become another."""

    path: str
    kind: str
    """add, update or delete."""
    replaces: bool


def cleaned(body: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what the server alone writes."""
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key not in _SERVERS_OWN}
    return {**body, "metadata": metadata}


def pruned(live: Any, asked: Any) -> Any:
    """The live value, in the shape of what was asked for."""
    if isinstance(asked, Mapping) and isinstance(live, Mapping):
        return {key: pruned(live[key], value) for key, value in asked.items() if key in live}
    if isinstance(asked, list) and isinstance(live, list):
        paired = [pruned(one, other) for one, other in zip(live, asked, strict=False)]
        return paired + live[len(asked) :]
    return live


def changes(before: Mapping[str, Any], asked: Mapping[str, Any], *, mutable_maps: bool) -> list[Change]:
    """How an object differs from what is asked for. `mutable_maps`: a ConfigMap may change in place."""
    version, kind = str(asked.get("apiVersion", "")), str(asked.get("kind", ""))
    forced = ["metadata.name", "metadata.namespace", *_REPLACING.get((version, kind), ())]
    if kind == "ConfigMap" and mutable_maps and not asked.get("immutable"):
        forced = forced[:2]
    typed = bool(_TYPED.fullmatch(version))
    return [
        Change(path, what, any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in forced))
        for path, what in _differences(before, asked, "", typed=typed)
    ]


def _differences(before: Any, after: Any, path: str, *, typed: bool) -> Iterator[tuple[str, str]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            step = f'["{key}"]' if re.search(r'[."\[\]]', key) else f".{key}" if path else key
            if key not in before:
                # The server doesn't keep what is empty, and the provider leaves it out of kinds that it knows.
                if not (typed and not after[key]):
                    yield path + step, "add"
            elif key not in after:
                yield path + step, "delete"
            else:
                yield from _differences(before[key], after[key], path + step, typed=typed)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            step = f"{path}[{index}]"
            if index >= len(before) or index >= len(after):
                yield step, "add" if index >= len(before) else "delete"
            else:
                yield from _differences(before[index], after[index], step, typed=typed)
    elif before != after and not (typed and _QUANTITIES.search(path) and amount(before) == amount(after)):
        yield path, "update"


def amount(value: Any) -> Any:
    """A quantity as a number, for the server writes 1000 as 1k; anything else as it is."""
    found = (
        re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([mkKMGTP]?)(i?)", str(value))
        if isinstance(value, str | int | float)
        else None
    )
    if found is None or isinstance(value, bool):
        return value
    return float(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2]]
