"""Values of the releases that this part needs: Prometheus with Grafana and Alertmanager, Loki, Tempo."""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components.capabilities import METRICS_NAMESPACE
from aifactory.components.given_telemetry import TelemetrySink, TelemetryStore
from aifactory.components.observability.decided import LOKI, LOKI_PORT, TEMPO, TEMPO_PORT
from aifactory.components.observability.spec import ObservabilitySpec

Tree = dict[str, object]
SCHEMA_FROM = "2024-04-01"
"""Day from which Loki's form of data is that of today. It never changes: older data would not be found."""


def prometheus(
    spec: ObservabilitySpec,
    factory: str,
    site: str,
    *,
    gib: int,
    managers: int,
    remote: TelemetrySink | None,
    pager: TelemetrySink | None,
    stored: Iterable[str],
) -> Tree:
    """Values of kube-prometheus-stack."""
    keep = spec.retention
    own: Tree = {
        "retention": f"{keep.metrics_days}d",
        "retentionSize": f"{gib * 85 // 100}GB",
        "enableOTLPReceiver": True,
        "otlp": {"promoteResourceAttributes": ["service.name", "k8s.namespace.name", "aifactory.tenant"]},
        "externalLabels": {"factory": factory, "site": site},
    }
    if remote:
        own["remoteWrite"] = [_remote(remote)]
    values: Tree = {"prometheus": {"prometheusSpec": own}, "grafana": grafana(spec, stored)}
    if pager:
        values["alertmanager"] = _alertmanager(pager, managers)
    return values


def small(mib: int, milli_cpus: int) -> Tree:
    """Requests of a Prometheus with few series, as they differ from what its release has anyway."""
    resources = {"requests": {"cpu": f"{milli_cpus}m", "memory": f"{mib}Mi"}, "limits": {"memory": f"{2 * mib}Mi"}}
    return {"prometheus": {"prometheusSpec": {"resources": resources}}}


def claim(gib: int, storage_class: str) -> Tree:
    """The volume of Prometheus, as it differs from what its release has anyway."""
    spec: Tree = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": f"{gib}Gi"}}}
    if storage_class:
        spec["storageClassName"] = storage_class
    return {"prometheus": {"prometheusSpec": {"storageSpec": {"volumeClaimTemplate": {"spec": spec}}}}}


def _remote(sink: TelemetrySink) -> Tree:
    found: Tree = {"name": sink.name, "url": sink.url}
    if sink.secret:
        found["authorization"] = {"type": "Bearer", "credentials": {"name": sink.secret, "key": "token"}}
    return found


def _alertmanager(sink: TelemetrySink, replicas: int) -> Tree:
    hook: Tree = {"url": sink.url, "send_resolved": True}
    own: Tree = {"replicas": replicas, "retention": "120h"}
    if sink.secret:
        own["secrets"] = [sink.secret]
        path = f"/etc/alertmanager/secrets/{sink.secret}/token"
        hook["http_config"] = {"authorization": {"type": "Bearer", "credentials_file": path}}
    return {
        "enabled": True,
        "alertmanagerSpec": own,
        "config": {
            "route": {
                "receiver": sink.name,
                "group_by": ["alertname", "namespace"],
                # The chart's own alert that is always on shows that the way to the receiver works.
                "routes": [{"receiver": "null", "matchers": ['alertname = "InfoInhibitor"']}],
            },
            "receivers": [{"name": "null"}, {"name": sink.name, "webhook_configs": [hook]}],
        },
    }


def grafana(spec: ObservabilitySpec, stored: Iterable[str]) -> Tree:
    """Grafana that asks nobody outside, with dashboards from namespaces of ours alone. Sinks have their own."""
    known = {
        "logs": _source("Loki", "loki", f"http://{LOKI}.{LOKI}.svc:{LOKI_PORT}"),
        "traces": _source("Tempo", "tempo", f"http://{TEMPO}.{TEMPO}.svc:{TEMPO_PORT}"),
    }
    sources = [known[signal] for signal in stored]
    return {
        "enabled": True,
        "admin": {"existingSecret": spec.grafana_secret, "userKey": "admin-user", "passwordKey": "admin-password"},
        "grafana.ini": quiet(),
        # A tenant may make a ConfigMap with the label: dashboards run queries with the rights of who looks.
        "sidecar": {
            "dashboards": {"searchNamespace": f"{METRICS_NAMESPACE},{spec.identity}"},
            "datasources": {"searchNamespace": METRICS_NAMESPACE},
        },
        "additionalDataSources": sources,
        "testFramework": {"enabled": False},
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
    }


def quiet() -> Tree:
    """Switches of Grafana's configuration. The list with its source: components/catalog/phone-home.yaml."""
    return {
        "analytics": {"reporting_enabled": False, "check_for_updates": False, "check_for_plugin_updates": False},
        "news": {"news_feed_enabled": False},
        "plugins": {"preinstall_disabled": True},
        "security": {"disable_gravatar": True},
        "snapshots": {"external_enabled": False},
        "users": {"allow_sign_up": False},
    }


def _source(name: str, kind: str, url: str) -> Tree:
    return {"name": name, "uid": kind, "type": kind, "url": url, "access": "proxy", "editable": False}


def loki(spec: ObservabilitySpec, store: TelemetryStore, bucket: str) -> Tree:
    """Values of Loki: the store, and how long it keeps."""
    s3 = {"endpoint": store.endpoint, "region": store.region, "s3ForcePathStyle": True, "insecure": False}
    schema = {
        "from": SCHEMA_FROM,
        "store": "tsdb",
        "object_store": "s3",
        "schema": "v13",
        "index": {"prefix": "index_", "period": "24h"},
    }
    own: Tree = {
        "storage": {"type": "s3", "bucketNames": {"chunks": bucket, "ruler": bucket}, "s3": s3},
        "schemaConfig": {"configs": [schema]},
        "limits_config": {"retention_period": f"{spec.retention.logs_days * 24}h"},
        "compactor": {
            "working_directory": "/var/loki/compactor",
            "retention_enabled": True,
            "delete_request_store": "s3",
        },
    }
    single: Tree = {"extraEnvFrom": [{"secretRef": {"name": store.secret}}]}
    if spec.storage_class:
        single["persistence"] = {"storageClass": spec.storage_class}
    return {"loki": own, "singleBinary": single}


def tempo(spec: ObservabilitySpec, store: TelemetryStore, bucket: str) -> Tree:
    """Values of Tempo: the store, and how long it keeps."""
    s3 = {
        "bucket": bucket,
        "endpoint": store.endpoint,
        "region": store.region,
        "forcepathstyle": True,
        "insecure": False,
    }
    own: Tree = {
        "retention": f"{spec.retention.traces_days * 24}h",
        "storage": {"trace": {"backend": "s3", "s3": s3}},
        "extraEnvFrom": [{"secretRef": {"name": store.secret}}],
    }
    values: Tree = {"tempo": own}
    if spec.storage_class:
        values["persistence"] = {"storageClassName": spec.storage_class}
    return values
