"""Rows of the cluster: its keys and logs, roles, control plane, who may enter, add-ons and system nodes."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from aifactory.components.aws_policies import Statement
from aifactory.components.cluster.aws import karpenter, policies
from aifactory.components.cluster.aws.asked import granted
from aifactory.components.cluster.aws.ground import DISKS, NODE_ROLE, SYSTEM, disks_key
from aifactory.components.cluster.aws.making import Cloud
from aifactory.components.cluster.aws.model import CLUSTER, CLUSTER_TOKEN, AddonPlan
from aifactory.components.cluster.aws.network import Network, flow_log
from aifactory.components.cluster.aws.registry import IMAGES, key_statements
from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Json

ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ATTACHED = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
KEY, ALIAS = "aws:kms/key:Key", "aws:kms/alias:Alias"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ADDON = "aws:eks/addon:Addon"
POD_IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
BALANCER = "aws-load-balancer-controller"
"""Name of the load balancer controller: of its release, namespace, ServiceAccount and role."""
ADMIN_POLICY = "AmazonEKSClusterAdminPolicy"
"""Policy of EKS's own access entries that makes a principal admin of the cluster."""
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
CLUSTER_TIMEOUT_S = 2_400
NODES_TIMEOUT_S = 2_400
ADDON_TIMEOUT_S = 1_200
ROLES_OF_ADDONS = {
    "vpc-cni": "AmazonEKS_CNI_Policy",
    "aws-ebs-csi-driver": "service-role/AmazonEBSCSIDriverPolicy",
}
"""Policy of AWS that an add-on's role has. Source: Amazon EKS User Guide, cni-iam-role and ebs-csi."""


class RoleRows(Struct, frozen=True):
    """A role, and what gives it permissions."""

    role: CloudRow
    permissions: tuple[CloudRow, ...]

    @property
    def rows(self) -> tuple[CloudRow, ...]:
        """All of them."""
        return (self.role, *self.permissions)

    @property
    def ready(self) -> list[str]:
        """What whoever uses the role waits for: a role without its permissions fails, and leaves things behind."""
        return [row.id for row in self.rows]


class Logs(Struct, frozen=True):
    """Log groups and their key."""

    rows: tuple[CloudRow, ...]
    control_plane: CloudRow
    flows: CloudRow


def cluster_rows(cloud: Cloud, net: Network) -> Iterator[CloudRow]:
    """Everything but the network itself."""
    plan = cloud.plan
    logs = _logs(cloud)
    yield from logs.rows
    flows = _role("flow-logs", policies.flow_trust(plan), cloud, own=policies.flows(plan, logs.flows.output("arn")))
    yield from flows.rows
    yield flow_log(cloud, net.vpc, logs.flows.output("arn"), flows.role.output("arn"), flows.ready)
    control = _role("cluster", policies.trust("eks"), cloud, managed=["AmazonEKSClusterPolicy"])
    yield from control.rows
    key = _key("secrets", "Secrets of the cluster", policies.secrets_key(plan, control.role.output("arn")), cloud)
    yield from key
    cluster = _cluster(cloud, net, control, key[0], [*control.ready, logs.control_plane.id])
    yield cluster
    yield from _admins(cloud, cluster)
    disks = _key(DISKS, "Root disks of nodes of", disks_key(plan.region), cloud)
    yield from disks
    node = _role(
        NODE_ROLE,
        policies.trust("ec2"),
        cloud,
        managed=["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"],
    )
    yield from node.rows
    first = list(_addons([each for each in plan.addons if each.before_nodes], cloud, cluster, []))
    yield from first
    template = _template(cloud, cluster, disks[0])
    # Nodes that boot before there is a way to AWS never join, and on the way down they need it to leave.
    waits = [*node.ready, *(row.id for row in first), *(row.id for row in net.rows)]
    nodes = _node_group(cloud, cluster, net, node.role, template, waits)
    yield from (template, nodes)
    yield from _addons([each for each in plan.addons if not each.before_nodes], cloud, cluster, [nodes.id])
    balancer = _role("balancer", policies.pod_trust(plan), cloud, own=policies.balancer(plan))
    yield from balancer.rows
    yield _association(BALANCER, BALANCER, BALANCER, balancer, cloud, cluster)
    for each in plan.pod_roles:
        role = _role(each.name, policies.pod_trust(plan), cloud, own=granted(each.grants), tags=dict(each.tags))
        yield from role.rows
        yield _association(each.name, each.namespace, each.service_account, role, cloud, cluster, dict(each.tags))
    if plan.copies:
        yield from _key(IMAGES, "Copies of images of", key_statements(plan.region), cloud)
    if plan.karpenter:
        yield from _karpenter(cloud, cluster, node)


