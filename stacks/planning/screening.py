"""What the venue of a site can't hold is refused before anything is planned there, with the nearest site that can."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

from aifactory.components import image_reference
from aifactory.components.base import Place, PlanContext
from aifactory.components.counting import counted
from aifactory.components.fabric.spec import FabricSpec
from aifactory.components.given import NodeGroup
from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec
from aifactory.components.problems import Path
from aifactory.components.serving import replicas
from aifactory.components.serving.spec import ClaimWeights, ImageWeights, ServingSpec
from aifactory.components.sizing.card import card
from aifactory.components.sizing.geometry import geometry_of
from aifactory.components.sizing.known import known
from aifactory.components.sizing.memory import weights_gib
from aifactory.components.spec import PartSpec
from aifactory.components.training.spec import TrainingSpec
from aifactory.components.venues import IMAGE_FOLDERS
from aifactory.stacks.planning.elsewhere import Able, Fit, fit_of, gpu_groups, instead, nearest_able, nearest_first

TOO_MUCH = ("SRV-002", "SRV-003", "SRV-004")
"""What a model asks for that no setting of the part changes: memory, and the two latencies."""
MOVING_TAG = "latest"


class Around(Struct, frozen=True):
    """What a part is looked at with: its site, the pools of the blueprint there, and the other sites."""

    ctx: PlanContext
    pools: dict[str, GpuNodePoolSpec]
    others: tuple[Place, ...]

    @property
    def place(self) -> Place:
        """The site."""
        return self.ctx.place

    def groups(self, accelerator: str) -> list[NodeGroup]:
        """Groups of nodes with an accelerator."""
        return [group for group in gpu_groups(self.place, self.ctx.catalog) if group.accelerator == accelerator]

    def nodes(self, accelerator: str) -> int:
        """Nodes with an accelerator."""
        return sum(len(group.nodes) for group in self.groups(accelerator))


def stands(spec: PartSpec, ctx: PlanContext, parts: Sequence[PartSpec], others: Sequence[Place]) -> bool:
    """Whether the venue of the site can hold a part; problems say what it lacks."""
    pools = {part.name: part for part in parts if isinstance(part, GpuNodePoolSpec)}
    around = Around(ctx, pools, tuple(others))
    facts = ctx.place.venue_facts
    held = [_has_its_hosts(spec, around)] if facts.nodes_at_most else []
    if not facts.fabric:
        held += _joined(spec, around)
    if facts.nodes_at_most and isinstance(spec, ServingSpec):
        held += [_outlives_a_node(spec, around), _fits(spec, around)]
    if facts.nodes_at_most and isinstance(spec, GpuNodePoolSpec):
        held.append(_leaves_a_node(spec, around))
    if facts.starts_offline:
        held += _starts_offline(spec, around)
    return all(held)


def _has_its_hosts(spec: PartSpec, around: Around) -> bool:
    asked, there = spec.hosts_at_least, around.place.node_count
    nearest = nearest_first(around.place, around.others, around.ctx.catalog)
    found = next((place for place in nearest if place.node_count >= asked), None)
    return around.ctx.check(
        "EDG-009",
        asked <= there,
        f"part {spec.name} is spread over {asked} hosts, and {around.place.site} has {counted(there, 'node')}: "
        f"{_missing(asked - there)}",
        (),
        f"choose a kind that lives on {counted(there, 'node')}, or "
        + (f"write sites: [{found.site}]" if found else f"name a site with {asked} nodes in placement"),
    )


def _joined(spec: PartSpec, around: Around) -> Iterator[bool]:
    if isinstance(spec, TrainingSpec):
        yield _gang_has_its_nodes(spec, around)
    if isinstance(spec, FabricSpec) or (isinstance(spec, GpuNodePoolSpec) and spec.fabric != "none"):
        yield _fabric_has_switches(spec, around)


def _gang_has_its_nodes(spec: TrainingSpec, around: Around) -> bool:
    pool = around.pools.get(spec.pool)
    there = around.nodes(pool.accelerator) if pool else 0
    short = max(spec.nodes - there, 0)

    def able(_: Place, group: NodeGroup) -> bool:
        return bool(group.nics) and len(group.nodes) >= spec.nodes

    return around.ctx.check(
        "EDG-001",
        spec.nodes == 1,
        lambda: (
            f"a gang of {spec.nodes} nodes; {around.place.site} has {there}"
            + (f" with {pool.accelerator}" if pool else "")
            + (f": {_missing(short)}, and no fabric joins them" if short else ", and no fabric joins them")
        ),
        ("nodes",),
        _instead(spec, around, able, f"{spec.nodes} GPU nodes joined by a fabric, on-prem or colo"),
    )


def _fabric_has_switches(spec: FabricSpec | GpuNodePoolSpec, around: Around) -> bool:
    nics = sum(len(group.nics) * len(group.nodes) for group in around.place.nodes)
    wanted = spec.accelerator if isinstance(spec, GpuNodePoolSpec) else None

    def able(place: Place, group: NodeGroup) -> bool:
        net = place.network
        return bool(group.nics and (net.roce or net.infiniband)) and place.venue_facts.fabric

    return around.ctx.check(
        "EDG-002",
        False,
        f"{around.place.site} has {counted(around.place.node_count, 'node')}, {counted(nics, 'NIC')} and no switch for "
        "a GPU fabric",
        ("fabric",) if wanted else (),
        ("set fabric to none, or " if wanted else "delete the part, or ")
        + _instead(spec, around, able, "a fabric: roce or infiniband under network, on-prem or colo"),
    )


def _outlives_a_node(spec: ServingSpec, around: Around) -> bool:
    pool = around.pools.get(spec.pool)
    there = around.nodes(pool.accelerator) if pool else 0

    def able(place: Place, group: NodeGroup) -> bool:
        return len(group.nodes) > 1 and fit_of(spec, around.ctx, place, group).holds

    return around.ctx.check(
        "EDG-004",
        spec.redundancy != "node" or pool is None or there > 1,
        lambda: (
            f"redundancy node asks for a second node with {pool.accelerator if pool else ''}, and {around.place.site} "
            f"has {there}: {_missing(2 - there)}"
        ),
        ("redundancy",),
        "set redundancy to none, or " + _instead(spec, around, able, "two nodes that hold the model")
        if spec.redundancy == "node" and there < 2
        else "",
    )


def _fits(spec: ServingSpec, around: Around) -> bool:
    """What sizing refuses for memory or speed, or for the number of GPUs, no other setting of the site mends."""
    pool = around.pools.get(spec.pool)
    groups = around.groups(pool.accelerator) if pool and pool.sharing.kind == "none" else []
    if not groups or around.ctx.demand_of(spec.model) is None:
        return True
    # A spare node that isn't there is told by its own rule.
    tried = spec.model_copy(update={"redundancy": "none"}) if spec.redundancy == "node" else spec
    fits = [fit_of(tried, around.ctx, around.place, group) for group in groups]
    best = next((fit for fit in fits if fit.holds), fits[0])
    mended_elsewhere = best.problem is not None and best.problem.rule not in TOO_MUCH
    if best.holds or mended_elsewhere:
        return around.ctx.check("EDG-003", True, "")
    return around.ctx.check(
        "EDG-003", False, _too_much(spec, best, groups[0], around), ("model",), _other_ways(tried, best, around)
    )


def _too_much(spec: ServingSpec, fit: Fit, group: NodeGroup, around: Around) -> str:
    here = f"{spec.model} on {counted(fit.gpus_there, 'GPU')} of {group.accelerator} at {around.place.site}"
    if fit.problem is None:
        return f"{here}: it takes {fit.gpus}, so {_missing(fit.gpus - fit.gpus_there)}"
    says = fit.problem.says.partition(": ")[2]
    missing = _missing_gib(spec, group, fit, around) if fit.problem.rule == "SRV-002" else 0
    return f"{here}: {says}" + (f"; {missing} GiB are missing for the weights alone" if missing > 0 else "")


def _missing_gib(spec: ServingSpec, group: NodeGroup, fit: Fit, around: Around) -> int:
    """What the weights take beyond what GPUs leave to them, negative when those fit and requests don't."""
    catalog = around.ctx.catalog
    row, fixed = catalog.row("weights", spec.model), known(catalog).memory
    precision = spec.precision or replicas.stored_as(spec, row)
    whole = weights_gib(geometry_of(row, catalog), precision, fixed.padding)
    room = card(catalog.row("accelerators", str(group.accelerator))).memory_gib * fixed.share - fixed.other_gib
    return math.ceil(whole - fit.gpus_there * room)


