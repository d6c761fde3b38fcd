"""What goes last of a platform: who removes, for others, what is outside of the cluster, and all that needs."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.names import HELM_RELEASE_TOKEN
from aifactory.stacks.program.lasting import first_to_go, needs

FACTORY = "aifactory:index:AiFactory"
PART = f"{FACTORY}$aifactory:layer1:Cluster"
PROVIDER = "urn:pulumi:s::aifactory::pulumi:providers:kubernetes::demo"
CHARTS = {"balancer"}


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:s::aifactory::{PART}${kind}::cluster/{name}"


def one(kind: str, name: str, *after: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = {"urn": urn(kind, name), "type": kind, "custom": True, "provider": f"{PROVIDER}::1", "inputs": {}}
    return {**found, "dependencies": [each["urn"] for each in after], **more}


def release(name: str, chart: str, *after: dict[str, Any], **more: Any) -> dict[str, Any]:
    inputs = {"name": name, "namespace": name, "chart": f"oci://charts.example.com/{chart}", "version": "1"}
    return one(HELM_RELEASE_TOKEN, f"{name}/{name}", *after, inputs=inputs, **more)


SPACE = one("kubernetes:core/v1:Namespace", "lb")
GUARD = one("kubernetes:networking.k8s.io/v1:NetworkPolicy", "lb/allow", SPACE)
CLASS = one("kubernetes:scheduling.k8s.io/v1:PriorityClass", "critical")
BALANCER = release("lb", "balancer", SPACE, CLASS)
OTHER = release("other", "operator", BALANCER)
DOOR = one("kubernetes:core/v1:Service", "other/door", OTHER)
OLD = one("kubernetes:core/v1:ConfigMap", "other/old", delete=True)
ALL = [SPACE, GUARD, CLASS, BALANCER, OTHER, DOOR, OLD]


def names(found: list[str]) -> list[str]:
    return [each.rpartition("cluster/")[2] for each in found]


def test_the_release_its_namespace_and_what_they_need_go_last() -> None:
    assert names(first_to_go(ALL, CHARTS)) == ["other/other", "other/door"]


def test_without_such_a_release_all_go_first() -> None:
    assert names(first_to_go(ALL, {"another"})) == ["lb", "lb/allow", "critical", "lb/lb", "other/other", "other/door"]


@pytest.mark.parametrize("protected", [DOOR, OTHER])
def test_what_is_protected_stays_with_all_that_it_needs(protected: dict[str, Any]) -> None:
    kept = [{**each, "protect": each is protected} for each in ALL]
    assert not set(first_to_go(kept, set())) & needs(kept, [protected["urn"]])


def test_needed_is_what_a_resource_depends_on_at_any_distance() -> None:
    assert needs(ALL, [DOOR["urn"]]) == {each["urn"] for each in (DOOR, OTHER, BALANCER, SPACE, CLASS)}
    above = {"urn": "urn:pulumi:s::aifactory::a:b:Part::p", "type": "a:b:Part", "custom": False}
    child = one("kubernetes:core/v1:Secret", "x/y", parent=above["urn"])
    assert needs([above, child], [child["urn"]]) == {above["urn"], child["urn"]}
