"""Decides a training run: which pods, in which queue, on which nodes, and what survives a failure."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.offers import (
    FabricOffer,
    FillOffer,
    PodPromise,
    PoolOffer,
    PoolShare,
    QueueOffer,
    StorageUse,
    TenantOffer,
)
from aifactory.components.problems import nearest
from aifactory.components.rules import Rule
from aifactory.components.training import checks, rules
from aifactory.components.training.checkpoint import checkpoint_of
from aifactory.components.training.datasets import class_holds, datasets_of
from aifactory.components.training.decided import CheckpointPlan, DatasetPlan, TrainingPlan
from aifactory.components.training.program import contract_of, own_variables, program_of
from aifactory.components.training.spec import TrainingSpec

RULES: tuple[Rule, ...] = rules.RULES

TOPOLOGY = {
    "required": "kueue.x-k8s.io/podset-required-topology",
    "preferred": "kueue.x-k8s.io/podset-preferred-topology",
}
ANYWHERE = (("kueue.x-k8s.io/podset-unconstrained-topology", "true"),)


class Around(Struct, frozen=True):
    """What the run found of what it names."""

    pool: PoolOffer
    fabric: FabricOffer | None
    queue: QueueOffer
    tenant: TenantOffer
    share: PoolShare


def resolve(spec: TrainingSpec, ctx: PlanContext) -> TrainingSpec:
    """Ask for what starts gangs. All else depends on sizes."""
    ctx.require("jobset", "starts the pods of a gang together, names them, and restarts them together")
    return spec


def size(spec: TrainingSpec, ctx: PlanContext) -> TrainingPlan | None:
    """Everything, once pools and queues have their size."""
    around = _around(spec, ctx)
    if around is None:
        return None
    gpus = spec.gpus_per_node or around.pool.gpus_per_node
    if checks.check_gang(spec, around.pool, around.fabric, ctx):
        if around.tenant.gpus_at_most:
            checks.check_quota(spec, gpus * spec.nodes, around.share, ctx)
        checks.check_topology(spec, around.pool, around.queue, ctx)
    checks.check_user(spec, around.fabric, ctx)
    if not checks.check_memory(spec, around.pool, gpus, ctx):
        return None
    checkpoint = checkpoint_of(spec, ctx)
    if spec.checkpoint is not None and checkpoint is None:
        return None
    datasets = datasets_of(spec, ctx)
    if datasets is None or not class_holds(spec, checkpoint, ctx):
        return None
    checks.check_variables(spec, own_variables(spec, checkpoint), around.fabric, ctx)
    plan = _plan(spec, around, gpus, checkpoint, datasets, ctx)
    if around.fabric:
        ctx.read_settings(around.fabric.part, plan.namespace)
    ctx.offer(_promise(spec, plan))
    use = StorageUse(spec.name, gpus * spec.nodes, pool=spec.pool, namespace=plan.namespace)
    use = replace(use, account=plan.service_account)
    if checkpoint:
        use = replace(use, storage_class=checkpoint.storage_class, keeps="checkpoints", size_gib=checkpoint.size_gib)
        use = replace(use, makes=checkpoint.claim)
    ctx.offer(use)
    for each in datasets:
        waits = StorageUse(spec.name, use.gpus, keeps="dataset", pool=spec.pool, account=plan.service_account)
        ctx.offer(replace(waits, namespace=plan.namespace, claim=each.claim))
    return plan


def settle(plan: TrainingPlan, ctx: PlanContext) -> TrainingPlan:
    """Learn which volumes are filled first: tiers settle before those who read them."""
    fills = {each.claim: each.row for each in ctx.offers(FillOffer) if each.namespace == plan.namespace}
    return replace(plan, datasets=tuple(replace(each, fill=fills.get(each.claim, "")) for each in plan.datasets))


def _around(spec: TrainingSpec, ctx: PlanContext) -> Around | None:
    pools = {offer.part: offer for offer in ctx.offers(PoolOffer)}
    pool = pools.get(spec.pool)
    if pool is None:
        if not ctx.has_refused(spec.pool):
            says = f'"{spec.pool}" is no GPU node pool with nodes'
            ctx.refuse(says, ("pool",), nearest(spec.pool, pools))
        return None
    queue = _queue(spec, ctx)
    if queue is None:
        return None
    tenants = {offer.tenant: offer for offer in queue.tenants}
    tenant = tenants.get(spec.tenant)
    if tenant is None:
        ctx.refuse(
            f'"{spec.tenant}" is not a tenant of queue {queue.part}',
            ("tenant",),
            nearest(spec.tenant, tenants),
        )
    fabric = ctx.named(FabricOffer, "part", pool.fabric, ("pool",)) if pool.fabric else None
    known = [name for name, _ in queue.priorities]
    if spec.priority is not None and spec.priority not in known:
        says = f'"{spec.priority}" is not a priority of queue {queue.part}'
        ctx.refuse(says, ("priority",), nearest(spec.priority, known))
    if tenant is None or (pool.fabric and fabric is None):
        return None
    return Around(pool, fabric, queue, tenant, next(share for share in tenant.shares if share.pool == spec.pool))


def _queue(spec: TrainingSpec, ctx: PlanContext) -> QueueOffer | None:
    offers = {offer.part: offer for offer in ctx.offers(QueueOffer)}
    serving = [offer for offer in offers.values() if spec.pool in offer.pools]
    if spec.queue is None:
        if not serving and not ctx.site_plan.refused:
            hint = "list the pool in the pools of a queue" + (f" ({', '.join(offers)})" if offers else "")
            ctx.refuse(f"no queue hands out pool {spec.pool}", ("pool",), hint)
        return next((offer for offer in serving if _knows(offer, spec.tenant)), next(iter(serving), None))
    if spec.queue not in offers:
        if not ctx.has_refused(spec.queue):
            says = f'"{spec.queue}" is not a queue of this blueprint'
            ctx.refuse(says, ("queue",), nearest(spec.queue, offers))
    elif spec.pool not in offers[spec.queue].pools:
        pools = ", ".join(offers[spec.queue].pools)
        ctx.refuse(f"queue {spec.queue} doesn't hand out pool {spec.pool}", ("queue",), f"It hands out {pools}")
    else:
        return offers[spec.queue]
    return None


def _knows(queue: QueueOffer, tenant: str) -> bool:
    return any(offer.tenant == tenant for offer in queue.tenants)


def _plan(
    spec: TrainingSpec,
    around: Around,
    gpus: int,
    checkpoint: CheckpointPlan | None,
    datasets: tuple[DatasetPlan, ...],
    ctx: PlanContext,
) -> TrainingPlan:
    run = checks.run_name(spec)
    contract = contract_of(spec, around.pool, around.fabric, gpus, ctx)
    _explain(spec, around, gpus, ctx)
    return TrainingPlan(
        run=run,
        service_account=spec.identity,
        tenant=spec.tenant,
        namespace=around.tenant.namespace,
        local_queue=around.tenant.queue,
        priority_class=_priority_class(spec, around, ctx),
        nodes=spec.nodes,
        contract=contract,
        claim_template=f"{run}-gpus" if contract.device_class else "",
        program=program_of(spec, run, gpus, checkpoint, ctx),
        topology=_topology(spec, around, ctx),
        checkpoint=checkpoint,
        datasets=datasets,
        data_class=spec.data_class or "",
        pull_secrets=tuple(spec.pull_secrets),
        max_restarts=spec.max_restarts,
        time_limit_s=(spec.time_limit_h or 0) * 3_600,
        grace_s=spec.grace_s,
    )


def _topology(spec: TrainingSpec, around: Around, ctx: PlanContext) -> tuple[tuple[str, str], ...]:
    placement, label = spec.topology.placement, checks.LEVELS[spec.topology.within]
    if not around.queue.topology_aware:
        annotations: tuple[tuple[str, str], ...] = ()
        reason = "the queue counts quota alone"
    elif placement == "none" or (spec.nodes == 1 and placement == "preferred"):
        annotations, reason = ANYWHERE, "any free nodes; a free node for each pod all the same"
    else:
        annotations = ((TOPOLOGY[placement], label),)
        until = {"required": "and waits until one has room", "preferred": "if one has room, else near it"}
        reason = f"the gang lies in one {spec.topology.within}, {until[placement]}"
    ctx.decide(
        "topology",
        dict(annotations),
        reason,
        because=[f"{around.pool.part}.topology", f"{around.queue.part}.flavors"],
        source=("topology",),
    )
    return annotations


def _priority_class(spec: TrainingSpec, around: Around, ctx: PlanContext) -> str:
    name = spec.priority or around.tenant.priority
    reason = "as written" if spec.priority else f"usual for tenant {spec.tenant}"
    own, usual = (f"{around.queue.part}.{key}" for key in (f"priorities.{spec.tenant}", "usual_priority"))
    return ctx.decide(
        "priority",
        f"{around.queue.queue}-{name}",
        reason,
        because=() if spec.priority else [own if own in ctx.site_plan.decisions else usual],
        source=("priority",),
    )


def _explain(spec: TrainingSpec, around: Around, gpus: int, ctx: PlanContext) -> None:
    ctx.decide(
        "gang",
        {"nodes": spec.nodes, "gpus_per_node": gpus, "gpus": spec.nodes * gpus},
        f"tenant {spec.tenant} has {around.share.gpus} GPUs of pool {spec.pool} guaranteed, "
        f"{around.share.gpus_at_most} with borrowing",
        because=[f"{around.queue.part}.tenants.{spec.tenant}.{spec.pool}", f"{spec.pool}.nodes"],
        source=("nodes",),
    )
    ctx.decide(
        "restarts",
        {"strategy": "BlockingRecreate", "most": spec.max_restarts},
        "new pods wait until the old are gone, for both want the same nodes; drained nodes don't count",
        rejected=[Rejected("Recreate", "pods of two attempts meet at the rendezvous")],
        source=("max_restarts",),
    )
    ctx.decide(
        "suspend",
        None,
        "left to Kueue, which suspends the run when it is created and starts it when it is admitted",
        rejected=[Rejected(True, "the next deployment would set it again and so stop a running gang")],
    )
    ctx.decide(
        "ttl",
        None,
        "a finished run stays, because who deploys again would start what was cleaned away once more",
        rejected=[Rejected("ttlSecondsAfterFinished", "Pulumi refresh and Argo CD both re-create what is missing")],
    )
    if spec.time_limit_h:
        ctx.decide(
            "time_limit_h",
            spec.time_limit_h,
            "counted by Kueue over all restarts",
            rejected=[Rejected("activeDeadlineSeconds", "it counts each restart anew, and a restart follows it")],
            source=("time_limit_h",),
        )


def _promise(spec: TrainingSpec, plan: TrainingPlan) -> PodPromise:
    within = checks.LEVELS[spec.topology.within] if spec.topology.placement == "required" else ""
    return PodPromise(
        part=spec.name,
        name=plan.run,
        namespace=plan.namespace,
        count=plan.nodes,
        requests=plan.contract.requests,
        node_selector=plan.contract.node_selector,
        tolerations=plan.contract.tolerations,
        queue=plan.local_queue,
        topology=within,
    )
