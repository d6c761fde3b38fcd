"""What a person writes about models behind the door, and about services outside of the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from aifactory.components.demand import DataClass
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth, twice

ModelId = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:/-]*[A-Za-z0-9])?$", max_length=100)]
"""The name of a model as requests carry it: letters, digits and . _ : / -, such as meta-llama/Llama-3.3-70B."""

StoreKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$", max_length=250)]
"""A key in a secret store, such as ai/door/openai."""


ApiHost = Annotated[
    str, Field(pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=253)
]
"""The host name of an API with its domain, in lower case, such as api.example.com; no address and no wildcard."""


class SecretSource(Spec):
    """A store outside of the cluster that External Secrets reads a Secret from."""

    store: Name
    """ClusterSecretStore that the site gives."""

    key: StoreKey
    """Where the secret lies in the store."""


class Price(Spec):
    """What tokens cost, from which spend follows."""

    input_usd: float = Field(ge=0, le=10_000)
    """Price of prompt tokens. Unit: USD per million tokens, to a tenth of a cent."""

    output_usd: float = Field(ge=0, le=10_000)
    """Price of answer tokens. Unit: USD per million tokens, to a tenth of a cent."""

    @truth
    def _a_price_has_three_decimals(self) -> Iterator[Misfit]:
        for field, value in (("input_usd", self.input_usd), ("output_usd", self.output_usd)):
            if abs(value * 1_000 - round(value * 1_000)) > 1e-6:
                yield Misfit(f"{value} USD has more than three decimals", "round it up to 0.001", (field,))


class Leg(Spec):
    """One place that answers requests for a model."""

    part: Name | None = None
    """Serving part of this site. Default none: a provider."""

    provider: Name | None = None
    """Provider of this gateway. Default none: a serving part."""

    model: ModelId | None = None
    """Name of the model there. Default: what the part serves, or the name that requests carry."""

    order: int = Field(default=0, ge=0, le=9)
    """When it is asked: 0 first, 1 when all of order 0 are gone or full, and so on. Default 0."""

    weight: int = Field(default=100, ge=0, le=100)
    """Share of requests among those of the same order, which sum to 100. 0 keeps a version at hand without requests.
    Unit: percent. Default 100: it is alone."""

    price: Price | None = None
    """Price at this place. Default: that of the model."""

    @truth
    def _it_is_a_part_or_a_provider(self) -> Iterator[Misfit]:
        if (self.part is None) == (self.provider is None):
            yield Misfit("a leg leads to a part or to a provider", "write one of part and provider", ("part",))


class PublishedModel(Spec):
    """A model that callers ask for by name, and where requests go."""

    name: Name
    """Name of its route, which stays when the model changes."""

    id: ModelId | None = None
    """Name that requests carry. Default: the model of the first leg."""

    aliases: list[ModelId] = Field(default=[], max_length=12)
    """Further names that requests may carry. Default none."""

    legs: list[Leg] = Field(min_length=1, max_length=16)
    """Where requests go, by order and weight."""

    tenants: list[Name] | None = Field(default=None, min_length=1, max_length=50)
    """Tenants that may use it; nobody else sees it. Default: the tenants of its serving parts."""

    data_class: DataClass | None = None
    """Class of the data in its requests. Default: that of its serving parts. Without any it stays at this site."""

    price: Price | None = None
    """Price of its tokens. Default none: it adds nothing to spend, and a limit of spend refuses it."""

    @truth
    def _names_are_its_own(self) -> Iterator[Misfit]:
        names = [self.id or "", *self.aliases]
        for index in twice(names):
            yield Misfit(f'"{names[index]}" is listed twice', "write each name once", ("aliases", index - 1))
        tenants = self.tenants or []
        for index in twice(tenants):
            yield Misfit(f'"{tenants[index]}" is listed twice', "name each tenant once", ("tenants", index))

    @truth
    def _a_place_is_listed_once(self) -> Iterator[Misfit]:
        places = [f"{leg.part or ''}/{leg.provider or ''}/{leg.model or ''}" for leg in self.legs]
        for index in twice(places):
            yield Misfit("two legs lead to the same place", "make one leg of both", ("legs", index))
