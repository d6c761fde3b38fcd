"""The `spec` of each object of a fabric."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aifactory.components import names
from aifactory.components.fabric.model import (
    AddressPool,
    DeviceList,
    DriverContainer,
    FirmwareCheck,
    FunctionPolicy,
    FunctionPool,
    IbKubernetes,
    Image,
    InterfaceNames,
    Network,
    NetworkGuard,
    NicOperator,
    NicTemplate,
    NodePolicy,
    Operators,
    Partition,
    SriovOperator,
)
from aifactory.components.fabric.modes import SHARED_PODS
from aifactory.components.offers import Taint
from aifactory.components.pods import NETWORKS_ANNOTATION
from aifactory.components.rows import Tree
from aifactory.components.values import Json, canonical_json

MELLANOX_VENDOR = "15b3"
VENDOR_PREFIX = "nvidia.com"


def _image(image: Image) -> Tree:
    return {"image": image.image, "repository": image.repository, "version": image.version}


def _tolerations(taints: Iterable[Taint]) -> list[Tree]:
    return [taint.toleration() for taint in taints]


def _pool_terms(pools: tuple[str, ...]) -> Tree:
    """Selects the nodes of the pools, and no others."""
    expression = {"key": names.POOL_LABEL, "operator": "In", "values": list(pools)}
    return {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}


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
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _pool_terms(operators.pools)},
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


def interface_names(template: InterfaceNames) -> Tree:
    """NicInterfaceNameTemplate."""
    return {
        "nodeSelector": dict(template.node_labels),
        "pfsPerNic": 1,
        "netDevicePrefix": f"{template.net_prefix}%rail_id%",
        "rdmaDevicePrefix": f"{template.rdma_prefix}%rail_id%",
        "railPciAddresses": [[nic.pci] for nic in template.nics],
    }


def nic_template(template: NicTemplate) -> Tree:
    """NicConfigurationTemplate."""
    settings: Tree = {
        "numVfs": template.virtual_functions,
        "linkType": template.link_type,
        "pciPerformanceOptimized": {"enabled": True, "maxReadRequest": 4096},
        "gpuDirectOptimized": {"enabled": True, "env": "Baremetal"},
    }
    if template.roce:
        settings["roceOptimized"] = {
            "enabled": True,
            "qos": {"trust": "dscp", "pfc": template.roce.pfc, "tos": template.roce.tos},
        }
        # The profile writes CNP_DSCP 4; raw settings come after it. A port that a NIC lacks is left out.
        settings["rawNvConfig"] = [
            {"name": f"CNP_DSCP_P{port}", "value": str(template.roce.cnp_dscp)} for port in (1, 2)
        ]
    return {
        "nodeSelector": dict(template.node_labels),
        "nicSelector": {"nicType": template.nic_type, "pciAddresses": list(template.pci)},
        "resetToDefault": False,
        "template": settings,
    }


def firmware_check(check: FirmwareCheck) -> Tree:
    """NicFirmwareTemplate, which compares and never writes."""
    return {
        "nodeSelector": dict(check.node_labels),
        "nicSelector": {"nicType": check.nic_type},
        "template": {"nicFirmwareSourceRef": check.source, "updatePolicy": "Validate"},
    }


def function_pool(pool: FunctionPool) -> Tree:
    """SriovNetworkPoolConfig."""
    return {
        "maxUnavailable": pool.nodes_at_a_time,
        "rdmaMode": pool.rdma_mode,
        "nodeSelector": {"matchLabels": dict(pool.node_labels)},
    }


def function_policy(policy: FunctionPolicy) -> Tree:
    """SriovNetworkNodePolicy."""
    return {
        "resourceName": policy.resource,
        "priority": 90,
        "numVfs": policy.functions,
        "mtu": policy.mtu,
        "isRdma": True,
        "linkType": policy.link_type,
        "deviceType": "netdevice",
        "nicSelector": {"vendor": MELLANOX_VENDOR, "rootDevices": [policy.pci]},
        "nodeSelector": dict(policy.node_labels),
    }


def flat_pool(pool: AddressPool) -> Tree:
    """IPPool: one subnet, a block of addresses for each node."""
    return {"subnet": pool.cidr, "perNodeBlockSize": pool.per_node, "nodeSelector": _pool_terms(pool.pools)}


def routed_pool(pool: AddressPool) -> Tree:
    """CIDRPool: a prefix for each node, fixed because the leaf's port has its gateway."""
    return {
        "cidr": pool.cidr,
        "perNodeNetworkPrefix": pool.node_prefix,
        "gatewayIndex": pool.gateway_index,
        "routes": [{"dst": pool.route}],
        "nodeSelector": _pool_terms(pool.pools),
        "staticAllocations": [
            {"nodeName": node.node, "prefix": node.prefix, "gateway": node.gateway} for node in pool.nodes
        ],
    }


def _ipam(network: Network) -> Tree:
    kind: Tree = {"poolType": "cidrpool"} if network.routed else {}
    return {"type": "nv-ipam", "poolName": network.addresses, **kind}


