"""What holds of embedding models alone: their task, their stack, and settings that mean nothing to them."""

from __future__ import annotations

from aifactory.components.base import PlanContext
from aifactory.components.demand import ModelDemand
from aifactory.components.serving.spec import ServingSpec
from aifactory.components.sizing.geometry import Geometry


def suits(spec: ServingSpec, demand: ModelDemand, index: int, shape: Geometry, ctx: PlanContext) -> bool:
    """Whether model, task and stack go together. Docs: decision 0022."""
    makes = "a vector of a text" if shape.dimension else "text, and no vectors"
    fits = ctx.check(
        "SRV-029",
        (demand.task == "embed") == (shape.dimension > 0),
        f"task {demand.task} of {spec.model}, which makes {makes}",
        ("demand", "models", index, "task"),
        "set task to embed, without output_tokens and itl_ms" if shape.dimension else "ask an embedding model for it",
        "factory",
    )
    if not fits or not shape.dimension:
        return fits
    return all([_plain(spec, ctx), _stack(spec, ctx)])


def _stack(spec: ServingSpec, ctx: PlanContext) -> bool:
    return ctx.check(
        "SRV-030",
        spec.stack == "kserve",
        f"the router of stack llm-d weighs prefixes and KV use, and {spec.model} has neither",
        ("stack",),
        "set stack to kserve: any replica is as good as another",
    )


def _plain(spec: ServingSpec, ctx: PlanContext) -> bool:
    written = [name for name in ("kv_cache", "kv_offload", "lora") if getattr(spec, name) is not None]
    if spec.parallelism and spec.parallelism.pipeline > 1:
        written.append("parallelism")
    return ctx.check(
        "SRV-031",
        not written,
        f"{' and '.join(written)} of an embedding model: it keeps nothing for a next token, and fits one node",
        (written[0],) if written else (),
        f"delete {' and '.join(written)}",
    )
