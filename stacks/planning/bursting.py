"""What may stand at a flex site: parts whose class of data may go there, and nodes that come and go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aifactory.components.base import PlanContext
from aifactory.components.bursting import Flex
from aifactory.components.gateway.spec import GatewaySpec
from aifactory.components.gateway.spec_models import PublishedModel
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.problems import Path
from aifactory.components.rag.spec import RagSpec
from aifactory.components.serving.spec import ServingSpec
from aifactory.components.spec import PartSpec
from aifactory.components.storage_tier.spec import StorageTierSpec
from aifactory.components.training.spec import TrainingSpec

_HOLDERS = (TrainingSpec, RagSpec, StorageTierSpec, ObservabilitySpec)
"""Parts that say themselves which data they hold."""


def may_burst(spec: PartSpec, ctx: PlanContext, parts: Sequence[PartSpec]) -> bool:
    """Whether a part may stand at the site, where that is a flex site; problems say why not."""
    flex = ctx.site_plan.flex
    if flex is None or ctx.place.site not in flex.sites:
        return True
    if isinstance(spec, GpuNodePoolSpec):
        pools = [part for part in parts if isinstance(part, GpuNodePoolSpec)]
        return all(_comes_and_goes(spec, pools, flex, ctx))
    held = [_is_allowed(name, at, what, flex, ctx) for name, at, what in _classes(spec, ctx, parts)]
    return all(held)


def _classes(spec: PartSpec, ctx: PlanContext, parts: Sequence[PartSpec]) -> Iterator[tuple[str | None, Path, str]]:
    """Each class of data that a part holds or answers, None where nobody states one; where it is written, and of
    what."""
    if isinstance(spec, ServingSpec):
        yield _served(spec, ctx), ("model",), f"{spec.name} serves {spec.model} for requests"
    elif isinstance(spec, _HOLDERS):
        yield spec.data_class, ("data_class",) if spec.data_class else (), f"{spec.name} holds data"
    elif isinstance(spec, GatewaySpec):
        serving = {part.name: part for part in parts if isinstance(part, ServingSpec)}
        for index, model in enumerate(spec.models or ()):
            for name in _published(model, serving, ctx):
                yield name, ("models", index), f"model {model.name} of {spec.name} answers requests"


def _published(model: PublishedModel, serving: dict[str, ServingSpec], ctx: PlanContext) -> set[str | None]:
    served = {_served(serving[leg.part], ctx) for leg in model.legs if leg.part in serving}
    return {model.data_class} if model.data_class else served or {None}


def _served(spec: ServingSpec, ctx: PlanContext) -> str | None:
    asked = ctx.demand_of(spec.model)
    return asked[1].data_class if asked else None


def _is_allowed(name: str | None, at: Path, what: str, flex: Flex, ctx: PlanContext) -> bool:
    allowed = ", ".join(flex.data_classes)
    return ctx.check(
        "FLX-001",
        name in flex.data_classes,
        f"{what} of {f'class {name}' if name else 'no stated class'}, and {ctx.place.site} is a flex site, where "
        f"{allowed} data may go",
        at,
        (f"state its class, one of {allowed}, or " if not name else f"add {name} to placement.flex.data_classes, or ")
        + f"name other sites in the part's sites than {ctx.place.site}",
    )


def _comes_and_goes(
    spec: GpuNodePoolSpec, pools: Sequence[GpuNodePoolSpec], flex: Flex, ctx: PlanContext
) -> Iterator[bool]:
    site = ctx.place.site
    yield ctx.check(
        "FLX-003",
        spec.flex is not None,
        f"pool {spec.name} holds its nodes all the time, and {site} is a flex site",
        (),
        f"write flex: {{usd_per_hour: ...}}, or name {site} in placement.core.sites",
    )
    most = flex.when.usd_per_hour
    if most is None:
        return
    budgets = [pool.flex.usd_per_hour for pool in pools if pool.flex]
    yield ctx.check(
        "FLX-003",
        spec.flex is None or spec.flex.usd_per_hour is not None,
        f"pool {spec.name} says no bound of its cost, and the flex side may cost {most:g} USD per hour",
        ("flex",),
        "write flex: {usd_per_hour: ...}",
    )
    whole = sum(budget for budget in budgets if budget is not None)
    if spec is pools[-1]:
        yield ctx.check(
            "FLX-003",
            whole <= most,
            f"pools of {site} may cost {whole:g} USD per hour together, and the flex side {most:g}",
            ("flex", "usd_per_hour") if spec.flex else (),
            f"lower flex.usd_per_hour of {', '.join(pool.name for pool in pools)} to {most:g} in all, or raise "
            "placement.flex.when.usd_per_hour",
        )
