"""What a person writes about the governed door to models: who may call, which models, limits, and what comes next when
a model is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from aifactory.components.gateway.spec_models import PublishedModel
from aifactory.components.gateway.spec_providers import Provider
from aifactory.components.gateway.spec_tenants import SignIn, TenantLimits
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, truth, twice

MOST_LIMITS = 256
"""Rules of a BackendTrafficPolicy. Source: its definition, rateLimit.global.rules."""


class GatewaySpec(PartSpec):
    """One OpenAI-compatible base URL for all models, private by default, closed to whoever isn't named."""

    kind: Literal["gateway"]
    """One Gateway, a route for each model, and the policies that say who may use it and how much."""

    reach: Literal["cluster", "site"] = "cluster"
    """From where it is reached. cluster: pods of tenants and of `callers`. site: hosts in the site's client networks,
    through a load balancer. Default cluster: nothing outside sees it."""

    callers: list[Name] = Field(default=[], max_length=100)
    """Namespaces besides those of tenants whose pods may reach it; for reach cluster alone. Default none."""

    host: Name | None = None
    """First label of its host name. Default: the name of the part."""

    replicas: int | None = Field(default=None, ge=1, le=50)
    """Envoy proxies. Default 2: a drained node leaves one; and 1 at an edge site of one node."""

    sign_in: SignIn
    """How callers say who they are. There is no way in without it."""

    models: list[PublishedModel] | None = Field(default=None, min_length=1, max_length=60)
    """Models that callers may ask for. Default: each model that the site serves, under its own name, for the tenant
    that it belongs to."""

    providers: list[Provider] = Field(default=[], max_length=20)
    """Services outside of the cluster that models may lead to: gateways of other sites, and companies. Default none."""

    tenants: list[TenantLimits] = Field(default=[], max_length=100)
    """Limits by tenant. Default none: who may call may call without limit, which is warned of."""

    request_timeout_s: int | None = Field(default=None, ge=1, le=86_400)
    """Longest time from request to the end of a streamed answer. Unit: s. Default: the longest answer of each model
    and 30 s to queue."""

    silence_s: int | None = Field(default=None, ge=1, le=86_400)
    """Longest time without a byte from a model, after which the next one in order is asked if none has come yet. Unit:
    s. Default: as long as the whole answer may take, because an answer that isn't streamed is silent to its end."""

    idle_timeout_s: int = Field(default=300, ge=10, le=86_400)
    """Time after which a connection without a request is closed. Unit: s. Default 300: chat clients pause between
    questions."""

    log_prompts: bool = False
    """Whether traces may hold prompts and answers. Default false: they are data of their class. True needs
    `prompts_in_telemetry` of the data class of every model."""

    @truth
    def _callers_are_inside_the_cluster(self) -> Iterator[Misfit]:
        if self.callers and self.reach == "site":
            yield Misfit(
                "callers are for reach cluster",
                "delete callers, or add a second gateway of reach cluster for them",
                ("callers",),
            )
        for index in twice(self.callers):
            yield Misfit(f'"{self.callers[index]}" is listed twice', "name each namespace once", ("callers", index))

    @truth
    def _a_name_stands_for_one_model(self) -> Iterator[Misfit]:
        models = self.models or []
        for index in twice([model.name for model in models]):
            yield Misfit(f'"{models[index].name}" is listed twice', "give each model a name", ("models", index, "name"))

    @truth
    def _a_provider_and_a_tenant_are_listed_once(self) -> Iterator[Misfit]:
        for field, names in (
            ("providers", [provider.name for provider in self.providers]),
            ("tenants", [tenant.name for tenant in self.tenants]),
        ):
            for index in twice(names):
                yield Misfit(f'"{names[index]}" is listed twice', "name each once", (field, index, "name"))

    @truth
    def _limits_fit_one_policy(self) -> Iterator[Misfit]:
        limits = sum(len(tenant.model_fields_set - {"name", "parallel_requests"}) for tenant in self.tenants)
        if limits > MOST_LIMITS:
            says = f"{limits} limits, and one policy holds {MOST_LIMITS}"
            yield Misfit(says, "limit fewer things of each tenant, or make two gateways", ("tenants",))

    @truth
    def _silence_ends_before_the_request_does(self) -> Iterator[Misfit]:
        if self.silence_s and self.request_timeout_s and self.silence_s > self.request_timeout_s:
            says = f"silence of {self.silence_s} s may outlast the request of {self.request_timeout_s} s"
            yield Misfit(says, f"set silence_s to {self.request_timeout_s} or less", ("silence_s",))