def _chain(network: Network) -> str:
    """Plugins after the network's own, as the operator pastes them into a list: objects with commas
    between."""
    plugins: list[Tree] = []
    if network.quiet_arp:
        sysctl = {"net.ipv4.conf.IFNAME.arp_announce": "2", "net.ipv4.conf.IFNAME.arp_ignore": "1"}
        plugins.append({"type": "tuning", "sysctl": sysctl})
    if network.source_routing:
        plugins.append({"type": "sbr"})
    if network.rdma_namespace:
        plugins.append({"type": "rdma"})
    return ",".join(canonical_json(plugin) for plugin in plugins)


def _with_chain(spec: Tree, network: Network) -> Tree:
    chain = _chain(network)
    return {**spec, "metaPlugins": chain} if chain else spec


def _sriov_network(network: Network, namespace: str) -> Tree:
    spec: Tree = {
        "resourceName": network.resource,
        "networkNamespace": namespace,
        "spoofChk": "off",
        "trust": "on",
        "linkState": "auto",
        "ipam": Json(_ipam(network)),
    }
    return _with_chain(spec, network)


def _sriov_ib_network(network: Network, namespace: str) -> Tree:
    spec: Tree = {
        "resourceName": network.resource,
        "networkNamespace": namespace,
        "linkState": "enable",
        "ipam": Json(_ipam(network)),
    }
    return _with_chain(spec, network)


def _host_device_network(network: Network, namespace: str) -> Tree:
    return {
        "resourceName": network.resource,
        "networkNamespace": namespace,
        "ipam": Json(_ipam(network)),
    }


def _macvlan_network(network: Network, namespace: str) -> Tree:
    # 0 takes the MTU of the host's interface: a larger one than that keeps pods from starting.
    return {
        "master": network.interface,
        "mode": "bridge",
        "mtu": 0,
        "networkNamespace": namespace,
        "ipam": Json(_ipam(network)),
    }


def _ipoib_network(network: Network, namespace: str) -> Tree:
    return {"master": network.interface, "networkNamespace": namespace, "ipam": Json(_ipam(network))}


Body = Callable[[Network, str], Tree]
NETWORKS: dict[str, tuple[str, str, bool, Body]] = {
    "sriov-ethernet": ("sriovnetwork.openshift.io/v1", "SriovNetwork", True, _sriov_network),
    "sriov-ib": ("sriovnetwork.openshift.io/v1", "SriovIBNetwork", True, _sriov_ib_network),
    "host-device": ("mellanox.com/v1alpha1", "HostDeviceNetwork", False, _host_device_network),
    "macvlan-rdma-shared": ("mellanox.com/v1alpha1", "MacvlanNetwork", False, _macvlan_network),
    "ipoib-rdma-shared": ("mellanox.com/v1alpha1", "IPoIBNetwork", False, _ipoib_network),
}
"""By mode: API version and kind of its network, whether it has a namespace, and its `spec`."""


def partition_annotations(found: Partition) -> dict[str, str]:
    """What tells Multus which device the network takes."""
    return {"k8s.v1.cni.cncf.io/resourceName": f"{VENDOR_PREFIX}/{found.network.resource}"}


def partition(found: Partition) -> Tree:
    """NetworkAttachmentDefinition of a tenant's rail; ib-kubernetes reads the key from it."""
    main = {
        "type": "ib-sriov",
        "pkey": found.pkey,
        "link_state": "enable",
        "ibKubernetesEnabled": True,
        "ipam": _ipam(found.network),
    }
    chain: list[Tree] = []
    if found.network.quiet_arp:
        sysctl = {"net.ipv4.conf.IFNAME.arp_announce": "2", "net.ipv4.conf.IFNAME.arp_ignore": "1"}
        chain.append({"type": "tuning", "sysctl": sysctl})
    return {"config": Json({"cniVersion": "0.3.1", "name": found.network.name, "plugins": [main, *chain]})}


def guard() -> Tree:
    """ValidatingAdmissionPolicy: a pod names networks without a namespace, so it gets those of its own."""
    annotations = f"object.metadata.annotations['{NETWORKS_ANNOTATION}']"
    unnamed = (
        f"!has(object.metadata.annotations) || !('{NETWORKS_ANNOTATION}' in object.metadata.annotations) || "
    )
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["pods"],
                }
            ]
        },
        "validations": [
            {
                "expression": f"{unnamed}!{annotations}.contains('/') && "
                "!{annotations}.contains('\"namespace\"')",
                "message": "name networks of this namespace alone: each tenant has an InfiniBand partition "
                "of its own",
                "reason": "Forbidden",
            }
        ],
    }


def guard_binding(found: NetworkGuard) -> Tree:
    """ValidatingAdmissionPolicyBinding for the tenants' namespaces."""
    expression = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(found.namespaces)}
    return {
        "policyName": found.name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchExpressions": [expression]}},
    }
