"""Where checkpoints lie, and who may write them."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.problems import nearest
from aifactory.components.storage_classes import classes_of
from aifactory.components.training.decided import CheckpointPlan
from aifactory.components.training.spec import Checkpoint, TrainingSpec

SHARED, SINGLE = "ReadWriteMany", "ReadWriteOnce"


def checkpoint_of(spec: TrainingSpec, ctx: PlanContext) -> CheckpointPlan | None:
    """The volume of a run, None without one, or when the site has none that fits."""
    ctx.check(
        "TRN-007",
        spec.nodes == 1 or spec.checkpoint is not None,
        f"a gang of {spec.nodes} nodes without a checkpoint: a failure or a preemption loses all it computed",
        (),
        "add checkpoint: {size_gib: ...}",
    )
    if spec.checkpoint is None:
        return None
    classes = classes_of(ctx)
    access = classes.access
    needed = SHARED if spec.nodes > 1 else SINGLE
    fitting = classes.serving((needed, SHARED))
    at = ("checkpoint", "storage_class")
    asked = spec.checkpoint.storage_class
    name = classes.named(asked) if asked is not None else fitting[0] if fitting else ""
    if asked is not None and not name:
        ctx.refuse(f'"{asked}" is not a StorageClass of the site', at, nearest(asked, classes.known))
        return None
    who = f"{spec.nodes} nodes need" if spec.nodes > 1 else "the node needs"
    known = ", ".join(f"{each} ({', '.join(modes)})" for each, modes in access.items()) or "none"
    holds = ctx.check(
        "TRN-005",
        bool({needed, SHARED} & set(access.get(name, ()))),
        f"StorageClass {name} doesn't serve {needed}, which {who}"
        if name
        else f"no StorageClass of {ctx.place.site} serves {needed}, which {who}",
        at if spec.checkpoint.storage_class else ("checkpoint",),
        f"use {' or '.join(fitting)}" if fitting else f"the site has: {known}",
    )
    return _claim(spec.checkpoint, f"{spec.identity}-checkpoints", name, access[name], ctx) if holds else None


def _claim(asked: Checkpoint, claim: str, name: str, modes: tuple[str, ...], ctx: PlanContext) -> CheckpointPlan:
    access = SHARED if SHARED in modes else SINGLE
    ctx.decide(
        "checkpoint",
        {"storage_class": name, "access": access, "size_gib": asked.size_gib},
        "shared wherever the class can: an access mode can't be changed when the gang grows"
        if access == SHARED
        else f"one node, and {name} serves no more",
        source=("checkpoint",),
    )
    return CheckpointPlan(claim, name, access, asked.size_gib, asked.path)
