"""Lists the rows of a fabric: drivers first, then NICs, virtual functions, addresses, networks, settings."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.fabric.efa import rows as efa
from aifactory.components.fabric.efa.model import EfaPlan
from aifactory.components.fabric.model import FabricPlan, Network
from aifactory.components.fabric.objects import networks, nics, operators, waiting
from aifactory.components.fabric.switches import content
from aifactory.components.names import object_id
from aifactory.components.rows import Gate, HostRow, KubernetesRow, Maker, Row, SwitchRow, capability

MELLANOX = "mellanox.com/v1alpha1"
NICS = "configuration.net.nvidia.com/v1alpha1"
SRIOV = "sriovnetwork.openshift.io/v1"
IPAM = "nv-ipam.nvidia.com/v1alpha1"
MAINTENANCE = "maintenance.nvidia.com/v1alpha1"
NETWORKS = "k8s.cni.cncf.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
ADMISSION = "admissionregistration.k8s.io/v1"

DRIVER_TIMEOUT_S = 3600
"""A source build takes up to 20 minutes on a node, after drains. Source: Mellanox/network-operator PR#318."""

OPERATOR_TIMEOUT_S = 1800

CLUSTER_POLICY = object_id(MELLANOX, "NicClusterPolicy", "", "nic-cluster-policy")
OPERATOR = capability("network-operator")


def rows(plan: FabricPlan | EfaPlan, maker: Maker) -> Iterator[Row]:
    """The rows of one fabric."""
    if isinstance(plan, EfaPlan):
        yield from efa.rows(plan, maker)
        return
    drivers = list(_drivers(plan, maker))
    yield from drivers
    yield from _singletons(plan, maker, [row.id for row in drivers])
    settings = list(_nics(plan, maker, [row.id for row in drivers]))
    yield from settings
    functions = list(_functions(plan, maker, [row.id for row in settings]))
    yield from functions
    yield from _addresses(plan, maker)
    rails = list(_networks(plan, maker, [row.id for row in functions]))
    yield from rails
    ready = list(_acceptance(plan, maker, [row.id for row in (*drivers, *settings, *functions, *rails)]))
    yield from ready
    yield from _settings(plan, maker, [row.id for row in ready[-1:]])
    yield from _outside(plan, maker)


def _operator(plan: FabricPlan) -> tuple[str, ...]:
    """What brings the definitions that the Network Operator makes when its policy asks for them."""
    return () if plan.given_operator else (CLUSTER_POLICY,)


def _drivers(plan: FabricPlan, maker: Maker) -> Iterator[KubernetesRow]:
    for policy in plan.node_policies:
        yield maker.kubernetes(
            MELLANOX,
            "NicNodePolicy",
            policy.name,
            spec=operators.node_policy(policy),
            after=[OPERATOR, capability("node-feature-discovery")],
            gate=Gate(path=".status.state", value="ready", timeout_s=DRIVER_TIMEOUT_S),
            timeout_s=DRIVER_TIMEOUT_S,
        )


def _singletons(plan: FabricPlan, maker: Maker, drivers: list[str]) -> Iterator[KubernetesRow]:
    """After the drivers: a daemon that waits for a driver has no pod yet, and a daemon without pods is not
    ready.

    Source: Mellanox/network-operator pkg/state/state_skel.go, isDaemonSetReady.
    """
    if plan.operators is None:
        return
    yield maker.kubernetes(
        MELLANOX,
        "NicClusterPolicy",
        "nic-cluster-policy",
        spec=operators.cluster_policy(plan.operators),
        after=[OPERATOR, *drivers],
        gate=Gate(path=".status.state", value="ready", timeout_s=OPERATOR_TIMEOUT_S),
        timeout_s=OPERATOR_TIMEOUT_S,
    )
    yield maker.kubernetes(
        MAINTENANCE,
        "MaintenanceOperatorConfig",
        "default",
        plan.operator_namespace,
        spec=operators.maintenance(plan.operators),
        after=[OPERATOR],
    )
    if plan.operators.sriov:
        yield maker.kubernetes(
            SRIOV,
            "SriovOperatorConfig",
            "default",
            plan.operator_namespace,
            spec=operators.sriov_operator(plan.operators.sriov),
            after=[OPERATOR],
        )


def _nics(plan: FabricPlan, maker: Maker, drivers: list[str]) -> Iterator[KubernetesRow]:
    after = [*_operator(plan), *drivers]
    where = plan.operator_namespace
    for names in plan.interface_names:
        spec = nics.interface_names(names)
        yield maker.kubernetes(NICS, "NicInterfaceNameTemplate", names.name, where, spec=spec, after=after)
    for template in plan.nic_templates:
        spec = nics.nic_template(template)
        yield maker.kubernetes(NICS, "NicConfigurationTemplate", template.name, where, spec=spec, after=after)
    for source in plan.firmware_sources:
        yield maker.kubernetes(
            NICS,
            "NicFirmwareSource",
            source.name,
            where,
            spec={"binUrlSources": list(source.archives)},
            after=after,
            gate=Gate(path=".status.state", value="Success"),
        )
    for check in plan.firmware_checks:
        needed = object_id(NICS, "NicFirmwareSource", where, check.source)
        spec = nics.firmware_check(check)
        yield maker.kubernetes(NICS, "NicFirmwareTemplate", check.name, where, spec=spec, after=[*after, needed])


