"""From the speed of a replica to their number, and to the nodes that hold them when one fails."""

from __future__ import annotations

import math

from msgspec import Struct

from aifactory.components.sizing.options import Redundancy


class Count(Struct, frozen=True):
    """Replicas and what they stand on."""

    needed: int
    """That carry the peak."""
    replicas: int
    """With the spare one."""
    at_mean: int
    """That carry the mean, with the spare one."""
    nodes: int
    """Whole nodes, with room for those of a lost node where redundancy asks for it."""


def count(
    peak_per_s: float, mean_per_s: float, calls_per_s: float, gpus: int, gpus_per_node: int, redundancy: Redundancy
) -> Count:
    """Replicas for a rate of calls, when one carries `calls_per_s`."""
    needed = max(1, math.ceil(peak_per_s / calls_per_s - 1e-9))
    at_mean = max(1, math.ceil(mean_per_s / calls_per_s - 1e-9))
    spare = 0 if redundancy == "none" else 1
    replicas = needed + spare
    return Count(
        needed, replicas, min(at_mean + spare, replicas), _nodes(needed, replicas, gpus, gpus_per_node, redundancy)
    )


def _nodes(needed: int, replicas: int, gpus: int, gpus_per_node: int, redundancy: Redundancy) -> int:
    def held(number: int) -> int:
        if gpus > gpus_per_node:
            return number * -(-gpus // gpus_per_node)
        return -(-number // (gpus_per_node // gpus))

    if redundancy != "node":
        return held(replicas)
    return max(held(replicas), held(needed) + 1)
