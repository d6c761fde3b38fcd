"""Places that answer and are no pool: Services of the cluster and providers outside, with TLS and credentials."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.gateway.decided import (
    TENANT_HEADER,
    USER_HEADER,
    BackendPlan,
    CredentialPlan,
    GatewayPlan,
)
from aifactory.components.gateway.objects import credentials
from aifactory.components.gateway.objects.access import external_id
from aifactory.components.gateway.objects.kinds import (
    AI,
    AI_API,
    COUNTRY_LABEL,
    ENVOY,
    ENVOY_API,
    GATEWAY,
    OPERATOR_LABEL,
    PLACE_LABEL,
)
from aifactory.components.rows import KubernetesRow, Maker, Tree, Wave, capability

DESCRIPTION = "kubernetes.io/description"
SCHEMAS = {
    "openai": "OpenAI",
    "azure-openai": "AzureOpenAI",
    "anthropic": "Anthropic",
    "aws-bedrock": "AWSBedrock",
    "aws-anthropic": "AWSAnthropic",
    "gcp-vertex": "GCPVertexAI",
    "gcp-anthropic": "GCPAnthropic",
}


def rows(plan: GatewayPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """Address, TLS, API and credential of each."""
    for listener in plan.listeners:
        if listener.oidc and listener.oidc.backend:
            yield from _address(plan, listener.oidc.backend, maker)
    for backend in plan.backends:
        yield from _address(plan, backend, maker)
        yield _service(plan, backend, maker)
        if backend.credential:
            yield _credential(plan, backend, backend.credential, maker)


def _address(plan: GatewayPlan, backend: BackendPlan, maker: Maker) -> Iterator[KubernetesRow]:
    endpoint = {"fqdn": {"hostname": backend.host, "port": backend.port}}
    after = [capability("envoy-gateway"), *backend.after]
    made = maker.kubernetes(
        ENVOY_API,
        "Backend",
        backend.name,
        plan.identity,
        labels=_marks(backend),
        annotations={DESCRIPTION: backend.description} if backend.description else None,
        spec={"endpoints": [endpoint]},
        after=after,
        wave=Wave.WORKLOADS if backend.after else None,
    )
    yield made
    if backend.tls:
        trusted: Tree = {"wellKnownCACertificates": "System"}
        if backend.ca:
            trusted = {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": backend.ca}]}
        spec = {
            "targetRefs": [{"group": ENVOY, "kind": "Backend", "name": backend.name}],
            "validation": {"hostname": backend.host, **trusted},
        }
        yield maker.kubernetes(
            f"{GATEWAY}/v1", "BackendTLSPolicy", backend.name, plan.identity, spec=spec, after=[made.id]
        )


def _marks(backend: BackendPlan) -> dict[str, str]:
    """Where it is and who runs it, for whoever reads rows; nothing for what isn't known."""
    known = {PLACE_LABEL: backend.place, COUNTRY_LABEL: backend.country, OPERATOR_LABEL: backend.operator}
    return {label: value for label, value in known.items() if value}


def _service(plan: GatewayPlan, backend: BackendPlan, maker: Maker) -> KubernetesRow:
    schema: Tree = {"name": SCHEMAS[backend.api]}
    if backend.api_version:
        schema["version"] = backend.api_version
    # Who asks is nobody's business outside. A credential takes the place of the client's own; without one it must not
    # go along either, but to a site of ours, which asks the caller as we did.
    removed = [TENANT_HEADER, USER_HEADER] if backend.tls else []
    removed += [] if backend.credential or backend.ours else ["authorization"]
    spec: Tree = {
        "schema": schema,
        "backendRef": {"group": ENVOY, "kind": "Backend", "name": backend.name},
    }
    if removed:
        spec["headerMutation"] = {"remove": removed}
    after = [capability("ai-gateway"), f"Backend.{ENVOY}/{plan.identity}/{backend.name}"]
    wave = Wave.WORKLOADS if backend.after else None
    return maker.kubernetes(
        AI_API,
        "AIServiceBackend",
        backend.name,
        plan.identity,
        labels=_marks(backend),
        spec=spec,
        after=after,
        wave=wave,
    )


def _credential(plan: GatewayPlan, backend: BackendPlan, credential: CredentialPlan, maker: Maker) -> KubernetesRow:
    spec = {
        "targetRefs": [{"group": AI, "kind": "AIServiceBackend", "name": backend.name}],
        **credentials.signed(credential),
    }
    after = [f"AIServiceBackend.{AI}/{plan.identity}/{backend.name}", *external_id(plan, credential.secret)]
    return maker.kubernetes(AI_API, "BackendSecurityPolicy", backend.name, plan.identity, spec=spec, after=after)
