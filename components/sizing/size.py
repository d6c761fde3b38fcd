"""Sizes one demand on one card: the cut with the fewest GPUs that carries the peak, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aifactory.components.sizing import embedding_steps, explaining, refusing
from aifactory.components.sizing.card import Card
from aifactory.components.sizing.carrying import count_at
from aifactory.components.sizing.case import Case
from aifactory.components.sizing.demand import Demand
from aifactory.components.sizing.evidence import Band
from aifactory.components.sizing.fitting import fitted
from aifactory.components.sizing.found import Fitted, Refusal, Rejection
from aifactory.components.sizing.geometry import Geometry
from aifactory.components.sizing.known import Known
from aifactory.components.sizing.layouts import cuts
from aifactory.components.sizing.memory import Memory
from aifactory.components.sizing.options import Options
from aifactory.components.sizing.steps import Step

SHOWN = 4
"""Cuts that a plan names of those that cost more GPUs, and of those that don't work."""


class Sizing(Struct, frozen=True):
    """Replicas for a demand, with every step of the reasoning."""

    precision: str
    computes_in: str
    kv_bytes: int
    """Bytes of an element of keys and values."""
    tensor: int
    pipeline: int
    data: int
    expert_parallel: bool
    gpus_per_replica: int
    nodes_per_replica: int
    memory: Memory
    batch: int
    """Requests that a replica computes at once at most."""
    itl_ms: float
    """Mean time between tokens, as expected. 0: an embedding model writes none."""
    slow_itl_ms: float
    """The same at the slow end that replicas are counted at."""
    ttft_unloaded_ms: float
    """Time to the first token, or to the vector, of a request alone."""
    tokens_per_s: Band
    """Output tokens of a replica; of an embedding model those of texts."""
    gpus_at_slow_end: int
    """GPUs if it were as slow as the band allows: more than `gpus` where a doubt costs no replicas."""
    replicas_needed: int
    replicas: int
    replicas_at_mean: int
    gpus: int
    nodes: int
    occupied_gpus: float
    """GPUs with those of their nodes that no replica can use: what a cut that leaves some over really takes."""
    evidence: tuple[str, ...]
    """Why no measurement stands behind the speed; empty when some do."""
    rejected: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]


def size(demand: Demand, shape: Geometry, card: Card, options: Options, known: Known) -> Sizing | Refusal:
    """Replicas on the fewest GPUs that carry the peak at the slow end of the band, with the latencies as expected.

    More demand never takes fewer GPUs, and neither does a slower card of the same kind. Docs: decision 0013.
    """
    case = Case(demand, shape, card, options, known)
    refusal = refusing.before_sizing(case)
    if refusal is not None:
        return Refusal(*refusal)
    found = [fitted(cut, case) for cut in cuts(shape, options)]
    working = [each for each in found if isinstance(each, Fitted)]
    failing = [each for each in found if isinstance(each, Rejection)]
    if not working:
        return Refusal(*refusing.of_all(failing, case))
    node = options.gpus_per_node
    best = min(working, key=lambda each: (each.occupied(node), each.gpus, each.count.nodes, each.cut.gpus))
    others = [each for each in working if each is not best]
    return _sizing(best, others, failing, case)


def _sizing(best: Fitted, others: list[Fitted], failing: list[Rejection], case: Case) -> Sizing:
    cut, shape, options = best.cut, case.shape, case.options
    return Sizing(
        precision=options.precision,
        computes_in=case.card.computes_in(options.precision),
        kv_bytes=case.kv_bytes,
        tensor=cut.tensor,
        pipeline=cut.pipeline,
        data=1,
        expert_parallel=shape.experts > 0 and cut.tensor > 1,
        gpus_per_replica=cut.gpus,
        nodes_per_replica=cut.pipeline,
        memory=best.memory,
        batch=best.batch,
        itl_ms=best.itl_ms,
        slow_itl_ms=best.slow_itl_ms,
        ttft_unloaded_ms=best.first_s * 1_000,
        tokens_per_s=best.tokens,
        gpus_at_slow_end=count_at(cut, best.tokens.low, case).replicas * cut.gpus,
        replicas_needed=best.count.needed,
        replicas=best.count.replicas,
        replicas_at_mean=best.count.at_mean,
        gpus=best.gpus,
        nodes=best.count.nodes,
        occupied_gpus=best.occupied(options.gpus_per_node),
        evidence=tuple(doubt.says for doubt in best.doubts),
        rejected=tuple(_rejected(best, others, failing, case)),
        steps=tuple((embedding_steps if case.shape.dimension else explaining).steps(best, case)),
    )


def _rejected(best: Fitted, others: list[Fitted], failing: list[Rejection], case: Case) -> Iterator[tuple[str, str]]:
    dearer = sorted(others, key=lambda each: (each.gpus, each.cut.gpus))[:SHOWN]
    for each in dearer:
        yield each.cut.text, f"{each.gpus} GPUs in {each.count.replicas} replicas"
    for failed in failing[:SHOWN]:
        yield failed.cut.text, failed.reason
    if case.shape.latent and best.cut.tensor > 1:
        yield (
            "data-parallel attention",
            "each GPU would keep other requests instead of copies of all; nobody published measurements to size it by",
        )
