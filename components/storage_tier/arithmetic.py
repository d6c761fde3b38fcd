"""What a tier holds and carries, and what GPUs need of it. Numbers in, numbers out; None is an unknown figure.

Capacity: what drives hold, times what redundancy leaves of it, times how full it may get.
Speed: a ceiling, the least of what drives and network carry. A system with less is slower; measure it.
Source of the paths of a byte: Ceph documentation, Architecture, "Data consistency" and "Erasure coding": the client
sends to one OSD, which sends copies or chunks to the others; reading an erasure coded object gathers its chunks there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Way = Literal["read", "write"]

TB, TIB, GIB, GB = 10**12, 2**40, 2**30, 10**9
GIB_OF_TIB = TIB // GIB

PER_GPU: dict[str, tuple[float, float]] = {"good": (0.06, 0.03), "better": (0.16, 0.08), "best": (0.49, 0.24)}
"""Read and write of one GPU in training. Unit: GB per s. One unit of 256 GPUs reads 15, 40 or 125 and writes 7, 20 or
62. Source: NVIDIA DGX SuperPOD H100 reference architecture RA-11333, table 6."""
PER_NODE: dict[str, tuple[float, float]] = {"good": (4.0, 2.0), "better": (8.0, 4.0), "best": (40.0, 20.0)}
"""Read and write of one node of 8 GPUs while the others do less: rows "single node" of the same table. 32 nodes at 8
would read 256, and their unit reads 40: so it is the rate of one node at a time, no rate that nodes multiply."""
SPREAD_PERCENT = 5
"""Points by which the fullest drive of Ceph may lie above the mean. The balancer leaves a drive alone that has up to 5
placement groups more than the mean (`upmap_max_deviation`): of about 100 that a drive has, 5 in 100 of what is on it.
Source: Ceph documentation, Operations, Balancer module; Placement groups, mon_target_pg_per_osd."""
NODE_GPUS = 8
"""GPUs of a DGX H100, the node of that table."""


class Redundancy(Struct, frozen=True):
    """Whole copies, or data and parity chunks of an erasure code."""

    replicas: int = 1
    data: int = 0
    parity: int = 0

    @property
    def left(self) -> Fraction:
        """Share of the raw capacity that is left for data."""
        return Fraction(self.data, self.data + self.parity) if self.data else Fraction(1, self.replicas)

    @property
    def width(self) -> int:
        """Failure domains that one object needs."""
        return self.data + self.parity if self.data else self.replicas

    @property
    def may_fail(self) -> int:
        """Failure domains that may be lost at one time without losing data."""
        return self.parity if self.data else self.replicas - 1

    def __str__(self) -> str:
        """`3 replicas`, or `4+2`."""
        return f"{self.data}+{self.parity}" if self.data else f"{self.replicas} replica" + "s" * (self.replicas != 1)


class Drives(Struct, frozen=True):
    """The drives of a tier: so many in each of so many nodes."""

    nodes: int
    each: int
    tb: float
    read_gb_per_s: float | None
    write_gb_per_s: float | None
    network_gb_per_s: float | None
    """What a node sends, and at the same time receives."""
    gateway_gb_per_s: float | None = None
    """What one gateway to buckets carries, as measured."""

    @property
    def count(self) -> int:
        """All drives."""
        return self.nodes * self.each

    @property
    def raw_tib(self) -> float:
        """What all drives hold."""
        return self.count * self.tb * TB / TIB


class Speed(Struct, frozen=True):
    """Rates of all clients together. Unit: GB per s. None: a figure that decides it is unknown."""

    read: float | None = None
    write: float | None = None
    reads_by: str = ""
    """What limits reading: drives, network, network of gateways, or gateways."""
    writes_by: str = ""

    def of(self, way: Way) -> float | None:
        """Reading or writing."""
        return self.read if way == "read" else self.write


def usable_tib(raw_tib: float, redundancy: Redundancy, fill_percent: int) -> float:
    """Capacity for data."""
    return float(Fraction(raw_tib) * redundancy.left * fill_percent / 100)


def raw_needed_tib(size_tib: float, redundancy: Redundancy) -> float:
    """Raw capacity that data of this size takes."""
    return float(Fraction(size_tib) / redundancy.left)


def drives_needed(raw_tib: float, fill_percent: int, nodes: int, tb: float) -> int:
    """Drives of this size that each node needs to hold so much, and stay below the fill limit."""
    each = Fraction(tb) * TB / TIB * nodes * fill_percent / 100
    return int(-(-Fraction(raw_tib) // each))


def spare_gib(node_tib: float, fill_percent: int) -> int:
    """What volumes leave free on the drives of a node, so that they fill no more than so much of it."""
    return math.ceil(Fraction(node_tib) * 1_024 * (100 - fill_percent) / 100)


def fill_after_loss(fill_percent: int, domains: int) -> float:
    """How full the others get when one of the failure domains is lost and its data is made again on them."""
    return fill_percent * domains / (domains - 1) if domains > 1 else float("inf")


def fill_allowed(fill_percent: int, after: float, limit: float) -> int:
    """The fill that leaves the fullest drive below a limit, where so much leads to a mean of `after` in the end."""
    return math.floor((limit - SPREAD_PERCENT) * fill_percent / after + 1e-9)


def shared_speed(drives: Drives, redundancy: Redundancy, gateways: int = 0) -> Speed:
    """What Ceph on these drives can carry at most, to kernels or through so many gateways on the same nodes."""
    read_hops, write_hops = _hops(redundancy)
    speed = _speed(drives, drives.count, redundancy.left, read_hops, write_hops)
    return _through(speed, drives, redundancy, gateways) if gateways else speed


def _hops(redundancy: Redundancy) -> tuple[Fraction, Fraction]:
    """How often a byte leaves a node of drives when it is read, and comes to one when it is written."""
    k, m = redundancy.data, redundancy.parity
    if not k:
        return Fraction(1), Fraction(redundancy.replicas)
    return Fraction(2 * k - 1, k), Fraction(2 * k + m - 1, k)


def local_speed(drives: Drives) -> Speed:
    """What one node reads and writes on its own drives, when data is striped over them."""
    read, write = _times(drives.read_gb_per_s, drives.each), _times(drives.write_gb_per_s, drives.each)
    return Speed(read, write, "drives", "drives")


def on_all(node: Speed, nodes: int) -> Speed:
    """What all nodes together read and write, each on its own drives."""
    return Speed(_times(node.read, nodes), _times(node.write, nodes), node.reads_by, node.writes_by)


def _speed(drives: Drives, count: int, left: Fraction, read_hops: Fraction, write_hops: Fraction) -> Speed:
    network = None if drives.network_gb_per_s is None else drives.nodes * drives.network_gb_per_s
    read, reads_by = _least(_times(drives.read_gb_per_s, count), _times(network, 1 / read_hops))
    write, writes_by = _least(_times(drives.write_gb_per_s, count * left), _times(network, 1 / write_hops))
    return Speed(read, write, reads_by, writes_by)


def _through(speed: Speed, drives: Drives, redundancy: Redundancy, gateways: int) -> Speed:
    """No more than gateways carry, and than the network of a node with a gateway does.

    Of g gateways on n nodes with drives, each sends a part of 1/g to clients. The drives of its node send a part of 1/n
    besides, but what goes to the gateway on the same node: 1/g of it. Writing is the same the other way, and copies
    come to its drives as to all.
    """
    placed = min(gateways, drives.nodes)
    most = _times(drives.gateway_gb_per_s, gateways)
    read_hops, write_hops = _hops(redundancy)
    own = Fraction(1, placed)
    sends, takes = (own + (hops - own) / drives.nodes for hops in (read_hops, write_hops))
    read = _lowest(speed.read, speed.reads_by, _times(drives.network_gb_per_s, 1 / sends), most)
    write = _lowest(speed.write, speed.writes_by, _times(drives.network_gb_per_s, 1 / takes), most)
    return Speed(read[0], write[0], read[1], write[1])


def _lowest(rate: float | None, by: str, network: float | None, gateways: float | None) -> tuple[float | None, str]:
    """The lowest of three, unknown as soon as one of them is."""
    if rate is None or network is None or gateways is None:
        return None, ""
    return min((rate, by), (network, "network of gateways"), (gateways, "gateways"), key=lambda known: known[0])


def _times(rate: float | None, factor: Fraction | int) -> float | None:
    return None if rate is None else float(Fraction(rate) * factor)


def _least(drives: float | None, network: float | None) -> tuple[float | None, str]:
    """The lower of two, unknown as soon as one of them is."""
    if drives is None or network is None:
        return None, ""
    return (drives, "drives") if drives <= network else (network, "network")


class Need(Struct, frozen=True):
    """What GPUs of one part need of a tier. Rates are of all of them together. Unit: GB per s."""

    part: str
    gpus: int
    dataset: float = 0.0
    checkpoint_gb: float = 0.0
    checkpoint_s: int = 0
    """Time in which a checkpoint is written. Unit: s. 0: `checkpoint_rate` says it."""
    restart_s: int = 0
    """Time in which it is read again. Unit: s. 0: no time is asked."""
    checkpoint_rate: float = 0.0
    weights: float = 0.0
    """Read by all replicas that start at once."""
    kv_offload: float = 0.0
    level: str = ""
    """Level of the rule of thumb that dataset and checkpoints follow, empty where figures are stated."""
    reads: bool = True
    """Whether that rule counts for reading."""
    writes: bool = True
    """Whether it counts for writing."""
    pool: str = ""
    """Pool whose GPUs these are: of a pool its own name. Empty: unknown."""

    @property
    def restart(self) -> float:
        """Reading a checkpoint in its time."""
        return self.checkpoint_gb / self.restart_s if self.restart_s else 0.0

    @property
    def checkpoint(self) -> float:
        """Writing a checkpoint in its time."""
        return self.checkpoint_gb / self.checkpoint_s if self.checkpoint_s else self.checkpoint_rate

    @property
    def read(self) -> float:
        """Reading at the worst moment: a run that restarts reads no dataset, and cached keys are read beside both."""
        return self.kv_offload + max(self.dataset, self.restart, self.weights)

    @property
    def write(self) -> float:
        """Writing at the worst moment."""
        return self.kv_offload + self.checkpoint

    @property
    def node(self) -> tuple[float, float]:
        """What one of its nodes alone reads and writes by the rule of thumb, fewer than 8 GPUs their share of it."""
        read, write = PER_NODE[self.level] if self.level else (0.0, 0.0)
        share = min(self.gpus, NODE_GPUS) / NODE_GPUS
        return read * share * self.reads, write * share * self.writes

    @property
    def read_alone(self) -> float:
        """Reading at the worst moment while nobody else does: no less than one of its nodes may ask for."""
        return self.kv_offload + max(self.dataset, self.restart, self.weights, self.node[0])

    @property
    def write_alone(self) -> float:
        """Writing at the worst moment while nobody else does."""
        return self.kv_offload + max(self.checkpoint, self.node[1])

    def of(self, way: Way) -> float:
        """Reading or writing at the worst moment."""
        return self.read if way == "read" else self.write

    def alone(self, way: Way) -> float:
        """Reading or writing at the worst moment while nobody else does."""
        return self.read_alone if way == "read" else self.write_alone

    def only(self, *, reads: bool, writes: bool) -> Need:
        """The same by rule of thumb, reading datasets here or elsewhere, writing checkpoints here or elsewhere."""
        dataset, rate = self.dataset if reads else 0.0, self.checkpoint_rate if writes else 0.0
        return replace(self, dataset=dataset, checkpoint_rate=rate, reads=reads, writes=writes)

    def on(self, gpus: int) -> Need:
        """The same need of so many of its GPUs."""
        part = gpus / self.gpus
        return replace(
            self,
            gpus=gpus,
            dataset=self.dataset * part,
            checkpoint_gb=self.checkpoint_gb * part,
            checkpoint_rate=self.checkpoint_rate * part,
            weights=self.weights * part,
            kv_offload=self.kv_offload * part,
        )


def usual(needs: Iterable[Need], way: Way) -> float:
    """What all parts read or write when their worst moments meet, each node at its share of the rule of thumb."""
    return sum(need.of(way) for need in needs)


def burst(needs: Iterable[Need], way: Way) -> float:
    """What one node that reads or writes as fast as it may adds to that."""
    return max((need.alone(way) - need.of(way) for need in needs), default=0.0)


def needed(needs: Iterable[Need], way: Way) -> float:
    """What all parts need: of one part alone, the larger of its GPUs' share of a unit and of what one node asks for."""
    listed = tuple(needs)
    return usual(listed, way) + burst(listed, way)