def _functions(plan: FabricPlan, maker: Maker, settings: list[str]) -> Iterator[KubernetesRow]:
    where = plan.operator_namespace
    config = [object_id(SRIOV, "SriovOperatorConfig", where, "default")] if not plan.given_operator else []
    pools = []
    for pool in plan.function_pools:
        spec = nics.function_pool(pool)
        row = maker.kubernetes(SRIOV, "SriovNetworkPoolConfig", pool.name, where, spec=spec, after=[*config, *settings])
        pools.append(row.id)
        yield row
    for policy in plan.function_policies:
        spec = nics.function_policy(policy)
        after = [*config, *settings, *pools]
        yield maker.kubernetes(SRIOV, "SriovNetworkNodePolicy", policy.name, where, spec=spec, after=after)


def _addresses(plan: FabricPlan, maker: Maker) -> Iterator[KubernetesRow]:
    for pool in plan.address_pools:
        kind = "CIDRPool" if pool.node_prefix else "IPPool"
        spec = networks.routed_pool(pool) if pool.node_prefix else networks.flat_pool(pool)
        yield maker.kubernetes(IPAM, kind, pool.name, plan.operator_namespace, spec=spec, after=_operator(plan))


def _networks(plan: FabricPlan, maker: Maker, functions: list[str]) -> Iterator[KubernetesRow]:
    api, kind, namespaced, body = networks.NETWORKS[plan.mode]
    before = object_id("v1", "Namespace", "", plan.network_namespace)
    for network in plan.networks:
        pool = _pool_id(plan, network)
        yield maker.kubernetes(
            api,
            kind,
            network.name,
            plan.operator_namespace if namespaced else "",
            spec=body(network, plan.network_namespace),
            after=[OPERATOR, before, pool, *functions],
        )
    for partition in plan.partitions:
        pool = _pool_id(plan, partition.network)
        yield maker.kubernetes(
            NETWORKS,
            "NetworkAttachmentDefinition",
            partition.network.name,
            partition.namespace,
            annotations=networks.partition_annotations(partition),
            spec=networks.partition(partition),
            after=[*_operator(plan), pool, *functions],
        )
    if plan.guard:
        yield maker.kubernetes(ADMISSION, "ValidatingAdmissionPolicy", plan.guard.name, spec=networks.guard())
        yield maker.kubernetes(
            ADMISSION,
            "ValidatingAdmissionPolicyBinding",
            plan.guard.name,
            spec=networks.guard_binding(plan.guard),
            after=[object_id(ADMISSION, "ValidatingAdmissionPolicy", "", plan.guard.name)],
        )


def _pool_id(plan: FabricPlan, network: Network) -> str:
    return object_id(IPAM, "CIDRPool" if network.routed else "IPPool", plan.operator_namespace, network.addresses)


def _acceptance(plan: FabricPlan, maker: Maker, before: list[str]) -> Iterator[KubernetesRow]:
    """The Job is the last of them."""
    found = plan.acceptance
    if found is None:
        return
    body = {"automountServiceAccountToken": False}
    account = maker.kubernetes("v1", "ServiceAccount", found.account, found.namespace, body=body)
    role = maker.kubernetes(RBAC, "ClusterRole", found.account, body={"rules": waiting.rules()})
    binding = maker.kubernetes(
        RBAC,
        "ClusterRoleBinding",
        found.account,
        body=waiting.binding(found),
        after=[role.id, account.id],
    )
    yield from (account, role, binding)
    yield maker.kubernetes(
        "batch/v1",
        "Job",
        found.name,
        found.namespace,
        spec=waiting.job(found, maker.pod_labels()),
        after=[*before, *_operator(plan), binding.id],
        gate=Gate(condition="Complete", timeout_s=found.timeout_s),
        timeout_s=found.timeout_s,
    )


def _settings(plan: FabricPlan, maker: Maker, ready: list[str]) -> Iterator[KubernetesRow]:
    """Workloads wait for the settings that they mount, and so for the rails."""
    for namespace in plan.settings_namespaces:
        yield maker.kubernetes(
            "v1",
            "ConfigMap",
            plan.settings_name,
            namespace,
            body={"data": dict(plan.settings)},
            after=ready,
        )


def _outside(plan: FabricPlan, maker: Maker) -> Iterator[HostRow | SwitchRow]:
    """What isn't in the cluster: files on nodes, settings of switches."""
    for file in plan.host_files:
        yield HostRow(
            f"Host/{file.name}",
            maker.part,
            file.hosts,
            file.path,
            file.content,
            file.why,
            file.reboot,
            wave=maker.wave,
        )
    for switch in plan.switches:
        why = (
            f"Ports that face nodes of {switch.fabric}: MTU {switch.mtu}, DSCP {switch.dscp} to lossless "
            f"priority {switch.priority}, DSCP {switch.cnp_dscp} strict. Must agree with the hosts' MTU "
            f"{switch.host_mtu} and NCCL_IB_TC {switch.traffic_class}."
        )
        yield SwitchRow(
            f"Switch/{switch.name}",
            maker.part,
            switch.name,
            switch.system,
            content(switch),
            why,
            wave=maker.wave,
        )
