"""Where keys and values go that GPU memory has no room for: drives of the node, or its memory. Decision 0030.

Source of the connector's settings and of what it does: vLLM 0.33.0 wheel, `vllm/distributed/kv_transfer/kv_connector/
v1/simple_cpu_offload_connector.py` and `vllm/v1/simple_kv_offload`.
"""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.counting import counted
from aifactory.components.demand import ModelDemand
from aifactory.components.offers import PoolOffer, StorageOffer, StorageUse
from aifactory.components.pods import PodContract, Volume, node_share
from aifactory.components.problems import nearest
from aifactory.components.serving.decided import OffloadPlan
from aifactory.components.serving.replicas import Sized
from aifactory.components.serving.spec import KvOffload, ServingSpec
from aifactory.components.sizing.memory import kv_sharers
from aifactory.components.storage_uses import KvOffloadUse

GIB = 2**30
PATH = "/kv"
VOLUME = "kv"
USED_PERCENT = 95
"""Share of the volume that the engine's files may take: a file system keeps some for itself, and the thread that meets
a full one ends, after which nothing is stored any more."""

MEMORY_PERCENT = 50
"""Share of a pod's memory without /dev/shm that offloaded keys may pin. A choice: the rest is for the engine's
processes and for the page cache that weights are read through."""

BLOCK_TOKENS = 16
"""Tokens of the smallest block that the engine keeps; larger ones are multiples of it."""
ALIGNED = 4_096
"""Bytes that a block must be a multiple of to be written past the page cache."""

LMCACHE = Rejected(
    "LMCache",
    "no package that the engine's asks for, and in this version one more server beside it",
)
TIERING = Rejected(
    "TieringOffloadingSpec", "memory, then files; it deletes none, so the volume fills: vllm-project/vllm#54779"
)
RESTART = Rejected("a lasting volume", "what pods before it left would be prompts that nobody asks to keep")
Found = tuple[bool, OffloadPlan | None]
"""Whether it can be built, and how: None where nothing is offloaded."""


def offload_of(
    spec: ServingSpec,
    demand: ModelDemand,
    sized: Sized,
    floor: int,
    contract: PodContract,
    pool: PoolOffer,
    ctx: PlanContext,
) -> Found:
    """Where keys and values of a model are offloaded to; what that takes of a tier is told to it.

    `floor` is how many replicas always run, of those that the peak needs.
    """
    wish = spec.kv_offload
    if wish is None:
        return True, None
    if wish.tier is None:
        return _to_memory(wish, sized, contract, pool, ctx)
    tier = _tier(wish, pool, ctx)
    if tier is None or not _allowed(demand, tier, ctx):
        return False, None
    return True, _to_drives(wish, demand, sized, floor, tier, pool, ctx)


def _to_memory(wish: KvOffload, sized: Sized, contract: PodContract, pool: PoolOffer, ctx: PlanContext) -> Found:
    size_gib = wish.cpu_gib or 0
    memory_gib = node_share(pool, contract.gpus).memory_mib // 1024 - contract.shm_gib
    most = memory_gib * MEMORY_PERCENT // 100
    fits = ctx.check(
        "SRV-035",
        size_gib <= most,
        f"{size_gib} GiB of keys and values in {memory_gib} GiB of memory that a pod has beside /dev/shm",
        ("kv_offload", "cpu_gib"),
        f"set cpu_gib to {most} or less, or offload to a tier of kind local-cache",
    )
    if not fits:
        return False, None
    _decide(
        {"cpu_gib": size_gib},
        f"{size_gib} GiB of each pod's memory, pinned, and part of its request; the oldest go first. They are in "
        "memory as prompts are, and gone with the process",
        ctx,
        rejected=[
            LMCACHE,
            Rejected("OffloadingConnector", "it keeps them in /dev/shm, whose size is for other things"),
        ],
    )
    settings: dict[str, object] = {"cpu_bytes_to_use": size_gib * GIB * sized.layout.nodes}
    return True, OffloadPlan(settings)


