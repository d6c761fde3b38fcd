"""How rows of a cluster at AWS are made."""

from __future__ import annotations

from aifactory.components.aws_rows import AwsRows
from aifactory.components.cluster.aws.model import EksPlan
from aifactory.components.rows import Maker


class Cloud(AwsRows, frozen=True):
    """Makes the rows of a cluster at AWS."""

    plan: EksPlan

    @classmethod
    def of(cls, maker: Maker, plan: EksPlan) -> Cloud:
        """With the name and the tags of the plan."""
        return cls(maker, plan.name, plan.tags, plan)
