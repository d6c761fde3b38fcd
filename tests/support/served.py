"""GPUs of models, counted where they are decided, where they are asked for and where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan
from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan
from aifactory.components.names import POOL_LABEL
from aifactory.components.rows import KubernetesRow, Row
from aifactory.components.serving.decided import ServingPlan
from aifactory.components.values import plain
from aifactory.stacks.planning.model import StackPlan

GPU = "nvidia.com/gpu"
CLAIMS = "ResourceClaimTemplate"


def plans(stack: StackPlan, kind: type[Any]) -> dict[str, Any]:
    """Plans of one type by part."""
    return {part.name: part.plan for part in stack.parts if isinstance(part.plan, kind)}


def gpus_add_up(stack: StackPlan, rows: Iterable[Row]) -> list[str]:
    """Where TP x PP x DP x replicas, the GPUs that pods ask for and those of the pool differ."""
    found: list[str] = []
    asked = Counter[str]()
    by_part: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if isinstance(row, KubernetesRow):
            body: Any = plain(row.body, lambda ref: ref)
            by_part.setdefault(row.part, []).append(body)
    for name, plan in plans(stack, ServingPlan).items():
        layout = plan.layout
        cut = layout.tensor * layout.pipeline * layout.data
        if cut != layout.gpus:
            found.append(f"{name}: {cut} GPUs by its cut, {layout.gpus} in a replica")
        claims = {body["metadata"]["name"]: body["spec"] for body in by_part[name] if body["kind"] == CLAIMS}
        pods = sum(_asked(body, claims) for body in by_part[name])
        if pods != cut:
            found.append(f"{name}: {cut} GPUs by its cut, and pods of a replica ask for {pods}")
        ceilings = {ceiling for body in by_part[name] if (ceiling := _ceiling(body)) is not None}
        if ceilings != {plan.replicas}:
            found.append(f"{name}: {plan.replicas} replicas planned, {sorted(ceilings)} in rows")
        asked[dict(plan.contract.node_selector)[POOL_LABEL]] += cut * plan.replicas
    for plan in plans(stack, GpuNodePoolPlan).values():
        there = nodes_of(plan) * plan.gpus_per_node
        if asked[plan.identity] > there:
            found.append(f"pool {plan.identity}: {asked[plan.identity]} GPUs asked for, {there} there")
    return found


def nodes_of(plan: GpuNodePoolPlan) -> int:
    """Nodes of a pool; of one whose nodes come and go, the most that there may be."""
    return sum(share.nodes for share in plan.flex.shares) if isinstance(plan, AwsFlexPlan) else plan.size


def _asked(body: Mapping[str, Any], claims: Mapping[str, Any]) -> int:
    """GPUs of the pods of one replica."""
    spec = body.get("spec", {})
    if body["kind"] == "Deployment":
        return _of_pod(spec["template"]["spec"], claims)
    if body["kind"] == "InferenceService":
        return _of_pod(spec["predictor"], claims)
    if body["kind"] == "LeaderWorkerSet":
        group = spec["leaderWorkerTemplate"]
        others = int(group["size"]) - 1
        return _of_pod(group["leaderTemplate"]["spec"], claims) + others * _of_pod(
            group["workerTemplate"]["spec"], claims
        )
    return 0


def _of_pod(pod: Mapping[str, Any], claims: Mapping[str, Any]) -> int:
    """GPUs of a pod, by count or by claim."""
    claimed = [claims[each["resourceClaimTemplateName"]] for each in pod.get("resourceClaims", ())]
    devices = [request["exactly"]["count"] for claim in claimed for request in claim["spec"]["devices"]["requests"]]
    return int(sum(devices)) + sum(
        int(each.get("resources", {}).get("limits", {}).get(GPU, 0)) for each in pod["containers"]
    )


def _ceiling(body: Mapping[str, Any]) -> int | None:
    """Most replicas that a row allows."""
    spec = body.get("spec", {})
    if body["kind"] == "ScaledObject":
        return int(spec["maxReplicaCount"])
    if body["kind"] == "InferenceService":
        return int(spec["predictor"]["maxReplicas"])
    if body["kind"] == "LeaderWorkerSet" or (
        body["kind"] == "Deployment" and "nodeSelector" in spec["template"]["spec"]
    ):
        return int(spec["replicas"]) if "replicas" in spec else None
    return None
