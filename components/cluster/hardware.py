"""Releases that make hardware usable: node features, GPU drivers, NIC drivers, GPUs as DRA devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aifactory.components.cluster.recipe import (
    Need,
    Recipe,
    Setting,
    Terms,
    tolerate_control_nodes,
)
from aifactory.components.rows import Wave

_NFD = Need("node-feature-discovery", "it places its pods by the PCI labels of the nodes")
_BUILDS = (
    "a driver that is built on the node fetches packages from mirrors and proxies on ports of their own; "
    "its pods are root on the node, which no policy contains"
)
_ONE_NFD = "two NFDs write the same labels and definitions; the stand-alone one is the owner"


def _node_feature_discovery(terms: Terms) -> Iterator[Setting]:
    yield Setting("priorityClassName", "system-node-critical", "drivers wait for its labels (NVIDIA/gpu-operator#827)")
    yield Setting("worker.tolerations", [{"operator": "Exists"}], "a tainted node needs its labels most of all")
    yield from tolerate_control_nodes("gc.tolerations")
    yield Setting(
        "worker.config.sources.pci",
        {"deviceClassWhitelist": ["02", "0200", "0207", "0300", "0302"], "deviceLabelFields": ["vendor"]},
        "both operators select nodes by pci-10de.present and pci-15b3.present: by vendor alone, and with "
        "network classes; the defaults have neither (Mellanox/network-operator#557)",
    )
    yield Setting("prometheus.enable", terms.scraped, "scraped where Prometheus is there before it")


def _gpu_operator(terms: Terms) -> Iterator[Setting]:
    yield Setting("nfd.enabled", False, _ONE_NFD)
    yield Setting("operator.upgradeCRD", True, "Helm never upgrades files of crds/; the chart's hook does")
    yield Setting("operator.cleanupCRD", False, "an uninstall must not delete ClusterPolicy and its drivers' state")
    yield Setting(
        "operator.resources.limits.memory",
        "700Mi",
        "350Mi is too little for clusters of many nodes (NVIDIA/aicr)",
    )
    yield Setting("ccManager.enabled", False, "it is on by default and only confidential computing needs it")
    yield Setting(
        "kataSandboxDevicePlugin.enabled",
        False,
        "on by default, it renders a field that the definition doesn't have",
    )
    yield Setting(
        "validator.plugin.env",
        [{"name": "WITH_WORKLOAD", "value": "false"}],
        "an empty list renders null, which the definition refuses; a test workload would take a GPU of a tenant",
    )
    yield Setting(
        "dcgmExporter.serviceMonitor.enabled",
        terms.scraped,
        "without Prometheus there is no such kind (NVIDIA/gpu-operator#2262)",
    )
    yield Setting(
        "platform.openshift",
        terms.distribution == "openshift",
        "OpenShift has its own toolkit and constraints",
    )


def _network_operator(terms: Terms) -> Iterator[Setting]:
    yield Setting("nfd.enabled", False, _ONE_NFD)
    yield Setting(
        "nfd.deployNodeFeatureRules",
        True,
        "its rules label nodes with RDMA and SR-IOV; ours has the kind they need",
    )
    yield Setting("upgradeCRDs", True, "Helm never upgrades files of crds/; the chart's hook does")
    yield Setting("operator.useDTK", terms.distribution == "openshift", "the driver toolkit exists on OpenShift alone")
    yield Setting(
        "operator.maintenanceOperator.nodeMaintenanceNamespace",
        terms.namespace,
        "its requests to drain a node lie in namespace default unless told otherwise; nothing of ours does",
    )


def _no_settings(_: Terms) -> Iterable[Setting]:
    """None: what it needs follows from the pools."""
    return ()


def _neuron(terms: Terms) -> Iterator[Setting]:
    yield Setting("devicePlugin.namespaceOverride", terms.namespace, "kube-system has no baseline of ours")
    yield Setting("npd.enabled", False, "it comes with a namespace of its own, and restarts nodes by itself")
    yield Setting(
        "scheduler.enabled",
        False,
        "the extension is for pods that take some devices of a node; here a pod takes one or all",
    )


def _dra_driver(terms: Terms) -> Iterator[Setting]:
    yield Setting("webhook.replicas", terms.replicas, "where the webhook is on, a drained node must not silence it")


NODE_FEATURE_DISCOVERY = Recipe(
    # Before the hardware: storage reads the racks of its nodes from labels, and comes in this wave.
    wave=Wave.TELEMETRY,
    timeout_s=600,
    settings=_node_feature_discovery,
    purpose="Node labels from hardware",
    pod_security="privileged",
    metrics=(8080,),
    critical_pods=True,
)
GPU_OPERATOR = Recipe(
    wave=Wave.HARDWARE,
    timeout_s=1800,
    settings=_gpu_operator,
    purpose="GPU driver, toolkit, device plugin and DCGM",
    pod_security="privileged",
    to=("any",),
    to_why=_BUILDS,
    metrics=(8000, 8080, 9400),
    critical_pods=True,
    needs=(_NFD,),
    after=("network-operator",),  # the driver's RDMA check waits for the NIC driver
)
NETWORK_OPERATOR = Recipe(
    wave=Wave.HARDWARE,
    timeout_s=1200,
    settings=_network_operator,
    purpose="NIC driver, SR-IOV and secondary networks",
    pod_security="privileged",
    to=("any",),
    to_why=_BUILDS,
    webhooks=(6443, 9443),
    metrics=(8080,),
    critical_pods=True,
    needs=(
        _NFD,
        Need(
            "cert-manager",
            "its webhook takes its certificate from there",
            "operator.admissionController.enabled",
        ),
        Need(
            "cert-manager",
            "the SR-IOV webhook takes its certificate from there",
            "sriov-network-operator.operator.admissionControllers.enabled",
        ),
        Need(
            "cert-manager",
            "the maintenance webhook takes its certificate from there",
            "maintenance-operator-chart.operator.admissionController.certificates.certManager.enable",
        ),
    ),
)
DRA_DRIVER_NVIDIA_GPU = Recipe(
    wave=Wave.HARDWARE,
    timeout_s=2700,  # its plugin waits for a driver that may be built for 20 minutes first
    settings=_dra_driver,
    purpose="GPUs as DRA devices, and ComputeDomains",
    pod_security="privileged",
    webhooks=(443,),
    metrics=(8080, 8081),
    critical_pods=True,
    needs=(_NFD, Need("cert-manager", "its webhook takes its certificate from there", "webhook.enabled")),
    after=("gpu-operator",),
)
EFA_DEVICE_PLUGIN = Recipe(
    wave=Wave.HARDWARE,
    timeout_s=900,
    settings=_no_settings,
    purpose="EFA devices, counted for pods",
    pod_security="privileged",
    to=(),
    to_why="its pods are on the host's network, and speak with the kubelet by a socket",
    critical_pods=True,
)
NEURON_DEVICE_PLUGIN = Recipe(
    wave=Wave.HARDWARE,
    timeout_s=900,
    settings=_neuron,
    purpose="Trainium and Inferentia devices, counted for pods",
    pod_security="privileged",
    to=("dns", "api"),
    to_why="the device plugin asks the API server for pods of its node",
    critical_pods=True,
)
