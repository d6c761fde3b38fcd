"""Which law binds at a place: from a country to its jurisdiction and the blocs that it belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components.catalog.tables import Catalog


def jurisdictions_of(catalog: Catalog, country: str) -> tuple[str, ...]:
    """The jurisdiction of a country (ISO 3166-1 alpha-2) and its blocs: `DE` is ("de", "eu", "eea").

    Empty when the catalog has no law for the country; a rule must then fail closed.
    """
    row = catalog.find("jurisdictions", country.lower())
    return (row.key, *row.texts("blocs")) if row is not None else ()


def binds(catalog: Catalog, country: str, laws: Iterable[str]) -> bool:
    """Whether one of these laws, such as `eu`, binds in a country; none where the catalog has no law for it."""
    return not set(jurisdictions_of(catalog, country)).isdisjoint(laws)
