"""Training runs as written: what is accepted and what is refused at once."""

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.training.spec import TrainingSpec
from support.offered import training

READ = {"tier": "files", "path": "a"}


def test_a_run_needs_pool_tenant_nodes_and_image() -> None:
    bare = {name: value for name, value in training().items() if name != "checkpoint"}
    spec = TrainingSpec.model_validate(bare)
    assert (spec.topology.placement, spec.topology.within) == ("preferred", "block")
    assert (spec.max_restarts, spec.run, spec.checkpoint) == (3, 1, None)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"nodes": 0}, "greater than or equal to 1"),
        ({"nodes": "4"}, "valid integer"),
        ({"gpus_per_node": 73}, "less than or equal to 72"),
        ({"image": "trainer:1"}, "must begin with its registry"),
        ({"image": "a" * 513}, "at most 512"),
        ({"environment": {"1A": "x"}}, "match pattern"),
        ({"environment": {"A-B": "x"}}, "match pattern"),
        ({"environment": {"A": "x\x00"}}, "match pattern"),
        ({"environment": {"A": 5}}, "valid string"),
        ({"secrets": [{"variable": "A", "secret": "UP", "key": "k"}]}, "match pattern"),
        ({"secrets": [{"variable": "A", "secret": "s", "key": "../k"}]}, "match pattern"),
        (
            {"secrets": [{"variable": "A", "secret": "s", "key": "k"}], "environment": {"A": "1"}},
            "variable A is set twice",
        ),
        (
            {
                "secrets": [
                    {"variable": "A", "secret": "s", "key": "k"},
                    {"variable": "A", "secret": "t", "key": "k"},
                ]
            },
            "variable A is set twice",
        ),
        ({"checkpoint": {"size_gib": 0}}, "greater than or equal to 1"),
        ({"checkpoint": {"size_gib": 1, "path": "relative"}}, "match pattern"),
        ({"checkpoint": {"size_gib": 1, "path": "/a/../b"}}, "match pattern"),
        ({"checkpoint": {"size_gib": 1, "path": "/"}}, "match pattern"),
        ({"topology": {"placement": "exact"}}, "'required', 'preferred' or 'none'"),
        ({"topology": {"within": "row"}}, "'block' or 'rack'"),
        ({"datasets": [{"tier": "files"}]}, "Field required"),
        ({"datasets": [READ, READ]}, "/datasets/a and /datasets/a lie in one another"),
        ({"datasets": [{**READ, "mount": "/dev/shm/a"}]}, "/dev/shm/a and /dev/shm lie in one another"),
        ({"datasets": [{**READ, "mount": "/checkpoints"}]}, "and /checkpoints lie in one another"),
        ({"datasets": [{**READ, "mount": "/data/x"}, {**READ, "mount": "/data"}]}, "/data and /data/x lie in one"),
        ({"datasets": [{**READ, "mount": "data"}]}, "match pattern"),
        ({"data_class": "A b"}, "match pattern"),
        ({"run": 0}, "greater than or equal to 1"),
        ({"user_id": -1}, "greater than or equal to 0"),
        ({"ttl": 5}, "Extra inputs"),
    ],
)
def test_a_wrong_run_is_refused_with_what_is_wrong(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        TrainingSpec.model_validate(training(**fields))