def _association(
    name: str,
    namespace: str,
    account: str,
    role: RoleRows,
    cloud: Cloud,
    cluster: CloudRow,
    tags: Mapping[str, str] | None = None,
) -> CloudRow:
    """Gives pods of a ServiceAccount a role. It is there before any of them: a pod is told of it when it is made."""
    properties = {
        "clusterName": cluster.output("name"),
        "namespace": namespace,
        "serviceAccount": account,
        "roleArn": role.role.output("arn"),
    }
    return cloud.tagged(POD_IDENTITY, name, properties, tags=tags, after=role.ready)


def _karpenter(cloud: Cloud, cluster: CloudRow, node: RoleRows) -> Iterator[CloudRow]:
    first = list(karpenter.before_the_role(cloud, node.role.output("arn")))
    yield from first
    own = karpenter.statements(cloud.plan, first[0].output("arn"), node.role.output("arn"))
    controller = _role(karpenter.NAME, policies.pod_trust(cloud.plan), cloud, own=own)
    yield from controller.rows
    yield _association(karpenter.NAME, karpenter.NAME, karpenter.NAME, controller, cloud, cluster)


def _role(
    name: str,
    trust: Iterable[Statement],
    cloud: Cloud,
    *,
    managed: Iterable[str] = (),
    own: Iterable[Statement] = (),
    tags: Mapping[str, str] | None = None,
) -> RoleRows:
    plan = cloud.plan
    properties = {"name": plan.role_name(name), "assumeRolePolicy": policies.document(trust)}
    role = cloud.tagged(ROLE, name, properties, tags=tags)
    found = []
    for policy in managed:
        attach = {"role": role.output("name"), "policyArn": plan.region.managed_policy(policy)}
        found.append(cloud.untagged(ATTACHED, f"{name}-{policy.rpartition('/')[2]}", attach))
    statements = tuple(own)
    if statements:
        inline = {"role": role.output("name"), "name": name, "policy": policies.document(statements)}
        found.append(cloud.untagged(ROLE_POLICY, name, inline))
    return RoleRows(role, tuple(found))


def _key(name: str, description: str, statements: Iterable[Statement], cloud: Cloud) -> tuple[CloudRow, CloudRow]:
    properties = {
        "description": f"{description} {cloud.plan.name}",
        "enableKeyRotation": True,
        "deletionWindowInDays": 30,
        "policy": policies.document(statements),
    }
    key = cloud.tagged(KEY, name, properties)
    alias = {"name": f"alias/{cloud.plan.name}-{name}", "targetKeyId": key.output("keyId")}
    return key, cloud.untagged(ALIAS, name, alias)


def _logs(cloud: Cloud) -> Logs:
    key, alias = _key("logs", "Logs of the cluster", policies.logs_key(cloud.plan), cloud)
    found = [
        cloud.tagged(
            LOG_GROUP,
            row,
            {"name": name, "kmsKeyId": key.output("arn"), "retentionInDays": cloud.plan.log_retention_days},
        )
        for row, name in zip(("control-plane", "flows"), cloud.plan.log_groups, strict=True)
    ]
    return Logs((key, alias, *found), *found)


def _cluster(cloud: Cloud, net: Network, role: RoleRows, key: CloudRow, after: list[str]) -> CloudRow:
    """The control plane. Its log group is there before it: EKS would make one without key and end."""
    plan = cloud.plan
    properties = {
        "name": plan.name,
        "version": plan.kubernetes,
        "roleArn": role.role.output("arn"),
        "vpcConfig": {
            "subnetIds": [subnet.output("id") for subnet in net.control],
            "securityGroupIds": [net.api.output("id")],
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
        },
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        "encryptionConfig": {"provider": {"keyArn": key.output("arn")}, "resources": ["secrets"]},
        "kubernetesNetworkConfig": {"ipFamily": "ipv4", "serviceIpv4Cidr": plan.service_cidr},
        "enabledClusterLogTypes": list(LOG_TYPES),
        "bootstrapSelfManagedAddons": False,
        "upgradePolicy": {"supportType": "STANDARD"},
    }
    return cloud.tagged(CLUSTER_TOKEN, CLUSTER, properties, after=after, timeout_s=CLUSTER_TIMEOUT_S)


