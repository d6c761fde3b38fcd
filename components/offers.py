"""What parts offer each other. A part never imports a part: it reads the offers it needs from the context."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.values import Ref


class Taint(Struct, frozen=True):
    """A taint on nodes, and so the toleration that its pods need."""

    key: str
    value: str
    effect: Literal["NoSchedule", "NoExecute"]

    def toleration(self) -> dict[str, object]:
        """The toleration that matches this taint alone."""
        if not self.value:
            return {"key": self.key, "operator": "Exists", "effect": self.effect}
        return {"key": self.key, "operator": "Equal", "value": self.value, "effect": self.effect}


class CloudOffer(Struct, frozen=True):
    """The account and region of a cloud that the base layer works in. One a site."""

    partition: str
    """Such as `aws` or `aws-eusc`."""
    account: str
    """Twelve digits: the provider refuses to work in another."""
    region: str


class ClusterAccessOffer(Struct, frozen=True):
    """How a cluster that we make is reached: outputs of the base, and the command that signs in."""

    name: Ref
    endpoint: Ref
    """URL of the API server."""
    authority: Ref
    """Certificate of its authority, in base64."""
    region: str


class AddressDemand(Struct, frozen=True):
    """Nodes that take addresses of a VPC, and how many each takes when it is full."""

    part: str
    nodes: str
    """What they are, in words: `system nodes`."""
    zones: tuple[str, ...]
    """Zones whose subnets they may be in."""
    nodes_per_zone: int
    """Most of them in one zone, with those that an update starts before old ones go."""
    pods_per_node: int
    addresses_per_interface: int
    """Addresses that an interface of the instance type has."""
    interfaces: int = 0
    """Interfaces of a node with an address beside those of pods: EFA of type efa counts, efa-only doesn't."""


class RackShare(Struct, frozen=True):
    """The nodes of a pool in one rack."""

    rack: str
    block: str
    nodes: tuple[str, ...]

    @property
    def size(self) -> int:
        """All nodes."""
        return len(self.nodes)


class RentedShare(RackShare, frozen=True, kw_only=True):
    """Nodes that lie together and are named when they start."""

    count: int

    @property
    def size(self) -> int:
        """All nodes."""
        return self.count


class PoolOffer(Struct, frozen=True):
    """GPU nodes that workloads may ask for."""

    part: str
    pool: str
    accelerator: str
    architecture: str
    nodes: int
    gpus_per_node: int
    gpu_resource: str
    """Extended resource of one whole GPU, such as nvidia.com/gpu."""
    slice_resources: tuple[tuple[str, int], ...]
    """MIG or time-sliced resources and how many of each a node has."""
    cpus_per_node: int
    """CPU threads that the kubelet leaves to pods, daemons included."""
    memory_gib_per_node: int
    """Memory that the kubelet leaves to pods, daemons included."""
    node_labels: tuple[tuple[str, str], ...]
    """Labels that every node of the pool has, and no other node."""
    taints: tuple[Taint, ...]
    topology_levels: tuple[str, ...]
    """Node labels from coarse to fine."""
    racks: tuple[RackShare, ...]
    fabric: str
    """Name of the fabric part that joins the nodes, empty for none."""
    device_claim: str = ""
    """DeviceClass where GPUs are handed out by DRA, empty with the device plugin."""
    holds_controllers: bool = False
    """Whether controllers of the cluster run on these nodes, because the site has no others."""
    gds: bool = False
    """Whether its nodes should read storage straight into GPU memory."""
    own_driver: bool = True
    """Whether the driver, and so the modules beside it, is brought by the factory and not by its hosts."""
    fabric_devices: tuple[tuple[str, int], ...] = ()
    """Extended resources of the fabric and how many of each a node has, where pods get the part that belongs to their
    GPUs. Empty where the fabric has rails."""
    hugepages_2mi_gib: int = 0
    """Huge pages of 2 MiB of a node that the fabric's devices buffer in; a pod gets the part of its GPUs. Unit: GiB."""

    @property
    def gpus(self) -> int:
        """All GPUs of the pool."""
        return self.nodes * self.gpus_per_node


