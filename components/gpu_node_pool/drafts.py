"""What is known of a pool between the planning passes."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.gpu_node_pool.accelerators import Card
from aifactory.components.gpu_node_pool.model import DriverPlan, SharingPlan
from aifactory.components.gpu_node_pool.placing import Placing, Within
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec, Mig, TimeSlicing, WholeGpus
from aifactory.components.offers import Taint


class Wishes(Struct, frozen=True):
    """What the blueprint asks for, as far as later passes need it."""

    name: str
    identity: str
    nodes: int | Literal["all", "quotas", "demand"]
    workload: Literal["training", "inference"]
    fabric: Literal["none", "rdma", "roce", "infiniband", "efa"]
    within: Within
    device_management: Literal["device-plugin", "dra"]
    driver_version: str
    """Empty when the blueprint names none."""
    automatic: bool
    max_parallel: int
    max_unavailable_percent: int
    gds: bool
    interval_s: int
    profiling: bool
    numa: str
    """Empty when the blueprint names none."""
    dedicated: bool
    host_tuning: bool


class Resolved(Struct, frozen=True):
    """After the first pass: the GPU model is one that this part runs, at this site."""

    wishes: Wishes
    card: Card
    sharing: WholeGpus | Mig | TimeSlicing


class Sized(Struct, frozen=True):
    """After the second pass: nodes, fabric, driver and shares are known."""

    wishes: Wishes
    card: Card
    group: str
    placing: Placing
    gpus_per_node: int
    gpu_resource: str
    fabric: str
    driver: DriverPlan
    sharing: SharingPlan
    reserve: tuple[int, int]
    """CPUs and GiB that pods don't get."""
    taints: tuple[Taint, ...]


def wishes(spec: GpuNodePoolSpec) -> Wishes:
    """The specification as plain data."""
    return Wishes(
        name=spec.name,
        identity=spec.identity,
        nodes=spec.nodes,
        workload=spec.workload,
        fabric=spec.fabric,
        within=spec.within,
        device_management=spec.device_management,
        driver_version=spec.driver.version or "",
        automatic=spec.driver.upgrade == "automatic",
        max_parallel=spec.driver.max_parallel,
        max_unavailable_percent=spec.driver.max_unavailable_percent,
        gds=spec.gds,
        interval_s=spec.monitoring.interval_s,
        profiling=spec.monitoring.profiling,
        numa=spec.numa or "",
        dedicated=spec.dedicated,
        host_tuning=spec.host_tuning,
    )
