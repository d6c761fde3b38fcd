"""Every row of the facts tables is in the catalog, unchanged. Needs the facts beside the schemas."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from aifactory.components.catalog import Catalog
from support.schemas import Schemas

pytestmark = pytest.mark.schema

FILES = (
    "accelerators",
    "aws-instances",
    "energy-carbon",
    "jurisdictions",
    "models",
    "onprem-costs",
    "prices-aws",
    "regions",
    "throughput",
)
ADDED = {
    "aliases",
    "external_bmc_reset",
    "tied_embeddings",
    "gds_supported",
    "gpu_operator_minimum",
    "mig_supported",
    "multi_node_nvlink",
    "reference_rails",
}
"""Fields of accelerators that other facts pages state."""
REWORDED = {"the seed text says 15..30 %": "compiled guides say 15..30 %"}


class _Text(yaml.SafeLoader):
    """YAML whose dates stay text."""


_Text.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.fixture
def facts(schemas: Schemas) -> Path:
    folder = schemas.folder / "facts" / "data"
    if not folder.is_dir():
        pytest.skip(f"no facts beside the schemas: {folder.name} is missing")
    return folder


@pytest.mark.parametrize("stem", FILES)
def test_every_row_of_the_facts_is_in_the_catalog_unchanged(stem: str, facts: Path) -> None:
    catalog = Catalog.shipped()
    document = yaml.load((facts / f"{stem}.yaml").read_bytes(), Loader=_Text)
    keys, main = catalog.about(stem)["keys"], catalog.about(stem).get("main")
    for section, content in document.items():
        if section not in keys:
            continue
        table = stem if section == main else f"{stem}.{section}"
        ours = [_plain(row.data) for row in catalog.rows(table)]
        theirs = content.values() if isinstance(content, dict) else content
        assert [{k: v for k, v in row.items() if k not in ADDED} for row in ours] == [
            _rejoined(row) if isinstance(row, dict) else {"value": row} for row in theirs
        ], table


@pytest.mark.parametrize("stem", FILES)
def test_every_list_of_rows_of_the_facts_is_a_table(stem: str, facts: Path) -> None:
    document = yaml.load((facts / f"{stem}.yaml").read_bytes(), Loader=_Text)
    lists = {
        name
        for name, content in document.items()
        if isinstance(content, list) and all(isinstance(row, dict) for row in content)
    }
    assert lists - {"pending_confirmation"} <= set(Catalog.shipped().about(stem)["keys"])


def _rejoined(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose unquoted text was cut at a comma into a key without a value, put together again."""
    whole: dict[str, Any] = {}
    for name, value in row.items():
        cut = value is None and whole and (" " in name or name == "graphs")
        if cut:
            last = next(reversed(whole))
            joint = "," if name[0].isdigit() else ", "
            whole[last] = f"{whole[last]}{joint}{name}"
        else:
            whole[name] = REWORDED.get(value, value) if isinstance(value, str) else value
    return whole


def _plain(value: Any) -> Any:
    if hasattr(value, "items"):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value
