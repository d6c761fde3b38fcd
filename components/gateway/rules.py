"""What the plan of a gateway must keep."""

from __future__ import annotations

from aifactory.components.rules import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "GTW-001",
        "error",
        "A gateway leads to models",
        "A listener without routes answers 404 to everybody.",
        "envoyproxy/ai-gateway, AIGatewayRoute",
    ),
    Rule(
        "GTW-002",
        "error",
        "A gateway for the site knows the site's clients",
        "A load balancer without source ranges is open to whoever reaches its address.",
        "Kubernetes documentation, Service, loadBalancerSourceRanges",
    ),
    Rule(
        "GTW-003",
        "error",
        "A name that requests carry stands for one model",
        "Of two rules with one match the older wins; the other model, with other tenants and places, gets nothing.",
        "Gateway API, HTTPRoute, precedence of matches",
    ),
    Rule(
        "GTW-004",
        "error",
        "A request may take as long as the longest answer",
        "A shorter timeout cuts a streamed answer off, after its GPU time is spent.",
        "Gateway API, HTTPRoute timeouts",
    ),
    Rule(
        "GTW-005",
        "error",
        "The host names fit a certificate",
        "A common name has 64 characters at most; many issuers copy the first DNS name into it.",
        "RFC 5280, ub-common-name",
    ),
    Rule(
        "GTW-006",
        "warning",
        "The gateway outlives a node",
        "One proxy is gone while its node drains, and each model with it.",
        "Kubernetes documentation, disruptions",
    ),
    Rule(
        "GTW-007",
        "warning",
        "Somebody can reach it",
        "A gateway inside the cluster lets namespaces of tenants and callers through; without any, nobody gets in.",
        "Kubernetes documentation, Network Policies",
    ),
    Rule(
        "GTW-008",
        "warning",
        "Each served model has a route",
        "A model that no door leads to holds GPUs for nobody.",
        "envoyproxy/ai-gateway, AIGatewayRoute",
    ),
    Rule(
        "GTW-009",
        "warning",
        "A pool's router chooses the server",
        "A rule that leads to an InferencePool has no other backend, and its name, weight and order are ignored. With "
        "an alias, a share or a failover the Service in front of the same servers is asked, which knows neither queues "
        "nor prompts that a server has computed.",
        "envoyproxy/ai-gateway, AIGatewayRoute, rules of its definition",
    ),
    Rule(
        "GTW-010",
        "error",
        "Weights of one order sum to 100",
        "A share that is written must be the share that happens; Envoy divides by the sum without a word.",
        "Gateway API, HTTPRoute, backendRefs weight",
    ),
    Rule(
        "GTW-011",
        "error",
        "Data stays where its class may be",
        "A failover is a transfer like any other. A place, an operator or a class that nobody states is unknown, and "
        "unknown is no permission.",
        "Regulation (EU) 2016/679, chapter V; CLOUD Act, 18 U.S.C. 2713",
    ),
    Rule(
        "GTW-012",
        "error",
        "Each model has a tenant that can sign in",
        "The gateway is closed to whoever isn't named: a model without tenants, or whose tenants have neither tokens "
        "nor a key, is one that nobody reaches.",
        "envoyproxy/gateway, SecurityPolicy authorization",
    ),
    Rule(
        "GTW-013",
        "error",
        "Limits have a store that all proxies count in",
        "Without one each request would pass, or each proxy would count for itself.",
        "envoyproxy/gateway, global rate limit",
    ),
    Rule(
        "GTW-014",
        "error",
        "A limit of spend has a price for each place that the tenant's requests may go to",
        "A place without a price would be free of charge, and the limit would never be reached there.",
        "envoyproxy/ai-gateway, llmRequestCosts",
    ),
    Rule(
        "GTW-015",
        "warning",
        "Each tenant has a limit of tokens",
        "One tenant's loop would use what all others share.",
        "OWASP Top 10 for LLM Applications, unbounded consumption",
    ),
    Rule(
        "GTW-016",
        "error",
        "Limits are those of tenants that may call",
        "A limit for a name that no caller has limits nobody.",
        "envoyproxy/gateway, BackendTrafficPolicy clientSelectors",
    ),
    Rule(
        "GTW-017",
        "error",
        "Prompts are written down only where their class allows it",
        "A trace with prompts is a copy of the data in another place, with other readers and another life.",
        "Regulation (EU) 2016/679, article 5",
    ),
    Rule(
        "GTW-018",
        "warning",
        "Limits are kept when their store is gone",
        "Envoy lets requests through when the rate limit service doesn't answer, unless its operator is told to fail "
        "closed, which a given one can't be told from here.",
        "envoyproxy/gateway, EnvoyGateway rateLimit.failClosed",
    ),
    Rule(
        "GTW-019",
        "error",
        "Orders begin at 0 and leave none out",
        "Envoy refuses endpoints whose priorities have a gap, and with them the whole route.",
        "Envoy documentation, priority levels",
    ),
    Rule(
        "GTW-020",
        "error",
        "A credential is one that the provider's API takes",
        "A key in the wrong header is a 401 at the first failover, when it is needed.",
        "envoyproxy/ai-gateway, BackendSecurityPolicy",
    ),
    Rule(
        "GTW-021",
        "warning",
        "Hosts that proxies call are held to their networks",
        "A proxy sees every prompt. NetworkPolicies know addresses and no names, so a host whose networks nobody "
        "states opens its port to the whole world.",
        "Kubernetes documentation, Network Policies, what you can't do",
    ),
    Rule(
        "GTW-022",
        "error",
        "A provider is where its region is",
        "A country that is written for a region elsewhere would let data go where its class may not be.",
        "The catalog's regions; Regulation (EU) 2016/679, chapter V",
    ),
    Rule(
        "GTW-023",
        "error",
        "A model outside answers from its region",
        "An inference profile of Bedrock sends requests to other regions when its own is full.",
        "Amazon Bedrock user guide, cross-region inference",
    ),
    Rule(
        "GTW-024",
        "warning",
        "Limits hold the demand that the blueprint states",
        "A tenant that is cut off at what it was said to need was limited by mistake, and GPUs bought for it stand "
        "idle.",
        "envoyproxy/gateway, BackendTrafficPolicy rateLimit.global",
    ),
    Rule(
        "GTW-025",
        "warning",
        "The store of limits is asked over TLS, and asks who comes",
        "Whoever reaches an open store deletes a count, and with it a limit.",
        "Redis documentation, security; envoyproxy/gateway, EnvoyGateway rateLimit.backend.redis.tls",
    ),
    Rule(
        "GTW-026",
        "error",
        "Who signs in by workload identity is given one",
        "Outside of the account nobody gives a pod a role, and a role of one partition of AWS is unknown in another: "
        "each request would be a 403.",
        "Amazon EKS User Guide, pod-identities; AWS IAM User Guide, partitions",
    ),
    Rule(
        "GTW-027",
        "error",
        "Bedrock is asked by the name that requests are signed for",
        "A signature holds the name of the host: under another name each request is a 403.",
        "envoyproxy/ai-gateway internal/backendauth/aws.go",
    ),
    Rule(
        "GTW-028",
        "error",
        "A way leads to each region of Bedrock",
        "An endpoint of a VPC leads to its own region. Where nothing leaves the VPC, packets to another are lost.",
        "AWS PrivateLink guide, interface endpoints",
    ),
    Rule(
        "GTW-029",
        "error",
        "A role names the models that it may ask for",
        "A request to an inference profile needs permission for the model in each region that may answer. Regions that "
        "nobody states would have to be any region.",
        "Amazon Bedrock User Guide, inference-profiles-prereq",
    ),
    Rule(
        "GTW-030",
        "error",
        "A bound of parallel requests is one bound",
        "Envoy counts requests by rule. A tenant whose names and callers don't fit one rule would get its bound once "
        "for each of them.",
        "envoyproxy/gateway, BackendTrafficPolicy circuitBreaker; Gateway API, HTTPRoute, matches of a rule",
    ),
    Rule(
        "GTW-031",
        "error",
        "A site that requests are handed on to has this gateway",
        "A failover to a site of the blueprint without this gateway leads nowhere when it is needed.",
        "The blueprint's placement; the site's endpoints",
    ),
    Rule(
        "GTW-032",
        "error",
        "What is written of a site of ours is what its file says",
        "A country that is written for a site elsewhere would let data go where its class may not be.",
        "The site's file; Regulation (EU) 2016/679, chapter V",
    ),
    Rule(
        "GTW-033",
        "error",
        "A request is handed on to another site once",
        "Two sites that are both full would hand a request to each other until it times out, and one that the tenant "
        "may not use there is refused.",
        "Envoy documentation, retries; envoyproxy/ai-gateway, AIGatewayRoute",
    ),
    Rule(
        "GTW-034",
        "error",
        "Callers that another site answers sign in with tokens",
        "A key is taken from the request where it was checked, and the other site would answer 401.",
        "envoyproxy/gateway, SecurityPolicy apiKeyAuth.sanitize",
    ),
    Rule(
        "GTW-035",
        "error",
        "Clients of the site have a way to its load balancer",
        "It has private addresses alone: answers to networks that no way leads to are lost.",
        "Elastic Load Balancing User Guide, internal load balancers",
    ),
    Rule(
        "GTW-036",
        "error",
        "A load balancer is one that the venue makes",
        "A Service of a class that no controller answers to waits for ever, and an address that is asked of one at AWS "
        "is passed over.",
        "kubernetes-sigs/aws-load-balancer-controller docs/guide/service/nlb.md",
    ),
    Rule(
        "GTW-037",
        "warning",
        "A load balancer outlasts the silence of a model",
        "A connection that it has forgotten is reset at the next byte, after the GPU time is spent.",
        "Elastic Load Balancing User Guide, network load balancers, connection idle timeout",
    ),
)