class RailOffer(Struct, frozen=True):
    """One rail as a pod sees it."""

    rail: int
    network: str
    """NetworkAttachmentDefinition, as `namespace/name`."""
    resource: str
    """Extended resource that reserves the rail's device, empty when the device is shared without count."""


class FabricOffer(Struct, frozen=True):
    """The network between GPUs of different nodes."""

    part: str
    fabric: str
    kind: Literal["roce", "infiniband", "efa"]
    mode: str
    gbps_per_rail: int
    rails: tuple[RailOffer, ...]
    mtu: int
    settings: tuple[tuple[str, str], ...]
    """NCCL and UCX environment that fits this fabric and its NICs."""
    settings_name: str
    """Name of the ConfigMap with these settings in every namespace that asked for it."""
    ipc_lock: bool = True
    """Whether pods need the IPC_LOCK capability to pin memory."""
    resources: tuple[str, ...] = ()
    """Extended resources that pools of it have by their nodes, beside those of rails."""
    security_group: Ref | None = None
    """Id of the group of the base that its interfaces are in. None: it has no such thing."""


class PoolShare(Struct, frozen=True):
    """What a tenant may use of one pool."""

    pool: str
    gpus: int
    """GPUs guaranteed."""
    gpus_at_most: int
    """GPUs with everything borrowed."""


class TenantOffer(Struct, frozen=True):
    """A tenant as workloads see it."""

    tenant: str
    namespace: str
    queue: str
    """LocalQueue in the namespace."""
    gpus: int
    """GPUs guaranteed, of all pools."""
    gpus_at_most: int
    """GPUs with everything borrowed, of all pools."""
    shares: tuple[PoolShare, ...]
    """The same by pool, in the order of the queue's pools."""
    priority: str
    """Priority of its workloads that name none."""
    workload: Literal["training", "inference"] = "training"
    """training: jobs that the queue admits. inference: servers whose GPUs are reserved."""


class QueueOffer(Struct, frozen=True):
    """Admission of workloads by quota."""

    part: str
    queue: str
    engine: Literal["kueue"]
    pools: tuple[str, ...]
    tenants: tuple[TenantOffer, ...]
    priorities: tuple[tuple[str, int], ...]
    """Priorities by the name that people write, and their values. Their objects are `<queue>-<priority>`."""
    topology_aware: bool = True
    """Whether workloads may ask for nodes near each other."""
    objects: tuple[str, ...] = ()
    """Names of its objects in the cluster, as `Kind/name`, which no other queue may take."""
    serving_priority: str = ""
    """PriorityClass of servers of its inference tenants, empty without such tenants."""


class PathOffer(Struct, frozen=True):
    """A bucket or a volume that a tier has for one tenant."""

    path: str
    tenant: str
    claim: str
    """Claim that makes it, in the tenant's namespace."""
    bucket: bool


class StorageOffer(Struct, frozen=True):
    """A StorageClass that workloads may use, and the tier that it is of."""

    name: str
    access: tuple[str, ...]
    place: str
    part: str = ""
    """Storage tier that makes or uses it, by which workloads may name it, too. Empty: no tier has it."""
    tier: Literal["", "block", "parallel", "object", "local-cache", "archive"] = ""
    usable_tib: float | None = None
    """What it can hold. None: unknown."""
    read_gb_per_s: float | None = None
    """What all its clients together may read. None: unknown."""
    write_gb_per_s: float | None = None
    failure_domain: str = ""
    """Largest thing that may be lost without losing data: none, drive, node, rack or site. Empty: not stated."""
    default: bool = False
    """Whether claims that name no class get this one."""
    data_class: str = ""
    """Class of data that the tier was judged for, empty for none."""
    key: str = ""
    """What holds the key of its encryption, empty for none."""
    system: str = ""
    """What it lies in: two tiers of one system are lost together."""
    row: str = ""
    """Row that makes the class, empty for one that is given."""
    endpoint: str = ""
    """Address of its buckets, which speak S3. Empty: it has none that a claim makes."""
    endpoint_at: tuple[str, int] = ("", 0)
    """Namespace and TCP port of the pods behind that address."""
    nodes: tuple[str, ...] = ()
    """Nodes whose own drives it is on, none where any node reaches it."""
    node_gib: int | None = None
    """Room for volumes on each of these nodes. Unit: GiB. None: it is not on drives of a node."""
    issuer: str = ""
    """ClusterIssuer that signs for that address, and whose certificate clients must trust. Empty: it has no TLS."""
    engine: str = ""
    """What makes it: rook-ceph, nfs-rdma or topolvm; existing where the site gives its class."""
    fill_percent: int = 0
    """Fill that it is made for. 0: nothing is said."""
    nfs: bool = False
    """Whether its volumes are folders of an NFS server."""
    backed_up_every_h: int = 0
    """Time between two backups of it that go elsewhere. Unit: hours. 0: there are none."""
    paths: tuple[PathOffer, ...] = ()
    """What tenants have in the tier, as it is written."""
    folder: bool = False
    """Whether its volumes are folders of the node that vanish with their pod, and no class makes them."""


