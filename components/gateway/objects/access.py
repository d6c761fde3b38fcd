"""Who may call: one policy a listener, closed to whoever isn't named, and the Secrets with keys."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import names
from aifactory.components.gateway.decided import (
    MODEL_HEADER,
    TENANT_HEADER,
    USER_HEADER,
    GatewayPlan,
    ListenerPlan,
    ModelPlan,
    OidcPlan,
    SecretPlan,
)
from aifactory.components.gateway.objects.doors import gateway_id
from aifactory.components.gateway.objects.kinds import ENVOY, ENVOY_API, GATEWAY, SECRETS
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, capability

PROVIDER = "sign-in"


def rows(plan: GatewayPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """Secrets from a store, and the policy of each listener."""
    for secret in plan.secrets:
        if secret.store:
            yield _external(plan, secret, maker)
    for listener in plan.listeners:
        yield _policy(plan, listener, maker)


def external_id(plan: GatewayPlan, secret: SecretPlan | None) -> list[str]:
    """Rows that make a Secret, none where somebody else does."""
    if secret is None or not secret.store:
        return []
    return [names.object_id(SECRETS, "ExternalSecret", plan.identity, secret.name)]


def _external(plan: GatewayPlan, secret: SecretPlan, maker: Maker) -> KubernetesRow:
    entries = [
        {"secretKey": key, "remoteRef": {"key": secret.path, "property": key.replace(".", "_")}} for key in secret.keys
    ]
    spec = {
        "refreshInterval": "1h0m0s",
        "secretStoreRef": {"kind": "ClusterSecretStore", "name": secret.store},
        "target": {"name": secret.name, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
        "data": entries,
    }
    after = [capability("external-secrets")]
    ready = Gate("Ready")
    return maker.kubernetes(SECRETS, "ExternalSecret", secret.name, plan.identity, spec=spec, after=after, gate=ready)


def _policy(plan: GatewayPlan, listener: ListenerPlan, maker: Maker) -> KubernetesRow:
    target = {"group": GATEWAY, "kind": "Gateway", "name": plan.identity, "sectionName": listener.name}
    rules = [rule for model in plan.models if (rule := _rule(model, listener))]
    spec = {
        "targetRefs": [target],
        **signed_in(listener),
        "authorization": {"defaultAction": "Deny", "rules": rules},
    }
    name = f"{plan.identity}-{listener.name}"
    after = [gateway_id(plan), *needed(plan, listener)]
    return maker.kubernetes(ENVOY_API, "SecurityPolicy", name, plan.identity, spec=spec, after=after)


def signed_in(listener: ListenerPlan) -> Tree:
    """How callers say who they are: a token or a key, and none does without."""
    if listener.oidc:
        return {"jwt": {"optional": False, "providers": [_tokens(listener.oidc)]}}
    assert listener.keys is not None  # noqa: S101 - a listener has one of both
    return {
        "apiKeyAuth": {
            "credentialRefs": [{"group": "", "kind": "Secret", "name": listener.keys.name}],
            "extractFrom": [{"headers": ["Authorization"]}],
            "forwardClientIDHeader": TENANT_HEADER,
            "sanitize": True,
        }
    }


def needed(plan: GatewayPlan, listener: ListenerPlan) -> list[str]:
    """Rows without which nobody can sign in."""
    found = external_id(plan, listener.keys)
    if listener.oidc and listener.oidc.backend:
        found.append(f"Backend.{ENVOY}/{plan.identity}/{listener.oidc.backend.name}")
    return found


def claim(listener: ListenerPlan, callers: list[str]) -> Tree:
    """The tenant, as the token itself says it; nothing where keys are taken."""
    if listener.oidc is None:
        return {}
    claims = [{"name": listener.oidc.tenant_claim, "valueType": "String", "values": callers}]
    return {"jwt": {"provider": PROVIDER, "claims": claims}}


def _tokens(oidc: OidcPlan) -> Tree:
    keys: Tree = {"uri": oidc.jwks}
    if oidc.backend:
        keys["backendRefs"] = [
            {"group": ENVOY, "kind": "Backend", "name": oidc.backend.name, "port": oidc.backend.port}
        ]
    return {
        "name": PROVIDER,
        "issuer": oidc.issuer,
        "audiences": list(oidc.audiences),
        "remoteJWKS": keys,
        "claimToHeaders": [
            {"claim": oidc.tenant_claim, "header": TENANT_HEADER},
            {"claim": oidc.user_claim, "header": USER_HEADER},
        ],
        "recomputeRoute": True,
    }


def _rule(model: ModelPlan, listener: ListenerPlan) -> Tree | None:
    """Lets the callers of one model through. Envoy AI Gateway has set the model's header by then, from the body."""
    who = [value for value in model.callers if listener.takes(value)]
    if not who:
        return None
    headers = [{"name": TENANT_HEADER, "values": who}, {"name": MODEL_HEADER, "values": list(model.ids)}]
    principal = {"headers": headers, **claim(listener, who)}
    return {"name": model.name, "action": "Allow", "principal": principal}