def gpus_of(needs: Iterable[Need]) -> int:
    """GPUs that wait. A pool that is named beside parts on it has the same GPUs as they."""
    named: dict[str, int] = {}
    running: dict[str, int] = {}
    for need in needs:
        pool = need.pool or need.part
        counts = named if need.part == pool else running
        counts[pool] = counts.get(pool, 0) + need.gpus
    return sum(max(named.get(pool, 0), running.get(pool, 0)) for pool in {*named, *running})


def worst_node(needs: Iterable[Need], way: Way, each: int) -> float:
    """What the node asks for that is hit hardest: so many GPUs of one pool, of the parts that need most of a GPU.

    A GPU runs one part at a time; what a pool is said to need comes beside.
    """
    pools: dict[str, list[Need]] = {}
    for need in needs:
        if need.gpus:
            pools.setdefault(need.pool or need.part, []).append(need)
    return max((_node(pool, found, way, each) for pool, found in pools.items()), default=0.0)


def _node(pool: str, needs: Iterable[Need], way: Way, each: int) -> float:
    total, free = 0.0, each
    for need in sorted(needs, key=lambda need: need.on(1).alone(way), reverse=True):
        takes = min(each if need.part == pool else free, need.gpus)
        free -= 0 if need.part == pool else takes
        total += need.on(takes).alone(way) if takes else 0.0
    return total


