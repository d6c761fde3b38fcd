"""Which law binds at a place: from a country to its jurisdiction and the blocs that it belongs to."""

from __future__ import annotations

from aifactory.components.catalog.tables import Catalog


def jurisdictions_of(catalog: Catalog, country: str) -> tuple[str, ...]:
    """The jurisdiction of a country (ISO 3166-1 alpha-2) and its blocs: `DE` is ("de", "eu", "eea").

    Empty when the catalog has no law for the country; a rule must then fail closed.
    """
    row = catalog.find("jurisdictions", country.lower())
    return (row.key, *row.texts("blocs")) if row is not None else ()
