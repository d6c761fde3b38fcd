"""What a person writes about a training run: its gang, image, place, checkpoint and patience."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.demand import DataClass
from aifactory.components.forms import AbsolutePath, ImageText, SecretName
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, Spec, truth, twice

Word = Annotated[str, Field(max_length=16_384, pattern=r"^[^\x00]*$")]
"""A word of a command without NUL. It reaches the program as written: nothing replaces `$(X)` or `${X}`."""

VariableName = Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""The name of an environment variable: letters, digits and _, no digit first."""

SecretKey = Annotated[str, Field(max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
"""A key in a Secret of Kubernetes: letters, digits, - _ and dots."""


OWN_MOUNTS = ("/dev/shm", "/dev/hugepages")  # noqa: S108 - where pods have shared memory and huge pages


class SecretVariable(Spec):
    """An environment variable whose value lies in a Secret of the tenant's namespace."""

    variable: VariableName
    """Name of the variable."""

    secret: SecretName
    """Name of the existing Secret. The value itself is never read here."""

    key: SecretKey
    """Key in the Secret."""


class Checkpoint(Spec):
    """The volume that outlives the run and every restart of it."""

    storage_class: Name | None = None
    """StorageClass of the site. It must serve ReadWriteMany when the gang has several nodes. Default: the
    first class of the site that serves the access it needs, its default class before others."""

    size_gib: int = Field(ge=1, le=1_048_576)
    """Size of the volume. Unit: GiB. A checkpoint with optimizer state takes 14 to 16 bytes per parameter;
    keep two."""

    path: AbsolutePath = "/checkpoints"
    """Where pods see it; the variable CHECKPOINT_DIR names it too. Default /checkpoints."""


class Dataset(Spec):
    """Data that the gang reads: a volume of a storage tier, mounted read only on each node."""

    tier: Name
    """Storage tier that holds it."""

    path: Name
    """Path of the tier, which must be the run's own tenant's."""

    mount: AbsolutePath | None = None
    """Where pods see it; the variable DATASET_DIRS lists all of them, with : between. Default: /datasets/ and the name
    of the path."""

    @property
    def mounted_at(self) -> str:
        """Where pods see it."""
        return self.mount or f"/datasets/{self.path}"


class TopologyRequest(Spec):
    """How near to each other the nodes of the gang must be."""

    placement: Literal["required", "preferred", "none"] = "preferred"
    """required waits until one place is free for all; preferred takes the nearest that is free now; none
    takes any. Default preferred: the gang starts, and lies well whenever it can."""

    within: Literal["block", "rack"] = "block"
    """What holds the gang: a block is racks under one set of leaf switches. Default block: traffic of a
    rail then crosses one leaf and no spine."""


class Computes(Spec):
    """The size of a training."""

    parameters_b: float = Field(gt=0, le=1_000_000)
    """Parameters that a token passes: the active ones of a mixture of experts. Unit: billions."""

    tokens_b: float = Field(gt=0, le=1_000_000_000)
    """Tokens that it sees, all epochs together. Unit: billions."""

    @property
    def flop(self) -> float:
        """Operations: 6 for each parameter and token (Kaplan et al. 2020, arXiv:2001.08361). Unit: FLOP."""
        return 6 * self.parameters_b * 1e9 * self.tokens_b * 1e9


class TrainingSpec(PartSpec):
    """A gang that trains one model on the nodes of one pool."""

    kind: Literal["training"]
    """A training run."""

    pool: Name
    """GPU node pool it runs on. Its fabric decides networks, devices and NCCL settings of the pods."""

    queue: Name | None = None
    """Queue that admits it. Default: the only queue that hands out the pool."""

    tenant: Name
    """Tenant it runs for: decides namespace, quota and who is charged."""

    nodes: int = Field(ge=1, le=10_000)
    """Nodes of the gang. All start together or none does, and one that fails restarts all."""

    gpus_per_node: int | None = Field(default=None, ge=1, le=72)
    """GPUs of each node. Default: the whole node; less excludes several nodes, since ranks would share
    rails with strangers."""

    image: ImageText
    """Image with its registry, and a tag, a digest or both. A digest is never made up: `plan` shows null
    until somebody states it."""

    pull_secrets: list[SecretName] = Field(default=[], max_length=10)
    """Existing Secrets of the tenant's namespace with registry credentials. Default none."""

    command: list[Word] = Field(default=[], max_length=200)
    """Entry point. Default: the image's own."""

    args: list[Word] = Field(default=[], max_length=1_000)
    """Arguments. Default: the image's own."""

    environment: dict[VariableName, Word] = Field(default={}, max_length=500)
    """Variables by name, their values taken as they are. Names that the gang itself sets are refused.
    Default none."""

    secrets: list[SecretVariable] = Field(default=[], max_length=100)
    """Variables from Secrets. Default none."""

    checkpoint: Checkpoint | None = None
    """Volume for checkpoints. Default none: a restart begins from nothing, so only short runs do without."""

    datasets: list[Dataset] = Field(default=[], max_length=20)
    """Data that it reads, from storage tiers. Its reading then counts on those, and no more on the tier of its
    checkpoints. Default none: it reads what its image or its own code brings."""

    computes: Computes | None = None
    """How much it computes. Default none: nobody says, and a limit on training refuses it."""

    data_class: DataClass | None = None
    """Class of the data that it may read. A tier with a class is read by runs of that class alone, and checkpoints of
    such a run lie on a tier of it: what was learned is like what was read. Default none: data without a class."""

    topology: TopologyRequest = TopologyRequest()
    """How near the nodes must be. Default: one block, preferred."""

    priority: Name | None = None
    """Priority of the queue. Default: the tenant's."""

    max_restarts: int = Field(default=3, ge=0, le=1_000)
    """Restarts of the whole gang after a failure. Default 3: a bad GPU or link is found and drained by the
    second; a wrong argument fails each time, and must not hold GPUs for a night."""

    time_limit_h: int | None = Field(default=None, ge=1, le=8_760)
    """Most time it may run, all restarts together. Unit: hours. Default none: it runs until it ends."""

    run: int = Field(default=1, ge=1, le=9_999)
    """Number of the run, part of its object's name. Raise it to run again, or with other settings: a gang
    that was created can't be changed. Default 1. The checkpoint is the same for all runs."""

    shm_gib: int | None = Field(default=None, ge=1, le=4_096)
    """Shared memory (/dev/shm) of each pod, counted in its memory. Unit: GiB. Default: 8 per GPU, at most
    a quarter of the pod's memory: data loaders hand batches through it and NCCL needs some."""

    hugepages_2mi_gib: int = Field(default=0, ge=0, le=4_096)
    """Huge pages of 2 MiB for each pod, reserved on the hosts before. Unit: GiB. Default 0: NCCL needs
    none."""

    user_id: int | None = Field(default=None, ge=0, le=2_147_483_647)
    """User that the processes run as; 0 is root. Default: 1000, or 0 where the fabric needs the IPC_LOCK
    capability, which Linux gives to root alone."""

    grace_s: int = Field(default=120, ge=1, le=3_600)
    """Time between the signal to stop and the kill, for a last checkpoint. Unit: s. Default 120: a
    preempted gang holds GPUs that belong to another tenant by then."""

    @truth
    def _a_variable_has_one_value(self) -> Iterator[Misfit]:
        names = [*self.environment, *(secret.variable for secret in self.secrets)]
        for index in twice(names):
            says = f"variable {names[index]} is set twice"
            at = ("secrets", index - len(self.environment), "variable")
            yield Misfit(says, "keep it in environment or in secrets", at)

    @truth
    def _each_volume_has_a_place_of_its_own(self) -> Iterator[Misfit]:
        taken = [*OWN_MOUNTS, *([self.checkpoint.path] if self.checkpoint else [])]
        for index, each in enumerate(self.datasets):
            other = next((path for path in taken if _overlap(path, each.mounted_at)), None)
            if other is not None:
                says = f"{each.mounted_at} and {other} lie in one another"
                yield Misfit(says, "set mount to another path", ("datasets", index, "mount"))
            taken.append(each.mounted_at)


def _overlap(one: str, other: str) -> bool:
    """Whether one path is the other, or lies below it."""
    first, second = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return first.startswith(second) or second.startswith(first)
