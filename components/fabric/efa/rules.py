"""What the planner keeps of EFA."""

from __future__ import annotations

from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "AWS-116",
        "error",
        "EFA is told nothing that belongs to verbs, NICs or switches",
        "EFA is no InfiniBand: variables of NCCL_IB and firmware of NICs have no effect there, and whoever wrote them "
        "counts on one.",
        "aws/aws-ofi-nccl, which sets NCCL up for each platform since 1.21.1",
    ),
)
