"""What a person writes about the door to models: which ones, for whom, and how long an answer may take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, truth, twice


class EndpointSpec(PartSpec):
    """One HTTPS listener in front of models, private by default."""

    kind: Literal["endpoint"]
    """One Gateway, and a route for each model."""

    models: list[Name] | None = Field(default=None, min_length=1, max_length=15)
    """Serving parts that it leads to. Default: all of the site."""

    reach: Literal["cluster", "site"] = "cluster"
    """Who reaches it. cluster: pods of tenants and of `callers`. site: hosts in the site's client networks, through a
    load balancer; pods of the cluster get an endpoint of their own. Default cluster: nothing outside sees it."""

    callers: list[Name] = Field(default=[], max_length=100)
    """Namespaces besides those of tenants whose pods may call it; for reach cluster alone. Default none."""

    replicas: int | None = Field(default=None, ge=1, le=50)
    """Envoy proxies. Default 2: a drained node leaves one; and 1 at an edge site of one node."""

    host: Name | None = None
    """First label of its host name. Default: the name of the part."""

    request_timeout_s: int | None = Field(default=None, ge=1, le=86_400)
    """Longest time from request to the end of a streamed answer. Unit: s. Default: the longest answer of each model
    and 30 s to queue."""

    idle_timeout_s: int = Field(default=300, ge=10, le=86_400)
    """Time after which a connection without a request is closed. Unit: s. Default 300: chat clients pause between
    questions, and a new TLS session costs more than an idle one."""

    @truth
    def _callers_are_inside_the_cluster(self) -> Iterator[Misfit]:
        if self.callers and self.reach == "site":
            yield Misfit(
                "callers are for reach cluster",
                "delete callers, or add a second endpoint of reach cluster for them",
                ("callers",),
            )
        for index in twice(self.callers):
            yield Misfit(f'"{self.callers[index]}" is listed twice', "name each namespace once", ("callers", index))

    @truth
    def _a_model_is_listed_once(self) -> Iterator[Misfit]:
        models = self.models or []
        for index in twice(models):
            yield Misfit(f'"{models[index]}" is listed twice', "name each part once", ("models", index))
