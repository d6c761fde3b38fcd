"""Values of the releases that this part needs: Prometheus with Grafana and Alertmanager, Loki, Tempo."""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components.capabilities import METRICS_NAMESPACE
from aifactory.components.given_telemetry import TelemetrySink, TelemetryStore
from aifactory.components.observability.decided import LOKI, LOKI_PORT, TEMPO, TEMPO_PORT
from aifactory.components.observability.spec import ObservabilitySpec
from aifactory.components.observability.volumes import ALERTMANAGER_GIB, KEEPER_GIB

Tree = dict[str, object]
NOBODY = "null"
"""Receiver that does nothing. Source: kube-prometheus-stack values, alertmanager.config."""
HEARTBEAT_MINUTES = 5
"""Time between two signs of life, so the switch must wait for longer: two of them may be lost."""
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
    heartbeat: TelemetrySink | None,
    stored: Iterable[str],
    storage_class: str,
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
    if pager or heartbeat:
        values["alertmanager"] = _alertmanager(pager, heartbeat, managers, storage_class)
    return values


def small(mib: int, milli_cpus: int) -> Tree:
    """Requests of a Prometheus with few series, as they differ from what its release has anyway."""
    resources = {"requests": {"cpu": f"{milli_cpus}m", "memory": f"{mib}Mi"}, "limits": {"memory": f"{2 * mib}Mi"}}
    return {"prometheus": {"prometheusSpec": {"resources": resources}}}


def claim(gib: int, storage_class: str) -> Tree:
    """The volume of Prometheus, as it differs from what its release has anyway."""
    return {"prometheus": {"prometheusSpec": {"storageSpec": _template(gib, storage_class)}}}


def _template(gib: int, storage_class: str) -> Tree:
    spec: Tree = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": f"{gib}Gi"}}}
    if storage_class:
        spec["storageClassName"] = storage_class
    return {"volumeClaimTemplate": {"spec": spec}}


def _remote(sink: TelemetrySink) -> Tree:
    found: Tree = {"name": sink.name, "url": sink.url}
    if sink.secret:
        found["authorization"] = {"type": "Bearer", "credentials": {"name": sink.secret, "key": "token"}}
    return found


def _alertmanager(
    pager: TelemetrySink | None, heartbeat: TelemetrySink | None, replicas: int, storage_class: str
) -> Tree:
    """The alert that is always on goes to whoever calls when it stops, else to nobody: a pager would never rest."""
    sinks = [sink for sink in (pager, heartbeat) if sink]
    secrets = list(dict.fromkeys(sink.secret for sink in sinks if sink.secret))
    own: Tree = {"replicas": replicas, "retention": "120h", **({"secrets": secrets} if secrets else {})}
    if storage_class:
        own["storage"] = _template(ALERTMANAGER_GIB, storage_class)
    watchdog: Tree = {"receiver": heartbeat.name if heartbeat else NOBODY, "matchers": ['alertname = "Watchdog"']}
    if heartbeat:
        watchdog |= {"group_wait": "0s", "group_interval": "1m", "repeat_interval": f"{HEARTBEAT_MINUTES}m"}
    silent: Tree = {"receiver": NOBODY, "matchers": ['alertname = "InfoInhibitor"']}
    receivers: list[Tree] = [{"name": NOBODY}]
    receivers += [{"name": sink.name, "webhook_configs": [_hook(sink, told=sink is pager)]} for sink in sinks]
    return {
        "enabled": True,
        "alertmanagerSpec": own,
        "config": {
            "route": {
                "receiver": pager.name if pager else NOBODY,
                "group_by": ["alertname", "namespace"],
                "routes": [watchdog, silent],
            },
            "receivers": receivers,
        },
    }


def _hook(sink: TelemetrySink, *, told: bool) -> Tree:
    """`told`: whether the end of an alert is sent, too."""
    hook: Tree = {"url": sink.url, "send_resolved": told}
    if sink.secret:
        path = f"/etc/alertmanager/secrets/{sink.secret}/token"
        hook["http_config"] = {"authorization": {"type": "Bearer", "credentials_file": path}}
    return hook


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


def loki(spec: ObservabilitySpec, store: TelemetryStore, bucket: str, storage_class: str) -> Tree:
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
    if storage_class:
        single["persistence"] = {"enabled": True, "size": f"{KEEPER_GIB}Gi", "storageClass": storage_class}
    return {"loki": own, "singleBinary": single}


def tempo(spec: ObservabilitySpec, store: TelemetryStore, bucket: str, storage_class: str) -> Tree:
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
    if storage_class:
        values["persistence"] = {"enabled": True, "size": f"{KEEPER_GIB}Gi", "storageClassName": storage_class}
    return values
