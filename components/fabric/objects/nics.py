"""Settings, names and virtual functions of NICs."""

from __future__ import annotations

from aifactory.components.fabric.model import (
    FirmwareCheck,
    FunctionPolicy,
    FunctionPool,
    InterfaceNames,
    NicTemplate,
)
from aifactory.components.fabric.objects.common import MELLANOX_VENDOR
from aifactory.components.rows import Tree


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
