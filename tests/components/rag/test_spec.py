"""Vector stores as written: what is accepted, and what is refused at once, with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.rag.spec import RagSpec
from support.command import call
from support.vectors import SPEC
from support.written import BLUEPRINT, write_project

HOSTILE = ["a\nb", "a b", "$(reboot)", "../x", "a;b", "`x`", "{{ x }}", "ä", "", "-x", "x" * 400, "a'--", 'a"b', "a,b"]


def spec(**changes: Any) -> RagSpec:
    return RagSpec.model_validate({**SPEC, **changes})


def test_a_store_has_three_instances_and_half_numbers_unless_written() -> None:
    found = spec()
    assert (found.instances, found.number, found.links, found.engine) == (3, "half", 16, None)
    assert found.vectors == 5_000_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"collections": []}, "at least 1 item"),
        ({"collections": [SPEC["collections"][0]] * 2}, '"legal" is listed twice'),
        ({"collections": [{"tenant": "legal", "vectors": 0}]}, "greater than or equal to 1"),
        ({"engine": "qdrant"}, "'pgvector' or 'milvus'"),
        ({"engine": "milvus"}, "tier is for engine pgvector"),
        ({"number": "quarter"}, "'half' or 'single'"),
        ({"links": 3}, "greater than or equal to 4"),
        ({"dimension": 1}, "greater than or equal to 2"),
        ({"instances": 0}, "greater than or equal to 1"),
        ({"backup": {"tier": "objects", "hour": 24}}, "less than or equal to 23"),
        ({"backup": {"tier": "objects", "keep_days": 0}}, "greater than or equal to 1"),
        ({"shards": 3}, "Extra inputs"),
    ],
)
def test_a_wrong_store_is_refused_with_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        spec(**changes)


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("field", ["name", "embedder", "tier", "tenant", "password", "backup", "image", "pull_secrets"])
def test_a_word_that_is_more_than_a_name_is_refused(field: str, word: str) -> None:
    nested: dict[str, Any] = {
        "tenant": {"collections": [{"tenant": word, "vectors": 5}]},
        "password": {"collections": [{"tenant": "legal", "vectors": 5, "password": word}]},
        "backup": {"backup": {"tier": word}},
        "pull_secrets": {"pull_secrets": [word]},
    }
    with pytest.raises(ValidationError):
        spec(**nested.get(field, {field: word}))


WRONG = [
    ("engine: qdrant", '"qdrant" is not a known engine'),
    ("links: 3", "links: 3"),
    ("number: single\n    dimension: 1", "dimension: 1"),
]


@pytest.mark.parametrize(("line", "says"), WRONG)
def test_a_refusal_names_the_file_and_the_line(line: str, says: str, tmp_path: Path) -> None:
    part = "  - kind: rag\n    name: vectors\n    embedder: embed\n    tier: databases\n"
    part += f"    collections: [{{tenant: research, vectors: 5}}]\n    {line}\n"
    path = write_project(tmp_path, BLUEPRINT + part)
    number = len((BLUEPRINT + part).splitlines())
    done = call("check", path)
    assert done.code == 1
    assert f"factory.yaml:{number}:" in done.err
    assert says in done.err