def _other_ways(spec: ServingSpec, fit: Fit, around: Around) -> str:
    def able(place: Place, group: NodeGroup) -> bool:
        return fit_of(spec, around.ctx, place, group).holds

    spare = "set redundancy to none, or " if fit.problem is None and fit.needed <= fit.gpus_there else ""
    would_do = "GPUs that hold it" + (f": {fit.problem.hint}" if fit.problem and fit.problem.hint else "")
    return spare + _instead(spec, around, able, would_do)


def _leaves_a_node(spec: GpuNodePoolSpec, around: Around) -> bool:
    taken = {pool.accelerator for pool in around.pools.values() if pool.dedicated}
    left = sum(len(group.nodes) for group in around.place.nodes if group.accelerator not in taken)
    return around.ctx.check(
        "EDG-008",
        not spec.dedicated or left > 0,
        f"pool {spec.name} keeps its nodes for GPU pods, and {around.place.site} has no other: 1 is missing for "
        "controllers",
        ("dedicated",),
        "set dedicated to false: controllers and GPU pods share the node, and the planner keeps room for both",
    )


def _starts_offline(spec: PartSpec, around: Around) -> Iterator[bool]:
    if isinstance(spec, GpuNodePoolSpec):
        yield _driver_is_installed(spec, around)
    if isinstance(spec, ServingSpec):
        yield _weights_are_there(spec, around)
        if isinstance(spec.weights, ImageWeights):
            yield _image_is_found(spec.weights.image, ("weights", "image"), around, "digest of the part")
    image = getattr(spec, "image", None)
    if isinstance(image, str):
        yield _image_is_found(image, ("image",), around, "")


