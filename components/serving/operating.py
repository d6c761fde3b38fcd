"""What a person sees to before a model is served, and does with it afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.offers import OperatorNote
from aifactory.components.rows import Wave
from aifactory.components.serving.decided import ServingPlan


def notes(part: str, plan: ServingPlan) -> Iterator[OperatorNote]:
    """Images as volumes, the load test, and the way back."""
    if plan.weights.volume and plan.weights.volume.image:
        says = "Nodes mount images as volumes: containerd 2.1 or newer, or CRI-O."
        yield OperatorNote(part, "before", f"{says} The weights of {plan.identity} are one.")
    yield from _given(part, plan)
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


def _given(part: str, plan: ServingPlan) -> Iterator[OperatorNote]:
    """Secrets and volumes that nobody here makes: pods wait for them, and the deployment for the pods."""
    secrets: dict[str, list[str]] = {}
    for _, reference in (each for program in plan.programs for each in program.secrets):
        secrets.setdefault(reference.name, []).append(reference.key)
    if plan.weights.fetch and plan.weights.fetch.token:
        secrets[plan.weights.fetch.token] = ["token"]
    secrets.update({name: [".dockerconfigjson"] for name in plan.pull_secrets})
    soon = f"once namespace {plan.namespace} is there, before wave {Wave.WORKLOADS}"
    for name, keys in secrets.items():
        says = f"Secret {name} of {plan.namespace}, with {' and '.join(dict.fromkeys(keys))}, is made {soon}."
        yield OperatorNote(part, "before", says)
    volume = plan.weights.volume
    if volume and volume.claim and not plan.weights.fetch:
        says = f"PersistentVolumeClaim {volume.claim} of {plan.namespace}, with the weights, is made {soon}."
        yield OperatorNote(part, "before", says)


def load_test(plan: ServingPlan) -> Iterator[str]:
    """Commands of a load test: all replicas run for it, where the load decides their number."""
    space, name = f"kubectl -n {plan.namespace}", plan.benchmark.name
    hold = f"{space} annotate scaledobject {plan.identity} autoscaling.keda.sh/paused-replicas"
    if plan.scaling:
        kind, patience = "leaderworkerset" if plan.layout.nodes > 1 else "deployment", f"--timeout={plan.ready_s}s"
        yield f"{hold}={plan.scaling.ceiling}"
        ready = f"--for=jsonpath='{{.status.readyReplicas}}'={plan.scaling.ceiling}"
        yield f"{space} wait {ready} {patience} {kind}/{plan.service[0]}"
    yield f"{space} create job --from=cronjob/{name} first"
    yield f"{space} wait --for=jsonpath='{{.status.ready}}'=1 --timeout=600s job/first"
    yield f"{space} logs --follow job/first"
    if plan.scaling:
        yield f"{hold}-"
