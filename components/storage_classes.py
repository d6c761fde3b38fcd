"""Which StorageClass a volume gets: by the name of a class or of a tier, or the first that serves the access."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.offers import StorageOffer


class Classes(Struct, frozen=True):
    """The classes of a site, its tiers first, its default before others."""

    access: dict[str, tuple[str, ...]]
    """Access modes by class."""
    tiers: dict[str, str]
    """Class by the name of its tier."""
    fleeting: frozenset[str]
    """Classes whose volumes die with a node."""

    def named(self, name: str) -> str:
        """The class that a name means: a class of the cluster, or that of a tier. Empty for neither."""
        return self.tiers.get(name, name if name in self.access else "")

    def serving(self, modes: Iterable[str]) -> list[str]:
        """Classes that serve one of these access modes on volumes that outlive a node."""
        wanted = set(modes)
        return [name for name, has in self.access.items() if wanted & set(has) and name not in self.fleeting]

    @property
    def known(self) -> list[str]:
        """Every name that may be written."""
        return list(dict.fromkeys([*self.tiers, *self.access]))


def classes_of(ctx: PlanContext) -> Classes:
    """The classes that parts of a site may use, as far as they are offered by now."""
    offers = [offer for offer in ctx.offers(StorageOffer) if offer.name]
    tiers = sorted((offer for offer in offers if offer.part), key=lambda each: not each.default)
    given = sorted(ctx.place.cluster.storage_classes, key=lambda each: not each.default)
    access: dict[str, tuple[str, ...]] = {offer.name: offer.access for offer in tiers}
    access |= {each.name: tuple(each.access) for each in given if each.name not in access}
    access |= {offer.name: offer.access for offer in offers if offer.name not in access}
    return Classes(
        access=access,
        tiers={offer.part: offer.name for offer in tiers},
        fleeting=frozenset(offer.name for offer in tiers if offer.failure_domain == "none"),
    )