def _tier(wish: KvOffload, pool: PoolOffer, ctx: PlanContext) -> StorageOffer | None:
    """The tier whose drives lie in each node of the pool; None after a problem."""
    tiers = {offer.part: offer for offer in ctx.offers(StorageOffer) if offer.part}
    local = [name for name, offer in tiers.items() if offer.tier == "local-cache"]
    tier, at = tiers.get(wish.tier or ""), ("kv_offload", "tier")
    if tier is None:
        if not ctx.has_refused(wish.tier or ""):
            hint = nearest(wish.tier or "", local) if local else "add a storage-tier with tier: local-cache"
            ctx.refuse(f'"{wish.tier}" is no storage tier at {ctx.place.site}', at, hint)
        return None
    lacking = sorted({node for rack in pool.racks for node in rack.nodes} - set(tier.nodes))
    held = ctx.check(
        "SRV-032",
        tier.tier == "local-cache" and not lacking,
        f"tier {tier.part} has no drives in node {lacking[0]} of pool {pool.pool}"
        if tier.tier == "local-cache" and lacking
        else f"{tier.part} is a {tier.tier} tier: what is read while somebody waits must lie on drives of the node",
        at,
        "give the nodes of the pool such drives, or offload to memory: {cpu_gib: ...}"
        if tier.tier == "local-cache"
        else f"name {' or '.join(local)}"
        if local
        else "add a storage-tier with tier: local-cache, or offload to memory: {cpu_gib: ...}",
    )
    return tier if held else None


def _allowed(demand: ModelDemand, tier: StorageOffer, ctx: PlanContext) -> bool:
    """Whether the tier may hold what prompts can be made of again, and holds it encrypted."""
    name, at = demand.data_class, ("kv_offload", "tier")
    if name is None:
        return True
    fits = ctx.check(
        "SRV-033",
        tier.data_class == name,
        f"keys and values of {name} prompts on tier {tier.part}, which is for "
        + (f"{tier.data_class} data" if tier.data_class else "data of no class"),
        at,
        f"set data_class of the tier to {name}, or offload to memory: {{cpu_gib: ...}}",
    )
    return fits and ctx.check(
        "SRV-033",
        bool(tier.key),
        f"keys and values of {name} prompts on drives of tier {tier.part}, of which no encryption is stated",
        at,
        "add encryption with its key to the drives in the site file, or offload to memory: {cpu_gib: ...}",
    )