def _driver_is_installed(spec: GpuNodePoolSpec, around: Around) -> bool:
    without = [group for group in around.groups(spec.accelerator) if group.host.driver is None]
    index = around.place.nodes.index(without[0]) if without else 0
    return around.ctx.check(
        "EDG-006",
        not without,
        lambda: (
            f"nodes of group {without[0].group} have no GPU driver of their own, and {around.place.site} may be "
            f"without its uplink for {_outage(around.place)}"
        ),
        ("nodes", index, "host"),
        "install a driver on the hosts, and name its version as host.driver",
        "site",
    )


def _weights_are_there(spec: ServingSpec, around: Around) -> bool:
    folder = IMAGE_FOLDERS[around.place.cluster.distribution]
    return around.ctx.check(
        "EDG-005",
        isinstance(spec.weights, ImageWeights | ClaimWeights),
        f"weights of kind {spec.weights.kind} come over the uplink, and {around.place.site} may be without it for "
        f"{_outage(around.place)}",
        ("weights", "kind"),
        f"use kind oci, with the image in {folder} of the node, or kind claim, with a volume that is filled before",
    )


def _image_is_found(text: str, at: Path, around: Around, digest_goes_to: str) -> bool:
    image = image_reference.parse_image(text)
    moves = not image.digest and image.tag == MOVING_TAG
    hint = "name the release by its tag"
    if image.digest:
        hint = f"name it by tag alone, such as {image.registry}/{image.repository}:{image.tag or '2026.11'}"
        hint += f", and write the digest as {digest_goes_to}" if digest_goes_to else ""
    return around.ctx.check(
        "EDG-007",
        not moves and not image.digest,
        f'"{text}" is asked for at its registry at each start'
        if moves
        else f'"{image.registry}/{image.repository}" is named by digest, and archives on the node bring tags alone',
        at,
        hint,
    )


def _missing(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'} missing"


def _outage(place: Place) -> str:
    return place.uplink.outage if place.uplink else ""


def _instead(spec: PartSpec, around: Around, able: Able, would_do: str) -> str:
    return instead(spec.name, nearest_able(around.ctx, around.others, able), would_do)
