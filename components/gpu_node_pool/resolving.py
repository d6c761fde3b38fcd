"""First pass: whether this part can run the GPU model at the site, in the way it is asked for."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.gpu_node_pool import accelerators, driver, mig
from aifactory.components.gpu_node_pool.accelerators import Card, version
from aifactory.components.gpu_node_pool.demanded import card_offer
from aifactory.components.gpu_node_pool.drafts import Resolved, wishes
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec, Mig
from aifactory.components.problems import nearest

DRA_FROM = (1, 34)
"""Kubernetes release in which dynamic resource allocation became stable."""


def resolved(spec: GpuNodePoolSpec, ctx: PlanContext) -> Resolved | None:
    """The pool once its GPU model is known to work; None after a problem."""
    card = accelerators.card(ctx.catalog, spec.accelerator)
    if not (is_run_here(card, ctx) and _is_at_the_site(card, ctx) and _stays(spec, ctx)):
        return None
    holds = [
        devices_are_handed_out(spec, ctx),
        profiles_fit(spec, card, ctx),
        _release_is_known(spec, ctx),
    ]
    warn(spec, card, ctx)
    if not all(holds):
        return None
    found = Resolved(wishes(spec), card, spec.sharing)
    ctx.offer(card_offer(found, ctx))
    return found


def is_run_here(card: Card, ctx: PlanContext) -> bool:
    """Whether the GPU Operator runs the model."""
    supported = accelerators.supported(ctx.catalog)
    there = {group.accelerator for group in ctx.place.nodes}
    use = f"use {' or '.join(key for key in supported if key in there) or ', '.join(supported)}"
    return ctx.check(
        "GPU-006",
        card.form != "superchip" or card.vendor != "nvidia",
        f"{card.key} is a superchip: it needs ComputeDomains, IMEX masked on its hosts and arm64 images",
        ("accelerator",),
        use,
    ) and ctx.check(
        "GPU-017",
        bool(card.driver_floor),
        lambda: (
            f"{card.key} ({card.vendor}, {card.architecture}) is not run by the NVIDIA GPU Operator, which "
            "brings driver, device plugin and metrics of this part"
        ),
        ("accelerator",),
        use,
    )


def _is_at_the_site(card: Card, ctx: PlanContext) -> bool:
    there = list(dict.fromkeys(group.accelerator for group in ctx.place.nodes if group.accelerator))
    return ctx.check(
        "GPU-012",
        card.key in there,
        f"{ctx.place.site} has no nodes with {card.key}",
        ("accelerator",),
        nearest(card.key, there),
    )


def _stays(spec: GpuNodePoolSpec, ctx: PlanContext) -> bool:
    return ctx.check(
        "GPU-030",
        spec.flex is None,
        f"pool {spec.name} has nodes that come and go, and those of {ctx.place.site} stand in racks",
        ("flex",),
        "drop flex here, by a condition or a part of its own for sites where nodes are rented",
    )


def devices_are_handed_out(spec: GpuNodePoolSpec, ctx: PlanContext) -> bool:
    """Whether the cluster knows the way in which GPUs are handed out."""
    kubernetes = ctx.place.cluster.version
    if spec.device_management == "device-plugin":
        ctx.decide(
            "devices",
            "device-plugin",
            "queues, quotas and frameworks count nvidia.com/gpu, on every Kubernetes release of the train",
            rejected=[
                Rejected("dra", "workloads would have to claim devices, and topology-aware queues can't count them")
            ],
            source=("device_management",),
        )
        return True
    ctx.decide(
        "devices",
        "dra",
        "the DRA driver beside the ClusterPolicy with its device plugin off: it works with given drivers, "
        "and the operator keeps toolkit and feature discovery",
        rejected=[
            Rejected("device-plugin", "the blueprint asks for DRA, and both on one node give every GPU away twice"),
            Rejected("GPUCluster", "experimental, for new sites only, and without toolkit and MIG manager"),
        ],
        source=("device_management",),
    )
    return ctx.check(
        "GPU-010",
        version(kubernetes)[:2] >= DRA_FROM,
        f"device_management dra needs Kubernetes {accelerators.dotted(DRA_FROM)}; {ctx.place.site} has {kubernetes}",
        ("device_management",),
        f"set device_management to device-plugin, or upgrade the cluster to {accelerators.dotted(DRA_FROM)}",
    )


def profiles_fit(spec: GpuNodePoolSpec, card: Card, ctx: PlanContext) -> bool:
    """Whether the GPU has the MIG profiles, and room for all of them."""
    if not isinstance(spec.sharing, Mig):
        return True
    wanted = spec.sharing.profiles
    missing = [profile for profile in wanted if profile not in card.mig_profiles]
    known = ctx.check(
        "GPU-007",
        not missing,
        lambda: f"{card.key} has no MIG profile {', '.join(missing)}",
        ("sharing", "profiles"),
        nearest(missing[0], card.mig_profiles) if missing else "",
    )
    if not known:
        return False
    alone = ", ".join(f"{mig.most(profile, card.mig_profiles)} of {profile}" for profile in wanted)
    return ctx.check(
        "GPU-008",
        mig.fits(wanted, card.mig_profiles),
        f"{_listed(wanted)} don't fit one GPU of {card.key} together",
        ("sharing", "profiles"),
        f"take fewer; alone, a GPU has at most {alone}",
    )


def _release_is_known(spec: GpuNodePoolSpec, ctx: PlanContext) -> bool:
    pin = spec.driver.version
    known = ctx.catalog.keys("drivers")
    return pin is None or ctx.check(
        "GPU-018",
        driver.pinned_release(ctx.catalog, pin) is not None,
        f"{pin} is not a driver release of the catalog",
        ("driver", "version"),
        f"{nearest(pin, known)}; another one needs a row with its source in a private catalog folder",
    )


def warn(spec: GpuNodePoolSpec, card: Card, ctx: PlanContext) -> None:
    """Say what a person should look at."""
    ctx.check(
        "GPU-022",
        not card.doubtful,
        f"figures of {card.key} rest on third-party articles",
        ("accelerator",),
        "measure power and memory, and keep them in a private catalog folder",
    )
    ctx.check(
        "GPU-023",
        spec.driver.upgrade == "manual" or spec.driver.max_parallel == 1,
        f"the driver of {spec.driver.max_parallel} nodes is replaced at once, by itself",
        ("driver", "max_parallel"),
        "set max_parallel to 1, or driver.upgrade to manual, or leave that much capacity out of the quotas",
    )
    ctx.check(
        "GPU-021",
        not (spec.numa == "single-numa-node" and spec.workload == "training"),
        "numa single-numa-node refuses pods whose GPUs lie at two sockets, as those of a whole node do",
        ("numa",),
        "set numa to best-effort or restricted",
    )


def _listed(profiles: dict[str, int]) -> str:
    return " and ".join(f"{count} of {profile}" for profile, count in profiles.items())
