"""A gateway, decided."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.counting import counted
from aifactory.components.gateway.spec_providers import CredentialKind
from aifactory.components.outside import Reach
from aifactory.components.tracing import SpanSink
from aifactory.components.values import Ref

PROXY_NAMESPACE = "envoy-gateway-system"
"""Namespace of the release, in which its proxies run."""
HTTPS_PORT = 10_443
"""Port of Envoy's container for 443: Envoy Gateway adds 10000 to privileged ports."""
MODEL_HEADER = "x-ai-eg-model"
"""Header in which Envoy AI Gateway puts the model of the body, before routes are chosen."""
TENANT_HEADER = "x-tenant-id"
USER_HEADER = "x-user-id"
METADATA = "io.envoy.ai_gateway"
"""Namespace in which Envoy AI Gateway leaves counts of tokens and cost."""
NANO_PER_UNIT = 10_000
"""Spend is counted in units of 10 micro-dollars, 10000 nano-dollars: 32 bits hold 42,949 USD of them."""
UNITS_PER_USD = 100_000


class SecretPlan(Struct, frozen=True):
    """A Secret by name, and the store that it comes from."""

    name: str
    keys: tuple[str, ...]
    """Entries that it has."""
    store: str = ""
    """ClusterSecretStore, empty when somebody makes the Secret."""
    path: str = ""
    """Where it lies in the store."""


class CredentialPlan(Struct, frozen=True):
    """How the gateway signs in at a provider."""

    kind: CredentialKind
    secret: SecretPlan | None
    """None where the pod itself is known."""
    region: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """What its kind needs besides, by the names of the blueprint."""


class OidcPlan(Struct, frozen=True):
    """Tokens of an identity provider."""

    issuer: str
    jwks: str
    audiences: tuple[str, ...]
    tenant_claim: str
    user_claim: str
    backend: BackendPlan | None
    """Where its keys lie, when they are behind a CA of one's own."""


class BackendPlan(Struct, frozen=True):
    """A place that answers requests and that is no pool."""

    name: str
    host: str
    port: int
    api: str
    api_version: str
    tls: bool
    ca: str
    credential: CredentialPlan | None
    place: str
    """Site or provider."""
    country: str
    """Empty when unknown."""
    operator: str
    """Nationality of who runs it, empty when unknown."""
    after: tuple[str, ...] = ()
    description: str = ""
    ours: bool = False
    """Whether it is the gateway of another site of ours, which callers' own tokens open."""


class LegPlan(Struct, frozen=True):
    """One place where requests for a model go."""

    backend: Literal["InferencePool", "AIServiceBackend"]
    name: str
    override: str
    """Name of the model there, empty when it is the one that is asked for."""
    order: int
    weight: int
    place: str
    after: tuple[str, ...] = ()


class RulePlan(Struct, frozen=True):
    """One rule: who may ask for a model under which names."""

    name: str
    models: tuple[str, ...]
    """Names that requests carry: one, or all of the model where the rule has a bound."""
    callers: tuple[str, ...]
    """Values of the tenant's header that it matches: tenants, and their clients with keys."""
    parallel: int = 0
    """Requests at the same time for each proxy, 0 for no limit of its own."""

    @property
    def matches(self) -> int:
        """Pairs of a name and a caller."""
        return len(self.models) * len(self.callers)


class RoutePlan(Struct, frozen=True):
    """An AIGatewayRoute: some rules of one model."""

    name: str
    rules: tuple[RulePlan, ...]


class ModelPlan(Struct, frozen=True):
    """A model that callers ask for."""

    name: str
    namespace: str
    """Namespace of its routes: the gateway's, or that of the pool that it leads to."""
    ids: tuple[str, ...]
    """Names that requests carry, aliases behind."""
    tenants: tuple[str, ...]
    callers: tuple[str, ...]
    legs: tuple[LegPlan, ...]
    residency: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    """Classes of its data, each with the jurisdictions and the nationalities of operators that it allows."""
    timeout_s: int
    silence_s: int
    cost: str
    """Expression of the cost of a request, empty without a price."""
    routes: tuple[RoutePlan, ...]

    @property
    def fails_over(self) -> bool:
        """Whether something else is asked when the first place is gone."""
        return len({leg.order for leg in self.legs}) > 1


class LimitPlan(Struct, frozen=True):
    """One limit of one tenant."""

    tenant: str
    unit: Literal["Minute", "Day", "Month"]
    amount: int
    counts: Literal["requests", "llm_total_token", "llm_cost"]


