"""What runs in the pods of a model: the engine, alone or joined with others, and its load test."""

from __future__ import annotations

from aifactory.components.pods import Program
from aifactory.components.serving import engine
from aifactory.components.serving.decided import WeightsPlan
from aifactory.components.serving.engine import Start
from aifactory.components.serving.spec import ServingSpec, StoredWeights
from aifactory.components.values import SecretRef

POD_ADDRESS = (("VLLM_HOST_IP", "status.podIP"),)
"""Address that processes of one replica give each other: of several interfaces the engine must not choose."""

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def programs_of(spec: ServingSpec, start: Start, kept: WeightsPlan, image: str, answer_s: int) -> tuple[Program, ...]:
    """The program of the pod that answers and, where a replica spans nodes, of those that compute for it."""
    words = engine.arguments(start)
    variables = engine.environment(start, _store(spec))
    first = Program(
        name="kserve-container" if spec.stack == "kserve" else "engine",
        image=image,
        command=("vllm", "serve"),
        args=(*words, *engine.joined(start.layout, first=True)),
        environment=variables,
        from_pod=POD_ADDRESS if start.layout.nodes > 1 else (),
        secrets=_credentials(spec),
        ports=((engine.PORT_NAME, engine.PORT),),
        lifecycle=engine.lifecycle(kept.load_s),
    )
    if start.layout.nodes == 1:
        return (first,)
    other = Program(
        name="engine",
        image=image,
        command=first.command,
        args=(*words, *engine.joined(start.layout, first=False)),
        environment=variables,
        from_pod=POD_ADDRESS,
        secrets=first.secrets,
        lifecycle=engine.worker_lifecycle(answer_s),
    )
    return first, other


def benchmark_program(spec: ServingSpec, image: str) -> Program:
    """The load test's container, without what it asks."""
    offline = {**engine.at_home(spec.cache), "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return Program(
        name="benchmark",
        image=image,
        command=("vllm", "bench", "serve"),
        args=(),
        environment=tuple(offline.items()),
        from_pod=(),
        secrets=(),
    )


PULL = (
    "import sys; from runai_model_streamer import pull_files; "
    "pull_files(sys.argv[1], sys.argv[2], ['*.json', '*.model', '*.txt', '*.jinja'])"
)
"""Takes all but the weights from the store. Source: runai-model-streamer 0.17.0, safetensors_streamer.pull_files."""


def tokenizer_folder(cache: str) -> str:
    """Where the load test finds the tokenizer of weights that no volume holds."""
    return f"{cache}/tokenizer"


def tokenizer_program(spec: ServingSpec, kept: WeightsPlan, image: str) -> Program | None:
    """Fetches the tokenizer for the load test, from where the replicas have their weights."""
    if not isinstance(spec.weights, StoredWeights):
        return None
    return Program(
        name="tokenizer",
        image=image,
        command=("python3", "-c", PULL),
        args=(kept.path, tokenizer_folder(spec.cache)),
        environment=tuple({**engine.at_home(spec.cache), **_store(spec)}.items()),
        from_pod=(),
        secrets=_credentials(spec),
    )


def _store(spec: ServingSpec) -> dict[str, str]:
    if not isinstance(spec.weights, StoredWeights):
        return {}
    # Stores of one's own have buckets in the path; the loader's default is the host name, as at AWS.
    return {"AWS_ENDPOINT_URL": spec.weights.endpoint, "RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING": "0"}


def _credentials(spec: ServingSpec) -> tuple[tuple[str, SecretRef], ...]:
    if not isinstance(spec.weights, StoredWeights):
        return ()
    return tuple((key, SecretRef(spec.weights.credentials, key)) for key in KEYS)
