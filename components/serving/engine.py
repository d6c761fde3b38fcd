"""How vLLM is started: flags and variables that match GPUs, parallelism and precision.

The names of all flags and variables stand in components/catalog/engines.yaml, with the version they are of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec import Struct

from aifactory.components.serving.decided import Layout, OffloadPlan
from aifactory.components.serving.spec import Lora
from aifactory.components.tracing import SpanSink

PORT = 8_000
PORT_NAME = "http"
MASTER_PORT = 29_501
"""Port at which the processes of a replica over several nodes meet: vLLM's own default."""

USER = "vllm"
"""A name for the user of the pod, without which torch can't be imported. Source: vllm-project/vllm#44548."""
WEIGHTS_PATH = "/weights"
DRAIN_S = 15
"""Time between the end of a pod's endpoints and the signal to stop: proxies and routers learn of it meanwhile."""

KEEP_ALIVE_S = 120
"""Time after which the engine closes an idle connection; proxies must do so before. Its own 5 s suits none."""

STOP_S = 30
"""Time that a server takes to end once its last answer has ended."""

SILENT = ("VLLM_NO_USAGE_STATS", "DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY")
"""Variables that switch reports of use off. The list with its source: components/catalog/phone-home.yaml."""

QUIET = ("/health", "/metrics", "/v1/models")
"""Paths that are asked every few seconds, and say nothing in a log."""


CHUNK_TOKENS = 2_048
"""Tokens of prompts that one step reads between tokens of answers, at most. The engine's own 8192 on large cards makes
readers wait for up to a second while somebody's long prompt is read. Source: vLLM documentation, optimization and
tuning, chunked prefill."""


class Start(Struct, frozen=True):
    """What the start of an engine depends on."""

    model: str
    path: str
    """Folder or address of the weights."""
    layout: Layout
    longest_tokens: int
    concurrency: int
    memory_share: float
    """Share of the GPU's memory that the engine takes."""
    kv_dtype: str
    """`auto` keeps keys and values as the model computes."""
    quantization: str
    """Format to make of the weights while loading, empty to take them as they are."""
    streamed: bool
    answer_s: int
    lora: Lora | None
    cache: str
    ready_s: int
    offload: OffloadPlan | None
    """Where keys and values go that GPU memory has no room for, None for nowhere."""
    spans: SpanSink | None
    """Where a span of each request goes, None where nobody keeps them."""
    batch_tokens: int = 0
    """Tokens that a step of an embedding model reads; 0: the model writes text."""
    encoder: bool = False
    """Whether an embedding model is one by its architecture, and needs no conversion."""


def arguments(start: Start) -> tuple[str, ...]:
    """Words after `vllm serve`, the same on each node of a replica."""
    layout = start.layout
    flags: dict[str, object] = {
        "served-model-name": start.model,
        "port": PORT,
        "tensor-parallel-size": layout.tensor,
        "max-model-len": start.longest_tokens,
        "max-num-seqs": start.concurrency,
        "max-num-batched-tokens": start.batch_tokens or max(CHUNK_TOKENS, start.concurrency),
        "gpu-memory-utilization": f"{start.memory_share:.2f}",
        "kv-cache-dtype": start.kv_dtype,
    }
    if start.encoder:
        del flags["kv-cache-dtype"]
    if start.batch_tokens:
        flags["runner"] = "pooling"
    if start.batch_tokens and not start.encoder:
        flags["convert"] = "embed"
    if layout.pipeline > 1:
        flags["pipeline-parallel-size"] = layout.pipeline
    if start.quantization:
        flags["quantization"] = start.quantization
    if start.streamed:
        flags["load-format"] = "runai_streamer"
    if start.offload:
        flags["kv-transfer-config"] = _connector(start.offload)
    flags["shutdown-timeout"] = start.answer_s
    if start.spans:
        flags["otlp-traces-endpoint"] = start.spans.url
    flags["disable-access-log-for-endpoints"] = ",".join(QUIET)
    # A vector is made of the whole text: nothing of an earlier one can be used again.
    caching = "no-enable-prefix-caching" if start.batch_tokens else "enable-prefix-caching"
    switches = [caching, "no-enable-log-requests"]
    if layout.expert_parallel:
        switches.append("enable-expert-parallel")
    words = [start.path, *(f"--{name}={value}" for name, value in flags.items()), *(f"--{name}" for name in switches)]
    return (*words, *_adapters(start.lora))


