"""A blueprint: what it may say, and what is said of it where it is wrong."""

from __future__ import annotations

import pytest

from aifactory.blueprints.model import Blueprint
from aifactory.components.problems import path_text
from aifactory.components.queue.spec import QueueSpec
from support.refusals import Row, name, rows
from support.written import BLUEPRINT, CARET, accepted, changed, refused, refused_once

TRAINING = """\
      - {name: product, gpus: 8}
  - kind: training
    name: pretrain
    pool: train
    tenant: research
    nodes: 1
    image: registry.example.com/trainer:1
"""


@pytest.mark.parametrize("row", rows("blueprint"), ids=name)
def test_a_wrong_value_is_refused_at_its_place_with_the_cure(row: Row) -> None:
    assert refused_once(Blueprint, row.change, row.to) == (row.says, row.hint)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("name: demo", "name: demo\ndescription: Schulung für zwei Teams in Köln"),
        ("name: demo", 'name: demo\nrelease_train: "2026.11"'),
        ("    nodes: 2\n", "    nodes: all\n"),
        ("    nodes: 2\n", "    nodes: quotas\n"),
        ("accelerator: h200", "accelerator: nvidia-h200-sxm"),
        ("    fabric: rdma\n", "    workload: inference\n    sharing: {kind: mig, profiles: {1g.18gb: 7}}\n"),
        ("    fabric: rdma\n", "    workload: inference\n    sharing: {kind: time-slicing, replicas: 4}\n"),
        ("    fabric: rdma\n", "    fabric: rdma\n    sharing: {kind: none}\n"),
        ("    nodes: 2\n", "    nodes: 2\n    sites: [lab]\n"),
        ("    nodes: 2\n", "    nodes: 2\n    renamed_from: gpus\n"),
        ("{name: research, gpus: 8}", "{name: research, gpus: {train: 8}, borrow_gpus: {train: 4}}"),
        ("parts:\n", "parts:\n  - {kind: cluster, name: cluster}\n  - {kind: fabric, name: fabric, type: roce}\n"),
        (
            "    nodes: 2\n",
            "    nodes: 2\n    overrides: [{row: ConfigMap/a/b, patch: {data: {x: null}}, reason: needed there}]\n",
        ),
        ("    sites: [lab]", "    sites: [lab, other]\n  parameters: {other: {a: 1, b: 1.5, c: x, d: true}}"),
        ("      - {name: product, gpus: 8}\n", TRAINING),
    ],
)
def test_what_real_blueprints_have_is_accepted(old: str, new: str) -> None:
    assert isinstance(accepted(Blueprint, old, new), Blueprint)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("nvcr.io@sha256:" + "0" * 64, '"nvcr.io@sha256:000000'),
        ("NVCR.IO/nvidia/pytorch:1", "must begin with its registry in lower case"),
        ("nvcr.io/nvidia/pytorch@sha256:00", '"sha256:00" (9 characters) is not a digest'),
        ("nvcr.io/nvidia/pytorch", "has neither tag nor digest"),
        ("pytorch:1", "must begin with its registry"),
        ("nvcr.io/nvidia/pytorch:a b", '"a b" is not a tag'),
        ("nvcr.io//pytorch:1", "has no proper repository"),
    ],
)
def test_an_image_that_registries_read_differently_is_refused(image: str, says: str) -> None:
    image = f"{CARET}{image!r}".replace("'", '"')
    to = TRAINING.replace("registry.example.com/trainer:1", image)
    said, _ = refused_once(Blueprint, "      - {name: product, gpus: 8}\n", to)
    assert said.startswith("parts[2].image: ")
    assert says in said


@pytest.mark.parametrize(
    "image",
    [
        "nvcr.io.evil.example/x:1",
        "localhost:5000/x:1",
        "registry.example.com/a/b/c@sha256:" + "0123456789abcdef" * 4,
        "registry.example.com/x:1@sha256:" + "0123456789abcdef" * 4,
    ],
)
def test_an_image_keeps_the_registry_as_written(image: str) -> None:
    text = TRAINING.replace("registry.example.com/trainer:1", image)
    blueprint = accepted(Blueprint, "      - {name: product, gpus: 8}\n", text)
    assert blueprint.parts[2].image == image


@pytest.mark.parametrize("name", ["a_b", "a.b", "a b", "A-b", "a-b-", "\uff41-b", "a\u0430"])
def test_names_that_would_collide_when_made_fit_are_refused_and_not_made_fit(name: str) -> None:
    pool = "  - {{kind: gpu-node-pool, name: {}, accelerator: h200, nodes: 1}}\n"
    to = "parts:\n" + pool.format("a-b") + pool.format(f"{CARET}'{name}'")
    said, _ = refused_once(Blueprint, "parts:\n", to)
    assert said.startswith("parts[1].name: ")


def test_one_name_twice_is_told_once_for_each_later_part() -> None:
    pool = "  - {kind: gpu-node-pool, name: train, accelerator: h200, nodes: 1}\n"
    text = changed(BLUEPRINT, "parts:\n", f"parts:\n{pool}{pool}")
    said = [f"{path_text(each.path)}: {each.says}" for each in refused(Blueprint, text)]
    assert said == [f'parts[{index}].name: "train" is the name of parts[0], too' for index in (1, 2)]


def test_a_site_without_a_part_is_refused() -> None:
    text = BLUEPRINT.replace("[lab]", "[lab, idle]").replace("    name: ", "    sites: [lab]\n    name: ")
    (problem,) = refused(Blueprint, text)
    assert problem.says == 'no part stands at "idle"'
    assert problem.path == ("placement", "core", "sites", 1)


def test_two_parts_of_one_former_name_are_refused() -> None:
    text = BLUEPRINT.replace("    name: ", "    renamed_from: old\n    name: ")
    (problem,) = refused(Blueprint, text)
    assert problem.says == '"old" is, or was, the name of parts[0]'
    assert problem.path == ("parts", 1, "renamed_from")


@pytest.mark.parametrize(
    ("former", "says", "path"),
    [
        ("also_renamed_from: [b]", "names between the first and today's, without the first", ("also_renamed_from",)),
        ("renamed_from: a\n    also_renamed_from: [b, b]", '"b" is written twice', ("also_renamed_from", 1)),
        ("renamed_from: a\n    also_renamed_from: [a]", '"a" is written twice', ("also_renamed_from", 0)),
    ],
)
def test_former_names_are_told_once_and_from_the_first(former: str, says: str, path: tuple[str | int, ...]) -> None:
    text = BLUEPRINT.replace("    name: ", f"    {former}\n    name: ", 1)
    problem = refused(Blueprint, text)[0]
    assert problem.says == says
    assert problem.path == ("parts", 0, *path)


def test_a_part_has_its_first_name_for_life() -> None:
    spec = QueueSpec.model_validate(
        {
            "kind": "queue",
            "name": "c",
            "renamed_from": "a",
            "also_renamed_from": ["b"],
            "pools": ["p"],
            "tenants": [{"name": "t", "gpus": 1}],
        }
    )
    assert (spec.identity, spec.former_names) == ("a", ("a", "b"))