class StorageUse(Struct, frozen=True):
    """What a part keeps on a StorageClass, and how fast it counts on reading it."""

    part: str
    gpus: int
    """GPUs that wait for it."""
    storage_class: str = ""
    """Class of its volume, empty without one."""
    keeps: Literal[
        "", "checkpoints", "weights", "vectors", "backups", "telemetry", "firmware", "cached keys", "dataset"
    ] = ""
    size_gib: int = 0
    """What its volumes may grow to, all of them together. 0 of a claim that somebody else makes."""
    read_gb_per_s: float = 0.0
    """Rate that its plan counts on while all who may start at once do. 0: it states none."""
    namespace: str = ""
    claim: str = ""
    """Claim that somebody else makes, in this namespace. Empty: it makes its own, or has none."""
    what: str = ""
    """Which of its volumes this is, for people. Empty: `keeps` says it."""
    pool: str = ""
    """Part that has its GPUs, empty where none wait."""
    makes: str = ""
    """Claim that it makes itself, in `namespace`. Empty: its name isn't known before, or it makes none."""
    account: str = ""
    """ServiceAccount of its pods in `namespace`; needed with a claim that somebody else makes."""


class QuotaDemand(Struct, frozen=True):
    """GPUs that quotas guarantee on a pool, from which `nodes: quotas` follows."""

    part: str
    pool: str
    gpus: int
    reserved: tuple[tuple[str, int], ...] = ()
    """Those of them that inference tenants reserve by number, by tenant."""
    by_demand: tuple[str, ...] = ()
    """Inference tenants that reserve what their models need, which is not counted here."""


class PodPromise(Struct, frozen=True):
    """Pods that a plan promises to place: what the scheduler will be asked."""

    part: str
    name: str
    namespace: str
    count: int
    requests: tuple[tuple[str, str], ...]
    node_selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Taint, ...]
    queue: str = ""
    topology: str = ""
    """Node label within one value of which all of them must land, empty for anywhere."""


class PoolCard(Struct, frozen=True):
    """The nodes that a pool is made of, before it is known how many: what models are sized for."""

    part: str
    pool: str
    accelerator: str
    gpus_per_node: int
    nodes_at_most: int
    """Nodes of the site that the pool could have."""
    several_join: bool
    """Whether a fabric joins the nodes, so that one replica may span several."""
    whole_gpus: bool
    """Whether a pod gets whole GPUs."""


class GpuDemand(Struct, frozen=True):
    """GPUs that a model needs of a pool, from which `nodes: demand` and `gpus: demand` follow."""

    part: str
    pool: str
    tenant: str
    """Tenant of a queue that they are counted for, empty for none."""
    replicas: int
    replicas_needed: int
    """Replicas that carry the peak, without the spare one."""
    gpus_per_replica: int
    nodes_per_replica: int
    """1 when a node holds one or more replicas."""
    spare_node: bool
    """Whether the rest must have room for all that is needed while one node is lost."""

    @property
    def gpus(self) -> int:
        """All GPUs of all replicas."""
        return self.replicas * self.gpus_per_replica


