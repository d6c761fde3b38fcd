"""The door: class and proxies, certificate, listeners, what is taken from clients, and who gets through."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import outside, pods
from aifactory.components.aws_offers import BALANCER_CLASS
from aifactory.components.gateway.decided import (
    HTTPS_PORT,
    METADATA,
    MODEL_HEADER,
    PROXY_NAMESPACE,
    TENANT_HEADER,
    USER_HEADER,
    BalancerPlan,
    GatewayPlan,
)
from aifactory.components.gateway.door import owner
from aifactory.components.gateway.objects.kinds import AI, AI_API, CERTIFICATES, ENVOY, ENVOY_API, GATEWAY
from aifactory.components.rows import Gate, KubernetesRow, Maker, Tree, capability
from aifactory.components.tracing import MODEL_TAG, TENANT_TAG, envoy_tracing
from aifactory.components.values import Format

BALANCER_ANNOTATION = "service.beta.kubernetes.io/aws-load-balancer"
ACCESS_LOG = {
    "start": "%START_TIME%",
    "site": "",
    "method": "%REQ(:METHOD)%",
    "route": "%ROUTE_NAME%",
    "code": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "duration_ms": "%DURATION%",
    "first_byte_ms": "%RESPONSE_DURATION%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "tenant": f"%REQ({TENANT_HEADER.upper()})%",
    "user": f"%REQ({USER_HEADER.upper()})%",
    "model": f"%REQ({MODEL_HEADER.upper()})%",
    "served_as": f"%DYNAMIC_METADATA({METADATA}:model_name_override)%",
    "backend": f"%DYNAMIC_METADATA({METADATA}:backend_name)%",
    "input_tokens": f"%DYNAMIC_METADATA({METADATA}:llm_input_token)%",
    "output_tokens": f"%DYNAMIC_METADATA({METADATA}:llm_output_token)%",
    "total_tokens": f"%DYNAMIC_METADATA({METADATA}:llm_total_token)%",
    "cost_10_micro_usd": f"%DYNAMIC_METADATA({METADATA}:llm_cost)%",
}
"""Who asked which model where, and how much. No path, whose query may carry secrets, no header of the client but the
model's name, and never a body."""

CALLER_ID = "x-caller-request-id"
HANDED_ON = {"caller_request_id": f"%REQ({CALLER_ID.upper()})%"}
"""The id that a request came with: that of the gateway which handed it on. What is known of its caller is said by the
token, never by this."""

SPAN_TAGS = {TENANT_TAG: TENANT_HEADER, MODEL_TAG: MODEL_HEADER}
"""Read from headers of ours alone: those of the same name that a client sends are gone by then."""
ONLY_OURS = (
    TENANT_HEADER,
    USER_HEADER,
    MODEL_HEADER,
    "x-gateway-inference-objective",
    "x-gateway-inference-fairness-id",
    "x-gateway-destination-endpoint",
)
"""Headers that decide who a request is of, where it goes and before whom. What a client sends of them is removed before
anything reads it."""


def rows(plan: GatewayPlan, maker: Maker) -> Iterator[KubernetesRow]:
    """Everything between a client and the rules."""
    proxies = _proxies(plan, maker)
    yield proxies
    reference = {"group": ENVOY, "kind": "EnvoyProxy", "name": plan.identity, "namespace": PROXY_NAMESPACE}
    spec = {"controllerName": f"{ENVOY}/gatewayclass-controller", "parametersRef": reference}
    yield maker.kubernetes(f"{GATEWAY}/v1", "GatewayClass", plan.identity, spec=spec, after=[proxies.id])
    yield from _certificates(plan, maker)
    yield _processor(plan, maker)
    gateway = _gateway(plan, maker)
    yield gateway
    yield _client_traffic(plan, maker, gateway)
    yield _traffic(plan, maker)
    named = outside.by_name(plan.reaches, f"{plan.identity}-hosts", PROXY_NAMESPACE, owner(plan.identity), maker)
    if named:
        yield named
    for listener in plan.listeners if plan.reach == "cluster" else ():
        name = {"type": "ExternalName", "externalName": f"{plan.proxies}.{PROXY_NAMESPACE}.svc.cluster.local"}
        yield maker.kubernetes("v1", "Service", listener.host.partition(".")[0], plan.identity, spec=name)


def gateway_id(plan: GatewayPlan) -> str:
    """Row of the Gateway."""
    return f"Gateway.{GATEWAY}/{plan.identity}/{plan.identity}"


