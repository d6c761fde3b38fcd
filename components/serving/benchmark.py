"""A load test with the demand's own numbers. It is written, and runs only when somebody starts it.

Time to the first token under load can't be estimated: published estimators are off by half. So it is measured.
"""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.demand import ModelDemand
from aifactory.components.serving.decided import BenchmarkPlan
from aifactory.components.serving.spec import ServingSpec

MINUTES = 5
"""Long enough that queues and caches are in their usual state."""

TASKS = {
    "chat": ("openai-chat", "/v1/chat/completions"),
    "completion": ("openai", "/v1/completions"),
    "embed": ("openai-embeddings", "/v1/embeddings"),
}


def benchmark_of(
    spec: ServingSpec, demand: ModelDemand, address: str, tokenizer: str, peak_per_s: float, ctx: PlanContext
) -> BenchmarkPlan:
    """The load test of a model at the peak of its demand. `address` is where its Service answers."""
    backend, path = TASKS[demand.task]
    embeds = demand.task == "embed"
    first = [f"{'e2el' if embeds else 'ttft'}:{demand.ttft_ms:g}"] if demand.ttft_ms else []
    goals = first if embeds else [f"tpot:{demand.itl_ms:g}", *first]
    requests = max(1, round(peak_per_s * 60 * MINUTES))
    words = (
        f"--backend={backend}",
        f"--base-url={address}",
        f"--endpoint={path}",
        f"--model={spec.model}",
        f"--tokenizer={tokenizer}",
        "--dataset-name=random",
        f"--random-input-len={demand.input_tokens}",
        # Of a vector the client counts one token; answers of random prompts would end anywhere.
        *(("--random-output-len=1",) if embeds else (f"--random-output-len={demand.output_tokens}", "--ignore-eos")),
        f"--request-rate={peak_per_s:g}",
        f"--num-prompts={requests}",
        f"--percentile-metrics={'e2el' if embeds else 'ttft,tpot,itl,e2el'}",
        "--metric-percentiles=50,90,99",
        *(("--goodput", *goals) if goals else ()),
    )
    ctx.decide(
        "benchmark",
        {"requests_per_s": round(peak_per_s, 3), "requests": requests, "goals": goals},
        f"{MINUTES} minutes at peak against the latencies of the demand; a CronJob that never starts by itself",
        rejected=[
            Rejected(
                "estimate the time to the first token", "published estimators are 47 % off under load: measure it"
            ),
            Rejected("a Job", "a deployment would start it, on replicas that serve people"),
        ],
        because=[f"{ctx.part}.peak"],
        source=("demand",),
        document="factory",
    )
    return BenchmarkPlan(f"{spec.identity}-benchmark", words)
