"""The component for programs in other languages."""

from __future__ import annotations

import pulumi
import pytest

from aifactory.stacks.program import hosted
from support.recorder import record
from support.shipped import LIBRARY, stacks

ARGUMENTS: hosted.AiFactoryArgs = {"blueprint": str(LIBRARY / "training-roce.yaml"), "site": "fra-dc1"}
STACK = "training-roce-fra-dc1-platform"


def test_the_schema_is_what_other_languages_rely_on() -> None:
    schema = hosted.schema()
    assert set(schema["resources"]) == {"aifactory:index:AiFactory"}
    component = schema["resources"]["aifactory:index:AiFactory"]
    inputs = {name: (one["type"], one["plain"]) for name, one in component["inputProperties"].items()}
    assert inputs == {
        "blueprint": ("string", True),
        "site": ("string", True),
        "parameters": ("object", True),
        "kubeconfig": ("string", True),
        "layer": ("string", True),
        "handoff": ("string", True),
    }
    assert sorted(component["requiredInputs"]) == ["blueprint", "site"]
    assert {name: one["type"] for name, one in component["properties"].items()} == {
        "planDigest": "string",
        "namespaces": "object",
        "localQueues": "object",
        "releases": "object",
        "trainingRuns": "object",
    }
    assert all(one["description"] for one in component["inputProperties"].values())


def test_a_component_made_from_plain_arguments_registers_the_rows_and_has_their_outputs() -> None:
    made: list[hosted.AiFactory] = []

    def program() -> None:
        made.append(hosted.AiFactory("training-roce", ARGUMENTS))
        for name in hosted.AiFactory.__annotations__:
            pulumi.export(name, getattr(made[0], name))

    found = record(program, stack=STACK)
    rows = [one for one in found.resources.values() if one.type.startswith("kubernetes:")]
    assert len(rows) == len(list(stacks()[STACK].cluster_rows))
    assert not any(row.traced for row in rows)
    (factory,) = found.of_type("aifactory:index:AiFactory")
    assert found.outputs == found.component_outputs[factory.urn]


def test_wrong_input_is_a_message() -> None:
    def program() -> None:
        hosted.AiFactory("training-roce", {**ARGUMENTS, "site": "nowhere"})

    with pytest.raises(pulumi.RunError, match='"nowhere" is not a site of this blueprint'):
        record(program, stack=STACK)


def test_the_plugin_serves_the_component(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[list[type], str]] = []

    def serve(components: list[type], name: str, version: str) -> None:
        assert version
        served.append((components, name))

    monkeypatch.setattr(hosted, "component_provider_host", serve)
    hosted.host()
    assert served == [([hosted.AiFactory], "aifactory")]
