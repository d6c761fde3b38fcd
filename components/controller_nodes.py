"""Nodes for controllers, where the base makes them: what else may run there counts their room."""

from __future__ import annotations

from msgspec import Struct


class ControllerNodesOffer(Struct, frozen=True):
    """Nodes without accelerators that a cluster of ours has, beside those that a site file names."""

    nodes: int
    cpus: int
    """CPUs of each."""
    memory_gib: int
    """Memory of each. Unit: GiB."""