def _proxies(plan: GatewayPlan, maker: Maker) -> KubernetesRow:
    resources = {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}}
    kubernetes: Tree = {
        "envoyDeployment": {
            "replicas": plan.replicas,
            "pod": {
                "topologySpreadConstraints": [pods.spread(owner(plan.identity))],
                "tolerations": pods.CONTROL_NODES,
            },
            "container": {"resources": resources},
        },
        "envoyService": _service(plan),
    }
    if plan.service_account:
        kubernetes["envoyServiceAccount"] = {"name": plan.service_account}
    if plan.replicas > 1:
        kubernetes["envoyPDB"] = {"minAvailable": 1}
    sink = {"type": "File", "file": {"path": "/dev/stdout"}}
    line = {**ACCESS_LOG, "site": plan.site, **(HANDED_ON if plan.hands_on else {})}
    spec = {
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
        "telemetry": {
            "accessLog": {"settings": [{"format": {"type": "JSON", "json": line}, "sinks": [sink]}]},
            **envoy_tracing(plan.spans, plan.site, SPAN_TAGS),
        },
        "logging": {"level": {"default": "warn"}},
        "shutdown": {"drainTimeout": f"{plan.longest_s}s", "minDrainDuration": "10s"},
    }
    after = [capability("envoy-gateway")]
    return maker.kubernetes(ENVOY_API, "EnvoyProxy", plan.identity, PROXY_NAMESPACE, spec=spec, after=after)


def _service(plan: GatewayPlan) -> Tree:
    if plan.reach == "cluster":
        return {"name": plan.proxies, "type": "ClusterIP"}
    service: Tree = {
        "name": plan.proxies,
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "loadBalancerSourceRanges": list(plan.clients),
    }
    if plan.balancer:
        return {**service, **_at_venue(plan.balancer)}
    if plan.address:
        service["loadBalancerIP"] = plan.address
    if plan.load_balancer_class:
        service["loadBalancerClass"] = plan.load_balancer_class
    return service


def _at_venue(plan: BalancerPlan) -> Tree:
    """A network load balancer of AWS. Its targets are pods: no node opens a port for them.

    Source: kubernetes-sigs/aws-load-balancer-controller docs/guide/service/annotations.md.
    """
    subnets = [part for subnet in plan.subnets for part in (",", subnet)][1:]
    target = {"preserve_client_ip.enabled": "true", "deregistration_delay.timeout_seconds": str(plan.drain_s)}
    annotations = {
        "scheme": "internal",
        "nlb-target-type": "ip",
        "subnets": Format(tuple(subnets)),
        "target-group-attributes": _pairs(target),
        "additional-resource-tags": _pairs(dict(plan.tags)),
        "attributes": _pairs({"load_balancing.cross_zone.enabled": "true"}),
        "listener-attributes.TCP-443": _pairs({"tcp.idle_timeout.seconds": str(plan.idle_s)}),
    }
    return {
        "annotations": {f"{BALANCER_ANNOTATION}-{name}": value for name, value in annotations.items()},
        "loadBalancerClass": BALANCER_CLASS,
        "allocateLoadBalancerNodePorts": False,
        "externalTrafficPolicy": "Cluster",  # Local would open a port on each node, to ask whether it has a proxy
    }


def _pairs(values: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in values.items())


def _certificates(plan: GatewayPlan, maker: Maker) -> Iterator[KubernetesRow]:
    issuer = {"kind": "ClusterIssuer", "name": plan.cluster_issuer}
    key = {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}
    after = [capability("cert-manager")]
    ready = Gate("Ready")
    name = plan.identity
    if not plan.cluster_issuer:
        root, authority = f"{name}-root", f"{name}-ca"
        first = maker.kubernetes(CERTIFICATES, "Issuer", root, name, spec={"selfSigned": {}}, after=after, gate=ready)
        yield first
        spec = {
            "isCA": True,
            "commonName": authority,
            "secretName": authority,
            "privateKey": key,
            "duration": "87600h",  # ten years: each client must be given a new one by hand
            "renewBefore": "8760h",  # a year to hand it out
            "issuerRef": {"kind": "Issuer", "name": root},
        }
        ca = maker.kubernetes(CERTIFICATES, "Certificate", authority, name, spec=spec, after=[first.id], gate=ready)
        yield ca
        signer = {"ca": {"secretName": authority}}
        second = maker.kubernetes(CERTIFICATES, "Issuer", authority, name, spec=signer, after=[ca.id], gate=ready)
        yield second
        issuer, after = {"kind": "Issuer", "name": authority}, [second.id]
    server = {
        "secretName": f"{name}-tls",
        "dnsNames": [listener.host for listener in plan.listeners],
        "privateKey": key,
        "duration": "2160h",  # 90 days: what public and most company issuers grant
        "renewBefore": "720h",  # a month to mend an issuer that fails
        "usages": ["digital signature", "server auth"],
        "issuerRef": issuer,
    }
    yield maker.kubernetes(CERTIFICATES, "Certificate", name, name, spec=server, after=after, gate=ready)


