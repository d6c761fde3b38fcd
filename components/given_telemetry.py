"""Where telemetry of a site may go: an object store, and sinks that somebody runs, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from aifactory.components.forms import Cidr, Country, Line, SecretName
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, Spec, truth, twice

_HOST = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")]
"""The name of a bucket: 3 to 63 lower-case letters, digits and -."""

Signal = Literal["logs", "traces", "metrics"]
"""A kind of telemetry that is sent by OTLP."""


class TelemetryPlace(Spec):
    """Where a destination stands and who can be ordered to hand over what it holds."""

    country: Country
    """Country the machines stand in."""

    operator: Line = Field(min_length=1, max_length=80)
    """Name of the company that runs it."""

    nationality: Country
    """Country of that company's ultimate parent."""


class TelemetryStore(Spec):
    """An S3-compatible object store that exists."""

    endpoint: str = Field(max_length=200, pattern=rf"^{_HOST}(:[1-9][0-9]{{0,4}})?$")
    """Host, and port where it isn't 443. It is always reached by TLS."""

    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9][-a-z0-9]{0,39}$")
    """Region that requests are signed for. Default us-east-1: what stores without regions expect."""

    logs: Bucket | None = None
    """Bucket for logs. Default none: logs don't go there."""

    traces: Bucket | None = None
    """Bucket for traces. Default none: traces don't go there."""

    secret: SecretName
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the namespaces loki and tempo as far as they are
    used."""

    networks: list[Cidr] = Field(default=[], max_length=20)
    """Networks that it is in. Default none: its port may be reached at any address, which is warned of."""

    place: TelemetryPlace | None = None
    """Where it stands. Without it nothing is sent there. Default none."""

    @property
    def port(self) -> int:
        """TCP port."""
        return int(self.endpoint.partition(":")[2] or 443)


class TelemetrySink(Spec):
    """A destination that somebody runs already."""

    name: Name
    """Name of the sink, unique at the site."""

    kind: Literal["otlp", "loki", "prometheus", "alerts", "heartbeat"]
    """otlp: takes signals by OTLP over HTTP. loki: takes logs. prometheus: takes metrics by remote write. alerts: takes
    alerts as webhooks of Alertmanager. heartbeat: takes a webhook every 5 minutes, and calls somebody when none
    comes: a dead man's switch, which stands elsewhere."""

    signals: list[Signal] = Field(default=[], max_length=3)
    """What an otlp sink takes. Default none: for the other kinds, which say it by themselves."""

    url: str = Field(max_length=300, pattern=rf"^https?://{_HOST}(:[1-9][0-9]{{0,4}})?(/[A-Za-z0-9._~-]+)*/?$")
    """Address without credentials, such as https://loki.example.com. Of a loki sink without /loki or /otlp; of a
    prometheus one with the path of remote write."""

    secret: SecretName | None = None
    """Secret with a key `token`, which is sent as bearer token. Default none: the sink asks for none."""

    organisation: Name | None = None
    """Tenant of a loki sink, sent as X-Scope-OrgID. Default none: the sink has no tenants."""

    networks: list[Cidr] = Field(default=[], max_length=20)
    """Networks that it is in. Default none: its port may be reached at any address, which is warned of."""

    place: TelemetryPlace | None = None
    """Where it stands. Without it nothing is sent there. Default none."""

    @truth
    def _signals_are_those_of_its_kind(self) -> Iterator[Misfit]:
        if self.kind == "otlp" and not self.signals:
            yield Misfit("an otlp sink that takes nothing", "write signals: [logs, traces]", ("kind",))
        if self.kind != "otlp" and self.signals:
            yield Misfit(f"signals of a sink of kind {self.kind}", "delete signals: the kind says it", ("signals",))
        for index in twice(list(self.signals)):
            yield Misfit(f'"{self.signals[index]}" is listed twice', "name each signal once", ("signals", index))
        if self.organisation and self.kind != "loki":
            yield Misfit("organisation is for sinks of kind loki", "delete it", ("organisation",))

    @property
    def takes(self) -> tuple[str, ...]:
        """Signals that it takes; alerts and signs of life count as one each."""
        own: dict[str, tuple[str, ...]] = {"loki": ("logs",), "prometheus": ("metrics",)}
        own |= {kind: (kind,) for kind in ("alerts", "heartbeat")}
        return own.get(self.kind, tuple(self.signals))

    @property
    def port(self) -> int:
        """TCP port."""
        scheme, _, rest = self.url.partition("://")
        return int(rest.partition("/")[0].partition(":")[2] or {"http": 80, "https": 443}[scheme])


class TelemetryGiven(Spec):
    """What exists for telemetry at the site, or is reached from there."""

    store: TelemetryStore | None = None
    """Object store for logs and traces that are kept by releases of ours. Default none."""

    sinks: list[TelemetrySink] = Field(default=[], max_length=20)
    """Destinations that others run. A signal goes to its sink; without one it is kept in the store. Default none."""

    @truth
    def _a_signal_goes_to_one_sink(self) -> Iterator[Misfit]:
        for index in twice([sink.name for sink in self.sinks]):
            says = f'"{self.sinks[index].name}" is the name of two sinks'
            yield Misfit(says, "give each its own", ("sinks", index, "name"))
        seen: dict[str, str] = {}
        for index, sink in enumerate(self.sinks):
            for signal in sink.takes:
                if signal in seen:
                    says = f"{signal} would go to {seen[signal]} and to {sink.name}"
                    yield Misfit(says, "let one sink take them, which may pass them on", ("sinks", index))
                seen.setdefault(signal, sink.name)
