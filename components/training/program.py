"""What runs in each pod of a gang: its share of the node, its image, its words and its variables."""

from __future__ import annotations

from aifactory.components import pods, quantities
from aifactory.components.base import PlanContext, Rejected
from aifactory.components.image_reference import parse_image
from aifactory.components.offers import FabricOffer, PoolOffer
from aifactory.components.pods import PodContract, Program
from aifactory.components.training import checks, words
from aifactory.components.training.decided import CheckpointPlan
from aifactory.components.training.spec import TrainingSpec
from aifactory.components.values import SecretRef

PORT = 29_500
"""Port of the rendezvous: PyTorch's own default."""

NODE_RANK_PATH = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
"""Field of a pod that holds its number in the gang."""

CHECKPOINT_DIR, DATASET_DIRS = "CHECKPOINT_DIR", "DATASET_DIRS"


def contract_of(
    spec: TrainingSpec, pool: PoolOffer, fabric: FabricOffer | None, gpus: int, ctx: PlanContext
) -> PodContract:
    """The pod contract of each pod of the gang."""
    contract = pods.contract(
        pool,
        fabric,
        gpus,
        shm_gib=spec.shm_gib,
        hugepages_2mi_gib=spec.hugepages_2mi_gib,
        user_id=spec.user_id,
    )
    node = pods.allocatable(pool)
    rails = [f"{fabric.part}.rails"] if fabric else []
    ctx.decide(
        "pod.requests",
        dict(contract.requests),
        f"{gpus} of {pool.gpus_per_node} GPUs with the same part of {node.cpus} CPUs and "
        f"{quantities.mib(node.memory_mib)}; limits are equal, so it is evicted last and may own its cores",
        rejected=[Rejected("all of the node", "the node's daemons run there too, so no node would fit the pod")],
        because=[f"{pool.part}.reserve", f"{pool.part}.group", *rails],
    )
    ctx.decide(
        "pod.networks",
        contract.networks,
        "one interface a rail, so that each GPU talks on its own"
        if contract.networks
        else "the pod network: devices of the fabric come with the GPUs"
        if rails
        else "the pod network alone: no fabric joins the nodes",
        because=rails,
    )
    ctx.decide(
        "pod.tolerations",
        tuple(f"{taint.key}={taint.value}:{taint.effect}" for taint in contract.tolerations),
        "the same as the flavor's: Kueue then changes nothing in the run's object when it admits it",
        rejected=[Rejected("leave them to the flavor", "the object would differ from what is applied once it runs")],
        because=[f"{pool.part}.taint"],
    )
    _decide_memory_and_user(spec, contract, fabric, ctx)
    return contract


def _decide_memory_and_user(
    spec: TrainingSpec, contract: PodContract, fabric: FabricOffer | None, ctx: PlanContext
) -> None:
    ctx.decide(
        "pod.shm_gib",
        contract.shm_gib,
        "as written" if spec.shm_gib else "8 GiB a GPU for data loaders and NCCL, at most a quarter of the memory",
        because=() if spec.shm_gib else [f"{ctx.part}.pod.requests"],
        source=("shm_gib",),
    )
    ctx.decide(
        "pod.user_id",
        contract.user_id,
        _why_user(spec, contract),
        because=[f"{fabric.part}.memory_lock"] if fabric and spec.user_id is None else (),
        source=("user_id",),
    )


def _why_user(spec: TrainingSpec, contract: PodContract) -> str:
    if spec.user_id is not None:
        return "as written"
    if contract.ipc_lock:
        return "the fabric needs IPC_LOCK, which Linux gives to root alone"
    return "an ordinary user; memory for RDMA is locked within the host's limit"


def program_of(spec: TrainingSpec, run: str, gpus: int, checkpoint: CheckpointPlan | None, ctx: PlanContext) -> Program:
    """The program of each pod, with the variables by which the gang finds itself and its data."""
    _explain_image(spec, ctx)
    own = _rendezvous(run, spec.nodes, gpus, ctx)
    torchrun = {f"PET_{name}": value for name, value in own.items()}
    place = {CHECKPOINT_DIR: checkpoint.path} if checkpoint else {}
    if spec.datasets:
        place[DATASET_DIRS] = ":".join(each.mounted_at for each in spec.datasets)
    written = {name: words.literal(spec.environment[name]) for name in sorted(spec.environment)}
    return Program(
        name="trainer",
        image=spec.image,
        command=tuple(words.literal(word) for word in spec.command),
        args=tuple(words.literal(word) for word in spec.args),
        environment=tuple({**own, **torchrun, **place, **written}.items()),
        from_pod=(("NODE_RANK", NODE_RANK_PATH), ("PET_NODE_RANK", NODE_RANK_PATH)),
        secrets=tuple((each.variable, SecretRef(each.secret, each.key)) for each in spec.secrets),
    )


def own_variables(spec: TrainingSpec, checkpoint: CheckpointPlan | None) -> set[str]:
    """Variables that the gang sets itself. torchrun reads those that begin with PET_."""
    plain = {"MASTER_ADDR", "MASTER_PORT", "NNODES", "NPROC_PER_NODE", "NODE_RANK"}
    data = ({CHECKPOINT_DIR} if checkpoint else set()) | ({DATASET_DIRS} if spec.datasets else set())
    return plain | {f"PET_{name}" for name in plain} | data


def _explain_image(spec: TrainingSpec, ctx: PlanContext) -> None:
    digest = parse_image(spec.image).digest
    ctx.decide("image", spec.image, "as written", source=("image",))
    ctx.decide(
        "image.digest",
        digest or None,
        "it decides which image runs"
        if digest
        else "none is written, and none is made up: what the tag means may change",
        source=("image",),
    )


def _rendezvous(run: str, nodes: int, gpus: int, ctx: PlanContext) -> dict[str, str]:
    address = f"{run}-{checks.JOB}-0-0.{run}"
    long_label = "it writes the name into a label of 63 characters, which longer runs break"
    ctx.decide(
        "rendezvous",
        f"{address}:{PORT}",
        "pod 0 of the gang, by the name that JobSet publishes before the pod is ready",
        rejected=[Rejected("spec.coordinator", long_label)],
        because=[f"{ctx.part}.gang"],
    )
    return {
        "MASTER_ADDR": address,
        "MASTER_PORT": str(PORT),
        "NNODES": str(nodes),
        "NPROC_PER_NODE": str(gpus),
    }
