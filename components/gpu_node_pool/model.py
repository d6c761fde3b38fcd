"""A pool as decided: plain data, nothing left open."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.counting import counted
from aifactory.components.offers import RackShare, Taint

Pairs = tuple[tuple[str, str], ...]


class Image(Struct, frozen=True):
    """A container image."""

    repository: str
    image: str
    version: str


class DriverPlan(Struct, frozen=True):
    """The GPU driver of a pool, and who brings it."""

    owner: Literal["operator", "host", "given"]
    """`operator`: an NVIDIADriver of ours. `host`: installed on the hosts. `given`: the ClusterPolicy of the
    site's own GPU Operator."""
    version: str
    """Release; empty where the given operator decides."""
    repository: str
    image: str
    rdma: bool
    """Whether nvidia_peermem is loaded, once OFED is there."""
    host_ofed: bool
    gdrcopy: Image | None
    gds: Image | None
    automatic: bool
    max_parallel: int
    max_unavailable: str
    deletes_scratch: bool
    """Whether an upgrade deletes pods that have an emptyDir, such as /dev/shm, once no Job runs on the node."""
    manager_environment: Pairs

    @classmethod
    def of_image(cls, version: str) -> DriverPlan:
        """The driver that an image of nodes has: nothing of ours brings or changes it."""
        return cls(
            owner="host",
            version=version,
            repository="",
            image="",
            rdma=False,
            host_ofed=False,
            gdrcopy=None,
            gds=None,
            automatic=False,
            max_parallel=1,
            max_unavailable="1",
            deletes_scratch=False,
            manager_environment=(),
        )


class SharingPlan(Struct, frozen=True):
    """How the GPUs of a node appear to pods."""

    kind: Literal["none", "mig", "time-slicing"]
    strategy: str
    """MIG strategy, empty without MIG."""
    profiles: tuple[tuple[str, int], ...]
    """MIG instances of each GPU."""
    replicas: int
    """Pods in turn on each GPU; 1 without time-slicing."""
    slices: tuple[tuple[str, int], ...]
    """Resources of a node in place of whole GPUs; empty without sharing."""


class NodeLabels(Struct, frozen=True):
    """Labels and taints of the nodes in one rack."""

    rack: str
    nodes: tuple[str, ...]
    labels: Pairs
    taints: tuple[Taint, ...]


class HostFile(Struct, frozen=True):
    """A file for all hosts of the pool."""

    name: str
    """Unique in the pool."""
    path: str
    content: str
    why: str
    reboot: bool


class Check(Struct, frozen=True):
    """A condition that `kubectl wait` waits for."""

    path: str
    """JSON path below the object."""
    value: str
    objects: tuple[str, ...]
    """Arguments that name the objects: `resource/name` each, or a resource and a selector."""


class Acceptance(Struct, frozen=True):
    """What must be true before the pool counts as ready."""

    namespace: str
    name: str
    """Of the Job. It changes with what is in the Job, because a Job can't be changed."""
    image: str
    checks: tuple[Check, ...]
    tolerations: tuple[Taint, ...]
    timeout_s: int


class Alert(Struct, frozen=True):
    """An alert on GPU health."""

    name: str
    expression: str
    for_: str
    severity: Literal["critical", "warning"]
    summary: str


class GpuNodePoolPlan(Struct, frozen=True):
    """GPU nodes of one model at one site, decided."""

    identity: str
    accelerator: str
    group: str
    racks: tuple[RackShare, ...]
    gpus_per_node: int
    gpu_resource: str
    device_management: Literal["device-plugin", "dra"]
    fabric: str
    """Fabric part that joins the nodes, empty for none."""
    driver: DriverPlan
    sharing: SharingPlan
    node_labels: tuple[NodeLabels, ...]
    idle_nodes: tuple[str, ...]
    """GPU nodes of the site that no pool has, where this pool is the one to keep operands off them."""
    host_files: tuple[HostFile, ...]
    acceptance: Acceptance
    alerts: tuple[Alert, ...]
    alert_nodes: Alert | None
    """Recording rule that maps nodes to the pool, which the alerts use; None without alerts."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """All nodes that have a name, in the site's order. Nodes that are rented get theirs when they start."""
        return tuple(node for rack in self.racks for node in rack.nodes)

    @property
    def size(self) -> int:
        """All nodes, with a name or without."""
        return sum(rack.size for rack in self.racks)

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        nodes, racks = self.size, len({rack.rack for rack in self.racks})
        model = self.accelerator.removeprefix("nvidia-").split("-")[0].upper()
        driver = f"driver {self.driver.version}" if self.driver.version else "driver of the site"
        where = f"{counted(nodes, f'{model} node')} in {counted(racks, 'rack')}"
        return f"{where}, {counted(nodes * self.gpus_per_node, 'GPU')}; {driver}"
