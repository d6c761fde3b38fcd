"""From a country to the law that binds there."""

import pytest

from aifactory.components.catalog import Catalog, jurisdictions_of

CATALOG = Catalog.shipped()


@pytest.mark.parametrize(
    ("country", "jurisdictions"),
    [
        ("DE", ("de", "eu", "eea")),
        ("FI", ("fi", "eu", "eea")),
        ("NL", ("nl", "eu", "eea")),
        ("NO", ("no", "eea")),
        ("CH", ("ch",)),
        ("GB", ("gb",)),
        ("US", ("us",)),
        ("AE", ("ae", "gcc")),
        ("AQ", ()),
    ],
)
def test_a_country_has_its_jurisdiction_and_blocs(country: str, jurisdictions: tuple[str, ...]) -> None:
    assert country in CATALOG.keys("countries")
    assert jurisdictions_of(CATALOG, country) == jurisdictions


def test_all_249_codes_of_the_standard_are_there() -> None:
    codes = CATALOG.keys("countries")
    assert len(codes) == 249
    assert all(len(code) == 2 and code.isupper() for code in codes)


def test_every_country_of_a_region_has_a_jurisdiction() -> None:
    for row in CATALOG.rows("regions"):
        country = row.data["country"]
        if country is not None:
            assert country in CATALOG.keys("countries"), row.ref
            assert jurisdictions_of(CATALOG, country)[0] == row.data["jurisdiction"], row.ref


def test_a_bloc_has_27_members_of_the_union_and_a_region_agrees() -> None:
    members = {row.key for row in CATALOG.rows("jurisdictions") if "eu" in row.texts("blocs")}
    assert len(members) == 27
    for row in CATALOG.rows("regions"):
        if row.data["in_eu"] is not None:
            assert row.data["in_eu"] == (row.data["jurisdiction"] in members), row.ref
