"""Why the engine is started with the flags that it has: for those who have never set one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aifactory.components.base import PlanContext, Rejected


class Why(Struct, frozen=True):
    """The reason of one flag."""

    reason: str
    because: tuple[str, ...] = ()
    """Decisions of the part that it follows from."""
    rejected: tuple[tuple[str, str], ...] = ()


WHY = {
    "tensor-parallel-size": Why("GPUs of one node that share each layer", ("layout",)),
    "pipeline-parallel-size": Why("nodes in a row, each with some of the layers", ("layout",)),
    "enable-expert-parallel": Why("whole experts on each GPU instead of a slice of all of them", ("layout",)),
    "max-model-len": Why("longer requests are refused, and never push others out", ("longest_tokens",)),
    "max-num-seqs": Why(
        "more at once would answer slower than asked; they wait in the queue, where router and autoscaling see them",
        ("concurrency",),
    ),
    "max-num-batched-tokens": Why(
        "tokens of prompts that one step reads between tokens of answers: a long prompt then delays readers by a "
        "fraction of a second",
        (),
        (("8192", "the engine's own on large cards: more throughput, and pauses of up to a second"),),
    ),
    "gpu-memory-utilization": Why(
        "what the memory was counted with; the rest is for the driver and for peaks", ("memory",)
    ),
    "kv-cache-dtype": Why("format of keys and values", ("kv_cache",)),
    "kv-transfer-config": Why(
        "blocks that leave GPU memory are kept by the engine's own connector, and loaded when a prompt begins alike",
        ("kv_offload",),
    ),
    "quantization": Why("made of the stored weights while they load", ("precision",)),
    "shutdown-timeout": Why("a server that stops ends every answer that it began", ("longest_tokens",)),
    "otlp-traces-endpoint": Why(
        "one span a request with its times and counts, and no text; it joins the span of the door",
        (),
        (("collect-detailed-traces", "it times every step of the engine, which slows all of them"),),
    ),
    "enable-prefix-caching": Why("prompts that begin alike are computed once; the router sends them to the same place"),
    "enable-log-requests": Why("prompts belong to whoever wrote them, and no log holds them"),
}


OF_VECTORS = {
    "max-num-seqs": Why("texts that one step reads; more wait in the queue", ("concurrency",)),
    "max-num-batched-tokens": Why(
        "tokens that one step reads: large matrices use the card, and the next text waits for the end of the step",
        ("concurrency",),
        (("32768", "the engine's own for such models: longer steps, and no more vectors"),),
    ),
    "shutdown-timeout": Why("a server that stops ends every text that it began", ("longest_tokens",)),
    "runner": Why("the API of vectors, /v1/embeddings, instead of that of texts"),
    "convert": Why("the model wrote text before it was trained for vectors: its last hidden state becomes the vector"),
    "enable-prefix-caching": Why("a vector is made of the whole text: nothing of an earlier one can be used again"),
}
"""Reasons of flags of embedding models, where they are others."""


def explain(arguments: Sequence[str], ctx: PlanContext, *, vectors: bool = False) -> None:
    """A decision for each flag that needs a reason."""
    known = {**WHY, **OF_VECTORS} if vectors else WHY
    for word in (word for word in arguments if word.startswith("--")):
        flag, _, value = word.removeprefix("--").partition("=")
        name = flag.removeprefix("no-")
        why = known.get(name)
        if why is None:
            continue
        ctx.decide(
            f"flags.{name}",
            value or ("off" if name != flag else "on"),
            why.reason,
            rejected=[Rejected(what, reason) for what, reason in why.rejected],
            because=[f"{ctx.part}.{key}" for key in why.because],
        )
