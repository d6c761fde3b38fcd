"""How replicas follow the load: the floor, the signals and their values."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.capabilities import PROMETHEUS_URL
from aifactory.components.serving.decided import ScalingPlan
from aifactory.components.serving.replicas import Sized
from aifactory.components.serving.spec import ServingSpec

FULL_PERCENT = 80
"""Share of the requests that a replica can compute at once above which another one starts: loading takes minutes, in
which the load goes on rising."""

SETTLE_S = 600
"""Twice the pause of the HPA: a replica that stops must load for minutes when it is wanted again."""


def scaling_of(spec: ServingSpec, namespace: str, sized: Sized, ctx: PlanContext) -> tuple[bool, ScalingPlan | None]:
    """Whether it can be built, and how: between what the mean and the peak need, None where replicas stand still."""
    wish, replicas, keeps = spec.autoscaling, sized.replicas, not sized.shape.dimension
    if not ctx.check(
        "SRV-024",
        (wish.min_replicas or 0) <= replicas,
        f"{wish.min_replicas} replicas always run, and the peak with the spare one needs {replicas}",
        ("autoscaling", "min_replicas"),
        f"set min_replicas to {replicas} or less, or replicas to {wish.min_replicas}",
    ):
        return False, None
    floor = min(replicas, wish.min_replicas or sized.at_mean)
    if not wish.enabled or floor == replicas:
        why = "as written" if not wish.enabled else "as many always run as the peak needs"
        ctx.decide("autoscaling", "off", why, because=[f"{ctx.part}.replicas"], source=("autoscaling",))
        return True, None
    url = _prometheus(ctx)
    if url is None:
        return False, None
    spare = "" if spec.redundancy == "none" else " with one to spare"
    chosen = f'{{namespace="{namespace}",model_name="{spec.model}"}}'
    full = max(1, sized.concurrency * FULL_PERCENT // 100)
    triggers = (
        ("waiting", f"sum(vllm:num_requests_waiting{chosen})", wish.waiting_per_replica),
        ("requests", f"sum(vllm:num_requests_running{chosen}) + sum(vllm:num_requests_waiting{chosen})", full),
        *([("kv-cache", f"sum(vllm:kv_cache_usage_perc{chosen}) * 100", wish.kv_percent)] if keeps else []),
    )
    ctx.decide(
        "autoscaling",
        {"floor": floor, "ceiling": replicas, **{name: value for name, _, value in triggers}},
        f"{floor} replicas always run"
        + ("" if wish.min_replicas else f", which carry the mean{spare}")
        + f", {replicas} carry the peak{spare}; one more starts when a replica has "
        f"{wish.waiting_per_replica} waiting, {full} running and waiting"
        + (f" or {wish.kv_percent} % of its KV cache in use" if keeps else ""),
        rejected=[
            Rejected("GPU utilisation", "it stands near 100 % under any load"),
            Rejected("scale to zero", "nothing holds a request while the weights load for minutes"),
        ],
        because=[f"{ctx.part}.replicas"],
        source=("autoscaling",),
    )
    return True, ScalingPlan(floor, replicas, url, triggers, SETTLE_S)


def _prometheus(ctx: PlanContext) -> str | None:
    given = ctx.place.cluster.provides.get("metrics")
    if given is None:
        return PROMETHEUS_URL
    held = ctx.check(
        "SRV-016",
        given.url is not None,
        f"{ctx.place.site} gives metrics without an address, and replicas follow what Prometheus says",
        ("cluster", "provides", "metrics"),
        "add url: http://SERVICE.NAMESPACE.svc:9090, or set autoscaling.enabled of the part to false",
        "site",
    )
    return given.url if held else None
