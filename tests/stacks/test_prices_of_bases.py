"""Each resource of a shipped base is priced somewhere or free by somebody's word: none is forgotten."""

from __future__ import annotations

import pytest

from aifactory.components.catalog import Catalog
from support import shipped

CATALOG = Catalog.shipped()


@pytest.mark.parametrize("base", shipped.BASES)
def test_each_resource_of_a_base_is_in_the_table_of_prices_or_of_what_is_free(base: str) -> None:
    priced, free = (
        {row.text("token") for row in CATALOG.rows(table)}
        for table in ("prices-aws-services", "prices-aws-services.free")
    )
    made = {row.token.removeprefix("aws:").partition(":")[0] for row in shipped.stacks()[base].cloud_rows}
    assert made
    assert sorted(made - priced - free) == []
