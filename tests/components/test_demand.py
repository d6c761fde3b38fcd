"""What a site must carry, as people write it: rates, lengths and where data may go."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.demand import Demand, ModelDemand, Residency

CHAT: dict[str, Any] = {
    "name": "llama-3.1-8b",
    "requests_per_s": {"mean": 2.0, "peak": 5.0},
    "input_tokens": 900,
    "output_tokens": 100,
    "itl_ms": 40.0,
}


def model(**changes: Any) -> ModelDemand:
    return ModelDemand.model_validate({**CHAT, **changes})


def test_a_rate_is_written_as_mean_and_peak_or_by_hour() -> None:
    assert model().rate == (2.0, 5.0)
    hours = [0.0] * 12 + [6.0] * 11 + [18.0]
    assert model(requests_per_s=hours).rate == (3.5, 18.0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"requests_per_s": {"mean": 6.0, "peak": 5.0}}, "a mean of 6 requests per s above the peak of 5"),
        ({"requests_per_s": [1.0] * 23}, "23 hourly rates"),
        ({"requests_per_s": [0.0] * 24}, "no hour of the day has a request"),
        ({"output_tokens": 0}, "task chat without output_tokens"),
        ({"itl_ms": 0.0, "task": "completion"}, "task completion without itl_ms"),
        ({"task": "embed"}, "output_tokens of task embed: a vector is made of the whole text at once"),
        ({"task": "embed", "output_tokens": 0}, "itl_ms of task embed"),
        ({"task": "embed", "output_tokens": 0, "itl_ms": 0.0, "prefix_hit_percent": 5.0}, "prefix_hit_percent of task"),
        ({"longest_tokens": 999}, "the longest request has 999 tokens, and the mean one 1000"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        model(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"itl_ms": 0.0},
        {"itl_ms": float("nan")},
        {"itl_ms": float("inf")},
        {"input_tokens": 0},
        {"output_tokens": 0},
        {"agentic_factor": 0.5},
        {"prefix_hit_percent": 100.0},
        {"requests_per_s": {"mean": 0.0, "peak": 0.0}},
        {"requests_per_s": {"mean": -1.0, "peak": 1.0}},
        {"requests_per_s": {"mean": 1.0, "peak": float("inf")}},
        {"requests_per_s": {"mean": 1.0, "peak": float("nan")}},
        {"requests_per_s": 5.0},
        {"data_class": "Customer Data"},
    ],
)
def test_a_number_outside_of_what_it_can_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**changes)


def test_the_longest_request_is_four_mean_ones_unless_written() -> None:
    assert model().longest == 4_000
    assert model(longest_tokens=1_000).longest == 1_000


def test_texts_that_become_vectors_have_a_length_alone() -> None:
    found = model(task="embed", output_tokens=0, itl_ms=0.0)
    assert (found.output_tokens, found.itl_ms, found.longest) == (0, 0.0, 3_600)


def test_a_model_is_asked_for_once() -> None:
    with pytest.raises(ValidationError, match=r'"llama-3.1-8b" is listed twice'):
        Demand.model_validate({"models": [CHAT, CHAT]})


def test_an_unknown_jurisdiction_is_refused_with_the_nearest() -> None:
    rules = {"data_classes": {"customer": {"jurisdictions": ["eu"], "operators": ["europe"]}}}
    with pytest.raises(ValidationError, match='"europe" is not a known jurisdiction'):
        Residency.model_validate(rules)
