"""What a person writes about observability: what is kept, how long, what is promised, and whether text may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from aifactory.components.catalog import ModelKey
from aifactory.components.demand import DataClass
from aifactory.components.forms import SecretName
from aifactory.components.names import Name
from aifactory.components.spec import Misfit, PartSpec, Spec, truth, twice


class Retention(Spec):
    """How long each signal is kept at the site. Sinks keep what they keep."""

    metrics_days: int = Field(default=15, ge=1, le=400)
    """Days that Prometheus keeps metrics. Unit: days. Default 15: two weeks show a weekly rhythm; what must be kept for
    longer goes to a sink."""

    metrics_gib: int | None = Field(default=None, ge=10, le=10_000)
    """Volume of Prometheus. Old metrics go before it is full. Unit: GiB. Default: 200, room for a site to grow; where
    that is over a tenth of what the StorageClass holds, what the series need."""

    logs_days: int = Field(default=30, ge=1, le=3_650)
    """Days that logs are kept. Unit: days. Default 30: most incidents are looked into within a month."""

    traces_days: int = Field(default=7, ge=1, le=400)
    """Days that traces are kept. Unit: days. Default 7: they explain what happened this week."""


class Rates(Spec):
    """How much is collected, at most. Volumes, buffers and memory follow from it."""

    series: int | None = Field(default=None, ge=1_000, le=100_000_000)
    """Series that Prometheus keeps: prometheus_tsdb_head_series once it runs. Default: 40,000 and 4,000 a node, a
    starting point."""

    log_lines_per_s: float = Field(default=20.0, gt=0, le=1_000_000)
    """Lines that all containers of a node write, without those of requests. Unit: lines per s. Default 20, a starting
    point."""

    program_lines_per_s: float = Field(default=2.0, ge=0, le=1_000_000)
    """Lines that programs of the site send by OTLP. Unit: lines per s. Default 2, a starting point."""

    spans_per_request: float = Field(default=3.0, gt=0, le=10_000)
    """Spans of one request to a model. Default 3: two of the door, one of the engine. Programs that send their own add
    to it."""

    forwarded_series: int = Field(default=3_000, ge=10, le=10_000_000)
    """Series that leave the site, where an otlp sink takes metrics: those that alerts and dashboards ask for. Default
    3000, a starting point."""


class Promise(Spec):
    """What users of a model are promised, beside its demand."""

    model: ModelKey
    """Model that it is about, by its name in the catalog."""

    ttft_p99_ms: float = Field(gt=0, le=600_000)
    """Time to the first token that 99 of 100 requests must keep. Unit: ms."""


class Limits(Spec):
    """When somebody is called."""

    waiting_minutes: int = Field(default=5, ge=1, le=120)
    """Time that requests may wait for a replica without a pause. Unit: minutes. Default 5: autoscaling has had its turn
    by then."""

    kv_cache_percent: int = Field(default=90, ge=50, le=100)
    """Use of a replica's KV cache. Unit: percent. Default 90: above it the engine drops requests and begins them
    again."""

    queue_minutes: int = Field(default=60, ge=5, le=10_080)
    """Time that a queue may have work that waits. Unit: minutes. Default 60."""

    gateway_errors_percent: float = Field(default=1.0, gt=0, le=100)
    """Share of answers with a 5xx code. Unit: percent. Default 1."""

    certificate_days: int = Field(default=14, ge=1, le=89)
    """Days before a certificate ends. Unit: days. Default 14: renewal begins a month before, so two weeks of it have
    failed."""

    storage_percent: int = Field(default=85, ge=50, le=99)
    """Fill of a volume, of a pool of Ceph, and of local drives of a node. Unit: percent. Default 85: there is time to
    order."""

    budget_percent: int = Field(default=80, ge=10, le=98)
    """Share of what a tenant may spend in a month. Unit: percent. Default 80: there is time to raise it, or to use
    less. When all of it is spent the door refuses, and that calls, too."""


class ObservabilitySpec(PartSpec):
    """Metrics, logs, traces, dashboards and alerts of a site, for exactly the parts that are there."""

    kind: Literal["observability"]
    """Prometheus, collectors, and where logs and traces go."""

    signals: list[Literal["logs", "traces"]] = Field(default=["logs", "traces"], max_length=2)
    """What is collected besides metrics. Each needs a destination at the site. Default: both."""

    data_class: DataClass | None = None
    """Class of the telemetry itself. Its rules bind each destination, beside those of the models that are watched.
    Default none: the classes of the models alone."""

    prompt_text: Literal["drop", "keep"] = "drop"
    """Whether text of prompts and answers is kept where programs send it. keep needs classes whose rules say
    prompts_in_telemetry. Default drop: attributes that are not known to hold none, and bodies of logs of whoever sees
    prompts, are dropped before they leave the pod of the collector."""

    traces_percent: float = Field(default=10.0, gt=0, le=100)
    """Share of traces that is kept. Unit: percent. Default 10: enough to see where time goes."""

    retention: Retention = Retention()
    """How long signals are kept. Default: see its fields."""

    rates: Rates = Rates()
    """How much is collected. Default: see its fields."""

    promises: list[Promise] = Field(default=[], max_length=200)
    """Times to the first token that are promised. A ttft_ms in the demand counts too, where none stands here. Default
    none."""

    limits: Limits = Limits()
    """When somebody is called. Default: see its fields."""

    storage_class: Name | None = None
    """StorageClass, or storage tier, of the volumes of Prometheus, Alertmanager, Loki and Tempo. Not one of NFS, which
    Prometheus doesn't support. Default: the first block tier, else the cluster's own class."""

    grafana_secret: SecretName = "grafana-admin"  # noqa: S105 - the name of a Secret, no secret
    """Secret with admin-user and admin-password in namespace monitoring. Default grafana-admin."""

    @truth
    def _signals_are_listed_once(self) -> Iterator[Misfit]:
        for index in twice(list(self.signals)):
            yield Misfit(f'"{self.signals[index]}" is listed twice', "name each signal once", ("signals", index))

    @truth
    def _a_model_has_one_promise(self) -> Iterator[Misfit]:
        models = [promise.model for promise in self.promises]
        for index in twice(models):
            says = f'"{models[index]}" has two promises'
            yield Misfit(says, "give each model one", ("promises", index, "model"))
