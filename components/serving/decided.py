"""A served model as decided: plain data, nothing left unset."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.counting import counted
from aifactory.components.pods import PodContract, Program, Volume
from aifactory.components.tracing import SpanSink

Pairs = tuple[tuple[str, str], ...]


class FetchPlan(Struct, frozen=True):
    """The volume that holds the weights, and the Job that fills it once."""

    claim: str
    storage_class: str
    size_gib: int
    job: str
    arguments: tuple[str, ...]
    environment: Pairs
    token: str
    """Secret with the hub's token, empty for none."""
    timeout_s: int


class WeightsPlan(Struct, frozen=True):
    """Which weights, and how a pod gets them."""

    repository: str
    revision: str | None
    digest: str | None
    stored_as: str
    path: str
    """What the engine is told to load: a folder in the pod, or an address of an object store."""
    volume: Volume | None
    fetch: FetchPlan | None
    remote_port: int
    """TCP port of the hub or the store that they come from, 0 where nothing is asked."""
    networks: tuple[str, ...]
    """Networks that hub or store are in, none where nobody says."""
    node_cache: bool
    load_s: int
    """Time that a start may take, weights and kernels. Unit: s."""


KSERVE_API = "serving.kserve.io/v1beta1"
POOL_API = "inference.networking.k8s.io/v1"
IMAGE_S = 600
"""Time to pull image and weights to a node that has neither. Unit: s."""


class Layout(Struct, frozen=True):
    """How one replica is cut over GPUs."""

    tensor: int
    pipeline: int
    data: int
    expert_parallel: bool
    gpus: int
    nodes: int
    """Pods of a replica: one a node."""


class ScalingPlan(Struct, frozen=True):
    """How replicas follow the load."""

    floor: int
    ceiling: int
    prometheus: str
    triggers: tuple[tuple[str, str, int], ...]
    """Name, query and the value of one replica."""
    settle_s: int
    """Time that a lower load must last before a replica stops. Unit: s."""


class OffloadPlan(Struct, frozen=True):
    """Where keys and values go that GPU memory has no room for."""

    settings: dict[str, object]
    """What the engine's connector is told."""
    volume: Volume | None = None
    """Volume of each pod, None for memory."""
    class_row: str = ""
    """Row that makes the volume's class, empty where nobody does."""


class RouterPlan(Struct, frozen=True):
    """The endpoint picker of one pool of replicas."""

    name: str
    image: str
    port: int
    health_port: int
    metrics_port: int
    replicas: int
    scorers: tuple[tuple[str, int], ...]
    """What speaks for a replica, and with which weight."""


class BenchmarkPlan(Struct, frozen=True):
    """A load test that is written and never runs by itself."""

    name: str
    arguments: tuple[str, ...]


def service_of(stack: str, identity: str, port: int) -> tuple[str, int]:
    """Name and port of the Service in front of the replicas. KServe makes its own, of a name and port of its own."""
    return (f"{identity}-predictor", 80) if stack == "kserve" else (identity, port)


class ServingPlan(Struct, frozen=True):
    """A model, its replicas, and everything around them."""

    identity: str
    model: str
    stack: str
    namespace: str
    tenant: str
    data_class: str
    selector: Pairs
    """Labels of the pods that answer requests, and of no others."""
    replicas: int
    """Replicas at peak, the spare one included."""
    layout: Layout
    contract: PodContract
    programs: tuple[Program, ...]
    """What the first pod of a replica runs, and the others where there are several."""
    volumes: tuple[Volume, ...]
    claim_template: str
    weights: WeightsPlan
    port: int
    grace_s: int
    priority_class: str
    """PriorityClass of its pods, empty for the namespace's."""
    racks: int
    pull_secrets: tuple[str, ...]
    scaling: ScalingPlan | None
    router: RouterPlan | None
    benchmark: BenchmarkPlan
    benchmark_program: Program
    benchmark_first: Program | None
    """What fetches the tokenizer before the load test, where no volume holds it."""
    ready_s: int
    """Time until all replicas are ready, one after another. Unit: s."""
    concurrency: int
    """Requests that a replica computes at once."""
    spans: SpanSink | None
    """Where its replicas send spans, None where nobody keeps them."""
    offload: OffloadPlan | None = None
    task: str = "chat"
    dimension: int = 0
    """Numbers of a vector that an embedding model makes, 0 for models that write text."""
    least_dimension: int = 0

    @property
    def step_s(self) -> int:
        """Time of one step of a rollout: the old replica drains, the image comes, the new one loads. Unit: s."""
        return self.grace_s + self.weights.load_s + IMAGE_S

    @property
    def service(self) -> tuple[str, int]:
        """Name and port of the Service in front of the replicas; the Deployment behind it has the same name."""
        return service_of(self.stack, self.identity, self.port)

    @property
    def replica_labels(self) -> dict[str, str]:
        """Labels of all pods of the replicas, those that only compute for the first one too."""
        return {key: value for key, value in self.selector if key.startswith("aifactory.io/")}

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return self.replicas * self.layout.gpus

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        each = counted(self.layout.gpus, "GPU")
        low = f", {self.scaling.floor} at least" if self.scaling else ""
        return (
            f"{self.model} by {self.stack}: {counted(self.replicas, 'replica')} of {each}{low}; "
            f"{self.concurrency} requests at once each"
        )
