"""The words of engines: flags, variables and metrics of one version."""

import re

import pytest

from aifactory.components.catalog import Catalog
from support.schemas import Schemas

CATALOG = Catalog.shipped()
FLAGS = {row.text("flag"): row for row in CATALOG.rows("engines.flags")}


def test_each_word_belongs_to_a_listed_engine() -> None:
    engines = set(CATALOG.keys("engines"))
    for table in ("engines.flags", "engines.environment", "engines.metrics"):
        assert {row.text("engine") for row in CATALOG.rows(table)} == engines


def test_flags_are_kebab_case_and_their_default_is_one_of_their_choices() -> None:
    for flag, row in FLAGS.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", flag)
        choices, default = row.data["choices"], row.data["default"]
        assert not choices or default is None or default in choices, flag


@pytest.mark.parametrize("flag", ["nnodes", "node-rank", "master-addr", "master-port", "headless"])
def test_flags_that_join_nodes_are_listed(flag: str) -> None:
    assert flag in FLAGS


def test_a_counter_is_read_under_the_name_that_prometheus_shows() -> None:
    for row in CATALOG.rows("engines.metrics"):
        total = "_total" if row.text("kind") == "counter" else ""
        assert row.text("series") == row.text("metric") + total


@pytest.mark.schema
def test_flags_that_a_chart_of_vllm_documents_are_spelled_as_there(schemas: Schemas) -> None:
    text = (schemas.folder / "chart-values" / "vllm-stack" / "values.yaml").read_text(encoding="utf-8")
    block = text.partition("    vllmConfig:\n")[2]
    keys = []
    for line in block.splitlines():
        if line.strip() and not line.startswith("      "):
            break
        keys += re.findall(r"^      ([a-z][A-Za-z]+):", line)
    flags = {re.sub(r"([A-Z])", r"-\1", key).lower() for key in keys} - {"extra-args"}
    assert {"tensor-parallel-size", "max-model-len"} <= flags
    assert flags <= set(FLAGS)