def rule_of_thumb(part: str, gpus: int, level: str, pool: str = "") -> Need:
    """Training at one level of the reference architecture."""
    read, write = PER_GPU[level]
    return Need(part, gpus, dataset=gpus * read, checkpoint_rate=gpus * write, level=level, pool=pool)


def loading(gb: float, replicas: int, within_s: int) -> float:
    """Rate at which so many replicas read weights within a time."""
    return gb * replicas / within_s


def gb_of_gib(gib: float) -> float:
    """Decimal gigabytes of binary ones."""
    return gib * GIB / GB


def seconds(gb: float, gb_per_s: float) -> float:
    """Time that so much data takes."""
    return gb / gb_per_s


def per_gpu(rate: float | None, gpus: int) -> float | None:
    """What one GPU gets while all ask. None where a figure is unknown, or nobody asks."""
    return None if rate is None or gpus == 0 else rate / gpus


class Share(Struct, frozen=True):
    """Share of the time of a system that one of its tiers needs. 1 is all of it."""

    usual: float
    burst: float
    """What one node that reads or writes as fast as it may adds."""


def share(needs: Iterable[Need], way: Way, has: float) -> Share:
    """What a tier needs of a system that would give it so much alone."""
    listed = tuple(needs)
    return Share(usual(listed, way) / has, burst(listed, way) / has)