class StorePlan(Struct, frozen=True):
    """Where limits are counted."""

    address: str
    """Host and port."""
    tls: str
    """Secret with certificate, key and CA; empty for a connection in the clear."""
    auth: str
    """Secret with a password, empty for none."""
    ours: bool
    """Whether the operator that counts there is of ours."""


class ListenerPlan(Struct, frozen=True):
    """A host name, and how callers sign in there."""

    name: str
    host: str
    oidc: OidcPlan | None
    keys: SecretPlan | None
    tenant: str = ""
    """The one tenant whose keys are taken there, empty where tokens are."""

    def takes(self, caller: str) -> bool:
        """Whether a value of the tenant's header is one that can come from here."""
        return caller.startswith(f"{self.tenant}.") if self.tenant else "." not in caller


class ListRulePlan(Struct, frozen=True):
    """Callers who see the same models."""

    callers: tuple[str, ...]
    models: tuple[str, ...]


class ListPlan(Struct, frozen=True):
    """A route of one listener that answers which models there are."""

    name: str
    listener: str
    rules: tuple[ListRulePlan, ...]
    chosen: bool
    """Whether the caller chooses the rule. False where the host name has one tenant alone."""
    first: bool
    """Whether it also meets requests that nobody has looked at yet."""


class BalancerPlan(Struct, frozen=True):
    """A load balancer that the venue makes for the door."""

    subnets: tuple[Ref, ...]
    """Ids of the subnets that it stands in."""
    checks_from: tuple[str, ...]
    """Networks of these subnets, from which it checks proxies."""
    idle_s: int
    """Time after which it forgets a silent connection."""
    drain_s: int
    """Time that it leaves to open connections of a proxy that goes."""
    tags: tuple[tuple[str, str], ...]
    """Its tags beside those that the controller gives to all."""


class GatewayPlan(Struct, frozen=True):
    """A governed door to models, with nothing left unset."""

    identity: str
    site: str
    reach: str
    listeners: tuple[ListenerPlan, ...]
    callers: tuple[str, ...]
    clients: tuple[str, ...]
    address: str
    load_balancer_class: str
    cluster_issuer: str
    """ClusterIssuer of the site, empty for a private CA."""
    replicas: int
    idle_timeout_s: int
    backends: tuple[BackendPlan, ...]
    models: tuple[ModelPlan, ...]
    lists: tuple[ListPlan, ...]
    limits: tuple[LimitPlan, ...]
    store: StorePlan | None
    """Where limits are counted, None where nothing is."""
    by_client: bool
    """Whether the tenant's header may name a client behind the tenant."""
    log_prompts: bool
    country: str
    operator: str
    spans: SpanSink | None
    """Where its proxies send spans, None where nobody keeps them."""
    reaches: Reach
    """What its proxies may open connections to."""
    traces_to: str
    """Base URL of what takes traces, empty for none."""

    @property
    def balancer(self) -> BalancerPlan | None:
        """Load balancer of the venue, None where the cluster has its own."""
        return None

    @property
    def service_account(self) -> str:
        """ServiceAccount of its proxies, empty where nothing needs to know its name."""
        return ""

    @property
    def host(self) -> str:
        """The first host name."""
        return self.listeners[0].host

    @property
    def proxies(self) -> str:
        """Name of the Service of its proxies, in the namespace where those of all gateways and their operator are."""
        return f"{self.identity}-proxy"

    @property
    def secrets(self) -> list[SecretPlan]:
        """What its sign-in and its providers need, once each."""
        found = [listener.keys for listener in self.listeners if listener.keys]
        found += [each.credential.secret for each in self.backends if each.credential and each.credential.secret]
        return list({secret.name: secret for secret in found}.values())

    @property
    def hands_on(self) -> bool:
        """Whether requests go from here to another site of ours, and from there to here."""
        return any(backend.ours for backend in self.backends)

    @property
    def longest_s(self) -> int:
        """Longest request of any model."""
        return max(model.timeout_s for model in self.models)

    @property
    def in_short(self) -> str:
        """The plan in one line, for a person."""
        tenants = {tenant for model in self.models for tenant in model.tenants}
        what = f"{counted(len(self.models), 'model')} for {counted(len(tenants), 'tenant')}"
        return f"https://{self.host}/v1 for the {self.reach}, {what}, {counted(len(self.limits), 'limit')}"


class VenueGatewayPlan(GatewayPlan, frozen=True, kw_only=True):
    """A door before which the venue makes something. A plan of its own, so that those elsewhere stay as they are."""

    balancer: BalancerPlan | None  # pyright: ignore[reportIncompatibleMethodOverride]  # in place of the property
    service_account: str  # pyright: ignore[reportIncompatibleMethodOverride]  # in place of the property
