"""What is measured on GPUs, and when somebody is called."""

from __future__ import annotations

from collections.abc import Sequence

from aifactory.components.gpu_node_pool.model import Alert

MISSING = "GpuMetricsMissing"
"""Alert that fewer nodes than the pool has report metrics."""
POOL_SERIES = "aifactory:gpu_pool:node"
"""Recorded once: 1 for each node of a pool, with the labels Hostname and pool."""

_ALWAYS: tuple[tuple[str, str, str], ...] = (
    ("DCGM_FI_DEV_SM_CLOCK", "gauge", "SM clock (MHz)."),
    ("DCGM_FI_DEV_MEM_CLOCK", "gauge", "Memory clock (MHz)."),
    ("DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Memory temperature (C)."),
    ("DCGM_FI_DEV_GPU_TEMP", "gauge", "GPU temperature (C)."),
    ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power draw (W)."),
    ("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", "Energy since boot (mJ)."),
    ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", "PCIe retries."),
    ("DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilisation (percent)."),
    ("DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", "Memory utilisation (percent)."),
    ("DCGM_FI_DEV_XID_ERRORS", "gauge", "Value of the last XID error."),
    ("DCGM_FI_DEV_POWER_VIOLATION", "counter", "Time throttled for power (us)."),
    ("DCGM_FI_DEV_THERMAL_VIOLATION", "counter", "Time throttled for heat (us)."),
    ("DCGM_FI_DEV_FB_FREE", "gauge", "Memory free (MiB)."),
    ("DCGM_FI_DEV_FB_USED", "gauge", "Memory used (MiB)."),
    ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", "Rows remapped for uncorrectable errors."),
    ("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "counter", "Rows remapped for correctable errors."),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", "Whether remapping of rows failed."),
    ("DCGM_FI_DRIVER_VERSION", "label", "Driver release."),
)
APPLICATION_XIDS = (13, 31, 43, 45, 68, 109)
"""Errors that a program causes by itself, such as an access out of bounds. The series keeps the last error
until the exporter restarts, so an alert on them would stay on for a bug that is long gone.
Source: NVIDIA/k8s-device-plugin internal/rm/health.go, which ignores the same."""

_BY_APPLICATIONS = " or ".join(f"DCGM_FI_DEV_XID_ERRORS == {xid}" for xid in APPLICATION_XIDS)

_NVLINK: tuple[tuple[str, str, str], ...] = (
    ("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "counter", "NVLink bandwidth of all lanes."),
)
_PROFILING: tuple[tuple[str, str, str], ...] = (
    ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", "Share of time that any engine is active."),
    ("DCGM_FI_PROF_SM_ACTIVE", "gauge", "Share of cycles with a warp on an SM."),
    ("DCGM_FI_PROF_SM_OCCUPANCY", "gauge", "Share of warps that are resident on an SM."),
    ("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", "Share of cycles that tensor cores are active."),
    ("DCGM_FI_PROF_DRAM_ACTIVE", "gauge", "Share of cycles that memory moves data."),
    ("DCGM_FI_PROF_PCIE_TX_BYTES", "counter", "Bytes sent over PCIe."),
    ("DCGM_FI_PROF_PCIE_RX_BYTES", "counter", "Bytes received over PCIe."),
)
_PROFILING_NVLINK: tuple[tuple[str, str, str], ...] = (
    ("DCGM_FI_PROF_NVLINK_TX_BYTES", "counter", "Bytes sent over NVLink."),
    ("DCGM_FI_PROF_NVLINK_RX_BYTES", "counter", "Bytes received over NVLink."),
)


def metrics_text(*, nvlink: bool, profiling: bool) -> str:
    """The exporter's list of fields. Source: NVIDIA/aicr gpu-operator values, less what nothing uses."""
    fields = [*_ALWAYS]
    fields += _NVLINK if nvlink else ()
    fields += _PROFILING if profiling else ()
    fields += _PROFILING_NVLINK if profiling and nvlink else ()
    return "".join(f"{name}, {kind}, {text}\n" for name, kind, text in fields)


def pool_nodes(identity: str, nodes: Sequence[str]) -> Alert:
    """The recording rule that says which nodes are the pool's: the exporter knows nodes, not pools."""
    pattern = "|".join(name.replace(".", "[.]") for name in nodes)
    expression = (
        f'label_replace(count by (Hostname) (DCGM_FI_DEV_GPU_TEMP{{Hostname=~"{pattern}"}}) > bool 0, '
        f'"pool", "{identity}", "", "")'
    )
    return Alert(POOL_SERIES, expression, "", "warning", "")


LABELLED: dict[str, object] = {
    "kube-state-metrics": {"metricLabelsAllowlist": ["nodes=[aifactory.io/pool]"]},
}
"""Chart values of Prometheus with which it knows the pool of a node by its label."""


def labelled_nodes(label: str, identity: str) -> Alert:
    """The same rule for nodes whose names nobody knows before they start: by the label of the pool."""
    series = f"label_{label.replace('.', '_').replace('/', '_')}"
    expression = (
        f'label_replace(label_replace(max by (node) (kube_node_labels{{{series}="{identity}"}}), '
        f'"Hostname", "$1", "node", "(.+)"), "pool", "{identity}", "", "")'
    )
    return Alert(POOL_SERIES, expression, "", "warning", "")


def alerts(identity: str, nodes: int, gpus_per_node: int) -> tuple[Alert, ...]:
    """When a GPU of the pool needs hands, and when nobody sees it."""
    pool = f'{POOL_SERIES}{{pool="{identity}"}}'

    def of_pool(series: str) -> str:
        return f"({series}) * on (Hostname) group_left (pool) {pool}"

    gpus = f"count by (Hostname) (count by (Hostname, gpu) (DCGM_FI_DEV_GPU_TEMP)) < {gpus_per_node}"
    return (
        Alert(
            "GpuXidError",
            of_pool(f"DCGM_FI_DEV_XID_ERRORS > 0 unless ({_BY_APPLICATIONS})"),
            "0m",
            "warning",
            "A GPU reported an XID error that no application causes; its value says which (NVIDIA XID catalogue).",
        ),
        Alert(
            "GpuRowRemapFailed",
            of_pool("DCGM_FI_DEV_ROW_REMAP_FAILURE > 0"),
            "0m",
            "critical",
            "GPU memory ran out of spare rows: drain the node and replace the GPU.",
        ),
        Alert(
            "GpuLost",
            of_pool(gpus),
            "5m",
            "critical",
            f"A node shows fewer than {gpus_per_node} GPUs: one fell off the bus, reset or reboot the node.",
        ),
        Alert(
            "GpuThrottledByHeat",
            of_pool("rate(DCGM_FI_DEV_THERMAL_VIOLATION[5m]) > 0"),
            "10m",
            "warning",
            "A GPU is slowed down by heat, and its whole gang with it: check airflow or coolant.",
        ),
        Alert(
            MISSING,
            f"(count({pool}) or vector(0)) < {nodes}",
            "15m",
            "warning",
            f"Fewer than {nodes} nodes of the pool report GPU metrics.",
        ),
    )
