"""The committed schemas are those of the models, and say what the models say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from aifactory.blueprints.schema import DOCUMENTS, models_below, schema_of, schema_text
from aifactory.blueprints.texts import field_texts

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"
SHIPPED = [
    *(("blueprint", path) for path in sorted((BLUEPRINTS / "library").glob("*.yaml"))),
    *(("prices", path) for path in sorted((BLUEPRINTS / "sites" / "prices").glob("*.yaml"))),
    *(("site", path) for path in sorted((BLUEPRINTS / "sites").glob("*.yaml"))),
    ("project", BLUEPRINTS.parent / "aifactory.yaml"),
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_committed_schema_equals_the_models(document: str) -> None:
    committed = (BLUEPRINTS / "schema" / f"{document}.json").read_text(encoding="utf-8")
    assert committed == schema_text(document), "run: aifactory schema --out blueprints/schema"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_schema_is_one(document: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(document))


@pytest.mark.parametrize(("document", "path"), SHIPPED, ids=lambda value: getattr(value, "stem", value))
def test_a_shipped_file_fits_its_schema(document: str, path: Path) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema_of(document))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)] == []


@pytest.mark.parametrize(("document", "path"), SHIPPED, ids=lambda value: getattr(value, "stem", value))
def test_a_shipped_file_names_its_schema_in_the_first_line(document: str, path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == BLUEPRINTS / "schema" / f"{document}.json"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_field_of_every_model_has_a_text(document: str) -> None:
    lacking = [
        f"{model.__name__}.{name}"
        for model in models_below(DOCUMENTS[document])
        for name, field in model.model_fields.items()
        if not field_texts(model).get(name) and "kind" not in name
    ]
    assert lacking == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_default_is_explained(document: str) -> None:
    lacking = [
        f"{model.__name__}.{name}"
        for model in models_below(DOCUMENTS[document])
        for name, field in model.model_fields.items()
        if not field.is_required() and name != "kind" and "Default" not in field_texts(model)[name]
    ]
    assert lacking == []


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"accelerator": "b20"}, False),
        ({"accelerator": "nvidia-h200-sxm"}, True),
        ({"accelerator": {"parameter": "gpu"}}, True),
        ({"accelerator": {"parameter": "gpu", "x": 1}}, False),
        ({"nodes": {"parameter": "n"}}, True),
        ({"nodes": 0}, False),
        ({"nodse": 1}, False),
        ({"kind": "gpu-pool"}, False),
    ],
)
def test_an_editor_finds_what_the_loader_would_refuse(change: dict[str, Any], fits: bool) -> None:
    part = {"kind": "gpu-node-pool", "name": "a", "accelerator": "h200", "nodes": 1, **change}
    data = {"aifactory": "v1", "name": "x", "placement": {"core": {"sites": ["s"]}}, "parts": [part]}
    assert jsonschema.Draft202012Validator(json.loads(schema_text("blueprint"))).is_valid(data) is fits
