"""The shipped tables: every row sourced and dated, found by key or alias, and read-only."""

import datetime as dt
import json

import pytest

from aifactory.components.catalog import Catalog, Unknown, UnknownFact
from aifactory.components.catalog.tables import stems
from aifactory.components.problems import Refused

CATALOG = Catalog.shipped()
TABLES = CATALOG.tables()


def test_every_file_holds_a_table() -> None:
    assert {table.partition(".")[0] for table in TABLES} == set(stems())
    assert len(TABLES) > 60


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_a_source_and_a_day(table: str) -> None:
    rows = CATALOG.rows(table)
    assert rows
    for row in rows:
        assert row.sources, row.ref
        assert all(source.strip() for source in row.sources), row.ref
        assert dt.date(2026, 1, 1) <= dt.date.fromisoformat(row.checked) <= dt.date(2026, 12, 31), row.ref


@pytest.mark.parametrize("table", TABLES)
def test_an_alias_names_one_row_and_no_other_key(table: str) -> None:
    aliases = [alias for row in CATALOG.rows(table) for alias in row.data.get("aliases", ())]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(CATALOG.keys(table))
    assert set(CATALOG.names(table)) == {*aliases, *CATALOG.keys(table)}


@pytest.mark.parametrize(
    ("alias", "key"),
    [
        ("h100", "nvidia-h100-sxm"),
        ("h200", "nvidia-h200-sxm"),
        ("b200", "nvidia-b200-sxm"),
        ("b300", "nvidia-b300-sxm"),
        ("l40s", "nvidia-l40s"),
        ("l4", "nvidia-l4"),
        ("gb200", "nvidia-gb200"),
        ("gb300", "nvidia-gb300"),
        ("a100", "nvidia-a100-sxm-80gb"),
        ("mi300x", "amd-mi300x"),
        ("mi325x", "amd-mi325x"),
        ("mi355x", "amd-mi355x"),
        ("gaudi3", "intel-gaudi3"),
        ("trainium2", "aws-trainium2"),
    ],
)
def test_a_short_name_finds_the_row_that_its_key_finds(alias: str, key: str) -> None:
    assert CATALOG.row("accelerators", alias) == CATALOG.row("accelerators", key)
    assert CATALOG.row("accelerators", alias).ref == f"accelerators/{key}"


def test_every_accelerator_has_a_short_name() -> None:
    assert all(row.data["aliases"] for row in CATALOG.rows("accelerators"))
    assert len(CATALOG.short_names("accelerators")) == len(CATALOG.keys("accelerators"))


@pytest.mark.parametrize(
    ("table", "name", "hint"),
    [
        ("accelerators", "b20", 'did you mean "b200"?'),
        ("accelerators", "H200", 'did you mean "h200"?'),
        ("accelerators", "nvidia-h200-sxn", 'did you mean "nvidia-h200-sxm"?'),
        ("models", "llama3.1-8b", 'did you mean "llama-3.1-8b"?'),
        ("trains", "2026.12", 'did you mean "2026.11"?'),
        ("jurisdictions", "us-federal", 'did you mean "us-fed"?'),
    ],
)
def test_an_unknown_name_gets_the_nearest_spelling(table: str, name: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        CATALOG.row(table, name)
    problem = refused.value.problems[0]
    assert f'"{name}"' in problem.says
    assert problem.hint.startswith(hint)
    assert CATALOG.find(table, name) is None


def test_an_unknown_table_is_a_mistake_of_the_caller() -> None:
    for table in ("accelerator", "prices-aws.spots", "../secrets"):
        with pytest.raises(LookupError):
            CATALOG.row(table, "h200")


def test_a_value_comes_without_its_sources() -> None:
    h200 = CATALOG.row("accelerators", "h200")
    assert h200.value("memory_gb") == 141
    assert h200.number("memory_bandwidth_tbps") == 4.8
    assert h200.count("gpus_per_node") == 8
    assert h200.text("interconnect.name") == "NVLink 4"
    assert h200.texts("partitioning.profiles")[-1] == "7g.141gb"
    assert any("stas00/ml-engineering" in source for source in h200.sources)


def test_a_format_that_a_card_lacks_is_none_and_not_unknown() -> None:
    assert CATALOG.row("accelerators", "a100").value("dense_tflops.fp8") is None


@pytest.mark.parametrize("field", ["memory_gb", "no_such_field", "memory_gb.value.deeper"])
def test_what_no_source_states_is_unknown(field: str) -> None:
    row = CATALOG.row("accelerators", "mi350p")
    unknown = row.value(field)
    assert unknown == Unknown("accelerators/amd-mi350p", field)
    assert not unknown
    with pytest.raises(UnknownFact, match="accelerators/amd-mi350p has no sourced"):
        row.number(field)


@pytest.mark.parametrize("ask", ["number", "count", "texts"])
def test_a_fact_of_another_kind_is_refused(ask: str) -> None:
    row = CATALOG.row("accelerators", "h200")
    with pytest.raises(UnknownFact):
        getattr(row, ask)("vendor")
    with pytest.raises(UnknownFact):
        row.text("memory_gb")


def test_a_row_can_not_be_changed() -> None:
    row = CATALOG.row("accelerators", "h200")
    with pytest.raises(TypeError):
        row.data["memory_gb"]["value"] = 1  # type: ignore[index]  # the point of the test
    with pytest.raises(AttributeError):
        row.data["aliases"].append("x")
    with pytest.raises(AttributeError):
        row.key = "x"  # type: ignore[misc]  # the point of the test


def test_the_digest_holds_each_row_once_as_plain_data() -> None:
    refs = ["models/llama-3.1-8b", "accelerators/nvidia-h200-sxm", "models/llama-3.1-8b"]
    used = CATALOG.digest(refs)
    assert list(used) == ["accelerators/nvidia-h200-sxm", "models/llama-3.1-8b"]
    assert json.loads(json.dumps(used)) == used
    assert used["accelerators/nvidia-h200-sxm"]["memory_gb"]["value"] == 141


def test_the_header_of_a_file_says_units_and_age_limit() -> None:
    assert CATALOG.about("accelerators")["units"]["memory_bandwidth_tbps"] == "TB/s"
    assert CATALOG.about("prices-aws")["max_age_days"] == 30


def test_platforms_that_need_special_care_are_marked() -> None:
    def marked(field: str) -> set[str]:
        return {row.key for row in CATALOG.rows("accelerators") if row.data.get(field)}

    assert marked("external_bmc_reset") == {"nvidia-b200-sxm", "nvidia-b300-sxm", "nvidia-gb200"}
    assert marked("multi_node_nvlink") == {"nvidia-gb200", "nvidia-gb300"}
    for key in ("nvidia-gb200", "nvidia-gb300"):
        row = CATALOG.row("accelerators", key)
        assert row.value("host_arch") == "arm64"
        assert row.value("mig_supported") is False
    floors = {row.key: row.value("gpu_operator_minimum") for row in CATALOG.rows("accelerators")}
    assert floors["nvidia-h100-sxm"] == "24.6"
    assert floors["nvidia-b200-sxm"] == floors["nvidia-gb200"] == "25.10"


def test_an_accelerator_that_another_table_names_exists() -> None:
    for table in ("aws-instances", "prices-aws", "prices-aws.neoclouds", "throughput.mlperf_v5_1_closed"):
        for row in CATALOG.rows(table):
            assert CATALOG.find("accelerators", row.text("accelerator")), row.ref
