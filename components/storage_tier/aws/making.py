"""How rows of a tier at AWS are made: with the tags that everything carries, and kept where they hold data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from aifactory.components import names
from aifactory.components.rows import CloudRow, Maker
from aifactory.components.storage_tier.aws.model import AwsTierPlan


class Making(Struct, frozen=True):
    """Makes the rows of one tier."""

    maker: Maker
    plan: AwsTierPlan

    def tags(self, name: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The tags of a row; `Name` is what consoles show."""
        maker, plan = self.maker, self.plan
        shown = {**dict(plan.base.tags), **dict(plan.tags), "Name": plan.base.name(name, 256)}
        return names.tags(maker.factory, maker.site, maker.part, {**shown, **(more or {})})

    def tagged(self, token: str, name: str, properties: Mapping[str, object], *, after: Iterable[str] = ()) -> CloudRow:
        """A row that goes with the stack."""
        return self.maker.cloud(token, name, {**properties, "tags": self.tags(name)}, after=after)

    def untagged(
        self, token: str, name: str, properties: Mapping[str, object], *, after: Iterable[str] = ()
    ) -> CloudRow:
        """A row of a kind that AWS gives no tags to, which goes with the stack."""
        return self.maker.cloud(token, name, properties, after=after)

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
