"""SONiC: tables of config_db, for `config load` after `config qos reload`.

The reload makes the buffers and the WRED profile AZURE_LOSSLESS of the platform, whose thresholds fit the
ASIC. JSON has
no comments; what must agree stands in `why` of the row. Source: SONiC configuration schema; sonic-buildimage
files/build_templates/qos_config.j2.
"""

from __future__ import annotations

import json

from aifactory.components.fabric.model import Switch
from aifactory.components.rows import Tree

MAP = "AIFACTORY"
WRED = "AZURE_LOSSLESS"
LOSSLESS_SCHEDULER = "AIFACTORY_LOSSLESS"
STRICT_SCHEDULER = "AIFACTORY_STRICT"
QUEUES = range(8)


def content(switch: Switch) -> str:
    """config_db tables."""
    ports = [port.port for port in switch.ports]
    lossless = str(switch.priority)
    same = {str(queue): str(queue) for queue in QUEUES}
    tables: Tree = {
        "PORT": {port: {"mtu": str(switch.mtu)} for port in ports},
        "DSCP_TO_TC_MAP": {MAP: _classes(switch)},
        "TC_TO_QUEUE_MAP": {MAP: same},
        "TC_TO_PRIORITY_GROUP_MAP": {MAP: {tc: tc if tc == lossless else "0" for tc in same}},
        "MAP_PFC_PRIORITY_TO_QUEUE": {MAP: same},
        "SCHEDULER": {
            LOSSLESS_SCHEDULER: {"type": "DWRR", "weight": "50"},
            STRICT_SCHEDULER: {"type": "STRICT"},
        },
        "QUEUE": _queues(ports, switch),
        "PORT_QOS_MAP": {port: _maps(lossless) for port in ports},
        "PFC_WD": {"GLOBAL": {"POLL_INTERVAL": "200"}} | {port: _watchdog() for port in ports},
    }
    if any(port.address for port in switch.ports):
        tables["INTERFACE"] = _interfaces(switch)
    return json.dumps(tables, indent=2) + "\n"


def _classes(switch: Switch) -> Tree:
    """Traffic class of each DSCP; what is neither RDMA nor a notification is ordinary."""
    classes = dict.fromkeys((str(dscp) for dscp in range(64)), "0")
    return {**classes, str(switch.dscp): str(switch.priority), str(switch.cnp_dscp): str(switch.cnp_priority)}


def _queues(ports: list[str], switch: Switch) -> Tree:
    lossless = {"scheduler": LOSSLESS_SCHEDULER, "wred_profile": WRED}
    queues: Tree = {f"{port}|{switch.priority}": lossless for port in ports}
    return {**queues, **{f"{port}|{switch.cnp_priority}": {"scheduler": STRICT_SCHEDULER} for port in ports}}


def _maps(lossless: str) -> Tree:
    return {
        "dscp_to_tc_map": MAP,
        "tc_to_queue_map": MAP,
        "tc_to_pg_map": MAP,
        "pfc_to_queue_map": MAP,
        "pfc_enable": lossless,
        "pfcwd_sw_enable": lossless,
    }


def _watchdog() -> Tree:
    """What `pfcwd start_default` writes. Unit: ms."""
    return {"action": "drop", "detection_time": "200", "restoration_time": "200"}


def _interfaces(switch: Switch) -> Tree:
    routed = [port for port in switch.ports if port.address]
    names = [*(port.port for port in routed), *(f"{port.port}|{port.address}" for port in routed)]
    return {name: {} for name in names}
