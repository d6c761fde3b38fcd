"""Settings of hosts whose files belong to an image: a patch on Talos, a MachineConfig on OpenShift."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from aifactory.components.fabric.ground import Ground
from aifactory.components.fabric.model import HostFile
from aifactory.components.fabric.pools import Pool

LOCKED_BYTES = 1 << 50
"""Limit of locked memory on Talos, which takes a number: 1 PiB, more than any host has.

Source: docs.siderolabs.com, Talos, OCI base runtime specification.
"""


def talos(
    pools: Iterable[Pool],
    ground: Ground,
    identity: str,
    *,
    locks: bool,
    sysctls: tuple[tuple[str, str], ...],
) -> tuple[HostFile, ...]:
    """A patch of the machine configuration for each pool."""
    why = (
        "Machine configuration of nodes on the fabric. Apply it with talosctl patch machineconfig --patch "
        "@FILE, node by node and drained. Where the nodes have a CRIBaseRuntimeSpecConfig, write the limit "
        "of locked memory there, because Talos takes only one of the two."
    )
    found = []
    for pool in pools:
        lines = [*_sysctls(sysctls), *(_locks() if locks else ()), *_mtu(pool, ground)]
        if lines:
            content = "\n".join(["machine:", *lines]) + "\n"
            path = f"talos/{identity}-{pool.label}-machine-config.patch.yaml"
            name = f"{identity}-{pool.label}-machine-config"
            found.append(HostFile(name, pool.nodes, path, content, why, True))
    return tuple(found)


def _sysctls(sysctls: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if sysctls:
        yield "  sysctls:"
        yield from (f'    {name}: "{value}"' for name, value in sysctls)


def _locks() -> Iterator[str]:
    yield "  baseRuntimeSpecOverrides:"
    yield "    process:"
    yield "      rlimits:"
    yield "        - type: RLIMIT_MEMLOCK"
    yield f"          hard: {LOCKED_BYTES}"
    yield f"          soft: {LOCKED_BYTES}"


def _mtu(pool: Pool, ground: Ground) -> Iterator[str]:
    if ground.mode.operator_sets_mtu:
        return
    yield "  network:"
    yield "    interfaces:"
    for nic in pool.nics:
        yield f'      - deviceSelector: {{busPath: "{nic.pci}"}}'
        yield f"        mtu: {ground.mtu}"


def openshift(pools: Iterable[tuple[Pool, tuple[HostFile, ...]]], identity: str) -> tuple[HostFile, ...]:
    """A MachineConfig for each pool, with the files that the pool would have elsewhere."""
    return tuple(_machine_config(pool, files, identity) for pool, files in pools if files)


def _machine_config(pool: Pool, files: tuple[HostFile, ...], identity: str) -> HostFile:
    lines = [
        "apiVersion: machineconfiguration.openshift.io/v1",
        "kind: MachineConfig",
        "metadata:",
        f"  name: 99-{identity}-{pool.label}",
        f"  labels: {{machineconfiguration.openshift.io/role: {pool.label}}}",
        "spec:",
        "  config:",
        "    ignition: {version: 3.4.0}",
        "    storage:",
        "      files:",
    ]
    for file in files:
        lines += [
            f"        - path: {file.path}",
            "          mode: 420",
            "          overwrite: true",
            f'          contents: {{source: "data:,{quote(file.content)}"}}',
        ]
    why = (
        "The administrator of the cluster puts these nodes into a MachineConfigPool with the role "
        f"{pool.label} and applies this: each node drains and reboots. "
    ) + " ".join(file.why for file in files)
    name = f"{identity}-{pool.label}-machine-config"
    path = f"openshift/{identity}-{pool.label}-machine-config.yaml"
    return HostFile(name, pool.nodes, path, "\n".join(lines) + "\n", why, True)
