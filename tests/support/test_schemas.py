"""The schema lane on the real schemas: what an API server takes passes, what it refuses is found."""

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support import schemas_cel
from support.schemas import REASON_ABSENT, Schemas
from support.schemas_tables import CLUSTER_SCOPED, KNOWN, PASSED_ON, SUB_CHARTS

needs_cel = pytest.mark.skipif(not schemas_cel.AVAILABLE, reason="common-expression-language is not installed")


def documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def nested(path: str, value: Any) -> dict[str, Any]:
    """Values that hold one value at a dotted path; # is a dot inside a key."""
    for step in reversed(path.split(".")):
        value = {step.replace("#", "."): value}
    return dict(value)


def edited(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one field set, or removed when the value is None."""
    copied = copy.deepcopy(document)
    *parents, last = path.split(".")
    inner: Any = copied
    for name in parents:
        inner = inner[int(name)] if name.isdigit() else inner[name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return copied


NICS = """
apiVersion: configuration.net.nvidia.com/v1alpha1
kind: NicConfigurationTemplate
metadata: {name: roce, namespace: nvidia-network-operator}
spec:
  nodeSelector: {a: b}
  nicSelector: {nicType: "1021"}
  template:
    numVfs: 8
    linkType: Ethernet
    roceOptimized: {enabled: true, qos: {trust: dscp, pfc: "0,0,0,1,0,0,0,0", tos: 106}}
"""

CUSTOM: list[tuple[str, str, Any, str]] = [
    (
        "a misspelled field",
        "spec.template.numVF",
        8,
        'spec.template.numVF: unknown field; did you mean "numVfs"?',
    ),
    ("a field of metadata", "metadata.lables", {}, 'metadata.lables: unknown field; did you mean "labels"?'),
    ("a field at the top", "data", {}, "data: unknown field"),
    ("a wrong type", "spec.template.numVfs", "8", 'spec.template.numVfs: is string "8", must be integer'),
    ("a missing field", "spec.template.linkType", None, "spec.template.linkType: is required"),
    ("a bad enum", "spec.template.linkType", "RoCE", '"RoCE" is not one of "Ethernet", "Infiniband"'),
    ("a pattern", "spec.template.roceOptimized.qos.pfc", "3", "does not match"),
    ("an unserved version", "apiVersion", "configuration.net.nvidia.com/v1", "served: v1alpha1"),
    (
        "an unknown kind",
        "kind",
        "NicTemplate",
        "no CRD for NicTemplate in configuration.net.nvidia.com/v1alpha1",
    ),
    (
        "a kind of another group",
        "apiVersion",
        "mellanox.com/v1alpha1",
        "exists in configuration.net.nvidia.com",
    ),
    ("a bad name", "metadata.name", "Roce", "metadata.name"),
    ("no metadata", "metadata", None, "metadata: is required"),
    ("no kind", "kind", None, "apiVersion and kind: are required"),
]

POD = """
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {app: a}}
spec:
  containers:
    - name: main
      image: example.com/main:1
      resources: {limits: {cpu: 1, memory: 8Gi, nvidia.com/gpu: 8}}
      ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]
      readinessProbe: {httpGet: {path: /, port: http}}
"""
CONFIG_MAP = "{apiVersion: v1, kind: ConfigMap, metadata: {name: nccl, namespace: team}, data: {NCCL_IB_TC: '106'}}"
NETWORK_POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: team}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress: [{ports: [{port: dns, protocol: UDP}, {port: 53}]}]
"""
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: as.b.c}
spec:
  group: b.c
  scope: Namespaced
  names: {kind: A, plural: as}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {a: {type: array, default: [{b: 1}]}}}}
