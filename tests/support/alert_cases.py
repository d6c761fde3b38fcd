"""When each alert of shipped stacks calls somebody, and when it must not: series as exporters tell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

STACK, VECTORS = "sovereign-inference-fra-dc1-platform", "rag-private-fra-dc1-platform"
BOUNDED = "edge-slm-lys-edge1-platform"
"""A door where a tenant has a bound of parallel requests."""
DESK = 'gateway_envoyproxy_io_owning_gateway_name="desk"'
TURNED_AWAY = f'envoy_cluster_upstream_rq_pending_overflow{{{DESK},envoy_cluster_name="CLUSTER"}}'
CHAT = 'namespace="assist",model_name="llama-3.3-70b"'
DOOR = 'gateway_envoyproxy_io_owning_gateway_name="gate",envoy_http_conn_manager_prefix="https-10443"'
ASKED = 'gateway_envoyproxy_io_owning_gateway_name="gate",gen_ai_original_model="llama-3.3-70b"'
DATABASE = 'namespace="vectors",cnpg_io_cluster="vectors"'
OF_ASSIST = {"gateway": "gate", "tenant": "assist"}
OF_VECTORS = {"database": "vectors"}
OF_CHAT = {"model": "llama-3.3-70b", "tenant": "assist"}
NODES = tuple(f"fra-gpu-{index:03d}" for index in range(1, 6))
"""Nodes of the pool that is watched."""
OF_GPU = {"Hostname": NODES[0], "gpu": "3"}
Series = dict[str, str]


class Case(Struct, frozen=True):
    """What an alert sees when it calls, and when it must not."""

    alert: str
    loud: Series
    quiet: Series
    at: str = "30m"
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the alert that the series give it."""
    own: Mapping[str, str] = field(default_factory=dict)
    """Labels of the rule, where several rules share a name."""
    stack: str = STACK


def buckets(within: int) -> Series:
    """Requests of which so many of 100 a minute keep 4 s, and all keep 8 s."""
    series = "gen_ai_server_time_to_first_token_seconds_bucket"
    return {
        f'{series}{{{ASKED},le="4.0"}}': f"0+{within}x60",
        f'{series}{{{ASKED},le="8.0"}}': "0+100x60",
        f'{series}{{{ASKED},le="+Inf"}}': "0+100x60",
    }


def spends(kilotokens: int) -> Series:
    """Answers of so many thousand tokens a minute, one half to a client with a key: 0.0024 USD a thousand."""
    series, half = "gen_ai_client_token_usage_token_sum", f"0+{kilotokens * 500}x60"
    return {
        f'{series}{{{ASKED},tenant_id="assist",gen_ai_token_type="output"}}': half,
        f'{series}{{{ASKED},tenant_id="assist.nightly",gen_ai_token_type="output"}}': half,
        f'{series}{{{ASKED},tenant_id="assistants",gen_ai_token_type="output"}}': "0+1000000000000x60",
    }


def pools(fullest: float) -> Series:
    return {
        'ceph_pool_percent_used{pool_id="1"}': f"{fullest}x60",
        'ceph_pool_percent_used{pool_id="2"}': "0.1x60",
        'ceph_pool_metadata{pool_id="1",name="volumes"}': "1x60",
        'ceph_pool_metadata{pool_id="2",name="objects"}': "1x60",
    }


def placement(state: str, groups: int) -> Series:
    return {
        'ceph_pg_total{pool_id="1"}': "64x120",
        f'ceph_pg_{state}{{pool_id="1"}}': f"{groups}x120",
        'ceph_pool_metadata{pool_id="1",name="volumes"}': "1x120",
    }


def health(check: str, found: int) -> Series:
    return {f'ceph_health_detail{{name="{check}"}}': f"{found}x60", 'ceph_health_detail{name="OSDMAP_FLAGS"}': "1x60"}


def instances(up: int) -> Series:
    return {f'cnpg_collector_up{{{DATABASE},pod="{pod}"}}': f"{int(pod < up)}x60" for pod in range(3)}


def pace(ms: int) -> Series:
    series = "vllm:inter_token_latency_seconds"
    return {f"{series}_sum{{{CHAT}}}": f"0+{ms}x60", f"{series}_count{{{CHAT}}}": "0+1000x60"}


