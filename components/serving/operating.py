"""What a person sees to before a model is served, and does with it afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.offers import OperatorNote
from aifactory.components.serving.decided import ServingPlan


def notes(part: str, plan: ServingPlan) -> Iterator[OperatorNote]:
    """Images as volumes, the load test, and the way back."""
    if plan.weights.volume and plan.weights.volume.image:
        says = "Nodes mount images as volumes: containerd 2.1 or newer, or CRI-O."
        yield OperatorNote(part, "before", f"{says} The weights of {plan.identity} are one.")
    yield OperatorNote(
        part,
        "running",
        f"Load {plan.identity} as at peak, and read its latencies; it measures the replicas, past router and endpoint:",
        tuple(load_test(plan)),
    )
    if plan.stack != "kserve" and plan.layout.nodes == 1:
        back = f"kubectl -n {plan.namespace} rollout undo deployment/{plan.identity}"
        says = f"Take the last change of {plan.identity} back at once, then make the blueprint agree:"
        yield OperatorNote(part, "running", says, (back,))


def load_test(plan: ServingPlan) -> Iterator[str]:
    """Commands of a load test: all replicas run for it, where the load decides their number."""
    space, name = f"kubectl -n {plan.namespace}", plan.benchmark.name
    hold = f"{space} annotate scaledobject {plan.identity} autoscaling.keda.sh/paused-replicas"
    if plan.scaling:
        kind = "leaderworkerset" if plan.layout.nodes > 1 else "deployment"
        yield f"{hold}={plan.scaling.ceiling}"
        yield f"{space} get {kind} {plan.service[0]} --watch   # until all of them are ready"
    yield f"{space} create job --from=cronjob/{name} first"
    yield f"{space} logs --follow job/first"
    if plan.scaling:
        yield f"{hold}-"
