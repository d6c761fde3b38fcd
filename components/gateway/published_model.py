"""A model as its gateway publishes it, and the places that its legs lead to."""

from __future__ import annotations

from msgspec import Struct

from aifactory.components.gateway.residency import Target
from aifactory.components.gateway.spec_models import Leg, PublishedModel
from aifactory.components.offers import ModelOffer
from aifactory.components.problems import Path


class Place(Struct, frozen=True):
    """Where a leg leads: a served model of the site, or a provider."""

    leg: Leg
    target: Target
    offer: ModelOffer | None
    backend: str
    """Name of its AIServiceBackend."""


class Published(Struct, frozen=True):
    """A model as written, with what its legs lead to."""

    index: int
    """Position in the list of models, -1 when nobody wrote one."""
    spec: PublishedModel
    id: str
    tenants: tuple[str, ...]
    classes: tuple[str, ...]
    places: tuple[Place, ...]

    @property
    def pool(self) -> ModelOffer | None:
        """The pool that it leads to. A rule with a pool has no other backend, and none of its fields is read: whoever
        has an alias, a share or something next in order leads to the Services before the same servers."""
        place = self.places[0]
        offer = place.offer
        if offer is None or offer.backend == "Service" or len(self.places) > 1 or place.leg.weight != 100:
            return None
        own = [self.id, *self.spec.aliases] == [offer.model] and place.leg.model in (None, offer.model)
        return offer if own else None

    @property
    def parts(self) -> tuple[ModelOffer, ...]:
        """Served models of the site that it leads to."""
        return tuple(place.offer for place in self.places if place.offer)

    def at(self, *steps: str | int) -> Path:
        """Where a reader changes something of it."""
        return ("models", self.index, *steps) if self.index >= 0 else ("models",)
