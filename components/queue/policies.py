"""The policies of a queue in Kueue's words, each with what it means."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.queue.spec import QueueSpec, Tenant
from aifactory.components.spec import Spec

LOCAL_QUEUE = "default"
"""Name of each LocalQueue. Kueue gives a job that names no queue the one of this name, so that a forgotten
label waits its turn instead of for ever."""


class Policy(Struct, frozen=True):
    """Kueue's word for a policy, and what it does."""

    value: str
    means: str


SHARING = {
    "fair": Policy("fair", "idle GPUs go to the tenant that uses least beyond its guarantee, by weight"),
    "priority": Policy("priority", "idle GPUs go to the job of the highest priority, whoever's it is"),
}
STRATEGIES = {
    "best-effort-fifo": Policy("BestEffortFIFO", "a job that doesn't fit lets those behind it go first"),
    "strict-fifo": Policy("StrictFIFO", "a job that doesn't fit holds back those behind it until it does"),
}
RECLAIM = {
    "never": Policy("Never", "who borrowed guaranteed GPUs keeps them until the job ends"),
    "lower-priority": Policy("LowerPriority", "guaranteed GPUs are taken back from jobs of lower priority"),
    "any": Policy("Any", "guaranteed GPUs are taken back from every borrower"),
}
WITHIN = {
    "never": Policy("Never", "no job of a tenant stops for another of its own"),
    "lower-priority": Policy("LowerPriority", "a tenant's jobs of lower priority stop for its more urgent ones"),
    "lower-or-newer-equal-priority": Policy(
        "LowerOrNewerEqualPriority",
        "a tenant's jobs of lower priority, and newer ones of the same, stop for its own",
    ),
}


def explain(spec: QueueSpec, ctx: PlanContext) -> None:
    """Decisions on who waits, who stops and how long."""
    owed = "it preempts others for GPUs that nobody owes the borrower"
    sharing, strategy = SHARING[spec.sharing], STRATEGIES[spec.queueing]
    reclaim, within = RECLAIM[spec.preemption.reclaim], WITHIN[spec.preemption.within_tenant]
    ctx.decide("sharing", sharing.value, sharing.means + _unsaid(spec, "sharing"), source=("sharing",))
    ctx.decide("queueing", strategy.value, strategy.means + _unsaid(spec, "queueing"), source=("queueing",))
    ctx.decide(
        "preemption.reclaim",
        reclaim.value,
        reclaim.means + _unsaid(spec, "preemption", "reclaim"),
        rejected=[Rejected("borrowWithinCohort", owed)],
        source=("preemption", "reclaim"),
    )
    ctx.decide(
        "preemption.within_tenant",
        within.value,
        within.means + _unsaid(spec, "preemption", "within_tenant"),
        source=("preemption", "within_tenant"),
    )
    _explain_patience(spec, ctx)
    forgotten = "a job without the label would be suspended and wait for ever"
    ctx.decide(
        "local_queue",
        LOCAL_QUEUE,
        "jobs that name no queue get the LocalQueue of this name",
        rejected=[Rejected(spec.identity, forgotten)],
    )


def explain_priorities(spec: QueueSpec, ctx: PlanContext) -> None:
    """The priority of jobs that name none: the usual one, and those of tenants with one of their own."""
    reason = "in the middle of the queue's priorities, for jobs that name none"
    ctx.decide("usual_priority", usual_priority(spec), reason, source=("priorities",))
    for index, tenant in enumerate(spec.tenants):
        if tenant.priority:
            key, reason = f"priorities.{tenant.name}", "as written, for its jobs that name none"
            ctx.decide(key, tenant.priority, reason, source=("tenants", index, "priority"))


def priority_of(tenant: Tenant, spec: QueueSpec) -> str:
    """Priority of a tenant's jobs that name none."""
    return tenant.priority or usual_priority(spec)


def usual_priority(spec: QueueSpec) -> str:
    """The priority in the middle, the lower of two."""
    ordered = sorted(spec.priorities, key=lambda priority: (priority.value, priority.name))
    return ordered[(len(ordered) - 1) // 2].name


def _unsaid(spec: QueueSpec, *fields: str) -> str:
    """What a reason ends in where nobody wrote the value."""
    written: Spec = spec
    for field in fields:
        if field not in written.model_fields_set:
            return " (the default)"
        written = getattr(written, field)
    return ""


def _explain_patience(spec: QueueSpec, ctx: PlanContext) -> None:
    ready = spec.pods_ready
    ctx.decide(
        "pods_ready",
        {
            "timeout_s": ready.timeout_s,
            "recovery_timeout_s": ready.recovery_timeout_s,
            "retries": ready.requeue_limit,
        },
        "a gang that doesn't start, or misses a pod, gives its GPUs back and waits again, for a few times"
        + _unsaid(spec, "pods_ready"),
        rejected=[Rejected("blockAdmission", "one slow image pull would hold up every other tenant")],
        source=("pods_ready",),
    )
