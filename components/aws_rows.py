"""How rows of AWS are made, by whatever part: with the tags that everything carries, and the name that people see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from aifactory.components import names
from aifactory.components.aws_offers import TAG_CHARS
from aifactory.components.aws_place import fitting
from aifactory.components.rows import CloudRow, Maker


class AwsRows(Struct, frozen=True):
    """Makes the rows of one part in a base."""

    maker: Maker
    cluster: str
    """Name of the cluster, with which names begin that people see."""
    more: Mapping[str, str]
    """Tags beside those of every row, such as the cost centre's."""

    def tags(self, name: str = "", more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The tags of a row; `Name` is what consoles show."""
        maker = self.maker
        shown = {"Name": fitting(f"{self.cluster}-{name}", TAG_CHARS)} if name else {}
        return names.tags(maker.factory, maker.site, maker.part, {**self.more, **shown, **(more or {})})

    def tagged(
        self,
        token: str,
        name: str,
        properties: Mapping[str, object],
        *,
        tags: Mapping[str, str] | None = None,
        after: Iterable[str] = (),
        timeout_s: int = 0,
    ) -> CloudRow:
        """A row that can be found, charged and removed by its tags."""
        everything = {**properties, "tags": self.tags(name, tags)}
        return self.maker.cloud(token, name, everything, after=after, timeout_s=timeout_s)

    def untagged(
        self,
        token: str,
        name: str,
        properties: Mapping[str, object],
        *,
        after: Iterable[str] = (),
        timeout_s: int = 0,
    ) -> CloudRow:
        """A row of a kind that AWS gives no tags to; the plan lists it."""
        return self.maker.cloud(token, name, properties, after=after, timeout_s=timeout_s)
