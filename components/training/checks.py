"""The rules of a training run, evaluated where their numbers are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from aifactory.components import pods
from aifactory.components.base import PlanContext
from aifactory.components.names import BLOCK_LABEL, RACK_LABEL
from aifactory.components.offers import FabricOffer, PoolOffer, PoolShare, QueueOffer
from aifactory.components.problems import Path
from aifactory.components.training import secrecy, words
from aifactory.components.training.spec import TrainingSpec

LEVELS = {"block": BLOCK_LABEL, "rack": RACK_LABEL}
JOB = "workers"
POD_NAME_AT_MOST = 63
POD_SUFFIX = 6
"""Characters that the Job controller adds to a pod's name: a dash and five."""


def check_gang(spec: TrainingSpec, pool: PoolOffer, fabric: FabricOffer | None, ctx: PlanContext) -> bool:
    """The gang as a shape: nodes, whole GPUs, and something that joins them. False when it is larger than
    its pool, so that quota and places have nothing to add."""
    more = spec.nodes - pool.nodes
    fits = ctx.check(
        "TRN-001",
        more <= 0,
        f"a gang of {spec.nodes} nodes on pool {spec.pool}, which has {pool.nodes}",
        ("nodes",),
        f"set nodes to {pool.nodes} or less, or give the pool {more} more",
    )
    ctx.check(
        "TRN-009",
        not pool.slice_resources,
        f"pool {spec.pool} hands out {', '.join(name for name, _ in pool.slice_resources)}, no whole GPUs",
        ("pool",),
        "use a pool with sharing none",
    )
    ctx.check(
        "TRN-006",
        spec.nodes == 1 or fabric is not None,
        f"{spec.nodes} nodes on pool {spec.pool}, which no fabric joins",
        ("nodes",),
        "set fabric of the pool to rdma, or nodes to 1",
    )
    part = spec.gpus_per_node or pool.gpus_per_node
    ctx.check(
        "TRN-010",
        part == pool.gpus_per_node or (spec.nodes == 1 and part < pool.gpus_per_node),
        f"{spec.nodes} nodes with {part} GPUs each; nodes of pool {spec.pool} have {pool.gpus_per_node}",
        ("gpus_per_node",),
        f"leave gpus_per_node out, or use 1 node with at most {pool.gpus_per_node} GPUs",
    )
    _check_pod_names(spec, ctx)
    return fits


def _check_pod_names(spec: TrainingSpec, ctx: PlanContext) -> None:
    longest = f"{run_name(spec)}-{JOB}-0-{spec.nodes - 1}"
    over = len(longest) + POD_SUFFIX - POD_NAME_AT_MOST
    ctx.check(
        "TRN-008",
        over <= 0,
        f"pods would be named {longest}-xxxxx, which is {over} characters too long",
        ("renamed_from",) if spec.renamed_from else ("name",),
        f"shorten the name by {over} characters",
    )


def run_name(spec: TrainingSpec) -> str:
    """Name of the run's JobSet."""
    return f"{spec.identity}-{spec.run}"


def check_quota(spec: TrainingSpec, gpus: int, share: PoolShare, ctx: PlanContext) -> None:
    """The gang against what its tenant may use of the pool."""
    at = ("nodes",) if spec.nodes > 1 or spec.gpus_per_node is None else ("gpus_per_node",)
    fits = ctx.check(
        "TRN-002",
        gpus <= share.gpus_at_most,
        f"the gang needs {gpus} GPUs of pool {spec.pool}; tenant {spec.tenant} has {share.gpus} guaranteed "
        f"and {share.gpus_at_most} with all it may borrow",
        at,
        f"guarantee the tenant {gpus}" + _smaller(spec, gpus, share.gpus_at_most),
    )
    if fits:
        ctx.check(
            "TRN-003",
            gpus <= share.gpus,
            f"the gang needs {gpus} GPUs of pool {spec.pool}, of which tenant {spec.tenant} has {share.gpus} "
            "guaranteed: it waits for idle ones and may be preempted at any time",
            at,
            f"guarantee the tenant {gpus} GPUs" + _smaller(spec, gpus, share.gpus),
        )


def _smaller(spec: TrainingSpec, gpus: int, limit: int) -> str:
    """The gang that fits a limit of GPUs, in the words of the field to change; nothing when none does."""
    nodes = limit // (gpus // spec.nodes)
    if nodes:
        return f", or set nodes to {nodes}" + (" or less" if nodes > 1 else "")
    alone = spec.nodes == 1 and limit
    return f", or set gpus_per_node to {limit}" + (" or less" if limit > 1 else "") if alone else ""