def together(shares: Iterable[Share]) -> float:
    """The time that all tiers of a system need: one node at a time asks for more than its share."""
    listed = tuple(shares)
    return sum(each.usual for each in listed) + max((each.burst for each in listed), default=0.0)


def drive_writes_a_day(gb_per_s: float, drives: int, tb: float) -> float:
    """How often a day drives are written in full at this mean rate of all of them together."""
    return float(Fraction(gb_per_s) * 86_400 * GB / (drives * Fraction(tb) * TB))


def read_by_copy(gb: float, changed_percent_a_day: float, every_h: int) -> float:
    """Rate at which a copy reads what changed since the last, spread over the time between two. Unit: GB per s.

    What is written over more than once meanwhile is read once.
    """
    part = min(Fraction(changed_percent_a_day) / 100 * every_h / 24, Fraction(1))
    return float(Fraction(gb) * part / (every_h * 3_600))


def held_by_snapshots(size: float, changed_percent_a_day: float, schedules: Iterable[tuple[int, int]]) -> float:
    """What snapshots of a volume hold on to beside what it holds now, in the unit of its size.

    A schedule is hours between two snapshots, and how many are kept. What was overwritten since the oldest is kept
    once, whatever the number of snapshots that share it: the part that changes in a day, times the days that the
    longest schedule reaches back. It is never more than a whole copy for each snapshot.
    """
    known = list(schedules)
    days = Fraction(max((every_h * keep for every_h, keep in known), default=0), 24)
    copies = min(Fraction(changed_percent_a_day) / 100 * days, Fraction(sum(keep for _, keep in known)))
    return float(Fraction(size) * copies)
