"""How a person gets from a deployed endpoint to a first answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

from aifactory.components.endpoint.decided import EndpointPlan
from aifactory.components.offers import EndpointOffer, OperatorNote


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
    trust = "" if plan.cluster_issuer else f"--cacert {plan.identity}-ca.crt "
    who = (
        f"From a pod in {' or '.join(plan.callers)}" if plan.reach == "cluster" else f"From {' or '.join(plan.clients)}"
    )
    for model, url in offer.urls:
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16})
        ask = f"curl {trust}{url}/chat/completions -H 'Content-Type: application/json' -d '{body}'"
        yield OperatorNote(part, "running", f"{who}, a first answer of {model}:", (ask,))
