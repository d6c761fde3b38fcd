"""How the value algebra becomes what Pulumi sends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from aifactory.components.rows import Wave
from aifactory.components.values import Format, Json, Ref, SecretRef, canonical_json
from aifactory.stacks.program.lowering import lower, output_names, output_of
from support.recorder import resolved

REF = Ref("Namespace/ml", "metadata.name")


def never(ref: Ref) -> object:
    raise AssertionError(f"nothing refers to {ref}")


@pytest.mark.parametrize(
    ("tree", "lowered"),
    [
        ("text", "text"),
        (True, True),
        (1.5, 1.5),
        (None, None),
        (Wave.TRUST, "02-trust"),
        ({"a": {"b": [1, "x"]}}, {"a": {"b": [1, "x"]}}),
        (SecretRef("credentials", "token"), {"name": "credentials", "key": "token"}),
        (Format(("a-", "b")), "a-b"),
        (Json({"b": 1, "a": ["ü", SecretRef("s", "k")]}), '{"a":["ü",{"key":"k","name":"s"}],"b":1}'),
        ({"x": [Json({}), 1]}, {"x": ["{}", 1]}),
    ],
)
def test_a_tree_without_references_becomes_plain(tree: object, lowered: object) -> None:
    assert lower(tree, never) == lowered


def test_a_branch_without_special_values_is_shared_not_copied() -> None:
    tree: dict[str, Any] = {"same": {"deep": [1, {"x": 2}]}, "other": Json({})}
    lowered = lower(tree, never)
    assert lowered["same"] is tree["same"]
    assert lower(tree["same"], never) is tree["same"]


def test_the_tree_itself_is_never_changed() -> None:
    tree = {"a": [Format(("x",)), {"b": Json({})}]}
    lower(tree, never)
    assert tree == {"a": [Format(("x",)), {"b": Json({})}]}


def test_a_reference_becomes_what_the_resource_says() -> None:
    assert lower({"name": REF, "list": [REF]}, lambda ref: f"<{ref.path}>") == {
        "name": "<metadata.name>",
        "list": ["<metadata.name>"],
    }


@pytest.mark.parametrize("value", [Format(("a", REF)), Json({"name": REF})])
def test_text_around_a_reference_becomes_an_output(value: object) -> None:
    text = resolved(lambda: lower(value, lambda _: pulumi.Output.from_input("ml")))
    assert text == ("aml" if isinstance(value, Format) else canonical_json({"name": "ml"}))


@pytest.mark.parametrize(("known", "text"), [(1.0, "v1"), (1, "v1"), (1.5, "v1.5"), ("1.0", "v1.0"), (True, "vTrue")])
def test_a_whole_number_in_a_text_has_no_point_though_the_engine_sends_floats(known: object, text: str) -> None:
    assert resolved(lambda: lower(Format(("v", Ref("a", "x"))), lambda _: pulumi.Output.from_input(known))) == text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("arn", "arn:a"),
        ("vpcConfig.group", "sg-1"),
        ("identities.0.oidcs.1.issuer", "https://b"),
    ],
)
def test_an_output_is_found_by_its_path_through_blocks_and_lists(path: str, said: str) -> None:
    outputs = {
        "arn": "arn:a",
        "vpcConfig": {"group": "sg-1"},
        "identities": [{"oidcs": [{"issuer": "https://a"}, {"issuer": "https://b"}]}],
    }

    def found() -> Any:
        made: Any = SimpleNamespace(**{name: pulumi.Output.from_input(value) for name, value in outputs.items()})
        return output_of(made, path)

    assert resolved(found) == said


def test_outputs_that_are_read_are_named_by_row() -> None:
    tree = {"a": Ref("r", "arn"), "b": [Format((Ref("r", "vpcConfig.id"), "x")), Json({"c": Ref("s", "id")})]}
    assert output_names(tree) == {"r": {"arn", "vpcConfig"}, "s": set()}


def test_a_value_outside_the_algebra_is_a_defect() -> None:
    with pytest.raises(TypeError, match="a row holds a set"):
        lower({"a": {1, 2}}, never)
