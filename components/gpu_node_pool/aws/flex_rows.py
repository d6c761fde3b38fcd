"""Rows of a pool whose nodes come and go: a class of nodes and a NodePool for each way in which they are bought."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import names
from aifactory.components.gpu_node_pool.aws.model import FlexPlan, FlexShare
from aifactory.components.gpu_node_pool.aws.nodeadm import node_config
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, capability

CLASS_API, POOL_API = "karpenter.k8s.aws/v1", "karpenter.sh/v1"
PROFILE = "karpenter-nodes"
"""Instance profile that the base makes for nodes of Karpenter, by the end of its name."""
READY_S = 600


def flex_rows(plan: FlexPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """What Karpenter is told."""
    for share in plan.shares:
        nodes = maker.kubernetes(
            CLASS_API,
            "EC2NodeClass",
            share.name,
            spec=_class(plan, share, maker),
            after=[capability("karpenter")],
            gate=Gate(condition="Ready", timeout_s=READY_S),
        )
        yield nodes
        yield maker.kubernetes(
            POOL_API,
            "NodePool",
            share.name,
            spec=_pool(plan, share),
            after=[nodes.id],
            gate=Gate(condition="Ready", timeout_s=READY_S),
        )


def _class(plan: FlexPlan, share: FlexShare, maker: Maker) -> Tree:
    """Subnets and groups are found by tags, so that nothing of the base needs to be handed over."""
    ground, told = plan.ground, share.user_data
    release = share.ami_release.rpartition("-")[2]
    key = ground.region.arn("kms", f"alias/{ground.cluster}-disks")
    disk = {"volumeType": "gp3", "volumeSize": f"{share.disk_gib}Gi", "encrypted": True, "kmsKeyID": key}
    spec: Tree = {
        "amiSelectorTerms": [{"alias": f"al2023@v{release}"}],
        "instanceProfile": ground.name(PROFILE),
        "subnetSelectorTerms": [
            {"tags": {"Name": f"{ground.cluster}-nodes-{subnet.zone_id}"}} for subnet in ground.in_zones(share.zones)
        ],
        "securityGroupSelectorTerms": [{"tags": {"aws:eks:cluster-name": ground.cluster}}],
        "associatePublicIPAddress": False,
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {**disk, "deleteOnTermination": True}}],
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
        "kubelet": {
            "maxPods": told.max_pods,
            "kubeReserved": {"cpu": str(told.reserved_cpus), "memory": f"{told.reserved_memory_gib}Gi"},
        },
        "userData": node_config(told),
        "tags": names.tags(maker.factory, maker.site, maker.part, {**dict(ground.tags), "Name": share.name}),
    }
    if told.local_raid:
        spec["instanceStorePolicy"] = "RAID0"
    if share.reservation:
        spec["capacityReservationSelectorTerms"] = [{"id": share.reservation}]
    return spec


def _pool(plan: FlexPlan, share: FlexShare) -> Tree:
    wanted = {
        "node.kubernetes.io/instance-type": [share.instance_type],
        "karpenter.sh/capacity-type": [share.capacity],
        "topology.kubernetes.io/zone": list(share.zones),
    }
    taints = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in plan.taints]
    return {
        "weight": share.weight,
        "limits": {"nodes": str(share.nodes)},
        "disruption": {
            "consolidationPolicy": "WhenEmpty",
            "consolidateAfter": f"{plan.empty_after_s}s",
            "budgets": [{"nodes": "1"}],
        },
        "template": {
            "metadata": {"labels": dict(plan.labels)},
            "spec": {
                "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": share.name},
                "requirements": [{"key": key, "operator": "In", "values": values} for key, values in wanted.items()],
                **({"taints": taints} if taints else {}),
                "expireAfter": plan.expire_after,
            },
        },
    }
