"""What a person writes about quotas: pools, tenants, priorities and how one tenant makes room for another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.forms import Line
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, Spec, truth, twice

Gpus = Annotated[int, Field(ge=0, le=1_000_000)]
"""A number of whole GPUs."""

Share = Gpus | dict[Name, Gpus]
"""GPUs of the only pool, or GPUs by pool where the queue has several."""

PriorityName = Annotated[Name, Field(max_length=20)]
"""A priority, short enough that the queue's name and it fit one label value of 63 characters together."""


class Tenant(Spec):
    """A team with a guaranteed share of the GPUs and a namespace of its own."""

    workload: Literal["training", "inference"] = "training"
    """What it runs. training: jobs, which the queue admits and stops. inference: model servers, which reserve their
    GPUs and are never stopped for a job. Default training."""

    name: Name
    """Name of the team, unique in the queue. It labels the namespace, and costs are charged by it."""

    gpus: Share | Literal["demand"]
    """GPUs guaranteed: the team gets them whenever it asks, if need be by preempting who borrowed them. 0
    makes a tenant that lives on idle GPUs alone. `demand`: as many as the models of an inference tenant need.
    Unit: whole GPUs, a multiple of a node for gangs of whole nodes."""

    borrow_gpus: Share | None = None
    """Most GPUs it may use beyond its guarantee while others leave them idle.

    Unit: whole GPUs. Default: half of the pool's GPUs, or what others guarantee when that is less: a team
    that may borrow everything makes each other team wait for a preemption. Excluded for inference: servers on
    borrowed GPUs would stop when their owner asks.
    """

    lend_gpus: Share | None = None
    """Most of its guaranteed GPUs that others may use while it leaves them idle. 0 keeps them free for it,
    which saves the time of a preemption and costs idle GPUs. Unit: whole GPUs. Default: all of them; none of an
    inference tenant, whose peak would wait until a job has made room."""

    usd_per_month: float | None = Field(default=None, gt=0, le=1e12)
    """What its guaranteed GPUs may cost a month at each site, with their share of all that GPUs share. Unit: USD. The
    estimate says how many GPUs it pays for. Default none: no limit."""

    weight: int = Field(default=1, ge=0, le=1_000)
    """Share of idle GPUs relative to the other tenants' weights. 0 borrows only what nobody else wants.
    Excludes sharing: priority unless 1. Default 1: all alike."""

    priority: PriorityName | None = None
    """Priority of its jobs that name none. Default: the one in the middle of `priorities`."""

    namespace: Name | None = None
    """Namespace its jobs run in. Default: the name of the tenant."""

    reach: Literal["own", "any"] = "own"
    """What its pods may open connections to: own is each other and DNS, any adds everything outside.
    Default own: checkpoints come through volumes, and data that leaves is noticed only where leaving is
    the exception."""

    @truth
    def _only_models_have_a_demand(self) -> Iterator[Misfit]:
        if self.gpus == "demand" and self.workload != "inference":
            says = "no demand says what jobs need"
            yield Misfit(says, "write a number, or set workload to inference", ("gpus",))

    @truth
    def _servers_wait_for_nobody(self) -> Iterator[Misfit]:
        if self.workload != "inference":
            return
        if self.borrow_gpus is not None:
            says = "model servers on borrowed GPUs stop when their owner asks"
            yield Misfit(says, "leave borrow_gpus out, and reserve what the peak needs", ("borrow_gpus",))
        if self.weight != 1:
            yield Misfit("nobody weighs tenants that don't queue", "leave weight out", ("weight",))
        if self.priority is not None:
            yield Misfit("model servers have one priority, above all jobs", "leave priority out", ("priority",))


class Priority(Spec):
    """A priority that jobs may name. It orders waiting jobs and says who may be preempted."""

    name: PriorityName
    """Name of the priority."""

    value: int = Field(ge=-1_000_000, le=1_000_000)
    """Higher goes first. It orders admission only; pods keep the priority of their namespace."""

    description: Line = Field(max_length=200)
    """When to use it, for the people who pick one."""


_PRIORITIES = [
    Priority(name="low", value=100, description="Sweeps and trials that may be preempted at any time."),
    Priority(name="normal", value=1_000, description="Training that somebody waits for."),
    Priority(name="high", value=10_000, description="A run with a date, agreed among the tenants."),
]


class Preemption(Spec):
    """Who must stop when somebody with a right to the GPUs asks for them."""

    reclaim: Literal["never", "lower-priority", "any"] = "any"
    """Whose jobs stop when a tenant asks for guaranteed GPUs that others borrowed. Default any: a
    guarantee that waits for a borrower of higher priority is none."""

    within_tenant: Literal["never", "lower-priority", "lower-or-newer-equal-priority"] = "lower-priority"
    """Which jobs of the same tenant stop for one of its own. Default lower-priority: equal jobs keep their
    turn."""