def answers(failed: int) -> Series:
    series = "envoy_http_downstream_rq_xx"
    return {
        f'{series}{{{DOOR},envoy_response_code_class="2"}}': "0+1000x60",
        f'{series}{{{DOOR},envoy_response_code_class="5"}}': f"0+{failed}x60",
    }


def at_the_desk(failed: int, over: int, *, cluster: str = "httproute/desk/desk-helper/rule/0") -> Series:
    """Answers of a door with a bound, of 1000 a minute: server errors, and those of them past the bound."""
    series = "envoy_http_downstream_rq_xx"
    own = f'{DESK},envoy_http_conn_manager_prefix="https-10443"'
    return {
        f'{series}{{{own},envoy_response_code_class="2"}}': f"0+{1000 - failed}x60",
        f'{series}{{{own},envoy_response_code_class="5"}}': f"0+{failed}x60",
        TURNED_AWAY.replace("CLUSTER", cluster): f"0+{over}x60",
    }


def gpus(lost: int) -> Series:
    """Nodes that offer their GPUs, all but some."""
    series = "kube_node_status_allocatable"
    return {
        f'{series}{{resource="nvidia_com_gpu",node="{node}"}}': "0x60" if index < lost else "8x60"
        for index, node in enumerate(NODES)
    }


def gpu(series: str, values: str) -> Series:
    """A series of one GPU, which is seen."""
    return {f'{series}{{Hostname="{NODES[0]}",gpu="3"}}': values, **temperatures(NODES[:1], (3,))}


def temperatures(nodes: Iterable[str], found: Iterable[int]) -> Series:
    """What each GPU that is seen has."""
    numbers = tuple(found)
    return {f'DCGM_FI_DEV_GPU_TEMP{{Hostname="{node}",gpu="{each}"}}': "50x60" for node in nodes for each in numbers}


def errors(xid: int) -> Series:
    return gpu("DCGM_FI_DEV_XID_ERRORS", f"{xid}x60")


def volume(used: int) -> Series:
    own = 'namespace="loki",persistentvolumeclaim="storage-loki-0"'
    return {
        f"kubelet_volume_stats_used_bytes{{{own}}}": f"{used}x60",
        f"kubelet_volume_stats_capacity_bytes{{{own}}}": "100x60",
    }


def held_back(queue: int) -> Series:
    own = 'namespace="watch",pod="a",exporter="otlphttp/logs"'
    return {
        f"otelcol_exporter_queue_size{{{own}}}": f"{queue}x60",
        f"otelcol_exporter_queue_capacity{{{own}}}": "2000x60",
    }


