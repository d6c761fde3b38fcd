"""Published weights: each has a geometry, each geometry has weights, and no digest is made up."""

from aifactory.components.catalog import Catalog

CATALOG = Catalog.shipped()
ROWS = CATALOG.rows("weights")


def test_each_geometry_has_weights_and_each_weights_a_geometry() -> None:
    texts, vectors = set[str](), set[str]()
    for row in ROWS:
        (vectors if row.value("embeds") is True else texts).add(row.text("geometry"))
    assert texts == set(CATALOG.keys("models"))
    assert vectors == set(CATALOG.keys("models.embedding"))


def test_a_repository_has_an_owner_and_a_name() -> None:
    for row in ROWS:
        owner, _, name = row.text("repository").partition("/")
        assert owner
        assert name
        assert "/" not in name


def test_no_digest_and_no_revision_is_made_up() -> None:
    assert {row.data.get(field) for row in ROWS for field in ("digest", "revision")} == {None}


def test_a_format_that_is_known_is_one_that_servers_load() -> None:
    known = {row.data["stored_as"] for row in ROWS if isinstance(row.data["stored_as"], str)}
    assert known <= {"bf16", "fp8", "fp4", "mxfp4", "unknown"}