def _to_drives(
    wish: KvOffload,
    demand: ModelDemand,
    sized: Sized,
    floor: int,
    tier: StorageOffer,
    pool: PoolOffer,
    ctx: PlanContext,
) -> OffloadPlan:
    layout, size_gib = sized.layout, wish.size_gib or 0
    gpus = layout.gpus // layout.nodes
    each = size_gib * GIB * USED_PERCENT // 100 // gpus // ALIGNED * ALIGNED
    rate = _rate(demand, sized)
    ctx.offer(
        KvOffloadUse(
            part=ctx.part,
            tier=tier.part,
            gpus=sized.needed * layout.gpus,
            gb_per_s=rate,
            size_gib=size_gib,
            gpus_per_pod=gpus,
            pods_per_node=min(pool.gpus_per_node // gpus, sized.replicas * layout.nodes),
            gpus_per_node=pool.gpus_per_node,
            pool=pool.part,
            mean_gb_per_s=rate * _mean_of_peak(demand),
            mean_gpus=min(floor, sized.needed) * layout.gpus,
        )
    )
    pods = sized.replicas * layout.nodes
    ctx.offer(StorageUse(ctx.part, 0, tier.name, "cached keys", size_gib * pods))
    at_once = _rate_per_gpu(rate, sized)
    _decide(
        {"tier": tier.part, "size_gib": size_gib, "bytes_per_gpu": each, "gb_per_s_per_gpu": round(at_once, 3)},
        f"a volume of {size_gib} GiB on drives of the node for each pod, of which a file for each of "
        f"{counted(gpus, 'GPU')} takes {USED_PERCENT} percent in all; the oldest blocks are written over. Each token "
        f"of the peak is written once or read once: at most {at_once:.2f} GB/s for a GPU. The volume goes with its pod"
        + _protected(demand, tier),
        ctx,
        rejected=[LMCACHE, TIERING, RESTART],
    )
    settings: dict[str, object] = {
        "kv_offload_backend": "disk",
        "disk_path": f"{PATH}/blocks",
        "disk_capacity_bytes": each,
        **({} if _aligned(sized) else {"use_page_cache": True}),
    }
    volume = Volume(VOLUME, "", PATH, scratch_gib=size_gib, storage_class="" if tier.folder else tier.name)
    return OffloadPlan(settings, volume, tier.row)


def _protected(demand: ModelDemand, tier: StorageOffer) -> str:
    if demand.data_class is None:
        return ""
    return f". Prompts can be made of it again: tier {tier.part} is for {tier.data_class} data, by key {tier.key}"


def _decide(value: dict[str, object], reason: str, ctx: PlanContext, *, rejected: list[Rejected]) -> None:
    seed = Rejected("PYTHONHASHSEED", "names of blocks agree without it, and no other engine reads these")
    ctx.decide(
        "kv_offload",
        value,
        reason,
        rejected=[*rejected, seed],
        because=[f"{ctx.part}.layout", f"{ctx.part}.kv_cache", f"{ctx.part}.peak"],
        source=("kv_offload",),
        facts=["engines/vllm"],
    )


def _per_token(sized: Sized) -> float:
    """Bytes that each token of the context takes of all GPUs of a replica, those that hold the same heads too."""
    shape, layout = sized.shape, sized.layout
    width = 1 if sized.kv_dtype == "fp8" else 2
    copies = layout.tensor / kv_sharers(shape, layout.tensor)
    return (shape.kv_elements + shape.window_elements) * width * copies


def _rate(demand: ModelDemand, sized: Sized) -> float:
    """Keys and values of all tokens at peak, for all replicas together. Unit: GB per s."""
    return sized.peak_per_s * (demand.input_tokens + demand.output_tokens) * _per_token(sized) / 1e9


def _mean_of_peak(demand: ModelDemand) -> float:
    """What the mean of a day is of its peak."""
    mean, peak = demand.rate
    return mean / peak if peak else 0.0


def _rate_per_gpu(rate: float, sized: Sized) -> float:
    """Of one GPU, while the spare replica is missing."""
    return rate / (sized.needed * sized.layout.gpus)


def _aligned(sized: Sized) -> bool:
    """Whether blocks can be written past the page cache, whatever size of block the engine chooses."""
    each = BLOCK_TOKENS * _per_token(sized) / (sized.layout.tensor * sized.layout.pipeline)
    return each % ALIGNED == 0


def room(ctx: PlanContext) -> bool:
    """Whether each node of the tier has room for the volumes of the pods that its GPUs hold, and for those that go.

    A pod that ends frees its GPUs before its volume is removed: its successor's volume is made meanwhile. Each model
    replaces one pod at a time.
    """
    uses = {use.part: use for use in ctx.offers(KvOffloadUse)}
    own = uses.get(ctx.part)
    tier = next((offer for offer in ctx.offers(StorageOffer) if own and offer.part == own.tier), None)
    if own is None or tier is None:
        return True
    beside = [use for use in uses.values() if use.tier == own.tier]
    if beside[-1] is not own:
        return True  # The last one speaks for all, so that one overflow is told once.
    going = sum(use.size_gib for use in beside)
    by_pods = sum(use.pods_per_node * use.size_gib for use in beside)
    by_gpus = int(own.gpus_per_node * max(use.size_gib / use.gpus_per_pod for use in beside))
    needed = min(by_pods, by_gpus) + going
    has = tier.node_gib or 0
    fits = ctx.check(
        "SRV-034",
        needed <= has,
        f"volumes of {needed} GiB on a node at the worst, {going} that are being removed among them, and tier "
        f"{tier.part} has {has} GiB on each",
        ("kv_offload", "size_gib"),
        f"set size_gib to {own.size_gib * has // needed} or less"
        + (f", and those of {', '.join(use.part for use in beside[:-1])} by as much" if beside[1:] else ""),
    )
    if fits:
        each = " of each model" if beside[1:] else ""
        ctx.decide(
            "kv_offload.room",
            {"needed_gib": needed, "node_gib": has},
            f"the volumes of all pods that the GPUs of a node hold, and one more{each}: replicas are replaced without "
            "surge, and GPUs are free before the volume of the pod that ended is removed",
            because=[f"{use.part}.kv_offload" for use in beside],
            source=("kv_offload", "size_gib"),
        )
    return fits
