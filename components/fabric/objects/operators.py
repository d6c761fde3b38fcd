"""Policies and settings of the operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aifactory.components.fabric.model import (
    DeviceList,
    DriverContainer,
    IbKubernetes,
    Image,
    NicOperator,
    NodePolicy,
    Operators,
    SriovOperator,
)
from aifactory.components.fabric.modes import SHARED_PODS
from aifactory.components.fabric.objects.common import MELLANOX_VENDOR, VENDOR_PREFIX, pool_terms
from aifactory.components.offers import Taint
from aifactory.components.rows import Tree
from aifactory.components.values import Json


def _image(image: Image) -> Tree:
    return {"image": image.image, "repository": image.repository, "version": image.version}


def _tolerations(taints: Iterable[Taint]) -> list[Tree]:
    return [taint.toleration() for taint in taints]


def node_policy(policy: NodePolicy) -> Tree:
    """NicNodePolicy."""
    spec: Tree = {"nodeSelector": dict(policy.node_labels), "tolerations": _tolerations(policy.tolerations)}
    if policy.driver:
        spec["ofedDriver"] = _driver(policy.driver)
    if policy.devices:
        section, config = _PLUGINS[policy.devices.plugin]
        spec[section] = {**_image(policy.devices.image), "config": Json(config(policy.devices))}
    return spec


def _driver(driver: DriverContainer) -> Tree:
    return {
        **_image(driver.image),
        "env": [{"name": name, "value": value} for name, value in driver.environment],
        "forcePrecompiled": False,
        # 60 failures of 20 s: the 20 minutes that a source build takes.
        "startupProbe": {"initialDelaySeconds": 10, "periodSeconds": 20, "failureThreshold": 60},
        "livenessProbe": {"initialDelaySeconds": 30, "periodSeconds": 30},
        "readinessProbe": {"initialDelaySeconds": 10, "periodSeconds": 30},
        "terminationGracePeriodSeconds": 300,
        "upgradePolicy": {
            "autoUpgrade": True,
            "maxParallelUpgrades": driver.nodes_at_a_time,
            "safeLoad": False,
            # A new driver waits for the gangs on a node, as the GPU driver does; a drain would kill every rank.
            "waitForCompletion": {"podSelector": "jobset.sigs.k8s.io/jobset-name", "timeoutSeconds": 0},
            "drain": {"enable": True, "force": True, "deleteEmptyDir": True, "timeoutSeconds": 300},
        },
    }


def _shared_devices(devices: DeviceList) -> Tree:
    return {
        "configList": [
            {
                "resourceName": resource,
                "rdmaHcaMax": SHARED_PODS,
                "selectors": {"vendors": [MELLANOX_VENDOR], "ifNames": [nic.interface]},
            }
            for resource, nic in devices.resources
        ]
    }


def _whole_devices(devices: DeviceList) -> Tree:
    return {
        "resourceList": [
            {
                "resourcePrefix": VENDOR_PREFIX,
                "resourceName": resource,
                "selectors": {"vendors": [MELLANOX_VENDOR], "pciAddresses": [nic.pci], "isRdma": True},
            }
            for resource, nic in devices.resources
        ]
    }


_PLUGINS: dict[str, tuple[str, Callable[[DeviceList], Tree]]] = {
    "rdma-shared": ("rdmaSharedDevicePlugin", _shared_devices),
    "sriov": ("sriovDevicePlugin", _whole_devices),
}


def cluster_policy(operators: Operators) -> Tree:
    """NicClusterPolicy: the components that serve all nodes, on the nodes of pools alone."""
    secondary: Tree = {"cniPlugins": _image(operators.cni_plugins), "multus": _image(operators.multus)}
    if operators.ipoib_cni:
        secondary["ipoib"] = _image(operators.ipoib_cni)
    spec: Tree = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": pool_terms(operators.pools)},
        "tolerations": _tolerations(operators.tolerations),
        "nvIpam": {**_image(operators.nv_ipam), "enableWebhook": False},
        "secondaryNetwork": secondary,
    }
    if operators.nic_operator:
        spec["nicConfigurationOperator"] = _nic_operator(operators.nic_operator)
    if operators.ib_kubernetes:
        spec["ibKubernetes"] = _ib_kubernetes(operators.ib_kubernetes)
    return spec


def _nic_operator(nics: NicOperator) -> Tree:
    spec: Tree = {
        "operator": _image(nics.operator),
        "configurationDaemon": _image(nics.daemon),
        "logLevel": "info",
    }
    if nics.reset_after_update:
        spec["env"] = [{"name": "FW_RESET_AFTER_CONFIG_UPDATE", "value": "true"}]
    if nics.storage:
        spec["nicFirmwareStorage"] = {
            "create": True,
            "pvcName": nics.storage.claim,
            "storageClassName": nics.storage.storage_class,
            "availableStorageSize": f"{nics.storage.size_gib}Gi",
        }
    return spec


def _ib_kubernetes(daemon: IbKubernetes) -> Tree:
    return {
        **_image(daemon.image),
        "pKeyGUIDPoolRangeStart": daemon.first_guid,
        "pKeyGUIDPoolRangeEnd": daemon.last_guid,
        "ufmSecret": daemon.secret,
    }


def maintenance(operators: Operators) -> Tree:
    """MaintenanceOperatorConfig."""
    return {
        "logLevel": "info",
        "maxParallelOperations": operators.nodes_at_a_time,
        "maxUnavailable": operators.nodes_at_a_time,
        "maxNodeMaintenanceTimeSeconds": 3600,
    }


def sriov_operator(sriov: SriovOperator) -> Tree:
    """SriovOperatorConfig."""
    spec: Tree = {
        "configDaemonNodeSelector": dict(sriov.node_selector),
        "configurationMode": "daemon",
        "disableDrain": False,
        "enableInjector": False,
        "enableOperatorWebhook": False,
        "logLevel": 2,
    }
    if sriov.leaves_firmware_alone:
        spec["disablePlugins"] = ["mellanox"]
    if sriov.resets_firmware:
        spec["featureGates"] = {"mellanoxFirmwareReset": True}
    return spec
