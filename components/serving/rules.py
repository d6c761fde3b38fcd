"""What the plan of a served model must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

_SIZING = "docs/accuracy.md, the sizing kernel against measurements"
_VLLM = "vllm-project/vllm 0.33.0, engine arguments"

RULES: tuple[Rule, ...] = (
    Rule(
        "SRV-001",
        "error",
        "A served model has a demand",
        "Without rates, lengths and a latency nobody can say how many GPUs it needs or how many requests share one.",
        _SIZING,
    ),
    Rule(
        "SRV-002",
        "error",
        "The model fits its GPUs",
        "An engine that finds too little memory for weights or for one request stops at each start.",
        "vllm-project/vllm#6746, measured memory of a 405B model",
    ),
    Rule(
        "SRV-003",
        "error",
        "The time between tokens can be reached",
        "Each token reads the weights once; below the time of that reading no hardware count helps.",
        _SIZING,
    ),
    Rule(
        "SRV-004",
        "error",
        "The time to the first token can be reached by one request alone",
        "What an empty server does not reach, a loaded one never will.",
        _SIZING,
    ),
    Rule(
        "SRV-005",
        "error",
        "The card has the precision",
        "A format that the card doesn't compute in is unpacked first: it saves memory and brings no speed, or fails.",
        "components/catalog/accelerators.yaml, dense TFLOPS by format",
    ),
    Rule(
        "SRV-006",
        "error",
        "The cut over GPUs divides the model",
        "Tensor parallelism hands whole attention heads to GPUs; the engine refuses any other number.",
        _VLLM,
    ),
    Rule(
        "SRV-007",
        "error",
        "The replicas fit what their tenant reserves",
        "A ResourceQuota of the namespace refuses pods above the reservation, so that the peak meets fewer replicas.",
        "Kubernetes documentation, Resource Quotas",
    ),
    Rule(
        "SRV-008",
        "error",
        "The replicas fit the pool",
        "A pod that no node has room for stays pending, and nobody is told until the peak.",
        "Kubernetes documentation, Scheduler",
    ),
    Rule(
        "SRV-009",
        "error",
        "The weights can be mounted",
        "A volume of one node leaves other replicas in ContainerCreating, and older clusters don't mount images.",
        "kubernetes/enhancements KEP-4639, image volumes on by default from 1.35",
    ),
    Rule(
        "SRV-010",
        "error",
        "KServe serves a model from one node",
        "Replicas over several nodes are LeaderWorkerSets, which the stack llm-d makes.",
        "docs/decisions/0011-how-models-are-served.md",
    ),
    Rule(
        "SRV-011",
        "warning",
        "The estimate rests on measurements of its kind",
        "Outside of them the band is wider: half or twice the speed is possible, so measure before buying.",
        _SIZING,
    ),
    Rule(
        "SRV-012",
        "error",
        "A model server gets whole GPUs",
        "Memory of a slice or of a shared GPU is not what the sizing counts on.",
        "NVIDIA GPU Operator documentation, MIG and time-slicing",
    ),
    Rule(
        "SRV-013",
        "error",
        "Data of a class is served only where its rules allow",
        "Prompts are data: they lie in memory and caches of the place that computes, under its laws and its owner's.",
        "Regulation (EU) 2016/679, chapter V",
    ),
    Rule(
        "SRV-014",
        "error",
        "The longest request fits the model and one replica",
        "The engine doesn't start when one request of the longest kind finds no room for its keys and values.",
        _VLLM,
    ),
    Rule(
        "SRV-015",
        "error",
        "The stored weights can have the wanted precision",
        "The engine makes fp8 of bf16 while it loads. Four bits need a calibration that happens before.",
        _VLLM,
    ),
    Rule(
        "SRV-016",
        "error",
        "Autoscaling knows where to ask",
        "KEDA asks Prometheus by its address; of one that the site gives nobody else knows it.",
        "KEDA documentation, Prometheus scaler",
    ),
    Rule(
        "SRV-017",
        "warning",
        "Weights are named by digest",
        "What a tag, a folder or a branch holds may change; then two replicas of one model give different answers.",
        "Sigstore documentation, model signing",
    ),
    Rule(
        "SRV-018",
        "warning",
        "Somebody is served while a replica is replaced",
        "With one replica each upgrade, drain and crash is an outage as long as the weights take to load.",
        "Kubernetes documentation, Disruptions",
    ),
    Rule(
        "SRV-019",
        "error",
        "Written replicas carry the demand",
        "Fewer replicas than the peak needs turn into queues, and queues into timeouts.",
        _SIZING,
    ),
    Rule(
        "SRV-020",
        "error",
        "A model is served once in a namespace",
        "Two servers of one name share metrics, and each would be scaled by the other's queue.",
        "llm-d/llm-d-router#158",
    ),
    Rule(
        "SRV-021",
        "error",
        "The figures that sizing needs are known",
        "A guess about memory or speed of a card is a guess about how many of them to buy.",
        "components/catalog/README.md",
    ),
    Rule(
        "SRV-022",
        "warning",
        "Weights come from a place of the site",
        "A public hub throttles the address of the whole site, and a crash loop multiplies the downloads.",
        "NVIDIA/aicr#1116; huggingface/huggingface_hub#3312",
    ),
    Rule(
        "SRV-023",
        "error",
        "The volume holds the weights",
        "A download that meets a full volume fails at its end, after hours.",
        "Kubernetes documentation, Persistent Volumes",
    ),
    Rule(
        "SRV-024",
        "error",
        "The floor lies below the ceiling",
        "KEDA refuses a ScaledObject that always runs more replicas than it ever may.",
        "kedacore/keda apis/keda/v1alpha1, ScaledObject",
    ),
)
