"""What a person writes about a served model: which one, where, from which weights, and how much may fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.catalog import ModelKey
from aifactory.components.forms import AbsolutePath, Cidr, Folder, ImageText, SecretName
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, Spec, truth, twice

Precision = Literal["bf16", "fp8", "fp4", "mxfp4"]
"""Format of the weights: fp4 is NVIDIA's nvfp4, mxfp4 the open one of gpt-oss."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A digest, such as sha256: and 64 hexadecimal digits."""

S3Uri = Annotated[str, Field(max_length=800, pattern=r"^s3://[a-z0-9][-a-z0-9.]{1,61}[a-z0-9](/[A-Za-z0-9._=-]+)+$")]
"""A folder in an object store without credentials, such as s3://models/llama-3.3-70b."""

HttpUrl = Annotated[str, Field(max_length=400, pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$")]
"""An address without credentials, such as https://hub.example.com."""


class ImageWeights(Spec):
    """Weights as an image: mirrored, signed and rolled back as any other image."""

    kind: Literal["oci"]
    """An image whose content is mounted, not run. The kubelet pulls it once for each node."""

    image: ImageText
    """Image with its registry, and a tag, a digest or both. With a digest the weights can't change unseen."""

    folder: Folder = "models"
    """Folder in the image that holds config.json. Default models: where model images of KServe have it."""

    node_cache: bool = True
    """Whether a small pod on each node of the pool holds the image, so that a new replica starts without a pull and
    the kubelet doesn't remove it. Default true: a pull of 70 GB takes minutes in which a replica is missing."""


class ClaimWeights(Spec):
    """Weights on a volume that somebody fills."""

    kind: Literal["claim"]
    """An existing claim."""

    claim: Name
    """PersistentVolumeClaim in the tenant's namespace that many nodes can read."""

    folder: Folder | None = None
    """Folder on the volume that holds config.json. Default: the volume itself."""


class FetchedWeights(Spec):
    """Weights on a volume that a Job fills once from a hub, for all replicas."""

    kind: Literal["fetch"]
    """A claim of the part, and a Job that downloads into it."""

    hub: HttpUrl
    """Hub that speaks the API of Hugging Face: a mirror of the site, or https://huggingface.co."""

    size_gib: int = Field(ge=1, le=65_536)
    """Size of the volume. Unit: GiB. Twice the weights, so that a new revision fits beside the old."""

    storage_class: Name | None = None
    """StorageClass that serves ReadWriteMany. Default: the first class of the site that does, its default before
    others."""

    token: SecretName | None = None
    """Existing Secret of the tenant's namespace whose key `token` opens the hub. Default none: the hub is open."""

    networks: list[Cidr] = Field(default=[], max_length=16)
    """Networks that the hub is in, such as 10.20.0.0/16; pods then reach its port there and nowhere else. Default: the
    port at any address, because its name may stand for many."""


class StoredWeights(Spec):
    """Weights that each replica streams from an object store, without a copy on a volume."""

    kind: Literal["object-store"]
    """An object store that speaks S3."""

    uri: S3Uri
    """Folder that holds config.json."""

    endpoint: HttpUrl
    """Address of the store, such as https://s3.example.com."""

    credentials: SecretName
    """Existing Secret of the tenant's namespace with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."""

    networks: list[Cidr] = Field(default=[], max_length=16)
    """Networks that the store is in, such as 10.20.0.0/16; pods then reach its port there and nowhere else. Default:
    the port at any address, because its name may stand for many."""


Weights = Annotated[ImageWeights | ClaimWeights | FetchedWeights | StoredWeights, Field(discriminator="kind")]
"""Where the weights come from."""


class Adapter(Spec):
    """A LoRA adapter that requests may ask for by name."""

    name: Name
    """Name that requests carry."""

    folder: Folder
    """Folder beside or below the weights that holds adapter_config.json."""


class Lora(Spec):
    """Adapters on one base model."""

    adapters: list[Adapter] = Field(min_length=1, max_length=64)
    """Adapters that are there. All are held in GPU memory, so each costs some of what requests have."""

    max_rank: Literal[8, 16, 32, 64, 128, 256] = 16
    """Highest rank of them. Memory grows with it. Default 16: what most adapters have."""

    @truth
    def _an_adapter_is_listed_once(self) -> Iterator[Misfit]:
        names = [adapter.name for adapter in self.adapters]
        for index in twice(names):
            yield Misfit(f'"{names[index]}" names two adapters', "give each its own", ("adapters", index, "name"))


class Parallelism(Spec):
    """How one replica is cut over GPUs, where the planner's choice isn't wanted."""

    tensor: int = Field(ge=1, le=64)
    """GPUs of one node that share each layer. It divides the model's attention heads."""

    pipeline: int = Field(default=1, ge=1, le=16)
    """Nodes in a row, each with some of the layers. Default 1: a node holds the model."""


class Autoscaling(Spec):
    """How replicas follow the load between a floor and those that the peak needs."""

    enabled: bool = True
    """Whether they do. Default true: GPUs that no request needs are lent to jobs, or idle at less power."""

    min_replicas: int | None = Field(default=None, ge=1, le=10_000)
    """Replicas that always run. Default: what the mean rate needs, and 2 where redundancy asks for a spare one."""

    waiting_per_replica: int = Field(default=5, ge=1, le=10_000)
    """Requests in the queue of a replica above which another one starts. Default 5: a queue means that a replica is
    full already. Source: llm-d guides, workload autoscaling."""

    kv_percent: int = Field(default=80, ge=10, le=99)
    """Share of the KV cache in use above which another one starts. Unit: percent. Default 80: above 90 the engine
    preempts requests and computes them again."""


class KvOffload(Spec):
    """Where keys and values of prompts are kept once GPU memory is full, so that a prompt that begins like an earlier
    one is read instead of computed: drives of the node, or its memory."""

    tier: Name | None = None
    """Storage tier local-cache on whose drives they lie, in a volume that is made with each pod and goes with it.
    Default none: memory."""

    size_gib: int | None = Field(default=None, ge=1, le=65_536)
    """Size of the volume of each pod. Unit: GiB. Default none; needed with tier."""

    cpu_gib: int | None = Field(default=None, ge=1, le=8_192)
    """Memory of each pod for them, out of its share of the node. Unit: GiB. Default none; needed without tier."""

    @truth
    def _it_is_one_of_both(self) -> Iterator[Misfit]:
        if (self.tier is None) != (self.size_gib is None):
            yield Misfit("tier and size_gib need each other", "write both, or cpu_gib alone")
        elif (self.tier is None) == (self.cpu_gib is None):
            says = "keys and values on drives and in memory at once" if self.tier else "nowhere to keep keys and values"
            yield Misfit(says, "write {tier: ..., size_gib: ...}, or {cpu_gib: ...}: the engine takes one")


class ServingSpec(PartSpec):
    """A model behind an OpenAI-compatible API, on GPUs of one pool."""

    kind: Literal["serving"]
    """A served model."""

    model: ModelKey
    """Model. Its geometry decides memory and speed, and `demand` of this model the number of replicas."""

    engine: Literal["vllm"] = "vllm"
    """What computes. Default vllm: the only one here; the version is the catalog's."""

    stack: Literal["llm-d", "kserve"] = "llm-d"
    """What runs and finds replicas. llm-d: a router that knows queues, KV use and prefixes of each replica, and
    replicas over several nodes. kserve: an InferenceService with round-robin, for models that need no router. Default
    llm-d: it serves more with the same GPUs as soon as there are several replicas."""

    pool: Name
    """GPU node pool it runs on."""

    tenant: Name | None = None
    """Inference tenant of a queue that it runs for: decides the namespace, who is charged, and the GPUs reserved.
    Default none: it runs in a namespace of its own, and no queue hands out the pool."""

    precision: Precision | None = None
    """Format that weights have in GPU memory. Fewer bytes mean more requests for each GPU, and somewhat other answers.
    Default: as they are stored; nothing is lost that nobody asked to lose."""

    stored_as: Precision | None = None
    """Format of the weights where they come from. Default: as published, components/catalog/weights.yaml."""

    kv_cache: Literal["fp8", "bf16"] | None = None
    """Format of keys and values in GPU memory. fp8 holds twice as many requests, and needs scales in the weights to be
    as exact. Default bf16: as the model computes."""

    kv_offload: KvOffload | None = None
    """Where keys and values go that GPU memory has no room for. It pays where prompts come back or begin alike, and
    reading them is faster than computing. Default none: they are computed again."""

    weights: Weights
    """Where the weights come from. Nothing is ever downloaded from the public internet while a replica starts."""

    digest: Digest | None = None
    """Digest of the weights, as the model's registry prints it. Default none: it is shown as null on each object, and
    never made up."""

    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    """Commit of the model's repository that the weights are of. Default none, shown as null."""

    replicas: Annotated[int, Field(ge=1, le=10_000)] | Literal["demand"] = "demand"
    """Replicas: as many as `demand` needs, or a number. A number below the need is refused. Default demand."""

    redundancy: Literal["none", "replica", "node"] = "node"
    """What may fail, or be replaced, at peak. replica: one replica more than needed. node: the same, and a pool with
    `nodes: demand` has room to start a lost node's replicas elsewhere. none: whoever is served waits. Default node:
    a driver upgrade takes a node at a time."""

    parallelism: Parallelism | None = None
    """How a replica is cut over GPUs. Default: the fewest GPUs in all that carry the peak."""

    lora: Lora | None = None
    """Adapters. Default none."""

    autoscaling: Autoscaling = Autoscaling()
    """How replicas follow the load. Default: between mean and peak."""

    image: ImageText | None = None
    """Image of the engine. Default: the catalog's, whose flags are known; another one must know them too."""

    pull_secrets: list[SecretName] = Field(default=[], max_length=10)
    """Existing Secrets of the namespace with registry credentials. Default none."""

    load_mb_per_s: int = Field(default=500, ge=10, le=100_000)
    """Rate at which a node reads weights. It sizes how long a start may take. Unit: MB per s. Default 500: a shared
    file system or registry with other readers; measure it."""

    cache: AbsolutePath = "/cache"
    """Folder for kernels that the engine compiles, room of the node that vanishes with the pod. Default /cache."""
