"""Decides the fabric of a site: in `resolve` what it is, in `settle` what its pools make of it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.aws_place import AwsPlace
from aifactory.components.base import PlanContext
from aifactory.components.capabilities import NamespaceRequest
from aifactory.components.fabric import (
    acceptance,
    ethernet,
    ground,
    hosts,
    leafs,
    nccl,
    nics,
    operators,
    partitions,
    pools,
    rails,
)
from aifactory.components.fabric.efa import planning as efa
from aifactory.components.fabric.efa.model import EfaPlan
from aifactory.components.fabric.efa.planning import EfaDraft
from aifactory.components.fabric.efa.rules import RULES as EFA_RULES
from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import FabricPlan
from aifactory.components.fabric.modes import resource_of
from aifactory.components.fabric.pools import Pool
from aifactory.components.fabric.rules import RULES as FABRIC_RULES
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.offers import FabricOffer, RailOffer

__all__ = ["RULES", "Draft", "resolve", "settle", "size"]

RULES = (*FABRIC_RULES, *EFA_RULES)


class Draft(Struct, frozen=True):
    """The fabric before its pools are known."""

    spec: FabricSpec
    ground: Ground
    first: bool
    """Whether it is the first fabric of the site, which makes the cluster's singletons."""
    settings: tuple[tuple[str, str], ...]

    @property
    def identity(self) -> str:
        """What its objects are named by."""
        return self.spec.identity

    @property
    def settings_name(self) -> str:
        """Name of the ConfigMap with its settings."""
        return f"{self.identity}-nccl"

    @property
    def network_namespace(self) -> str:
        """Namespace of its networks; empty where each tenant has its own."""
        return "" if partitions.per_tenant(self.ground) else f"{self.identity}-networks"


def resolve(spec: FabricSpec, ctx: PlanContext) -> Draft | EfaDraft | None:
    """Choose the fabric of the site, and offer it."""
    if isinstance(ctx.place, AwsPlace):
        return efa.resolve(spec, ctx.place, ctx)
    before = _errors(ctx)
    kind = ground.choose(spec, ctx)
    found = ground.survey(kind, spec, ctx) if kind else None
    if found is None:
        return None
    ethernet.check(found, ctx)
    partitions.check_infiniband(found, ctx)
    operators.check_distribution(found, ctx)
    if _errors(ctx) > before:
        return None
    first = not ctx.offers(FabricOffer)
    draft = Draft(spec, found, first, nccl.decided(spec, found, ctx))
    ctx.offer(_offer(draft, ctx))
    return draft


def size(draft: Draft | EfaDraft, ctx: PlanContext) -> Draft | EfaDraft:
    """Say which volume there will be. Rails and their rate are given."""
    if isinstance(draft, EfaDraft):
        return draft
    for use in nics.firmware_use(draft.spec, ctx):
        ctx.offer(use)
    return draft


def settle(draft: Draft | EfaDraft, ctx: PlanContext) -> FabricPlan | EfaPlan | None:
    """Decide everything that follows from the pools on the fabric."""
    if isinstance(draft, EfaDraft):
        return efa.settle(draft, ctx)
    before = _errors(ctx)
    joined = pools.joined(draft.ground, ctx)
    if joined is None:
        return None
    if not before:  # else a pool that was refused is why there is none
        ctx.check(
            "FAB-003",
            bool(joined),
            f"no pool at {ctx.place.site} uses {ctx.part}",
            (),
            "set fabric of a pool to rdma, or drop the part",
        )
    plan = _plan(joined, draft, ctx)
    return None if _errors(ctx) > before else plan


def _errors(ctx: PlanContext) -> int:
    return sum(problem.severity == "error" for problem in ctx.site_plan.problems)


