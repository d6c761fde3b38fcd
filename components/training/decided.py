"""A training run as decided: plain data, nothing left unset."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.pods import PodContract, Program


class CheckpointPlan(Struct, frozen=True):
    """The volume that outlives the run."""

    claim: str
    storage_class: str
    access: str
    size_gib: int
    path: str


class DatasetPlan(Struct, frozen=True):
    """A volume of a tier that the gang reads."""

    tier: str
    path: str
    claim: str
    mount: str
    fill: str = ""
    """Row of the Job that fills it, empty where nothing of ours does."""


class TrainingPlan(Struct, frozen=True):
    """A gang: its pods, what admits it, and what happens when it fails."""

    run: str
    """Name of the JobSet, and the DNS domain of its pods."""
    service_account: str
    tenant: str
    namespace: str
    local_queue: str
    priority_class: str
    nodes: int
    contract: PodContract
    claim_template: str
    """ResourceClaimTemplate of its GPUs, empty with the device plugin."""
    program: Program
    topology: tuple[tuple[str, str], ...]
    """Annotations that ask Kueue for nodes near each other."""
    checkpoint: CheckpointPlan | None
    datasets: tuple[DatasetPlan, ...]
    data_class: str
    """Class of what it reads, empty for none."""
    pull_secrets: tuple[str, ...]
    max_restarts: int
    time_limit_s: int
    """Most time admitted, all restarts together. 0: none."""
    grace_s: int

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        gang = f"gang of {self.nodes} nodes" if self.nodes > 1 else "one node"
        saved = (
            f"{self.checkpoint.size_gib} GiB on {self.checkpoint.storage_class}" if self.checkpoint else "no checkpoint"
        )
        read = "".join(f"; reads {each.tier}/{each.path}" for each in self.datasets)
        return f"{gang}, {self.nodes * self.contract.gpus} GPUs for {self.tenant}; {saved}{read}"