"""
NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: team}}"

NATIVE: list[tuple[str, str, str, Any, str]] = [
    ("a misspelled field", POD, "spec.containers.0.imagePullPolice", "Always", "unknown field; did you mean"),
    ("a field of metadata", POD, "metadata.lables", {}, "metadata.lables: unknown field"),
    ("a missing field", POD, "spec.containers.0.name", None, "spec.containers[0].name: is required"),
    ("a wrong type", POD, "spec.terminationGracePeriodSeconds", "3", "must be integer"),
    ("a bad enum", POD, "spec.restartPolicy", "Sometimes", "is not one of"),
    ("a bad quantity", POD, "spec.containers.0.resources.limits.memory", "8GiB", "does not match"),
    ("a port twice", POD, "spec.containers.0.ports.1.protocol", "TCP", "ports[1]: duplicate of [0]"),
    ("a bad label", POD, "metadata.labels.app", "a b", "is not a label value"),
    (
        "data that is no text",
        CONFIG_MAP,
        "data.NCCL_IB_TC",
        106,
        "data.NCCL_IB_TC: is integer 106, must be string",
    ),
    ("a field in the wrong place", CONFIG_MAP, "spec", {}, "spec: unknown field"),
    (
        "a rule in the wrong place",
        NETWORK_POLICY,
        "spec.egress.0.port",
        53,
        "spec.egress[0].port: unknown field",
    ),
    ("a bad policy type", NETWORK_POLICY, "spec.policyTypes", "Ingress", "must be array"),
    (
        "a version of yesterday",
        NETWORK_POLICY,
        "apiVersion",
        "networking.k8s.io/v1beta1",
        "no NetworkPolicy in",
    ),
    ("a namespace in a namespace", NAMESPACE, "metadata.namespace", "x", "Namespace is cluster-scoped"),
    (
        "a schema's misspelled field",
        CRD,
        "spec.versions.0.schema.openAPIV3Schema.propertys",
        {},
        "unknown field",
    ),
]

CLUSTER_QUEUE = """
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: queue}
spec:
  namespaceSelector: {}
  resourceGroups:
    - coveredResources: [nvidia.com/gpu]
      flavors: [{name: h200, resources: [{name: nvidia.com/gpu, nominalQuota: 8}]}]
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: chat, namespace: team}
spec: {rules: [{backendRefs: [{name: chat, port: 80}]}]}
"""
RULED: list[tuple[str, str, Any, str]] = [
    (
        CLUSTER_QUEUE,
        "spec.resourceGroups.0.coveredResources",
        ["cpu", "nvidia.com/gpu"],
        "same number of resources",
    ),
    (
        CLUSTER_QUEUE,
        "spec.preemption",
        {"reclaimWithinCohort": "Never", "borrowWithinCohort": {"policy": "LowerPriority"}},
        "spec.preemption: ",
    ),
    (ROUTE, "spec.rules.0.backendRefs.0.port", None, "Must have port for Service reference"),
    (ROUTE, "spec.rules.0.filters", [{"type": "RequestRedirect"}], "spec.rules[0].filters[0]: "),
]

CHARTS: list[tuple[str, dict[str, Any], str | None]] = [
    ("gpu-operator", {"driver": {"enabled": False}, "hostPaths": {"kubeletRootDir": "/data/kubelet"}}, None),
    (
        "gpu-operator",
        {"driver": {"enabld": False}},
        'driver.enabld: gpu-operator has no such value; did you mean "enabled"?',
    ),
    ("gpu-operator", {"node-feature-discovery": {"worker": {"tolerations": []}}}, None),
    ("gpu-operator", {"node-feature-discovery": {"wroker": {}}}, "node-feature-discovery.wroker"),
    (
        "network-operator",
        {"sriov-network-operator": {"operator": {"externalDrainer": {"enabled": True}}}},
        None,
    ),
    (
        "network-operator",
        {"sriov-network-operator": {"operator": {"drainer": {}}}},
        "sriov-network-operator.operator.drainer",
    ),
    ("gpu-operator", {"toolkit": {"enabled": "false"}}, "toolkit.enabled: is a boolean"),
    ("no-such-chart", {}, None),
    ("no-such-chart", {"a": 1}, "no values.yaml of chart no-such-chart is stored"),
]


@pytest.mark.schema
def test_every_example_of_the_facts_is_taken(schemas: Schemas, sound_resources: list[dict[str, Any]]) -> None:
    assert len(sound_resources) > 40
    assert [(example["kind"], found) for example in sound_resources if (found := schemas.problems(example))] == []


@pytest.mark.schema
def test_a_sound_custom_resource_has_no_problem(schemas: Schemas) -> None:
    assert schemas.problems(documents(NICS)[0]) == []


@pytest.mark.schema
@pytest.mark.parametrize(("path", "value", "says"), [case[1:] for case in CUSTOM], ids=[case[0] for case in CUSTOM])
def test_a_fault_of_a_custom_resource_is_found(schemas: Schemas, path: str, value: Any, says: str) -> None:
    found = schemas.problems(edited(documents(NICS)[0], path, value))
    assert len(found) == 1
    assert says in found[0]


@pytest.mark.schema
@pytest.mark.parametrize("text", [POD, CONFIG_MAP, NETWORK_POLICY, CRD, NAMESPACE])
def test_a_sound_native_object_has_no_problem(schemas: Schemas, text: str) -> None:
    assert schemas.problems(documents(text)[0]) == []


@pytest.mark.schema
@pytest.mark.parametrize(
    ("text", "path", "value", "says"), [case[1:] for case in NATIVE], ids=[case[0] for case in NATIVE]
)
def test_a_fault_of_a_native_object_is_found(schemas: Schemas, text: str, path: str, value: Any, says: str) -> None:
    found = schemas.problems(edited(documents(text)[0], path, value))
    assert len(found) == 1
    assert says in found[0]


@needs_cel
@pytest.mark.schema
@pytest.mark.parametrize(("text", "path", "value", "says"), RULED)
def test_a_broken_rule_of_a_crd_is_found(schemas: Schemas, text: str, path: str, value: Any, says: str) -> None:
    assert schemas.problems(documents(text)[0]) == []
    found = schemas.problems(edited(documents(text)[0], path, value))
    assert len(found) == 1
    assert says in found[0]


@needs_cel
@pytest.mark.schema
def test_the_examples_run_their_rules(schemas: Schemas, sound_resources: list[dict[str, Any]]) -> None:
    fresh = Schemas(schemas.folder)
    for example in sound_resources:
        fresh.problems(example)
    assert set(fresh.rules.counts) == {"passed", "transition"}
    assert fresh.rules.counts["passed"] > 80


@pytest.mark.schema
@pytest.mark.parametrize(("chart", "values", "says"), CHARTS)
def test_chart_values_are_held_to_the_chart(
    schemas: Schemas, chart: str, values: dict[str, Any], says: str | None
) -> None:
    found = schemas.chart_problems(chart, values)
    assert len(found) == (says is not None)
    assert says is None or says in found[0]


@pytest.mark.schema
def test_every_stored_chart_takes_its_own_values(schemas: Schemas) -> None:
    charts = sorted(path.parent.name for path in schemas.folder.glob("chart-values/*/values.yaml"))
    assert len(charts) > 100
    assert [(chart, found) for chart in charts if (found := schemas.chart_problems(chart, schemas.values(chart)))] == []


@pytest.mark.schema
def test_the_tables_name_only_what_is_stored(schemas: Schemas) -> None:
    charts = {path.name for path in (schemas.folder / "chart-values").iterdir()}
    assert {chart for subs in SUB_CHARTS.values() for chart in subs.values()} | set(SUB_CHARTS) <= charts
    assert {chart for chart, _ in KNOWN} <= charts
    assert len(KNOWN) <= 5
    for (chart, path), why in PASSED_ON.items():
        assert schemas.chart_problems(chart, nested(path.replace("grafana.ini", "grafana#ini"), {"any": 1})) == []
        assert schemas.chart_problems(chart, nested("nowhere", {"any": 1})) != []
        assert why
    natives = {kind for _, kind in schemas.native_kinds()}
    assert natives >= CLUSTER_SCOPED


@pytest.mark.schema
def test_the_named_project_answers_for_its_crd(schemas: Schemas) -> None:
    spectrum_x = {"enabled": True, "version": "profile-map", "overlay": "none"}
    template = edited(documents(NICS)[0], "spec.template.roceOptimized", None)
    template = edited(template, "spec.template.spectrumXOptimized", spectrum_x)
    template = edited(edited(template, "spec.nicSelector.nicType", "1023"), "spec.template.numVfs", 1)
    assert any("version" in found for found in schemas.problems(template))
    assert schemas.problems(template, project="nic-configuration-operator-26.7rc") == []
    assert "not in project kueue" in schemas.problems(template, project="kueue")[0]


def test_no_schemas_skip_the_lane_with_one_reason(tmp_path: Path) -> None:
    environment = os.environ | {"AIFACTORY_SCHEMAS": str(tmp_path), "CI": ""}  # where a skip is a failure
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", __file__, "-k", "facts"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"schema   1 skipped\n         skipped 1: {REASON_ABSENT}\n" in run.stdout