def _offer(draft: Draft, ctx: PlanContext) -> FabricOffer:
    found, namespace = draft.ground, draft.network_namespace
    return FabricOffer(
        part=ctx.part,
        fabric=ctx.part,
        kind=found.kind,
        mode=found.mode.mode,
        gbps_per_rail=found.gbps,
        rails=tuple(
            RailOffer(
                rail,
                f"{namespace}/{name}" if namespace else name,
                f"{found.mode.prefix}/{resource_of(found.kind, rail)}",
            )
            for rail in range(found.rails)
            for name in [rails.rail_name(draft.identity, rail)]
        ),
        mtu=found.mtu,
        settings=draft.settings,
        settings_name=draft.settings_name,
        ipc_lock=draft.spec.memory_lock == "capability",
    )


def _plan(joined: list[Pool], draft: Draft, ctx: PlanContext) -> FabricPlan:
    """The plan of a fabric, with nothing in it when no pool uses it."""
    plan = _empty(draft, ctx)
    if joined:
        plan = _networks(_devices(plan, joined, draft, ctx), joined, draft, ctx)
        rails.check_tenants(joined, draft.ground, ctx)
        need = operators.needs(joined, draft.spec, draft.ground, ctx)
        operators.require(need, draft.ground, ctx)
        ctx.offer(need)
    return replace(plan, operators=operators.singletons(ctx.offers(operators.Needs), ctx) if draft.first else None)


def _empty(draft: Draft, ctx: PlanContext) -> FabricPlan:
    found = draft.ground
    return FabricPlan(
        fabric=draft.identity,
        kind=found.kind,
        mode=found.mode.mode,
        mtu=found.mtu,
        gbps_per_rail=found.gbps,
        operator_namespace=operators.namespace(ctx),
        network_namespace=draft.network_namespace,
        given_operator=operators.given(ctx),
        operators=None,
        node_policies=(),
        interface_names=(),
        nic_templates=(),
        firmware_sources=(),
        firmware_checks=(),
        function_pools=(),
        function_policies=(),
        address_pools=(),
        networks=(),
        partitions=(),
        guard=None,
        acceptance=None,
        settings_name=draft.settings_name,
        settings=draft.settings,
        settings_namespaces=tuple(ctx.site_plan.settings_readers.get(ctx.part, [])),
        host_files=(),
        switches=(),
    )


def _devices(plan: FabricPlan, joined: list[Pool], draft: Draft, ctx: PlanContext) -> FabricPlan:
    """NICs: drivers, settings, names, virtual functions, hosts."""
    spec, found, identity = draft.spec, draft.ground, draft.identity
    sources, checks = nics.firmware(joined, spec, identity)
    return replace(
        plan,
        node_policies=nics.node_policies(joined, spec, found, ctx),
        interface_names=nics.interface_names(joined, found, identity, ctx),
        nic_templates=nics.templates(joined, spec, found, identity, ctx),
        firmware_sources=sources,
        firmware_checks=checks,
        function_pools=nics.function_pools(joined, spec, found, identity, ctx),
        function_policies=nics.function_policies(joined, spec, found, identity),
        host_files=hosts.files(joined, spec, found, identity, ctx),
    )


def _networks(plan: FabricPlan, joined: list[Pool], draft: Draft, ctx: PlanContext) -> FabricPlan:
    """Rails: addresses, networks, partitions, leafs."""
    found, identity = draft.ground, draft.identity
    address_pools = rails.address_pools(joined, draft.spec, found, identity, ctx)
    networks = rails.networks(joined, found, identity, ctx)
    tenants = partitions.partitions(networks, found, ctx)
    if draft.network_namespace:
        purpose = "networks of the GPU fabric, which pods of all tenants use"
        ctx.namespace(NamespaceRequest(draft.network_namespace, ctx.part, purpose))
    return replace(
        plan,
        address_pools=address_pools,
        networks=() if partitions.per_tenant(found) else networks,
        partitions=tenants,
        guard=partitions.guard(tenants, identity, ctx),
        acceptance=acceptance.acceptance(joined, draft.spec, found, identity, ctx),
        switches=leafs.switches(joined, found, address_pools, identity, ctx),
    )
