"""What a factory must carry: requests for models, and where the data in them may go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.catalog import JurisdictionKey, ModelKey
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth, twice

PerSecond = Annotated[float, Field(ge=0, le=1_000_000)]
"""Requests per second."""

DataClass = Annotated[Name, Field(max_length=40)]
"""The name of a class of data, such as customer."""


class Rate(Spec):
    """Requests over a day, in two numbers."""

    mean: PerSecond
    """Mean over a day. Energy and cost follow from it, and the fewest replicas that stay up. Unit: requests per s."""

    peak: Annotated[float, Field(gt=0, le=1_000_000)]
    """Highest rate that must be carried for minutes, not a burst of seconds. GPUs follow from it. Unit: requests
    per s."""

    @truth
    def _the_peak_is_no_less_than_the_mean(self) -> Iterator[Misfit]:
        if self.mean > self.peak:
            says = f"a mean of {self.mean:g} requests per s above the peak of {self.peak:g}"
            yield Misfit(says, f"set peak to {self.mean:g} or more", ("mean",))


class ModelDemand(Spec):
    """Requests for one model at each site of the factory."""

    name: ModelKey
    """Model that is asked for, by its name in the catalog."""

    task: Literal["chat", "completion", "embed"] = "chat"
    """What is asked of it: decides which API answers, and which one the acceptance benchmark calls. embed: a vector of
    a text, by an embedding model. Default chat: what most clients use."""

    data_class: DataClass | None = None
    """Class of the data in prompts and answers. Its rules stand in `residency`. Default none: the data is bound to no
    place."""

    requests_per_s: Rate | list[PerSecond]
    """Requests that a site must carry: mean and peak, or the 24 hours of a day from midnight, in the site's time.
    Unit: requests per s. A parameter sets another rate for a single site."""

    input_tokens: int = Field(ge=1, le=1_000_000)
    """Tokens of a prompt with all that the application puts before it. The mean decides throughput. Unit: tokens."""

    output_tokens: int = Field(default=0, ge=0, le=200_000)
    """Tokens of an answer, thoughts included. Unit: tokens. Default none: a vector has none; needed of chat and
    completion."""

    longest_tokens: int | None = Field(default=None, ge=2, le=2_000_000)
    """Longest prompt and answer together that is served. Unit: tokens. Default: four times the mean of both, at most
    what the model reads. Longer ones are refused by the engine."""

    itl_ms: float = Field(default=0.0, ge=0, le=10_000)
    """Time between two tokens of an answer that a reader may see at most, as a mean. Unit: ms. 40 is faster than
    people read. It limits how many requests share a GPU. Default none: a vector comes at once; needed of chat and
    completion."""

    ttft_ms: float | None = Field(default=None, gt=0, le=600_000)
    """Time to the first token, or to the vector. Unit: ms. Only what one request alone needs can be computed, and
    refused; under load it must be measured, for which a benchmark is written. Default none: nothing is refused for
    it."""

    agentic_factor: float = Field(default=1.0, ge=1, le=1_000)
    """Calls of the model for each request of a person. Agents that plan, call tools and check make 5 to 30. Default 1:
    an answer is one call."""

    growth_percent: float = Field(default=0.0, ge=0, le=1_000)
    """Growth of the peak that the hardware must carry before more is bought. Unit: percent. Default 0: the rates say
    all."""

    prefix_hit_percent: float = Field(default=0.0, ge=0, le=99)
    """Share of prompt tokens that the engine has computed for an earlier prompt. Unit: percent. Default 0: it is
    measured, never assumed."""

    @truth
    def _hours_are_those_of_a_day(self) -> Iterator[Misfit]:
        hours = self.requests_per_s
        if isinstance(hours, list) and (len(hours) != 24 or not any(hours)):
            says = f"{len(hours)} hourly rates" if len(hours) != 24 else "no hour of the day has a request"
            yield Misfit(says, "write the 24 hours of a day, or {mean: ..., peak: ...}", ("requests_per_s",))

    @truth
    def _answers_have_tokens_and_vectors_none(self) -> Iterator[Misfit]:
        if self.task != "embed":
            for field, example in (("output_tokens", 300), ("itl_ms", 40)):
                if not getattr(self, field):
                    yield Misfit(f"task {self.task} without {field}", f"write {field}, such as {example}", (field,))
            return
        for field in ("output_tokens", "itl_ms", "prefix_hit_percent"):
            if getattr(self, field):
                says = f"{field} of task embed: a vector is made of the whole text at once"
                yield Misfit(says, f"delete {field}", (field,))

    @truth
    def _the_longest_is_no_less_than_the_mean(self) -> Iterator[Misfit]:
        mean = self.input_tokens + self.output_tokens
        if self.longest_tokens is not None and self.longest_tokens < mean:
            says = f"the longest request has {self.longest_tokens} tokens, and the mean one {mean}"
            yield Misfit(says, f"set longest_tokens to {mean} or more", ("longest_tokens",))

    @property
    def rate(self) -> tuple[float, float]:
        """Mean and peak. Unit: requests per s."""
        if isinstance(self.requests_per_s, Rate):
            return self.requests_per_s.mean, self.requests_per_s.peak
        return sum(self.requests_per_s) / len(self.requests_per_s), max(self.requests_per_s)

    @property
    def longest(self) -> int:
        """Longest prompt and answer that is asked for. Unit: tokens."""
        return self.longest_tokens or 4 * (self.input_tokens + self.output_tokens)


class Demand(Spec):
    """What each site must carry."""

    models: list[ModelDemand] = Field(min_length=1, max_length=200)
    """Models that are asked for."""

    @truth
    def _a_model_is_listed_once(self) -> Iterator[Misfit]:
        names = [model.name for model in self.models]
        for index in twice(names):
            says = f'"{names[index]}" is listed twice'
            yield Misfit(says, "give it one entry with all its requests", ("models", index, "name"))


class DataClassRules(Spec):
    """Where data of one class may go."""

    jurisdictions: list[JurisdictionKey] = Field(min_length=1, max_length=300)
    """Countries, or eu and eea, in which machines may hold it."""

    operators: list[JurisdictionKey] = Field(min_length=1, max_length=300)
    """Nationalities of companies that may run those machines: a parent company can be ordered to hand data over."""

    prompts_in_telemetry: bool = False
    """Whether logs and traces may hold text of prompts and answers. Default false: it is dropped before it is kept or
    sent anywhere."""


class Residency(Spec):
    """Where data may go."""

    data_classes: dict[DataClass, DataClassRules] = Field(min_length=1, max_length=50)
    """Rules by class of data."""
