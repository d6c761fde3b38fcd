"""What AWS calls a resource, by its inputs alone; and whether what is there is ours."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.names import tags
from aifactory.stacks.program.cloud_ids import _IDS, foreseen_id, is_tagged_alike
from support.proving.aws_identity import FORMS
from support.proving.aws_schema import resource

OURS = tags("demo", "lab", "cluster")


@pytest.mark.parametrize("token", _IDS)
def test_the_id_is_made_of_inputs_that_the_kind_has(token: str) -> None:
    assert FORMS[token].id == _IDS[token]
    known = resource(token).inputs
    values = {name: f"<{name}>" for name in known}
    assert foreseen_id({"type": token, "inputs": values}) == _IDS[token].replace("{", "<").replace("}", ">")


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
        ("aws:iam/role:Role", {}),
        ("aws:iam/role:Role", None),
        ("aws:eks/addon:Addon", {"clusterName": "demo"}),
    ],
)
def test_what_only_the_cloud_knows_is_not_guessed(kind: str, inputs: Any) -> None:
    assert foreseen_id({"type": kind, "inputs": inputs}) == ""


@pytest.mark.parametrize(
    ("sent", "has", "alike"),
    [
        ({"tags": OURS}, {"tags": {**OURS, "team": "a"}}, True),
        ({"tags": OURS}, {"tagsAll": OURS}, True),
        ({"tags": OURS}, {"tags": tags("other", "lab", "cluster")}, False),
        ({"tags": OURS}, {}, False),
        ({}, {}, True),
    ],
)
def test_ours_is_what_has_our_tags(sent: dict[str, Any], has: dict[str, Any], alike: bool) -> None:
    assert is_tagged_alike(sent, has) is alike
