"""Rows of EFA: its security group in the base; Jobs that wait for devices, and settings, in the platform."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.aws_rows import AwsRows
from aifactory.components.fabric.efa.model import GROUP_TOKEN, EfaPlan
from aifactory.components.fabric.objects import waiting
from aifactory.components.rows import Gate, KubernetesRow, Maker, Row, capability

INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
RBAC = "rbac.authorization.k8s.io/v1"
ALL = "-1"
"""Protocol that stands for all."""


def rows(plan: EfaPlan, maker: Maker) -> Iterator[Row]:
    """All of it."""
    yield from _group(plan, maker)
    ready: list[str] = []
    for index in range(len(plan.acceptance)):
        found = list(_acceptance(plan, index, maker))
        ready.append(found[-1].id)
        yield from found
    for namespace in plan.settings_namespaces:
        data = {"data": dict(plan.settings)}
        yield maker.kubernetes("v1", "ConfigMap", plan.settings_name, namespace, body=data, after=ready)


def _group(plan: EfaPlan, maker: Maker) -> Iterator[Row]:
    """The group of EFA's interfaces: all traffic to and from itself, and nothing else."""
    ground = plan.ground
    made = AwsRows(maker, ground.cluster, dict(ground.tags))
    properties = {
        "vpcId": ground.vpc,
        "name": ground.name(plan.group, 255),
        "description": "EFA between nodes of the cluster",
    }
    group = made.tagged(GROUP_TOKEN, plan.group, properties)
    yield group
    for token, to in ((INGRESS, "From"), (EGRESS, "To")):
        rule = {
            "securityGroupId": group.output("id"),
            "referencedSecurityGroupId": group.output("id"),
            "ipProtocol": ALL,
            "description": f"{to} the group itself, as EFA asks for",
        }
        yield made.tagged(token, plan.group, rule)


def _acceptance(plan: EfaPlan, index: int, maker: Maker) -> Iterator[KubernetesRow]:
    """The Job is the last of them."""
    found = plan.acceptance[index]
    body = {"automountServiceAccountToken": False}
    account = maker.kubernetes("v1", "ServiceAccount", found.account, found.namespace, body=body)
    role = maker.kubernetes(RBAC, "ClusterRole", found.account, body={"rules": waiting.rules()})
    binding = maker.kubernetes(
        RBAC, "ClusterRoleBinding", found.account, body=waiting.binding(found), after=[role.id, account.id]
    )
    yield from (account, role, binding)
    yield maker.kubernetes(
        "batch/v1",
        "Job",
        found.name,
        found.namespace,
        spec=waiting.job(found, maker.pod_labels()),
        after=[binding.id, capability("efa-device-plugin")],
        gate=Gate(condition="Complete", timeout_s=found.timeout_s),
        timeout_s=found.timeout_s,
    )