class PodsReady(Spec):
    """How long an admitted gang may take to start before it makes room and waits again."""

    timeout_s: int = Field(default=1_800, ge=60, le=86_400)
    """Time from admission until each pod of the gang is ready. Unit: s. Default 1800: pulling an image of
    20 to 60 GB on fresh nodes takes most of it. Source: Kueue documentation, "Setup All-or-nothing with
    ready Pods"."""

    recovery_timeout_s: int = Field(default=600, ge=60, le=86_400)
    """Time that a running gang may miss a pod, such as one on a failed node, before it is evicted whole.

    Unit: s. Default 600: a replaced node's pod starts in minutes because the image is there; without a limit
    the other ranks hold their GPUs and wait for ever. Source: Kueue documentation, "Topology Aware
    Scheduling", node replacement.
    """

    requeue_limit: int = Field(default=5, ge=0, le=100)
    """Times a gang that didn't start is tried again before it is deactivated for a person to look at.
    Default 5: without a limit a wrong image blocks the head of the queue for ever."""

    requeue_base_s: int = Field(default=60, ge=1, le=3_600)
    """Wait before the first retry, doubled each time. Unit: s. Default 60: Kueue's own."""

    requeue_max_s: int = Field(default=3_600, ge=1, le=86_400)
    """Longest wait before a retry. Unit: s. Default 3600: Kueue's own."""

    @truth
    def _a_retry_waits_no_longer_than_the_most(self) -> Iterator[Misfit]:
        if self.requeue_base_s > self.requeue_max_s:
            says = f"requeue_base_s {self.requeue_base_s} is above requeue_max_s {self.requeue_max_s}"
            yield Misfit(says, f"set requeue_max_s to {self.requeue_base_s} or more", ("requeue_base_s",))


class QueueSpec(PartSpec):
    """Admission of jobs by quota: each tenant's guarantee, and the rules for idle GPUs."""

    kind: Literal["queue"]
    """A queue."""

    engine: Literal["kueue"] = "kueue"
    """What admits jobs. Default kueue: the only one here; it works above the default scheduler."""

    pools: list[Name] = Field(min_length=1, max_length=1_000)
    """GPU node pools it hands out, the preferred one first. A pool belongs to one queue."""

    cohort: Name | None = None
    """Name of the group whose tenants lend to each other. Default: the name of the queue."""

    tenants: list[Tenant] = Field(min_length=1, max_length=20_000)
    """Teams that share the pools."""

    priorities: list[Priority] = Field(default=_PRIORITIES, min_length=1, max_length=50)
    """Priorities that jobs may name. Default low, normal and high: few enough that people agree on their
    meaning."""

    sharing: Literal["fair", "priority"] = "fair"
    """Who gets idle GPUs when several want them: the tenant that uses least beyond its guarantee by
    weight, or the job of the highest priority. Default fair: with priority alone one team of many urgent
    jobs takes all of them."""

    preemption: Preemption = Preemption()
    """Who must stop for whom. Default: guarantees are taken back from any borrower, own jobs by priority."""

    queueing: Literal["best-effort-fifo", "strict-fifo"] = "best-effort-fifo"
    """Whether a job that doesn't fit holds back the jobs behind it. strict-fifo lets a large gang get its
    turn and leaves GPUs idle meanwhile. Default best-effort-fifo: small jobs fill the gaps."""

    topology_aware: bool = True
    """Whether a gang is admitted only when free nodes for it exist, near each other where it asks for that.

    Default true: quota is a sum, so without this a job for one node of 8 GPUs is admitted to 4 free GPUs on
    each of two nodes, and its pod hangs. Source: kubernetes-sigs/kueue#4329.
    """

    pods_ready: PodsReady = PodsReady()
    """How long an admitted gang may take to start. Default: see its fields."""

    @truth
    def _a_pool_is_listed_once(self) -> Iterator[Misfit]:
        for index in twice(self.pools):
            yield Misfit(f'pool "{self.pools[index]}" is listed twice', "list it once", ("pools", index))

    @truth
    def _a_tenant_is_listed_once(self) -> Iterator[Misfit]:
        names = [tenant.name for tenant in self.tenants]
        for index in twice(names):
            says = f'tenant "{names[index]}" is listed twice'
            yield Misfit(says, "give it one entry with all its GPUs", ("tenants", index, "name"))

    @truth
    def _a_tenant_has_a_namespace_of_its_own(self) -> Iterator[Misfit]:
        names = [tenant.name for tenant in self.tenants]
        spaces = [tenant.namespace or tenant.name for tenant in self.tenants]
        for index in twice(spaces):
            if self.tenants[index].name not in names[:index]:
                says = f'namespace "{spaces[index]}" belongs to two tenants'
                field = "namespace" if self.tenants[index].namespace else "name"
                yield Misfit(says, "give each tenant its own", ("tenants", index, field))

    @truth
    def _a_priority_is_listed_once(self) -> Iterator[Misfit]:
        names = [priority.name for priority in self.priorities]
        for index in twice(names):
            says = f'priority "{names[index]}" is listed twice'
            yield Misfit(says, "give each its own name", ("priorities", index, "name"))