def _connector(offload: OffloadPlan) -> str:
    """The connector that stores blocks and loads them again, both in this engine alone."""
    told = {
        "kv_connector": "SimpleCPUOffloadConnector",
        "kv_role": "kv_both",
        "kv_connector_extra_config": offload.settings,
    }
    return json.dumps(told, separators=(",", ":"))


def _adapters(lora: Lora | None) -> list[str]:
    if lora is None:
        return []
    modules = [f"{adapter.name}={WEIGHTS_PATH}/{adapter.folder}" for adapter in lora.adapters]
    return [
        "--enable-lora",
        f"--max-loras={len(lora.adapters)}",
        f"--max-lora-rank={lora.max_rank}",
        "--lora-modules",
        *modules,
    ]


def joined(layout: Layout, *, first: bool) -> tuple[str, ...]:
    """Words by which the pods of one replica find each other; none when it is one pod.

    LeaderWorkerSet sets both variables in each pod, and Kubernetes puts them in.
    """
    if layout.nodes == 1:
        return ()
    meeting = (
        f"--nnodes={layout.nodes}",
        "--node-rank=$(LWS_WORKER_INDEX)",
        "--master-addr=$(LWS_LEADER_ADDRESS)",
        f"--master-port={MASTER_PORT}",
        "--distributed-executor-backend=mp",
    )
    return meeting if first else (*meeting, "--headless")


def at_home(cache: str) -> dict[str, str]:
    """Variables of every program of the engine's image: who it is, where it may write, and no reports home."""
    return {"HOME": cache, "USER": USER, "HF_HOME": f"{cache}/huggingface", **dict.fromkeys(SILENT, "1")}


def environment(start: Start, extra: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Variables of the engine: offline, without reports home, with its caches where it may write."""
    own = {
        **at_home(start.cache),
        "VLLM_CACHE_ROOT": f"{start.cache}/vllm",
        "TRITON_CACHE_DIR": f"{start.cache}/triton",
        "TORCHINDUCTOR_CACHE_DIR": f"{start.cache}/inductor",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "VLLM_LOGGING_LEVEL": "INFO",
        "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": str(KEEP_ALIVE_S),
        "VLLM_ENGINE_READY_TIMEOUT_S": str(start.ready_s),
        **(_traced(start.model) if start.spans else {}),
    }
    return tuple({**own, **extra}.items())


def _traced(model: str) -> dict[str, str]:
    """Variables of the tracing library below the engine. Source: docs.vllm.ai, examples/observability/opentelemetry."""
    return {
        "OTEL_SERVICE_NAME": f"vllm-{model}",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "true",
    }


def lifecycle(ready_s: int) -> tuple[tuple[str, dict[str, object]], ...]:
    """Probes that survive a long load, and a pause before the signal to stop.

    `/health` says only that the server is up, `/v1/models` that the model is. Source: llm-d, docs/operations,
    readiness probes.
    """
    models: dict[str, object] = {"httpGet": {"path": "/v1/models", "port": PORT_NAME}}
    health: dict[str, object] = {"httpGet": {"path": "/health", "port": PORT_NAME}}
    return (
        ("startupProbe", {**models, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": -(-ready_s // 10)}),
        ("readinessProbe", {**models, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3}),
        ("livenessProbe", {**health, "periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 6}),
        ("lifecycle", {"preStop": {"sleep": {"seconds": DRAIN_S}}}),
    )


def worker_lifecycle(answer_s: int) -> tuple[tuple[str, dict[str, object]], ...]:
    """Of pods that only compute for the first one: they stay until it is gone, its last answer ended.

    A pause of fixed length would keep the nodes of a replica that crashed.
    """
    meets = f"exec 3<>/dev/tcp/$LWS_LEADER_ADDRESS/{MASTER_PORT}"
    wait = ["timeout", str(DRAIN_S + answer_s), "bash", "-c", f"while ({meets}) 2>/dev/null; do sleep 2; done"]
    return (("lifecycle", {"preStop": {"exec": {"command": wait}}}),)
