"""How rows of a tier at AWS are made: kept where they hold data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aifactory.components.aws_rows import AwsRows
from aifactory.components.rows import CloudRow, Maker
from aifactory.components.storage_tier.aws.model import AwsTierPlan


class Making(AwsRows, frozen=True):
    """Makes the rows of one tier."""

    plan: AwsTierPlan

    @classmethod
    def of(cls, maker: Maker, plan: AwsTierPlan) -> Making:
        """With the tags of the base and of the plan."""
        return cls(maker, plan.base.cluster, {**dict(plan.base.tags), **dict(plan.tags)}, plan)

    def kept(
        self,
        token: str,
        name: str,
        properties: Mapping[str, object],
        *,
        tags: Mapping[str, str] | None = None,
        tagged: bool = True,
        after: Iterable[str] = (),
        timeout_s: int = 0,
    ) -> CloudRow:
        """A row that holds data, or without which that could be read by others or by nobody: it is never deleted."""
        whole = {**properties, "tags": self.tags(name, tags)} if tagged else properties
        return self.maker.cloud(
            token, name, whole, after=after, protect=True, retain_on_delete=True, timeout_s=timeout_s
        )
