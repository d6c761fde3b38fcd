"""The rows of an endpoint: class and proxies, certificate, listener, routes, and who gets through."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components import outside, pods
from aifactory.components.endpoint.decided import HTTPS_PORT, PROXY_NAMESPACE, EndpointPlan, RoutePlan
from aifactory.components.rows import Gate, KubernetesRow, Maker, Row, Tree, Wave, capability
from aifactory.components.tracing import MODEL_TAG, envoy_tracing

GATEWAY = "gateway.networking.k8s.io"
ENVOY = "gateway.envoyproxy.io"
CERTIFICATES = "cert-manager.io/v1"
MODEL_HEADER = "x-aifactory-model"
SERVER_IDLE_S = 90
"""Time after which a proxy closes an idle connection to a server. Shorter than the server's own, 120 s: one that closes
first answers a request that just left with a reset."""
ACCESS_LOG = {
    "start": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "route": "%ROUTE_NAME%",
    "code": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "duration_ms": "%DURATION%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
"""No path, whose query may carry secrets, no header that may, and never a body."""


def rows(plan: EndpointPlan, maker: Maker) -> Iterator[Row]:
    """Everything between a client and the Services or pools of models."""
    proxies = _proxies(plan, maker)
    yield proxies
    reference = {"group": ENVOY, "kind": "EnvoyProxy", "name": plan.identity, "namespace": PROXY_NAMESPACE}
    spec = {"controllerName": f"{ENVOY}/gatewayclass-controller", "parametersRef": reference}
    yield maker.kubernetes(f"{GATEWAY}/v1", "GatewayClass", plan.identity, spec=spec, after=[proxies.id])
    yield from _certificates(plan, maker)
    gateway = _gateway(plan, maker)
    yield gateway
    yield _client_traffic(plan, maker, gateway)
    yield _clients(plan, maker)
    if plan.reach == "cluster":
        name = {"type": "ExternalName", "externalName": f"{plan.proxies}.{PROXY_NAMESPACE}.svc.cluster.local"}
        yield maker.kubernetes("v1", "Service", plan.host.partition(".")[0], plan.identity, spec=name)
    for route in plan.routes:
        made = _route(plan, route, maker, gateway)
        yield made
        yield _backend_traffic(route, maker, made)


def _proxies(plan: EndpointPlan, maker: Maker) -> KubernetesRow:
    resources = {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}}
    kubernetes: Tree = {
        "envoyDeployment": {
            "replicas": plan.replicas,
            "pod": {"topologySpreadConstraints": [pods.spread(_owner(plan))], "tolerations": pods.CONTROL_NODES},
            "container": {"resources": resources},
        },
        "envoyService": _service(plan),
    }
    if plan.replicas > 1:
        kubernetes["envoyPDB"] = {"minAvailable": 1}
    sink = {"type": "File", "file": {"path": "/dev/stdout"}}
    log = {"settings": [{"format": {"type": "JSON", "json": ACCESS_LOG}, "sinks": [sink]}]}
    drain = max(route.timeout_s for route in plan.routes)
    spec = {
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
        "telemetry": {"accessLog": log, **envoy_tracing(plan.spans, plan.site, {MODEL_TAG: MODEL_HEADER})},
        "logging": {"level": {"default": "warn"}},
        "shutdown": {"drainTimeout": f"{drain}s", "minDrainDuration": "10s"},
    }
    after = [capability("envoy-gateway")]
    return maker.kubernetes(f"{ENVOY}/v1alpha1", "EnvoyProxy", plan.identity, PROXY_NAMESPACE, spec=spec, after=after)


def _service(plan: EndpointPlan) -> Tree:
    if plan.reach == "cluster":
        return {"name": plan.proxies, "type": "ClusterIP"}
    service: Tree = {
        "name": plan.proxies,
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "loadBalancerSourceRanges": list(plan.clients),
    }
    if plan.address:
        service["loadBalancerIP"] = plan.address
    if plan.load_balancer_class:
        service["loadBalancerClass"] = plan.load_balancer_class
    return service


def _certificates(plan: EndpointPlan, maker: Maker) -> Iterator[KubernetesRow]:
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
        "dnsNames": [plan.host],
        "privateKey": key,
        "duration": "2160h",  # 90 days: what public and most company issuers grant
        "renewBefore": "720h",  # a month to mend an issuer that fails
        "usages": ["digital signature", "server auth"],
        "issuerRef": issuer,
    }
    yield maker.kubernetes(CERTIFICATES, "Certificate", name, name, spec=server, after=after, gate=ready)


def _gateway(plan: EndpointPlan, maker: Maker) -> KubernetesRow:
    among = sorted({route.namespace for route in plan.routes})
    chosen = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": among}]}
    listener = {
        "name": "https",
        "port": 443,
        "protocol": "HTTPS",
        "hostname": plan.host,
        "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": f"{plan.identity}-tls"}]},
        "allowedRoutes": {"namespaces": {"from": "Selector", "selector": chosen}},
    }
    return maker.kubernetes(
        f"{GATEWAY}/v1",
        "Gateway",
        plan.identity,
        plan.identity,
        spec={"gatewayClassName": plan.identity, "listeners": [listener]},
        after=[
            f"GatewayClass.{GATEWAY}/{plan.identity}",
            f"Certificate.cert-manager.io/{plan.identity}/{plan.identity}",
        ],
        gate=Gate("Programmed"),
    )


def _client_traffic(plan: EndpointPlan, maker: Maker, gateway: KubernetesRow) -> KubernetesRow:
    spec = {
        "targetRefs": [{"group": GATEWAY, "kind": "Gateway", "name": plan.identity}],
        "tls": {"minVersion": "1.2"},
        "headers": {"withUnderscoresAction": "RejectRequest"},
        "connection": {"bufferLimit": "8Mi"},
        "timeout": {"http": {"requestReceivedTimeout": "60s", "idleTimeout": f"{plan.idle_timeout_s}s"}},
    }
    kind = "ClientTrafficPolicy"
    return maker.kubernetes(f"{ENVOY}/v1alpha1", kind, plan.identity, plan.identity, spec=spec, after=[gateway.id])


def _clients(plan: EndpointPlan, maker: Maker) -> KubernetesRow:
    label = "kubernetes.io/metadata.name"
    peers: list[Tree] = [{"namespaceSelector": {"matchLabels": {label: name}}} for name in plan.callers]
    peers.extend({"ipBlock": {"cidr": cidr}} for cidr in plan.clients)
    # An empty list of peers would let everybody in, no rule lets nobody.
    ingress = [{"from": peers, "ports": [{"port": HTTPS_PORT, "protocol": "TCP"}]}] if peers else []
    spec = {
        "podSelector": {"matchLabels": _owner(plan)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": ingress,
        "egress": outside.rules(plan.reaches),
    }
    name = f"{plan.identity}-clients"
    after = [capability("envoy-gateway")]
    return maker.kubernetes("networking.k8s.io/v1", "NetworkPolicy", name, PROXY_NAMESPACE, spec=spec, after=after)


def _route(plan: EndpointPlan, route: RoutePlan, maker: Maker, gateway: KubernetesRow) -> KubernetesRow:
    backend: Tree = {"name": route.backend_name, "port": route.port}
    if route.backend == "InferencePool":
        backend = {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": route.backend_name}
    rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v1"}}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": route.path}}],
        "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}, *_marks(plan, route)],
        "timeouts": {"request": f"{route.timeout_s}s", "backendRequest": f"{route.timeout_s}s"},
        "backendRefs": [backend],
    }
    parent = {"name": plan.identity, "namespace": plan.identity, "sectionName": "https"}
    spec = {"parentRefs": [parent], "hostnames": [plan.host], "rules": [rule]}
    return maker.kubernetes(
        f"{GATEWAY}/v1",
        "HTTPRoute",
        route.name,
        route.namespace,
        spec=spec,
        after=[gateway.id, *route.after],
        wave=Wave.WORKLOADS,
    )


def _marks(plan: EndpointPlan, route: RoutePlan) -> list[Tree]:
    """The model of the route as a header, from which the proxy tags its span: whatever a client wrote is replaced."""
    if plan.spans is None:
        return []
    header = {"name": MODEL_HEADER, "value": route.model}
    return [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [header]}}]


def _backend_traffic(route: RoutePlan, maker: Maker, made: KubernetesRow) -> KubernetesRow:
    """Retries end where bytes begin: an answer that streams is never asked for twice."""
    http = {"requestTimeout": f"{route.timeout_s}s", "connectionIdleTimeout": f"{SERVER_IDLE_S}s"}
    spec: Tree = {
        "targetRefs": [{"group": GATEWAY, "kind": "HTTPRoute", "name": route.name}],
        "timeout": {"http": http},
        "retry": {"numRetries": 1, "retryOn": {"triggers": ["connect-failure", "reset-before-request"]}},
        "circuitBreaker": {"maxParallelRequests": 4096, "maxPendingRequests": 1024},
    }
    if route.backend == "Service":
        spec["loadBalancer"] = {"type": "LeastRequest"}
    kind = "BackendTrafficPolicy"
    after, wave = [made.id], Wave.WORKLOADS
    return maker.kubernetes(f"{ENVOY}/v1alpha1", kind, route.name, route.namespace, spec=spec, after=after, wave=wave)


def _owner(plan: EndpointPlan) -> dict[str, str]:
    return {f"{ENVOY}/owning-gateway-name": plan.identity, f"{ENVOY}/owning-gateway-namespace": plan.identity}
