"""What a person may write about an endpoint."""

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.endpoint.spec import EndpointSpec


def test_an_endpoint_is_private_when_nothing_is_said() -> None:
    spec = EndpointSpec.model_validate({"kind": "endpoint", "name": "chat"})
    assert (spec.reach, spec.replicas, spec.models) == ("cluster", None, None)


@pytest.mark.parametrize(
    "fields",
    [{"reach": "site", "callers": ["a"]}, {"callers": ["a", "a"]}, {"models": ["a", "a"]}, {"models": []}],
)
def test_what_does_not_fit_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EndpointSpec.model_validate({"kind": "endpoint", "name": "chat", **fields})
