"""Quotas as written: what is accepted and what is refused at once."""

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.queue.spec import QueueSpec
from support.offered import queue


def test_a_queue_of_two_tenants_needs_nothing_more() -> None:
    spec = QueueSpec.model_validate(queue())
    assert [priority.name for priority in spec.priorities] == ["low", "normal", "high"]
    assert (spec.sharing, spec.queueing, spec.topology_aware) == ("fair", "best-effort-fifo", True)


def test_a_renamed_queue_keeps_its_first_name_as_identity() -> None:
    assert QueueSpec.model_validate(queue(name="new", renamed_from="teams")).identity == "teams"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"pools": []}, "at least 1"),
        ({"pools": ["train", "train"]}, 'pool "train" is listed twice'),
        ({"tenants": []}, "at least 1"),
        ({"tenants": [{"name": "a", "gpus": 1}, {"name": "a", "gpus": 2}]}, 'tenant "a" is listed twice'),
        (
            {"tenants": [{"name": "a", "gpus": 1}, {"name": "b", "gpus": 2, "namespace": "a"}]},
            'namespace "a" belongs to two tenants',
        ),
        ({"tenants": [{"name": "a", "gpus": -1}]}, "greater than or equal to 0"),
        ({"tenants": [{"name": "a", "gpus": 1.5}]}, "valid integer"),
        ({"tenants": [{"name": "a", "gpus": True}]}, "valid integer"),
        ({"tenants": [{"name": "a", "gpus": {"train": "8"}}]}, "valid integer"),
        ({"tenants": [{"name": "../x", "gpus": 1}]}, "match pattern"),
        ({"tenants": [{"name": "$(rm)", "gpus": 1}]}, "match pattern"),
        ({"tenants": [{"name": "a", "gpus": 1, "weight": 1_001}]}, "less than or equal to 1000"),
        ({"engine": "volcano"}, "'kueue'"),
        ({"tenants": [{"name": "a", "gpus": "demand"}]}, "no demand says what jobs need"),
        (
            {"tenants": [{"name": "a", "workload": "inference", "gpus": 8, "borrow_gpus": 8}]},
            "model servers on borrowed GPUs stop",
        ),
        ({"tenants": [{"name": "a", "workload": "inference", "gpus": 8, "weight": 2}]}, "nobody weighs tenants"),
        ({"tenants": [{"name": "a", "workload": "inference", "gpus": 8, "priority": "low"}]}, "have one priority"),
        (
            {
                "priorities": [
                    {"name": "x", "value": 1, "description": "d"},
                    {"name": "x", "value": 2, "description": "d"},
                ]
            },
            'priority "x" is listed twice',
        ),
        ({"priorities": [{"name": "x", "value": 1, "description": "a\nb"}]}, "match pattern"),
        ({"priorities": [{"name": "x", "value": 1, "description": "\u2028"}]}, "match pattern"),
        ({"priorities": [{"name": "a" * 21, "value": 1, "description": "d"}]}, "at most 20"),
        (
            {"pods_ready": {"requeue_base_s": 100, "requeue_max_s": 10}},
            "requeue_base_s 100 is above requeue_max_s 10",
        ),
        ({"pods_ready": {"timeout_s": 5}}, "greater than or equal to 60"),
        ({"quota": 8}, "Extra inputs"),
    ],
)
def test_a_wrong_queue_is_refused_with_what_is_wrong(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        QueueSpec.model_validate(queue(**fields))


def test_a_tenant_that_is_listed_twice_is_one_mistake() -> None:
    with pytest.raises(ValidationError) as found:
        QueueSpec.model_validate(queue(tenants=[{"name": "a", "gpus": 1}, {"name": "a", "gpus": 2}]))
    (misfit,) = found.value.errors()[0]["ctx"]["misfits"]
    assert misfit.at == ("tenants", 1, "name")
