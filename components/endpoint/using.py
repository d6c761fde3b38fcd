"""How a person gets from a deployed endpoint to a first answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

from aifactory.components.endpoint.decided import HTTPS_PORT, PROXY_NAMESPACE, EndpointPlan
from aifactory.components.offers import EndpointOffer, OperatorNote

NEAR = 8_443
"""Port of this machine for a way through to proxies that only the cluster reaches."""


def notes(part: str, plan: EndpointPlan, offer: EndpointOffer) -> Iterator[OperatorNote]:
    """A load balancer and a name before, a request after."""
    address = f"kubectl -n {plan.identity} get gateway {plan.identity} -o jsonpath='{{.status.addresses[0].value}}'"
    if plan.reach == "site":
        where = plan.address or "an address"
        yield OperatorNote(
            part,
            "before",
            f"The load balancer of the site gives Services {where}: the wave of gateways waits for it. Somebody can "
            f"make a DNS record for {plan.host}.",
        )
        yield OperatorNote(part, "running", f"Point {plan.host} at the address of {plan.identity}:", (address,))
    if not plan.cluster_issuer:
        secret = f"kubectl -n {plan.identity} get secret {plan.identity}-ca -o jsonpath='{{.data.ca\\.crt}}'"
        says = f"Clients of {plan.host} must trust the certificate of its CA, which is public:"
        yield OperatorNote(part, "running", says, (f"{secret} | base64 -d > {plan.identity}-ca.crt",))
    inside = plan.reach == "cluster"
    if inside:
        says = f"Pods in {', '.join(plan.callers)} may call. Namespaces among these that this stack doesn't make must "
        says += f"exist, and their policies let pods out to namespace {PROXY_NAMESPACE}, TCP {HTTPS_PORT}."
        yield OperatorNote(part, "before", says)
        forward = f"kubectl -n {PROXY_NAMESPACE} port-forward service/{plan.proxies} {NEAR}:443"
        says = f"Reach {plan.identity} from this machine, past its policies; it runs until it is stopped:"
        yield OperatorNote(part, "running", says, (forward,))
    trust = "" if plan.cluster_issuer else f"--cacert {plan.identity}-ca.crt "
    near = f"--resolve {plan.host}:{NEAR}:127.0.0.1 " if inside else ""
    who = "From this machine" if inside else f"From {' or '.join(plan.clients)}"
    for model, url in offer.urls:
        at = url.replace(plan.host, f"{plan.host}:{NEAR}", 1) if inside else url
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16})
        ask = f"curl {trust}{near}{at}/chat/completions -H 'Content-Type: application/json' -d '{body}'"
        yield OperatorNote(part, "running", f"{who}, a first answer of {model}:", (ask,))