CERTIFICATE = 'certmanager_certificate_expiration_timestamp_seconds{name="door"}'
READY = 'certmanager_certificate_ready_status{name="door",condition="True"}'
WAITING = 'kueue_pending_workloads{cluster_queue="QUEUE",status="STATUS"}'
CASES = (
    Case("ModelFirstTokenLate", buckets(98), buckets(100), own=OF_CHAT),
    Case("ModelTokensSlow", pace(41), pace(39), own=OF_CHAT),
    Case(
        "ModelRequestsWaiting",
        {f"vllm:num_requests_waiting{{{CHAT}}}": "1x60"},
        {f"vllm:num_requests_waiting{{{CHAT}}}": "1 1 1 0 1 1 1 0 1 1 1 0"},
        at="11m",
        own=OF_CHAT,
    ),
    Case(
        "ModelCacheFull",
        {
            f'vllm:kv_cache_usage_perc{{{CHAT},pod="a"}}': "0.95x60",
            f'vllm:kv_cache_usage_perc{{{CHAT},pod="b"}}': "0x60",
        },
        {f'vllm:kv_cache_usage_perc{{{CHAT},pod="a"}}': "0.9x60"},
        own=OF_CHAT,
    ),
    Case(
        "ModelUnseen",
        {'vllm:num_requests_running{namespace="other"}': "1x60"},
        {f"vllm:num_requests_running{{{CHAT}}}": "0x60"},
        labels={"namespace": "assist", "model_name": "llama-3.3-70b"},
        own=OF_CHAT,
    ),
    Case(
        "ModelWithoutReplicas",
        {'llm_d_epp_ready_endpoints{namespace="assist",name="chat"}': "0x60"},
        {'llm_d_epp_ready_endpoints{namespace="assist",name="chat"}': "1x60"},
        own=OF_CHAT,
    ),
    Case("GpuXidError", errors(79), errors(31), labels=OF_GPU),
    Case(
        "GpuRowRemapFailed",
        gpu("DCGM_FI_DEV_ROW_REMAP_FAILURE", "1x60"),
        gpu("DCGM_FI_DEV_ROW_REMAP_FAILURE", "0x60"),
        labels=OF_GPU,
    ),
    # A node of another pool has as many GPUs as it has.
    Case(
        "GpuLost",
        temperatures(NODES[:1], range(7)),
        temperatures(NODES[:1], range(8)) | temperatures(("other",), range(4)),
        labels={"Hostname": NODES[0]},
    ),
    Case(
        "GpuThrottledByHeat",
        gpu("DCGM_FI_DEV_THERMAL_VIOLATION", "0+1x60"),
        gpu("DCGM_FI_DEV_THERMAL_VIOLATION", "0+1x5 5x54"),  # for five minutes, and no longer
        labels=OF_GPU,
    ),
    Case("GpuMetricsMissing", temperatures((*NODES[1:], "other"), (0,)), temperatures(NODES, (0,))),
    Case("NodeWithoutGpu", gpus(1), gpus(0)),
    Case(
        "QueueWaits",
        {WAITING.replace("QUEUE", "teams-tuning").replace("STATUS", "active"): "1x120"},
        {WAITING.replace("QUEUE", "teams-tuning").replace("STATUS", "inadmissible"): "1x120"},
        at="100m",
        labels={"cluster_queue": "teams-tuning"},
    ),
    Case("GatewayErrors", answers(20), answers(5)),
    Case("GatewayErrors", at_the_desk(320, 300), at_the_desk(300, 300), stack=BOUNDED),
    *(
        # The bound of the whole gateway is no tenant's: a rule without one of its own, or a number that begins alike.
        Case("GatewayErrors", at_the_desk(300, 300, cluster=f"httproute/{cluster}"), at_the_desk(0, 0), stack=BOUNDED)
        for cluster in ("desk/desk-chat/rule/0", "desk/desk-helper/rule/10", "other/desk-helper/rule/0")
    ),
    Case(
        "TenantAtItsBound",
        at_the_desk(300, 300, cluster="httproute/desk/desk-helper/rule/0/backend/1"),
        at_the_desk(300, 300, cluster="httproute/desk/desk-chat/rule/0"),
        labels={"envoy_cluster_name": "httproute/desk/desk-helper/rule/0/backend/1"},
        stack=BOUNDED,
    ),
    Case("GatewayUnseen", {f"envoy_server_live{{{DOOR}}}": "0x60"}, {f"envoy_server_live{{{DOOR}}}": "1x60"}),
    Case(
        "CertificateEnds",
        {CERTIFICATE: f"{13 * 86_400}x120"},
        {CERTIFICATE: f"{20 * 86_400}x120"},
        at="100m",
        labels={"name": "door"},
    ),
    Case(
        "CertificateNotReady", {READY: "0x60"}, {READY: "1x60"}, at="50m", labels={"name": "door", "condition": "True"}
    ),
    Case(
        "VolumeFills",
        volume(90),
        volume(80),
        at="50m",
        labels={"namespace": "loki", "persistentvolumeclaim": "storage-loki-0"},
    ),
    Case(
        "VolumeFull",
        volume(98),
        volume(96),
        labels={"namespace": "loki", "persistentvolumeclaim": "storage-loki-0"},
    ),
    Case(
        "LocalDrivesFill",
        {
            'topolvm_volumegroup_available_bytes{node="a",device_class="scratch"}': "10x60",
            'topolvm_volumegroup_size_bytes{node="a",device_class="scratch"}': "100x60",
        },
        {
            'topolvm_volumegroup_available_bytes{node="a",device_class="scratch"}': "20x60",
            'topolvm_volumegroup_size_bytes{node="a",device_class="scratch"}': "100x60",
        },
        at="50m",
        labels={"node": "a"},
    ),
    Case("LocalDrivesUnseen", {"other": "1x60"}, {'topolvm_volumegroup_size_bytes{node="a"}': "1x60"}),
    Case("CephUnseen", {"other": "1x60"}, {"ceph_health_status": "2x60"}),
    Case("CephInError", {"ceph_health_status": "2x60"}, {"ceph_health_status": "1x60"}),
    Case("CephWarns", {"ceph_health_status": "1x60"}, {"ceph_health_status": "0x60"}, at="50m"),
    Case(
        "CephDrivesDown",
        {'ceph_osd_up{ceph_daemon="osd.0"}': "0x60", 'ceph_osd_up{ceph_daemon="osd.1"}': "1x60"},
        {'ceph_osd_up{ceph_daemon="osd.0"}': "1x60", 'ceph_osd_up{ceph_daemon="osd.1"}': "1x60"},
    ),
    Case("CephDataUnreachable", placement("active", 63), placement("active", 64), labels={"name": "volumes"}),
    Case("CephDataThin", placement("clean", 63), placement("clean", 64), at="100m", labels={"name": "volumes"}),
    Case("CephDataDamaged", health("PG_DAMAGED", 1), health("PG_DAMAGED", 0)),
    Case("CephFull", health("POOL_FULL", 1), health("POOL_FULL", 0)),
    Case("CephSlow", {"ceph_healthcheck_slow_ops": "3x60"}, {"ceph_healthcheck_slow_ops": "0x60"}),
    Case("CephPoolFills", pools(0.86), pools(0.84), at="50m", labels={"name": "volumes"}),
    Case(
        "CephBeyondFillLimit",
        {"ceph_cluster_total_used_raw_bytes": "64x60", "ceph_cluster_total_bytes": "100x60"},
        {"ceph_cluster_total_used_raw_bytes": "62x60", "ceph_cluster_total_bytes": "100x60"},
        at="50m",
    ),
    # By hand: at 2.4 USD a million 620 million tokens a minute cost 1,488 USD. Of 30 minutes 28 count.
    Case("TenantBudgetNearlySpent", spends(620_000), spends(400_000), own=OF_ASSIST),
    Case("TenantBudgetSpent", spends(700_000), spends(500_000), own=OF_ASSIST),
    Case("DatabaseUnseen", instances(0), instances(1), own=OF_VECTORS, stack=VECTORS),
    Case("DatabaseInstanceDown", instances(2), instances(3), own=OF_VECTORS, stack=VECTORS),
    Case(
        "DatabaseLags",
        {f"cnpg_pg_replication_lag{{{DATABASE}}}": "61x60"},
        {f"cnpg_pg_replication_lag{{{DATABASE}}}": "59x60"},
        own=OF_VECTORS,
        stack=VECTORS,
    ),
    Case(
        "DatabaseAlone",
        {f'cnpg_pg_replication_streaming_replicas{{{DATABASE},pod="{pod}"}}': "0x60" for pod in range(3)},
        {
            f'cnpg_pg_replication_streaming_replicas{{{DATABASE},pod="{pod}"}}': f"{2 * (not pod)}x60"
            for pod in range(3)
        },
        own=OF_VECTORS,
        stack=VECTORS,
    ),
    Case(
        "DatabaseArchiveWaits",
        {f'cnpg_collector_pg_wal_archive_status{{{DATABASE},value="ready"}}': "11x60"},
        {
            f'cnpg_collector_pg_wal_archive_status{{{DATABASE},value="ready"}}': "9x60",
            f'cnpg_collector_pg_wal_archive_status{{{DATABASE},value="done"}}': "99x60",
        },
        own=OF_VECTORS,
        stack=VECTORS,
    ),
    Case(
        "DatabaseBackupOld",
        {f"cnpg_collector_last_available_backup_timestamp{{{DATABASE}}}": f"{-36 * 3_600}x60"},
        {f"cnpg_collector_last_available_backup_timestamp{{{DATABASE}}}": f"{-35 * 3_600}x60"},
        own=OF_VECTORS,
        stack=VECTORS,
    ),
    Case(
        "TelemetryHeldBack",
        held_back(1900),
        held_back(100),
        labels={"namespace": "watch", "pod": "a", "exporter": "otlphttp/logs"},
    ),
    Case(
        "MonitorWithoutAnswer",
        {'up{namespace="assist",pod="a"}': "0x60"},
        {'up{namespace="assist",pod="a"}': "1x60"},
        labels={"namespace": "assist", "pod": "a"},
    ),
)
