"""What a training run's plan must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

_TAS = "Kueue documentation, Topology Aware Scheduling"

RULES: tuple[Rule, ...] = (
    Rule(
        "TRN-001",
        "error",
        "A gang fits its pool",
        "A gang that needs more nodes than the pool has is never admitted, and says nothing while it waits.",
        _TAS,
    ),
    Rule(
        "TRN-002",
        "error",
        "A gang fits its tenant's quota",
        "A gang above guarantee and borrowing limit together waits for ever.",
        "Kueue documentation, Cluster Queue, BorrowingLimit",
    ),
    Rule(
        "TRN-003",
        "warning",
        "A gang runs on guaranteed GPUs",
        "A gang above the guarantee starts only when others leave GPUs idle, and stops when they come back.",
        "Kueue documentation, Preemption",
    ),
    Rule(
        "TRN-004",
        "error",
        "A required place is large enough",
        "A gang that must lie in one block or rack is never admitted when none has that many nodes.",
        _TAS,
    ),
    Rule(
        "TRN-005",
        "error",
        "All nodes write the checkpoint",
        "A volume of one node leaves the pods of all others in ContainerCreating.",
        "Kubernetes documentation, Persistent Volumes, Access Modes",
    ),
    Rule(
        "TRN-006",
        "error",
        "Several nodes have a fabric",
        "Without a fabric NCCL falls back to the pod network, and a day's work takes a month.",
        "NVIDIA/nccl#489",
    ),
    Rule(
        "TRN-007",
        "warning",
        "A gang of several nodes keeps checkpoints",
        "Any of its nodes may fail, and without a checkpoint each failure or preemption begins from nothing.",
        "JobSet documentation, Failure Policy",
    ),
    Rule(
        "TRN-008",
        "error",
        "Pod names have at most 63 characters",
        "JobSet refuses a run whose pods couldn't be named.",
        "kubernetes-sigs/jobset pkg/webhooks/jobset_webhook.go",
    ),
    Rule(
        "TRN-009",
        "error",
        "Training takes whole GPUs",
        "NCCL doesn't run across slices of GPUs, and time slices of one GPU share its memory.",
        "NVIDIA documentation, MIG User Guide",
    ),
    Rule(
        "TRN-010",
        "error",
        "A gang of several nodes takes whole nodes",
        "Ranks on a part of a node share its rails with strangers, and the slowest rank sets the pace.",
        "NVIDIA documentation, DGX SuperPOD, rail-optimised fabric",
    ),
    Rule(
        "TRN-011",
        "warning",
        "Who locks memory is root",
        "A capability added to a pod reaches root's processes alone, so RDMA registration fails.",
        "kubernetes/kubernetes#56374",
    ),
    Rule(
        "TRN-012",
        "error",
        "Words are literal",
        "A $(NAME) of a known variable reads as if Kubernetes replaced it; the program gets it as it is.",
        "Kubernetes documentation, Define Dependent Environment Variables",
    ),
    Rule(
        "TRN-013",
        "error",
        "The gang's own variables are not overwritten",
        "Ranks that disagree on address or number wait for each other until the timeout.",
        "PyTorch documentation, torchrun, Environment Variables",
    ),
    Rule(
        "TRN-014",
        "warning",
        "The fabric's settings hold",
        "A run that sets a fabric's variable loses what follows from the site, such as the traffic class.",
        "NVIDIA/nccl#2383",
    ),
    Rule(
        "TRN-015",
        "error",
        "Shared memory and huge pages fit the node",
        "Shared memory counts as the pod's memory: beyond its share the pod is killed in mid-run.",
        "Kubernetes documentation, Volumes, emptyDir",
    ),
    Rule(
        "TRN-016",
        "error",
        "Topology is asked where it is known",
        "A workload that asks for a level that its flavor doesn't have is never admitted.",
        _TAS,
    ),
    Rule(
        "TRN-017",
        "error",
        "A gang has CPU and memory",
        "A node share of nothing is a pod that no node takes.",
        "Kubernetes documentation, Reserve Compute Resources for System Daemons",
    ),
    Rule(
        "TRN-018",
        "error",
        "Secrets are named, never written",
        "What stands in a blueprint stands in Git, in the plan, in the state and in every generated file.",
        "Kubernetes documentation, Good practices for Kubernetes Secrets",
    ),
    Rule(
        "TRN-019",
        "error",
        "A run reads data of its own tenant",
        "A claim is mounted in its own namespace alone, and a volume of another team is not a run's to read.",
        "Kubernetes documentation, Persistent Volumes, claims as volumes",
    ),
    Rule(
        "TRN-020",
        "error",
        "A run has the class of what it reads, and so have its checkpoints",
        "What was learned from data tells of it: a checkpoint leaves the places of its data as easily as a copy.",
        "Regulation (EU) 2016/679, articles 44 to 49; EDPB Opinion 28/2024, on models trained on personal data",
    ),
    Rule(
        "TRN-021",
        "error",
        "Data that a gang reads lies on a volume that all its nodes mount",
        "A bucket is no directory, and drives of one node are not seen by the next.",
        "Kubernetes documentation, Persistent Volumes, access modes",
    ),
)
