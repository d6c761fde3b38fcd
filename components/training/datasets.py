"""What a gang reads: volumes of storage tiers, of its own tenant and of its own class of data."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.catalog import binds
from aifactory.components.offers import PathOffer, StorageOffer
from aifactory.components.problems import Path, nearest
from aifactory.components.training.decided import CheckpointPlan, DatasetPlan
from aifactory.components.training.spec import Dataset, TrainingSpec

SHARED = ("ReadWriteMany", "ReadOnlyMany")


def datasets_of(spec: TrainingSpec, ctx: PlanContext) -> tuple[DatasetPlan, ...] | None:
    """The volumes that the gang reads, None after a problem."""
    found = [_dataset(each, ("datasets", index), spec, ctx) for index, each in enumerate(spec.datasets)]
    if not all(found):
        return None
    return tuple(each for each in found if each)


def _dataset(asked: Dataset, at: Path, spec: TrainingSpec, ctx: PlanContext) -> DatasetPlan | None:
    tiers = {offer.part: offer for offer in ctx.offers(StorageOffer) if offer.part}
    tier = tiers.get(asked.tier)
    if tier is None:
        if not ctx.has_refused(asked.tier):
            says = f'"{asked.tier}" is no storage tier at {ctx.place.site}'
            ctx.refuse(says, (*at, "tier"), nearest(asked.tier, tiers))
        return None
    held = {path.path: path for path in tier.paths}
    path = held.get(asked.path)
    if path is None:
        ctx.refuse(f'"{asked.path}" is no path of tier {tier.part}', (*at, "path"), nearest(asked.path, held))
        return None
    own = ctx.check(
        "TRN-019",
        path.tenant == spec.tenant,
        f"path {path.path} of tier {tier.part} is of tenant {path.tenant}, and the run is of {spec.tenant}",
        (*at, "path"),
        f"give tier {tier.part} a path for {spec.tenant}, or run it for {path.tenant}",
    )
    if not all([own, _mountable(path, tier, at, ctx), _of_class(tier, spec, at, ctx)]):
        return None
    ctx.decide(
        f"datasets.{tier.part}.{path.path}",
        {"claim": path.claim, "mount": asked.mounted_at},
        f"read only on each node, from tier {tier.part}: a run that errs changes no data, and its reading counts there",
        source=at,
    )
    return DatasetPlan(tier.part, path.path, path.claim, asked.mounted_at)


def _mountable(path: PathOffer, tier: StorageOffer, at: Path, ctx: PlanContext) -> bool:
    return ctx.check(
        "TRN-021",
        not path.bucket and any(mode in tier.access for mode in SHARED),
        f"path {path.path} of tier {tier.part} is a bucket"
        if path.bucket
        else f"volumes of tier {tier.part} are of one node",
        (*at, "tier"),
        "name a path of a parallel tier, and fill it from the bucket: prefetch",
    )


def _of_class(tier: StorageOffer, spec: TrainingSpec, at: Path, ctx: PlanContext) -> bool:
    return ctx.check(
        "TRN-020",
        not tier.data_class or tier.data_class == spec.data_class,
        f"tier {tier.part} keeps {tier.data_class} data, and the run is "
        + (f"of class {spec.data_class}" if spec.data_class else "of no class"),
        ("data_class",) if spec.data_class else (*at, "tier"),
        f"set data_class to {tier.data_class}",
    )


def class_holds(spec: TrainingSpec, checkpoint: CheckpointPlan | None, ctx: PlanContext) -> bool:
    """Whether data of the run's class may be at the site, and its checkpoints lie on a tier of it."""
    if spec.data_class is None:
        return True
    return all([_allowed_here(spec.data_class, ctx), _saved_alike(spec.data_class, checkpoint, ctx)])


def _allowed_here(name: str, ctx: PlanContext) -> bool:
    """Unknown rules allow nothing."""
    residency, location = ctx.site_plan.residency, ctx.place.location
    known = residency.data_classes if residency else {}
    rules = known.get(name)
    if rules is None:
        says = f'data class "{name}" has no rules, and unknown rules allow nothing'
        hint = nearest(name, known) if known else f"add residency.data_classes.{name}"
        return ctx.check("TRN-020", False, says, ("data_class",), hint)
    held = ctx.check(
        "TRN-020",
        binds(ctx.catalog, location.country, rules.jurisdictions)
        and binds(ctx.catalog, location.operator.nationality, rules.operators),
        f"{name} data may be in {', '.join(rules.jurisdictions)} under operators of {', '.join(rules.operators)}; "
        f"{location.operator.name}, of {location.operator.nationality}, runs {ctx.place.site} in {location.country}",
        ("data_class",),
        f"take {ctx.place.site} out of placement, or read other data there",
    )
    if held:
        ctx.decide("data_class", name, "both place and operator are allowed for it", source=("data_class",))
    return held


def _saved_alike(name: str, checkpoint: CheckpointPlan | None, ctx: PlanContext) -> bool:
    classes = {offer.name: offer for offer in ctx.offers(StorageOffer) if offer.part}
    tier = classes.get(checkpoint.storage_class) if checkpoint else None
    if tier is None:
        # Without tiers nothing is known of a class of the site; with some, STO-011 refuses a class outside of them.
        return True
    return ctx.check(
        "TRN-020",
        tier.data_class == name,
        f"checkpoints of {name} data would lie on tier {tier.part}, which keeps {tier.data_class or 'no stated'} data",
        ("checkpoint",),
        f"set data_class of tier {tier.part} to {name}, or checkpoint.storage_class to a tier that has it",
    )