class ModelOffer(Struct, frozen=True):
    """A model that answers requests, and where a route reaches it."""

    part: str
    model: str
    """Name that requests carry."""
    namespace: str
    backend: Literal["Service", "InferencePool"]
    backend_name: str
    port: int
    """Port of the Service, or of the pods of the pool."""
    pod_labels: tuple[tuple[str, str], ...]
    """Labels that select its pods, and no other's."""
    tenant: str
    data_class: str
    longest_s: int
    """Longest time that one answer may take, streamed to its end. Unit: s."""
    row: str = ""
    """Row that makes the backend exist, for routes to wait for."""
    task: str = "chat"
    """What is asked of it: chat, completion or embed."""
    dimension: int = 0
    """Numbers of the vectors that it makes, 0 for models that write text."""
    least_dimension: int = 0
    """Shortest beginning of a vector that can be used alone."""


class EndpointOffer(Struct, frozen=True):
    """A door to models: where clients find them."""

    part: str
    gateway: str
    """Name of its Gateway, which its proxies and their metrics carry. It outlives names of the part."""
    host: str
    urls: tuple[tuple[str, str], ...]
    """Base URL by model, such as https://chat.ai.example.com/chat/v1."""
    parts: tuple[str, ...] = ()
    """Parts whose models it leads to."""


class PricedModel(Struct, frozen=True):
    """A model behind a governed door, as its metrics name it, and what its tokens cost."""

    ids: tuple[str, ...]
    """Names that requests carry."""
    parts: tuple[str, ...]
    """Serving parts of the site that it may lead to."""
    input_usd: float | None = None
    """Highest price of any place that it leads to. Unit: USD per million prompt tokens. None: it has none."""
    output_usd: float | None = None
    """The same of tokens of answers."""


class BoundedRoute(Struct, frozen=True):
    """An HTTPRoute with rules that let a tenant have so many requests open, and no more."""

    namespace: str
    name: str
    rules: tuple[int, ...]
    """Their numbers, from 0."""


class GatewayOffer(Struct, frozen=True):
    """A governed door to models, as those see it who watch it."""

    part: str
    host: str
    namespace: str
    """Namespace of its policies and routes, but for those that lead to pools."""
    proxy_namespace: str
    proxy_labels: tuple[tuple[str, str], ...]
    """Labels that select its Envoy pods, and no other's."""
    metrics_ports: tuple[tuple[str, int], ...]
    """TCP ports of these pods by what they export: envoy at /stats/prometheus, genai at /metrics."""
    metric_attributes: tuple[str, ...]
    """Attributes of the GenAI metrics beside those of the conventions."""
    log_fields: tuple[str, ...]
    """Fields of a line of the access log, which is JSON on standard output and holds no body."""
    tenants: tuple[str, ...]
    models: tuple[str, ...]
    """Names that requests carry."""
    providers: tuple[str, ...]
    """Services outside of the cluster that it may send requests to."""
    prompts_logged: bool
    priced: tuple[PricedModel, ...] = ()
    """The same models, with where they lead to and what they cost."""
    budgets: tuple[tuple[str, float], ...] = ()
    """Tenants with a limit of spend a month. Unit: USD."""
    bounded_routes: tuple[BoundedRoute, ...] = ()
    """Where tenants have a bound of parallel requests, past which they are answered 503. Every other rule has the bound
    of the whole gateway alone, which is no tenant's."""


class DatabaseOffer(Struct, frozen=True):
    """A database of a part, as those see it who watch it."""

    part: str
    namespace: str
    cluster: str
    """Name of its Cluster of CloudNativePG, which its pods carry as label cnpg.io/cluster."""
    instances: int
    backs_up: bool
    """Whether a base backup is made each day, and each change is archived."""


class TelemetryOffer(Struct, frozen=True):
    """A collector that takes spans, logs and metrics by OTLP from pods of the cluster."""

    part: str
    namespace: str
    """Namespace of the collector; whoever sends must be let out to it."""
    otlp_http: str
    """Base URL, such as http://watch-gateway-collector.watch.svc:4318."""
    otlp_grpc: str
    """Host and port, without TLS."""
    service: str
    """Its Service."""
    traces: bool
    """Whether it keeps spans."""


class OperatorNote(Struct, frozen=True):
    """What a person must see to before a stack is deployed, can do once it runs, or sees to when it is removed."""

    part: str
    when: Literal["before", "running", "removal"]
    says: str
    commands: tuple[str, ...] = ()
    """Commands for a shell; `kubectl` in them gets the context of the site."""
