"""Spans of requests: where those of proxies and engines go, and what proxies tag them with.

Every span is sent; the collector keeps a share by trace id, so that a trace is kept whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from aifactory.components.base import PlanContext
from aifactory.components.offers import TelemetryOffer

Tree = dict[str, object]
GRPC = 4317
SITE_TAG = "aifactory.site"
TENANT_TAG = "tenant.id"
"""As Envoy AI Gateway names it in metrics."""
MODEL_TAG = "gen_ai.request.model"
REQUEST_TAG = "http.request.id"
REQUEST_HEADER = "x-request-id"


class SpanSink(Struct, frozen=True):
    """The collector that takes spans, by OTLP over gRPC without TLS, inside the cluster."""

    namespace: str
    service: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.service}.{self.namespace}.svc:{GRPC}"


def collector_of(ctx: PlanContext) -> TelemetryOffer | None:
    """The collector of the site, where one keeps traces."""
    return next((offer for offer in ctx.offers(TelemetryOffer) if offer.traces), None)


def span_sink(ctx: PlanContext) -> SpanSink | None:
    """The same, as senders of spans know it."""
    found = collector_of(ctx)
    return SpanSink(found.namespace, found.service) if found else None


def explain_spans(to: SpanSink | None, what: str, ctx: PlanContext) -> SpanSink | None:
    """Record whether spans are sent."""
    sent = to.url if to else "none"
    reason = f"{what}; the collector drops text and keeps its share" if to else "no part of the site keeps traces"
    ctx.decide("spans", sent, reason)
    return to


def envoy_tracing(to: SpanSink | None, site: str, headers: Mapping[str, str]) -> Tree:
    """What an EnvoyProxy has in `telemetry` of spans, nothing where nobody keeps them. `headers`: tags, and the headers
    that they are read from once a request has ended, so that they are those which rules and routes saw."""
    if to is None:
        return {}
    tags: Tree = {SITE_TAG: {"type": "Literal", "literal": {"value": site}}}
    for tag, header in {**headers, REQUEST_TAG: REQUEST_HEADER}.items():
        tags[tag] = {"type": "RequestHeader", "requestHeader": {"name": header}}
    collector = {"name": to.service, "namespace": to.namespace, "port": GRPC}
    return {
        "tracing": {
            "samplingRate": 100,
            "provider": {"type": "OpenTelemetry", "backendRefs": [collector]},
            "customTags": tags,
        }
    }
