"""What a person writes about a pool of GPU nodes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from aifactory.components.catalog import AcceleratorKey
from aifactory.components.spec import PartSpec, Spec

MigProfile = Annotated[
    str, StringConstraints(pattern=r"^[1-7]g\.[1-9][0-9]{0,2}gb([+-](me|gfx)(\.all)?)?$", max_length=20)
]
"""A MIG profile as `nvidia-smi mig -lgip` prints it: 1g.18gb, 1g.18gb+me."""

DriverVersion = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{2}\.[0-9]{1,3}(\.[0-9]{1,2})?$")]
"""A data centre driver release, quoted in YAML: "580.178.04"."""

Instances = Annotated[int, Field(ge=1, le=7)]
"""MIG instances of one GPU; no GPU has more than seven."""


class WholeGpus(Spec):
    """A GPU belongs to one pod at a time."""

    kind: Literal["none"] = "none"
    """No sharing."""


class Mig(Spec):
    """Each GPU is cut into instances with memory and compute of their own."""

    kind: Literal["mig"]
    """Hardware partitions. Excluded with a fabric, as collectives don't cross instances, and with DRA."""

    profiles: dict[MigProfile, Instances] = Field(min_length=1, max_length=7)
    """Instances of each GPU, by profile: `{1g.18gb: 7}`. They must fit one GPU together, and the accelerator
    must have these profiles."""

    strategy: Literal["single", "mixed"] = "single"
    """How Kubernetes sees instances: `single` as nvidia.com/gpu, `mixed` as nvidia.com/mig-PROFILE. One
    choice for all pools of a site. Default single: workloads need no change, which works with one profile."""

    @model_validator(mode="after")
    def _a_single_strategy_has_a_single_profile(self) -> Self:
        if self.strategy == "single" and len(self.profiles) > 1:
            raise ValueError(
                f"{len(self.profiles)} profiles ({', '.join(self.profiles)}) with strategy single; set "
                "strategy to mixed, or keep one profile"
            )
        return self


class TimeSlicing(Spec):
    """Pods take turns on each GPU, without any isolation of memory or faults."""

    kind: Literal["time-slicing"]
    """Turns on a whole GPU. Excluded with MIG, a fabric and DRA. For workloads that trust each other."""

    replicas: int = Field(ge=2, le=48)
    """Pods that may share one GPU. They ask for nvidia.com/gpu.shared, so nobody takes a turn for a GPU."""


Sharing = Annotated[WholeGpus | Mig | TimeSlicing, Field(discriminator="kind")]
"""How pods share one GPU."""


class DriverPolicy(Spec):
    """Which GPU driver the nodes run, and how it is replaced. A driver that the host owns is only checked."""

    version: DriverVersion | None = None
    """Driver release, one of the catalog's. Default: the newest release of the oldest branch in the catalog
    that drives the accelerator, because it changes least. Source: components/catalog/drivers.yaml."""

    upgrade: Literal["automatic", "manual"] = "automatic"
    """Whether a new version rolls over the nodes by itself. Default automatic: node by node, and a node with
    running Jobs is left until they end."""

    max_parallel: int = Field(default=1, ge=1, le=64)
    """Nodes whose driver is replaced at once. Default 1: a bad release stops at the first node."""

    max_unavailable_percent: int = Field(default=25, ge=1, le=100)
    """Share of the nodes that may be down during an upgrade.

    Unit: percent. Default 25: the GPU Operator's own.
    """


class Monitoring(Spec):
    """What DCGM measures on the nodes."""

    interval_s: int = Field(default=30, ge=5, le=300)
    """Time between two scrapes. The shortest of the site's pools holds for all: one exporter serves them.

    Unit: seconds. Default 30: shows a stalled job within a minute. Source: NVIDIA/aicr gpu-operator values.
    """

    profiling: bool = True
    """Whether activity of tensor cores, SMs and memory is sampled. It takes the GPU's profiling counters, so
    Nsight can't use them meanwhile. Default true: without it a busy GPU and a useful one look alike."""


class FlexNodes(Spec):
    """Nodes that come when pods wait, and go when none needs them."""

    usd_per_hour: float | None = Field(default=None, gt=0, le=1_000_000)
    """What all of them may cost at once, by the highest price that a source has. Reserved nodes cost nothing more: they
    are paid whether they run or not. Unit: USD per hour. Default none: `nodes` of the pool is the only limit."""

    empty_after_s: int = Field(default=600, ge=30, le=86_400)
    """How long a node without pods of workloads is kept. Unit: s. Default 600: the next job of a queue starts on a node
    that is there."""

    expire_after_h: int | None = Field(default=None, ge=1, le=8_760)
    """Age at which a node is replaced, whatever runs on it. Unit: h. Default none: a job is never ended for that."""


