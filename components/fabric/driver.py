"""Who loads the RDMA driver on the nodes of a pool."""

from __future__ import annotations

from typing import Literal

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.fabric.model import DriverContainer, Image
from aifactory.components.fabric.pools import Pool, site_path
from aifactory.components.fabric.spec import FabricSpec

Owner = Literal["host", "operator"]

IMAGE_SYSTEMS: dict[str, tuple[str, ...]] = {
    "ubuntu-22.04": ("ubuntu22.04",),
    "ubuntu-24.04": ("ubuntu24.04",),
    "rhel-9": ("rhel9.4", "rhel9.6", "rhel9.8"),
    "openshift": ("rhcos4.17", "rhcos4.18"),
    "talos": (),
}
"""Systems for which a DOCA-OFED image may exist, by the site's word for the operating system."""

ENTITLED = ("rhel-9", "openshift")
"""Systems that build drivers with entitlements. Source: Mellanox/network-operator#888, #720, #1639."""

ENVIRONMENT: tuple[tuple[str, str, str], ...] = (
    (
        "UNLOAD_STORAGE_MODULES",
        "true",
        "storage modules that hold the old driver are unloaded: network-operator#1084",
    ),
    (
        "UNLOAD_THIRD_PARTY_RDMA_MODULES",
        "true",
        "so are RDMA modules of other vendors: NVIDIA/k8s-launch-kit",
    ),
    ("RESTORE_DRIVER_ON_POD_TERMINATION", "true", "the host gets its own driver back when the pod goes"),
)
"""Variables of the driver container, and why."""


def image(ctx: PlanContext, name: str) -> Image:
    """A component of the Network Operator, at the version of the release train."""
    row = ctx.catalog.row("images", f"network-operator:{name}")
    return Image(name, row.text("repository"), row.text("tag"))


def owner(pool: Pool, spec: FabricSpec, ctx: PlanContext) -> DriverContainer | None:
    """The driver container of a pool; None when the host has the driver, or with a problem."""
    host, at = pool.group.host, (*site_path(pool.group, ctx), "host")
    tags = _tags(pool, ctx)
    owned = ctx.check(
        "FAB-007",
        host.ofed is not None or bool(tags),
        f"{host.os} on {pool.architecture} has no DOCA-OFED image, and {pool.group.group} has none installed",
        at,
        "install DOCA-OFED on the hosts and set host.ofed to its version, or use ubuntu-24.04",
        document="site",
    )
    ctx.check(
        "FAB-008",
        host.ofed is not None or host.management_nic != "mellanox",
        f"nodes of {pool.group.group} are managed over a Mellanox NIC, and the Network Operator reloads its driver",
        (*at, "management_nic"),
        "install DOCA-OFED on the hosts and set host.ofed to its version",
        document="site",
    )
    if host.ofed is not None:
        ctx.decide(
            f"driver.{pool.name}",
            f"host, DOCA-OFED {host.ofed}",
            f"it is installed on the nodes of {pool.group.group}; two owners would unload each other's modules",
            rejected=[Rejected("network-operator", "the host has it already")],
            source=(*at, "ofed"),
            document="site",
        )
        return None
    return _container(pool, spec, tags, ctx) if owned else None


def _tags(pool: Pool, ctx: PlanContext) -> list[str]:
    """Catalog rows of the images that the nodes may pull."""
    systems = IMAGE_SYSTEMS[pool.group.host.os]
    keys = [f"{system}:{pool.architecture}" for system in systems]
    return [f"images.doca_driver/{key}" for key in keys if ctx.catalog.find("images.doca_driver", key)]


def _container(pool: Pool, spec: FabricSpec, tags: list[str], ctx: PlanContext) -> DriverContainer:
    doca = image(ctx, "doca-driver")
    built = "; the nodes need entitlements to build it" if pool.group.host.os in ENTITLED else ""
    ctx.decide(
        f"driver.{pool.name}",
        f"network-operator, {doca.version}",
        f"no DOCA-OFED on the hosts, and GPUDirect RDMA needs it before the GPU driver{built}; a "
        "precompiled image is taken when one fits the kernel",
        rejected=[Rejected("host", f"host.ofed of {pool.group.group} is not set")],
        facts=["images/network-operator:doca-driver", *tags],
    )
    ctx.decide(
        f"driver.{pool.name}.environment",
        {name: value for name, value, _ in ENVIRONMENT},
        "; ".join(f"{name}: {why}" for name, _, why in ENVIRONMENT),
    )
    return DriverContainer(doca, tuple((name, value) for name, value, _ in ENVIRONMENT), spec.nodes_at_a_time)
