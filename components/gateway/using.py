"""How a person gets from a deployed gateway to a key and a first answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

from aifactory.components.gateway import store
from aifactory.components.gateway.decided import HTTPS_PORT, PROXY_NAMESPACE, GatewayPlan, ListenerPlan
from aifactory.components.gateway.places import API_KEY, ENTRIES, FILES
from aifactory.components.offers import OperatorNote

RANDOM = f'openssl rand -hex 32 | {store.ONE_LINE} > "$keys/$client"'
"""Makes the key of one client: 256 bits that nobody saw."""
NEAR = 8_443
"""Port of this machine for a way through to proxies that only the cluster reaches."""


def notes(part: str, plan: GatewayPlan) -> Iterator[OperatorNote]:
    """Secrets, a load balancer and names before, a request after."""
    for says in _before(plan):
        yield OperatorNote(part, "before", says)
    if plan.store:
        yield from store.notes(part, plan.store)
    yield from _secrets(part, plan)
    yield from _way(part, plan)
    for listener in plan.listeners:
        yield _ask(part, plan, listener)
    yield from _weights(part, plan)


def _before(plan: GatewayPlan) -> Iterator[str]:
    hosts = " and ".join(listener.host for listener in plan.listeners)
    if plan.reach == "site":
        where = plan.address or "an address"
        yield (
            f"The load balancer of the site gives Services {where}: the wave of gateways waits for it. Somebody can "
            f"make DNS records for {hosts}."
        )
    else:
        yield (
            f"Pods in {', '.join(plan.callers)} may reach {hosts}. Namespaces among these that this stack doesn't make "
            f"must exist, and their policies let pods out to namespace {PROXY_NAMESPACE}, TCP {HTTPS_PORT}."
        )
    for listener in plan.listeners:
        if listener.oidc:
            yield (
                f"{listener.oidc.issuer} issues tokens for {' or '.join(listener.oidc.audiences)} with the claim "
                f"{listener.oidc.tenant_claim}, a text with the name of a tenant."
            )
    for secret in plan.secrets:
        if secret.store:
            entries = ", ".join(key.replace(".", "_") for key in secret.keys)
            yield f"ClusterSecretStore {secret.store} has {secret.path} with the properties {entries}."


def _secrets(part: str, plan: GatewayPlan) -> Iterator[OperatorNote]:
    """Keys that somebody makes by hand. They are read from standard input, so that no history keeps them."""
    for secret in plan.secrets:
        if secret.store:
            continue
        if secret.keys[0] in (API_KEY, *ENTRIES.values()):
            says = "Give the provider's credential; until then it answers 401. It is read from standard input:"
            entry = f"{secret.keys[0]}=/dev/stdin"
            make = f"kubectl -n {plan.identity} create secret generic {secret.name} --from-file={entry}"
            if secret.keys[0] not in FILES:
                make = f"{store.ONE_LINE} | {make}"
            yield OperatorNote(part, "running", says, (make,))
            continue
        says = "Make the keys of clients; until then nobody gets in with one. Hand each out once:"
        files = " ".join(f'--from-file="$keys/{key}"' for key in secret.keys)
        yield OperatorNote(
            part,
            "running",
            says,
            (
                f"keys=$(mktemp -d) && for client in {' '.join(secret.keys)}; do {RANDOM}; done",
                f"kubectl -n {plan.identity} create secret generic {secret.name} {files}",
            ),
        )
    for name in sorted({backend.ca for backend in plan.backends if backend.ca} | _sign_in_ca(plan)):
        says = (
            f"ConfigMap {name} has the CA that the gateway trusts, under ca.crt; until then it calls nobody behind it:"
        )
        make = f"kubectl -n {plan.identity} create configmap {name} --from-file=ca.crt"
        yield OperatorNote(part, "running", says, (make,))


def _sign_in_ca(plan: GatewayPlan) -> set[str]:
    return {listener.oidc.backend.ca for listener in plan.listeners if listener.oidc and listener.oidc.backend}


def _way(part: str, plan: GatewayPlan) -> Iterator[OperatorNote]:
    if plan.reach == "site":
        address = f"kubectl -n {plan.identity} get gateway {plan.identity} -o jsonpath='{{.status.addresses[0].value}}'"
        hosts = " and ".join(listener.host for listener in plan.listeners)
        yield OperatorNote(part, "running", f"Point {hosts} at the address of {plan.identity}:", (address,))
    if not plan.cluster_issuer:
        secret = f"kubectl -n {plan.identity} get secret {plan.identity}-ca -o jsonpath='{{.data.ca\\.crt}}'"
        says = f"Clients of {plan.host} must trust the certificate of its CA, which is public:"
        yield OperatorNote(part, "running", says, (f"{secret} | base64 -d > {plan.identity}-ca.crt",))
    if plan.reach == "cluster":
        forward = f"kubectl -n {PROXY_NAMESPACE} port-forward service/{plan.proxies} {NEAR}:443"
        says = f"Reach {plan.identity} from this machine, past its network policies; it runs until it is stopped:"
        yield OperatorNote(part, "running", says, (forward,))


def _ask(part: str, plan: GatewayPlan, listener: ListenerPlan) -> OperatorNote:
    """A first answer of the first model that somebody may ask there."""
    inside = plan.reach == "cluster"
    trust = "" if plan.cluster_issuer else f"--cacert {plan.identity}-ca.crt "
    near = f"--resolve {listener.host}:{NEAR}:127.0.0.1 " if inside else ""
    at = f"https://{listener.host}:{NEAR}/v1" if inside else f"https://{listener.host}/v1"
    model = next((each for each in plan.models if any(map(listener.takes, each.callers))), plan.models[0])
    body = json.dumps(
        {"model": model.ids[0], "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16}
    )
    if listener.keys:
        key = next(filter(listener.takes, model.callers), f"{listener.tenant}.CLIENT")
        how = (
            f"the key of {key} in $KEY: kubectl -n {plan.identity} get secret {listener.keys.name} shows it to who may"
        )
    else:
        how = f"a token of {listener.oidc.issuer if listener.oidc else ''} in $KEY, of tenant {model.tenants[0]}"
    ask = (
        f'curl {trust}{near}{at}/chat/completions -H "Authorization: Bearer $KEY" '
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
    return OperatorNote(part, "running", f"A first answer, with {how}:", (ask,))


def _weights(part: str, plan: GatewayPlan) -> Iterator[OperatorNote]:
    for model in plan.models:
        if len([leg for leg in model.legs if leg.order == 0]) > 1:
            shares = ", ".join(f"{leg.name} {leg.weight} %" for leg in model.legs if leg.order == 0)
            yield OperatorNote(
                part,
                "running",
                f"{model.ids[0]} is shared by {shares}. To go back, write weights 100 and 0: one route changes, "
                "and running answers end where they began.",
            )
