"""Fields that name a catalog row."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from aifactory.components.catalog import (
    AcceleratorKey,
    AwsInstanceKey,
    Catalog,
    CountryKey,
    JurisdictionKey,
    ModelKey,
    RegionKey,
    TrainKey,
)


class Pool(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    accelerator: AcceleratorKey


@pytest.mark.parametrize("name", ["h200", "nvidia-h200-sxm"])
def test_a_field_holds_the_key_whatever_name_was_written(name: str) -> None:
    assert Pool(accelerator=name).accelerator == "nvidia-h200-sxm"


def test_an_unknown_name_says_what_was_meant() -> None:
    with pytest.raises(ValidationError) as raised:
        Pool(accelerator="b20")
    (error,) = raised.value.errors()
    assert error["type"] == "catalog_name"
    assert error["loc"] == ("accelerator",)
    assert error["msg"] == '"b20" is not a known accelerator'
    assert error["ctx"]["hint"].startswith('did you mean "b200"? Known: a100, ')


@pytest.mark.parametrize("value", [None, 5, ["h200"], True])
def test_a_name_is_text(value: object) -> None:
    with pytest.raises(ValidationError) as raised:
        Pool.model_validate({"accelerator": value})
    assert raised.value.errors()[0]["type"] == "string_type"


@pytest.mark.parametrize("name", ["{noun}", "{hint}", "{name}"])
def test_a_name_with_braces_is_shown_as_written(name: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Pool(accelerator=name)
    assert raised.value.errors()[0]["msg"] == f'"{name}" is not a known accelerator'


def test_the_catalog_of_the_validation_counts(tmp_path: Path) -> None:
    row = "accelerators: [{id: acme-x1, aliases: [x1], checked: 2026-10-01, source: a vendor quote}]"
    (tmp_path / "accelerators.yaml").write_text(row)
    catalog = Catalog.with_folders([tmp_path])
    pool = Pool.model_validate({"accelerator": "x1"}, context={"catalog": catalog})
    assert pool.accelerator == "acme-x1"
    with pytest.raises(ValidationError):
        Pool(accelerator="x1")
    for other in ({}, {"catalog": None}, None, "text"):
        assert Pool.model_validate({"accelerator": "h200"}, context=other).accelerator == "nvidia-h200-sxm"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (AcceleratorKey, "mi300x", "mi300"),
        (AwsInstanceKey, "p5en.48xlarge", "p5en.4xlarge"),
        (CountryKey, "NO", "no"),
        (JurisdictionKey, "eu", "europe"),
        (ModelKey, "llama-3.3-70b", "llama"),
        (RegionKey, "aws:eu-central-1", "eu-central-1"),
        (TrainKey, "2026.11", "2026.1"),
    ],
)
def test_the_schema_of_a_field_lists_the_names_that_validate(kind: object, good: str, bad: str) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(kind)
    schema = adapter.json_schema()
    assert schema["type"] == "string"
    assert good in schema["enum"]
    assert bad not in schema["enum"]
    assert adapter.validate_python(good)
    with pytest.raises(ValidationError):
        adapter.validate_python(bad)
    for name in schema["enum"]:
        assert adapter.validate_python(adapter.validate_python(name))
