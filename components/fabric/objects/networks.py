"""Addresses and networks of rails, and who may use them."""

from __future__ import annotations

from collections.abc import Callable

from aifactory.components.fabric.model import AddressPool, Network, NetworkGuard, Partition
from aifactory.components.fabric.objects.common import VENDOR_PREFIX, pool_terms
from aifactory.components.pods import NETWORKS_ANNOTATION
from aifactory.components.rows import Tree
from aifactory.components.values import Json, canonical_json


def flat_pool(pool: AddressPool) -> Tree:
    """IPPool: one subnet, a block of addresses for each node."""
    return {"subnet": pool.cidr, "perNodeBlockSize": pool.per_node, "nodeSelector": pool_terms(pool.pools)}


def routed_pool(pool: AddressPool) -> Tree:
    """CIDRPool: a prefix for each node, fixed because the leaf's port has its gateway."""
    return {
        "cidr": pool.cidr,
        "perNodeNetworkPrefix": pool.node_prefix,
        "gatewayIndex": pool.gateway_index,
        "routes": [{"dst": pool.route}],
        "nodeSelector": pool_terms(pool.pools),
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
    unnamed = f"!has(object.metadata.annotations) || !('{NETWORKS_ANNOTATION}' in object.metadata.annotations) || "
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
                "expression": f"{unnamed}!{annotations}.contains('/') && !{{annotations}}.contains('\"namespace\"')",
                "message": "name networks of this namespace alone: each tenant has an InfiniBand partition of its own",
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