def _admins(cloud: Cloud, cluster: CloudRow) -> Iterator[CloudRow]:
    policy = cloud.plan.region.access_policy(ADMIN_POLICY)
    for principal in cloud.plan.admins:
        name = principal.partition("::")[2].replace(":", "-").replace("/", "-")
        who = {"clusterName": cluster.output("name"), "principalArn": principal}
        entry = cloud.tagged("aws:eks/accessEntry:AccessEntry", name, {**who, "type": "STANDARD"})
        yield entry
        scope = {**who, "policyArn": policy, "accessScope": {"type": "cluster"}}
        token = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"  # noqa: S105 - a Pulumi type token
        yield cloud.untagged(token, name, scope, after=[entry.id])


def _addons(addons: list[AddonPlan], cloud: Cloud, cluster: CloudRow, after: list[str]) -> Iterator[CloudRow]:
    """Add-ons in order, each after the one before: the Pod Identity agent gives the network plugin its role."""
    waits = list(after)
    for addon in addons:
        properties: dict[str, object] = {
            "clusterName": cluster.output("name"),
            "addonName": addon.name,
            "addonVersion": addon.version,
            "resolveConflictsOnCreate": "OVERWRITE",
            "resolveConflictsOnUpdate": "OVERWRITE",
        }
        needs = list(waits)
        if addon.configuration:
            properties["configurationValues"] = Json(addon.configuration)
        if addon.service_account:
            role = _role(addon.name, policies.pod_trust(cloud.plan), cloud, managed=[ROLES_OF_ADDONS[addon.name]])
            yield from role.rows
            given = {"roleArn": role.role.output("arn"), "serviceAccount": addon.service_account}
            properties["podIdentityAssociations"] = [given]
            needs += role.ready
        row = cloud.tagged(ADDON, addon.name, properties, after=needs, timeout_s=ADDON_TIMEOUT_S)
        yield row
        if addon.before_nodes:
            waits = [row.id]


def _template(cloud: Cloud, cluster: CloudRow, key: CloudRow) -> CloudRow:
    """The launch template of system nodes: no public address, tokens for metadata, an encrypted disk."""
    nodes = cloud.plan.system_nodes
    disk = {
        "volumeType": "gp3",
        "volumeSize": nodes.disk_gib,
        "encrypted": "true",
        "kmsKeyId": key.output("arn"),
        "deleteOnTermination": "true",
    }
    interface = {
        "deviceIndex": 0,
        "associatePublicIpAddress": "false",
        "deleteOnTermination": "true",
        "securityGroups": [cluster.output("vpcConfig.clusterSecurityGroupId")],
    }
    metadata = {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1}
    kinds = ("instance", "volume", "network-interface")
    properties = {
        "name": f"{cloud.plan.name}-{SYSTEM}",
        "updateDefaultVersion": True,
        "metadataOptions": metadata,
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": disk}],
        "networkInterfaces": [interface],
        "tagSpecifications": [{"resourceType": kind, "tags": cloud.tags(SYSTEM)} for kind in kinds],
        "userData": user_data(nodes.max_pods),
    }
    return cloud.tagged("aws:ec2/launchTemplate:LaunchTemplate", SYSTEM, properties)


def user_data(max_pods: int) -> str:
    """What nodeadm reads at the first boot, in base64: EKS adds how the cluster is joined.

    Source: Amazon EKS User Guide, launch-templates: user data of AL2023 is MIME of application/node.eks.aws.
    """
    boundary = "AIFACTORY"
    config = (
        "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n"
        f"  kubelet:\n    config:\n      maxPods: {max_pods}\n"
    )
    text = (
        f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{boundary}"\n\n'
        f"--{boundary}\nContent-Type: application/node.eks.aws\n\n{config}\n--{boundary}--\n"
    )
    return base64.b64encode(text.encode()).decode()


def _node_group(
    cloud: Cloud, cluster: CloudRow, net: Network, role: CloudRow, template: CloudRow, after: list[str]
) -> CloudRow:
    plan = cloud.plan.system_nodes
    properties = {
        "clusterName": cluster.output("name"),
        "nodeGroupName": SYSTEM,
        "nodeRoleArn": role.output("arn"),
        "subnetIds": [subnet.output("id") for subnet in net.nodes],
        "scalingConfig": {"minSize": plan.nodes, "maxSize": plan.nodes, "desiredSize": plan.nodes},
        "amiType": plan.ami_type,
        "releaseVersion": plan.ami_release,
        "version": cloud.plan.kubernetes,
        "capacityType": "ON_DEMAND",
        "instanceTypes": [plan.instance_type],
        # A node group wants text, and the template has a number.
        "launchTemplate": {
            "id": template.output("id"),
            "version": Format((template.output("latestVersion"),)),
        },
        "updateConfig": {"maxUnavailable": 1},
    }
    return cloud.tagged("aws:eks/nodeGroup:NodeGroup", SYSTEM, properties, after=after, timeout_s=NODES_TIMEOUT_S)
