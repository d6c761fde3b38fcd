"""What queues need of Kueue's controller, in the form of its configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from aifactory.components.names import MANAGED_NAMESPACE_LABEL
from aifactory.components.values import Json

FRAMEWORKS = ("batch/job", "jobset.x-k8s.io/jobset")
"""Kinds of workload that Kueue admits: those whose CRD is there. Its own default has `pod` too, which
would put every pod of a tenant under admission."""

ALWAYS_EXCLUDED = ("hugepages-", "ephemeral-storage")
"""Resources that pods may request and nobody has a quota on. Kueue refuses what is neither covered nor
excluded."""

FAIR_STRATEGIES = ("LessThanOrEqualToFinalShare", "LessThanInitialShare")

DRA_GATES = (
    "KueueDRAIntegration",
    "KueueDRAIntegrationExtendedResource",
    "KueueDRAIntegrationPartitionableDevices",
)
DRA_KUBERNETES = (1, 34)
"""First Kubernetes with resource.k8s.io/v1. On older ones the controller exits unless the gates are off."""

CONCURRENCY = {
    "Job.batch": 5,
    "Pod": 5,
    "Workload.kueue.x-k8s.io": 10,
    "LocalQueue.kueue.x-k8s.io": 5,
    "ClusterQueue.kueue.x-k8s.io": 5,
    "ResourceFlavor.kueue.x-k8s.io": 1,
}
"""Reconciles at once, as the chart has them: a configuration without the list falls back to one of each."""


class Configuration(Struct, frozen=True):
    """What is decided about the controller."""

    excluded: tuple[str, ...]
    device_classes: tuple[tuple[str, str], ...]
    """DeviceClass and the resource that quotas count it as."""
    gates: tuple[tuple[str, bool], ...]
    fair: bool
    timeout_s: int
    recovery_timeout_s: int
    requeue_limit: int
    requeue_base_s: int
    requeue_max_s: int


def chart_values(configuration: Configuration) -> dict[str, object]:
    """Values of the Kueue chart: one text, which other authors may add to."""
    return {"managerConfig": {"controllerManagerConfigYaml": Json(document(configuration))}}


def field_that_differs(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The field of a queue by which two sets of chart values differ, sharing before pods_ready."""
    first, second = (values["managerConfig"]["controllerManagerConfigYaml"].tree for values in (one, other))
    return "sharing" if first.get("fairSharing") != second.get("fairSharing") else "pods_ready"


def document(configuration: Configuration) -> dict[str, object]:
    """The part of config.kueue.x-k8s.io/v1beta2 that queues decide."""
    found: dict[str, object] = {
        "metrics": {"enableClusterQueueResources": True},
        "controller": {"groupKindConcurrency": dict(CONCURRENCY)},
        "manageJobsWithoutQueueName": True,
        "managedJobsNamespaceSelector": {"matchLabels": {MANAGED_NAMESPACE_LABEL: "true"}},
        "waitForPodsReady": _pods_ready(configuration),
        "integrations": {"frameworks": list(FRAMEWORKS)},
        "resources": _resources(configuration),
    }
    if configuration.fair:
        found["fairSharing"] = {"preemptionStrategies": list(FAIR_STRATEGIES)}
    if configuration.gates:
        found["featureGates"] = dict(configuration.gates)
    return found


def _pods_ready(configuration: Configuration) -> dict[str, object]:
    return {
        "timeout": f"{configuration.timeout_s}s",
        "recoveryTimeout": f"{configuration.recovery_timeout_s}s",
        "blockAdmission": False,
        "requeuingStrategy": {
            "timestamp": "Eviction",
            "backoffLimitCount": configuration.requeue_limit,
            "backoffBaseSeconds": configuration.requeue_base_s,
            "backoffMaxSeconds": configuration.requeue_max_s,
        },
    }


def _resources(configuration: Configuration) -> dict[str, object]:
    classes = configuration.device_classes
    found: dict[str, object] = {"excludeResourcePrefixes": list(configuration.excluded)}
    if classes:
        found["deviceClassMappings"] = [
            {"name": resource, "deviceClassNames": [name for name, counted in classes if counted == resource]}
            for resource in dict.fromkeys(counted for _, counted in classes)
        ]
    return found