class GpuNodePoolSpec(PartSpec):
    """GPU nodes of one model, joined by one fabric or by none."""

    kind: Literal["gpu-node-pool"]
    """A pool of GPU nodes."""

    accelerator: AcceleratorKey
    """GPU model. Decides node group, driver, MIG profiles and host settings."""

    nodes: Annotated[int, Field(ge=1, le=4096)] | Literal["all", "quotas", "demand"]
    """Nodes in the pool: a number; `all` of the site's node group that have power and belong to no other
    pool; `quotas`, as many whole nodes as the queues guarantee GPUs on; or `demand`, as many as the models
    served on it need, with room for those of a lost node, and the jobs' guarantees beside them. Fixed while it
    runs: a gang needs every rank at once."""

    flex: FlexNodes | None = None
    """Nodes come and go, `nodes` of them at most; where they are rented alone, and without a fabric. Default none: as
    many as `nodes` says are there all the time."""

    workload: Literal["training", "inference"] = "training"
    """What jobs do with the nodes. `training` jobs span nodes, `inference` keeps each job on one node.
    Decides host settings and NUMA policy. Default training: what a gang needs does a server no harm."""

    fabric: Literal["none", "rdma", "roce", "infiniband", "efa"] = "none"
    """Network between GPUs of different nodes. `rdma` takes whichever kind the site has; efa is that of AWS.
    Default none: jobs of one node only."""

    within: Literal["site", "block", "rack"] = "site"
    """Where all nodes of the pool must lie together. `block` is one set of leaf switches, so no collective
    crosses the spine. Default site: whole blocks are filled first, then the next."""

    device_management: Literal["device-plugin", "dra"] = "device-plugin"
    """Who hands GPUs to pods: one way for all pools of a site. Default device-plugin: queues, quotas and
    frameworks count nvidia.com/gpu; DRA needs Kubernetes 1.34 and workloads that claim devices."""

    sharing: Sharing = WholeGpus()
    """How pods share one GPU. Default none: a GPU belongs to one pod."""

    driver: DriverPolicy = DriverPolicy()
    """GPU driver. Default: the catalog's choice, replaced one node at a time."""

    gds: bool = False
    """GPUDirect Storage: storage reads straight into GPU memory. Needs a fabric and a StorageClass for many
    readers; one choice for all pools of a site. Default false: without a file system that serves it, cuFile
    copies through the CPU and says nothing."""

    monitoring: Monitoring = Monitoring()
    """GPU metrics. Default: every 30 s, with profiling counters."""

    numa: Literal["none", "best-effort", "restricted", "single-numa-node"] | None = None
    """Topology manager policy of the kubelets. Default: best-effort for training, because a pod that is
    refused kills its gang; restricted for inference, where another replica runs elsewhere."""

    dedicated: bool = True
    """Whether nodes are tainted so that only pods that ask for GPUs run there. Default true: a web server on
    a GPU node costs as much as the GPU it keeps from a job."""

    host_tuning: bool = True
    """Whether settings of kernel, container runtime and kubelet are written for the hosts. Default true. Set
    false where others own the hosts; the plan then says what it relies on."""

    @model_validator(mode="after")
    def _several_training_nodes_share_a_fabric(self) -> Self:
        several = isinstance(self.nodes, int) and self.nodes > 1
        whole = self.sharing.kind == "none"
        if several and whole and self.fabric == "none" and self.workload == "training" and self.flex is None:
            raise ValueError(
                f"{self.nodes} training nodes without a fabric; set fabric to rdma, nodes to 1, or workload "
                "to inference, where each job stays on one node"
            )
        return self

    @model_validator(mode="after")
    def _nodes_that_come_and_go_are_counted_and_joined_by_nothing(self) -> Self:
        if self.flex is None:
            return self
        if not isinstance(self.nodes, int):
            raise ValueError(f"flex with nodes: {self.nodes}; set nodes to the most that may be there at once")
        if self.fabric != "none":
            raise ValueError("flex with a fabric: a gang needs all its nodes at once; set fabric to none, or drop flex")
        return self

    @model_validator(mode="after")
    def _shared_gpus_join_no_fabric(self) -> Self:
        if self.sharing.kind != "none" and self.fabric != "none":
            raise ValueError(
                f"sharing {self.sharing.kind} with fabric {self.fabric}: collectives need whole GPUs; set "
                "sharing to none, or fabric to none"
            )
        return self

    @model_validator(mode="after")
    def _shared_gpus_are_counted_by_the_device_plugin(self) -> Self:
        if self.sharing.kind != "none" and self.device_management == "dra":
            raise ValueError(
                f"sharing {self.sharing.kind} with DRA, where sharing is alpha; set device_management to device-plugin"
            )
        return self

    @model_validator(mode="after")
    def _direct_storage_has_a_fabric(self) -> Self:
        if self.gds and self.fabric == "none":
            raise ValueError("gds without a fabric; set fabric to rdma, or gds to false")
        return self