def check_topology(spec: TrainingSpec, pool: PoolOffer, queue: QueueOffer, ctx: PlanContext) -> None:
    """The place that the gang asks for exists and is large enough."""
    placement, within = spec.topology.placement, spec.topology.within
    known = queue.topology_aware and LEVELS[within] in pool.topology_levels
    asked = placement == "required" or (placement == "preferred" and "topology" in spec.model_fields_set)
    ctx.check(
        "TRN-016",
        known or not asked,
        f"the gang asks for one {within}; queue {queue.part} doesn't know the {within}s of pool {spec.pool}",
        ("topology",),
        "set topology_aware of the queue to true, or placement to none",
    )
    sizes = _places(pool, within)
    most = max(sizes.values(), default=0)
    ctx.check(
        "TRN-004",
        placement != "required" or spec.nodes <= most,
        f"{spec.nodes} nodes must lie in one {within}; the largest {within} of pool {spec.pool} has {most}",
        ("topology",),
        f"set nodes to {most} or less, or placement to preferred",
    )


def _places(pool: PoolOffer, within: str) -> Counter[tuple[str, ...]]:
    """Nodes of the pool by block or rack. Two blocks may each have a rack of one name."""
    sizes: Counter[tuple[str, ...]] = Counter()
    for rack in pool.racks:
        sizes[(rack.block,) if within == "block" else (rack.block, rack.rack)] += rack.size
    return sizes


def check_memory(spec: TrainingSpec, pool: PoolOffer, gpus: int, ctx: PlanContext) -> bool:
    """CPU, memory, shared memory and huge pages come out of one share of the node."""
    share = pods.node_share(pool, gpus)
    some = ctx.check(
        "TRN-017",
        share.cpus > 0 and share.memory_mib > 0,
        f"{gpus} of {pool.gpus_per_node} GPUs have {share.cpus} CPUs and {share.memory_mib} MiB of a node "
        f"of pool {spec.pool} ({pool.cpus_per_node} CPUs, {pool.memory_gib_per_node} GiB)",
        ("gpus_per_node",),
        "take more GPUs of the node, or a pool of larger nodes",
    )
    gib = share.memory_mib // 1024
    left = gib - spec.hugepages_2mi_gib - (spec.shm_gib or 1)
    return some & ctx.check(
        "TRN-015",
        left > 0,
        f"{spec.hugepages_2mi_gib} GiB of huge pages and {spec.shm_gib or 1} GiB of shared memory, "
        f"of {gib} GiB that belong to {gpus} GPUs",
        ("shm_gib",) if spec.shm_gib else ("hugepages_2mi_gib",),
        f"keep them below {gib} GiB together",
    )


def check_user(spec: TrainingSpec, fabric: FabricOffer | None, ctx: PlanContext) -> None:
    """Locking memory by capability is for root."""
    ctx.check(
        "TRN-011",
        not (spec.user_id and fabric and fabric.ipc_lock),
        f"user {spec.user_id} doesn't get the IPC_LOCK that fabric {fabric.part if fabric else ''} needs",
        ("user_id",),
        "leave user_id out, or set memory_lock of the fabric to host",
    )


def check_variables(spec: TrainingSpec, own: Iterable[str], fabric: FabricOffer | None, ctx: PlanContext) -> None:
    """Variables: who sets them, and that nobody waits for `$(NAME)` to be replaced."""
    own, settings = set(own), {name for name, _ in fabric.settings} if fabric else set()
    secret = {each.variable: index for index, each in enumerate(spec.secrets)}
    for name in [*sorted(spec.environment), *secret]:
        at = ("secrets", secret[name], "variable") if name in secret else ("environment", name)
        ctx.check(
            "TRN-013",
            name not in own,
            f"{name} is set by the gang itself",
            at,
            f"remove it; the gang sets {', '.join(sorted(own))}",
        )
        ctx.check(
            "TRN-014",
            name not in settings,
            f"{name} overrides a setting of fabric {fabric.part if fabric else ''}",
            at,
            "remove it, or set it in the fabric part if it holds for every run",
        )
    check_secrecy(spec, ctx)
    known = own | settings | set(spec.environment) | set(secret)
    expected = sorted(words.references([*spec.command, *spec.args, *spec.environment.values()]) & known)
    ctx.check(
        "TRN-012",
        not expected,
        lambda: f"$({expected[0]}) reaches the program as it is, because words are not replaced",
        ("args",) if words.references(spec.args) & known else ("command",),
        f"run a shell and write ${expected[0] if expected else 'NAME'}: command: [sh, -c]",
    )


def check_secrecy(spec: TrainingSpec, ctx: PlanContext) -> None:
    """Secrets are named, never written."""
    written: list[tuple[str, Path]] = [
        (f"environment {name} looks like a secret", ("environment", name))
        for name in sorted(spec.environment)
        if secrecy.is_secret(name, spec.environment[name])
    ]
    for field, words_ in (("command", spec.command), ("args", spec.args)):
        written += [
            (f"{field}[{index}] holds what looks like a secret", (field, index))
            for index in secrecy.secret_words(words_)
        ]
    hint = "put it into a Secret of the tenant's namespace, and name that in secrets"
    ctx.check("TRN-018", not written, "; ".join(says for says, _ in written), written[0][1] if written else (), hint)