def _processor(plan: GatewayPlan, maker: Maker) -> KubernetesRow:
    """The container beside each proxy that reads bodies."""
    hidden = "false" if plan.log_prompts else "true"
    environment = [
        {"name": "DISABLE_PPROF", "value": "true"},  # its heap holds prompts
        {"name": "OPENINFERENCE_HIDE_INPUTS", "value": hidden},
        {"name": "OPENINFERENCE_HIDE_OUTPUTS", "value": hidden},
        {"name": "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "value": str(plan.log_prompts).lower()},
    ]
    if plan.traces_to:
        environment += [
            {"name": "OTEL_SERVICE_NAME", "value": plan.identity},
            {"name": "OTEL_TRACES_EXPORTER", "value": "otlp"},
            {"name": "OTEL_METRICS_EXPORTER", "value": "none"},  # they are scraped already
            {"name": "OTEL_EXPORTER_OTLP_PROTOCOL", "value": "http/protobuf"},
            {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": plan.traces_to},
        ]
    resources = {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    spec = {"extProc": {"kubernetes": {"env": environment, "resources": resources}}}
    after = [capability("ai-gateway")]
    return maker.kubernetes(AI_API, "GatewayConfig", plan.identity, plan.identity, spec=spec, after=after)


def _gateway(plan: GatewayPlan, maker: Maker) -> KubernetesRow:
    among = sorted({plan.identity, *(model.namespace for model in plan.models)})
    chosen = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": among}]}
    listeners = [
        {
            "name": listener.name,
            "port": 443,
            "protocol": "HTTPS",
            "hostname": listener.host,
            "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": f"{plan.identity}-tls"}]},
            "allowedRoutes": {"namespaces": {"from": "Selector", "selector": chosen}},
        }
        for listener in plan.listeners
    ]
    return maker.kubernetes(
        f"{GATEWAY}/v1",
        "Gateway",
        plan.identity,
        plan.identity,
        annotations={f"{AI}/gateway-config": plan.identity},
        spec={"gatewayClassName": plan.identity, "listeners": listeners},
        after=[
            f"GatewayClass.{GATEWAY}/{plan.identity}",
            f"GatewayConfig.{AI}/{plan.identity}/{plan.identity}",
            f"Certificate.cert-manager.io/{plan.identity}/{plan.identity}",
        ],
        gate=Gate("Programmed"),
    )


def _client_traffic(plan: GatewayPlan, maker: Maker, gateway: KubernetesRow) -> KubernetesRow:
    spec = {
        "targetRefs": [{"group": GATEWAY, "kind": "Gateway", "name": plan.identity}],
        "tls": {"minVersion": "1.2"},
        "headers": {
            "withUnderscoresAction": "RejectRequest",
            "earlyRequestHeaders": _early(plan),
            "requestID": "Generate",  # one that a client chose could name the request of another
        },
        "connection": {"bufferLimit": "8Mi"},
        "timeout": {
            "http": {
                "requestReceivedTimeout": "60s",
                "idleTimeout": f"{plan.idle_timeout_s}s",
                "streamIdleTimeout": f"{plan.longest_s}s",
            }
        },
    }
    kind = "ClientTrafficPolicy"
    return maker.kubernetes(ENVOY_API, kind, plan.identity, plan.identity, spec=spec, after=[gateway.id])


def _early(plan: GatewayPlan) -> Tree:
    """What becomes of headers before anything reads them. An id is made for each request; the one that it came with is
    kept beside it where sites of ours hand requests on. Source: Envoy documentation, early header mutation."""
    kept = {"set": [{"name": CALLER_ID, "value": "%REQ(X-REQUEST-ID)%"}]} if plan.hands_on else {}
    return {"remove": list(ONLY_OURS), **kept}


def _traffic(plan: GatewayPlan, maker: Maker) -> KubernetesRow:
    """Who reaches the proxies, and whom they reach."""
    label = "kubernetes.io/metadata.name"
    peers: list[Tree] = [{"namespaceSelector": {"matchLabels": {label: name}}} for name in plan.callers]
    checked = plan.balancer.checks_from if plan.balancer else ()
    peers.extend({"ipBlock": {"cidr": cidr}} for cidr in (*plan.clients, *checked))
    # An empty list of peers would let everybody in, no rule lets nobody.
    ingress = [{"from": peers, "ports": [{"port": HTTPS_PORT, "protocol": "TCP"}]}] if peers else []
    spec = {
        "podSelector": {"matchLabels": owner(plan.identity)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": ingress,
        "egress": outside.rules(plan.reaches),
    }
    name = f"{plan.identity}-clients"
    after = [capability("envoy-gateway")]
    return maker.kubernetes("networking.k8s.io/v1", "NetworkPolicy", name, PROXY_NAMESPACE, spec=spec, after=after)
