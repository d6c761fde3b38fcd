"""Storage arithmetic worked out by hand. Each figure stands with its working; none came from the code.

TB is 10^12 bytes and TiB 2^40, so 1 TB is 1 / 1.099511627776 = 0.909495 TiB. Rates are in GB per s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aifactory.components.storage_tier import arithmetic as a
from aifactory.components.storage_tier.arithmetic import Drives, Need, Redundancy


@dataclass(frozen=True)
class Case:
    """What is asked, what a person got with pencil and paper, and how."""

    name: str
    ask: Callable[[], float | int | None]
    by_hand: float | None
    """Rounded as written in the working."""
    within: float = 0.001
    """How far the exact figure may lie from the rounded one, as a share."""


THREE = Redundancy(replicas=3)
TWO_AND_ONE, FOUR_AND_TWO, EIGHT_AND_THREE = (Redundancy(data=k, parity=m) for k, m in ((2, 1), (4, 2), (8, 3)))
SIX_NODES = Drives(6, 8, 7.68, 6.5, 3.0, 12.5, 11.0)
"""48 drives of 7.68 TB; a node has 2 x 50 Gbit/s = 100 Gbit/s = 12.5 GB/s of network. A gateway carries 11 GB/s."""
FOUR_NODES = Drives(4, 6, 15.36, 6.5, 3.4, 22.0, 30.0)
SLOW_NODES = Drives(4, 4, 15.36, 6.5, 3.4, 11.0, 30.0)
"""Four nodes with 22 and with 11 GB/s of network, and gateways that are faster than it."""
FAST_NETWORK = Drives(4, 6, 15.36, 6.5, 3.4, 100.0)
"""24 drives of 15.36 TB; 800 Gbit/s of network a node, more than its drives carry."""

BETTER_8, BETTER_64 = (a.rule_of_thumb("x", gpus, "better") for gpus in (8, 64))
POOL = Need("train", 64, dataset=128.0, pool="train")
OTHER_POOL = Need("serve", 16, dataset=16.0, pool="serve")
RUNS = Need("pretrain", 16, dataset=48.0, pool="train")
SERVES = Need("chat", 32, kv_offload=16.0, pool="train")
FEW = Need("few", 4, dataset=40.0, pool="train")

CASES: tuple[Case, ...] = (
    # 48 drives x 7.68 TB = 368.64 TB; x 0.909495 = 335.276 TiB.
    Case("raw capacity of 48 drives", lambda: SIX_NODES.raw_tib, 335.276),
    # 335.276 TiB / 3 copies = 111.759; filled to 75 percent = 83.819 TiB.
    Case("usable with three copies at 75 percent", lambda: a.usable_tib(SIX_NODES.raw_tib, THREE, 75), 83.819),
    # 4+2 leaves 4/6: 335.276 x 2/3 = 223.517; x 0.75 = 167.638 TiB, twice that of three copies.
    Case("usable with 4+2 at 75 percent", lambda: a.usable_tib(SIX_NODES.raw_tib, FOUR_AND_TWO, 75), 167.638),
    # 24 x 15.36 TB = 368.64 TB = 335.276 TiB as well; 8+3 leaves 8/11 = 0.727273: 243.837; x 0.8 = 195.070 TiB.
    Case("usable with 8+3 at 80 percent", lambda: a.usable_tib(FAST_NETWORK.raw_tib, EIGHT_AND_THREE, 80), 195.070),
    # 40 TiB x 3 copies = 120 TiB raw.
    Case("raw for 40 TiB in three copies", lambda: a.raw_needed_tib(40.0, THREE), 120.0),
    # 2+1 stores 3 chunks for 2 of data: 40 x 1.5 = 60 TiB raw.
    Case("raw for 40 TiB in 2+1", lambda: a.raw_needed_tib(40.0, TWO_AND_ONE), 60.0),
    # 300 TiB raw at 75 percent want 400 TiB of drives; a drive of 7.68 TB is 6.98492 TiB, on 6 nodes 41.9095 TiB for
    # each drive that every node gets; 400 / 41.9095 = 9.544, so 10.
    Case("drives a node for 300 TiB raw", lambda: a.drives_needed(300.0, 75, 6, 7.68), 10, 0.0),
    # Six nodes 75 percent full, one lost: five hold 6 x 75 / 5 = 90 percent.
    Case("fill after one of six nodes is lost", lambda: a.fill_after_loss(75, 6), 90.0, 0.0),
    # Reading, drives: 48 x 6.5 = 312. Network: 6 x 12.5 = 75. The network decides.
    Case("reading three copies is limited by the network", lambda: a.shared_speed(SIX_NODES, THREE).read, 75.0),
    # Writing, drives: 48 x 3.0 / 3 = 48. Network: each byte arrives at 3 nodes, 75 / 3 = 25. The network decides.
    Case("writing three copies is limited by the network", lambda: a.shared_speed(SIX_NODES, THREE).write, 25.0),
    # Reading 4+2: the first OSD gathers 3 of 4 chunks and sends 4: 1 + 3/4 = 1.75 of the bytes leave nodes;
    # 75 / 1.75 = 42.857. Drives give 312.
    Case("reading 4+2 crosses the network 1.75 times", lambda: a.shared_speed(SIX_NODES, FOUR_AND_TWO).read, 42.857),
    # Writing 4+2: the first OSD gets all, 5 others a quarter each: 1 + 5/4 = 2.25; 75 / 2.25 = 33.333.
    # Drives: 48 x 3.0 x 4/6 = 96.
    Case("writing 4+2 crosses the network 2.25 times", lambda: a.shared_speed(SIX_NODES, FOUR_AND_TWO).write, 33.333),
    # With 400 GB/s of network the drives decide: 24 x 6.5 = 156.
    Case("reading is limited by drives on a fast network", lambda: a.shared_speed(FAST_NETWORK, THREE).read, 156.0),
    # 24 x 3.4 / 3 = 27.2; network 400 / 3 = 133.
    Case("writing is limited by drives on a fast network", lambda: a.shared_speed(FAST_NETWORK, THREE).write, 27.2),
    # A node with one of two gateways sends half of x to clients. Its drives read a quarter of x, of which half goes to
    # the gateway beside them and half to the other: x/2 + x/8 = 0.625 x <= 22: 35.2. Drives give 156, kernels 88.
    Case("reading buckets through two of four nodes", lambda: a.shared_speed(FOUR_NODES, THREE, 2).read, 35.2),
    # It takes half of x from clients, an eighth from the other gateway for its drives as the first of three, and copies
    # of x/4 twice: x/2 + x/8 + x/2 = 1.125 x <= 22: 19.556. Drives take 27.2, kernels give 29.3.
    Case("writing buckets through two of four nodes", lambda: a.shared_speed(FOUR_NODES, THREE, 2).write, 19.556),
    # 11 / 0.625 and 11 / 1.125.
    Case("reading buckets on a slow network", lambda: a.shared_speed(SLOW_NODES, THREE, 2).read, 17.6),
    Case("writing buckets on a slow network", lambda: a.shared_speed(SLOW_NODES, THREE, 2).write, 9.778),
    # Six nodes, two gateways: x/2 + x/6 x 1/2 = 0.58333 x <= 12.5: 21.429. Two gateways carry 22.
    Case("reading buckets through two gateways", lambda: a.shared_speed(SIX_NODES, THREE, 2).read, 21.429),
    # x/2 + x/12 + 2 x/6 = 0.91667 x <= 12.5: 13.636.
    Case("writing buckets through two gateways", lambda: a.shared_speed(SIX_NODES, THREE, 2).write, 13.636),
    # One gateway sends x alone, its own drives feed it without a network: 12.5. It carries 11, which decides.
    Case("reading buckets through one gateway", lambda: a.shared_speed(SIX_NODES, THREE, 1).read, 11.0),
    # A gateway on each node: x/6 to clients, and 5 of 6 parts of x/6 to other gateways: 0.30556 x <= 12.5: 40.909.
    Case("reading buckets through a gateway on each node", lambda: a.shared_speed(SIX_NODES, THREE, 6).read, 40.909),
    # 4+2 through a gateway on each node: besides, 3 of 4 chunks of x/6 go to the first drive: 0.30556 + 0.125 =
    # 0.43056 x: 29.032.
    Case("reading 4+2 through a gateway on each node", lambda: a.shared_speed(SIX_NODES, FOUR_AND_TWO, 6).read, 29.032),
    # Writing 4+2: x/6 from clients, 5/6 of x/6 from other gateways, and 5 chunks of a quarter of x/6:
    # 0.16667 + 0.13889 + 0.20833 = 0.51389 x: 24.324.
    Case(
        "writing 4+2 through a gateway on each node", lambda: a.shared_speed(SIX_NODES, FOUR_AND_TWO, 6).write, 24.324
    ),
    # Nobody measured a gateway.
    Case(
        "what an unmeasured gateway carries is unknown",
        lambda: a.shared_speed(Drives(6, 8, 7.68, 6.5, 3.0, 12.5), THREE, 2).read,
        None,
    ),
    # Four nodes 63 percent full: one lost leaves 84, and the fullest drive 5 more: 89, below 90. 64 would be 90.33.
    Case("fill that a lost node of four allows", lambda: a.fill_allowed(75, a.fill_after_loss(75, 4), 90), 63, 0.0),
    # Nobody stated what a drive reads: the network alone says nothing.
    Case(
        "an unknown figure stays unknown",
        lambda: a.shared_speed(Drives(6, 8, 7.68, None, 3.0, 12.5), THREE).read,
        None,
    ),
    # One node with 8 drives of 6.8 GB/s, striped: 54.4; for 8 GPUs 6.8 each.
    Case(
        "a GPU's share of the drives of its node",
        lambda: a.per_gpu(a.local_speed(Drives(1, 8, 3.84, 6.8, 4.0, None)).read, 8),
        6.8,
    ),
    # Table 6, better: 40 GB/s of reading for 256 GPUs = 0.16 each; 64 GPUs read 10.24 GB/s.
    Case("dataset of 64 GPUs by the rule of thumb", lambda: a.rule_of_thumb("x", 64, "better").read, 10.24),
    # 70e9 parameters x 16 bytes = 1120 GB; in 60 s = 18.667 GB/s.
    Case(
        "a checkpoint of a 70B model within a minute",
        lambda: Need("x", 64, checkpoint_gb=1120.0, checkpoint_s=60, restart_s=120).write,
        18.667,
    ),
    # Restart: 1120 GB in 120 s = 9.333. The dataset of 64 GPUs, 10.24, isn't read meanwhile: the larger counts.
    # Cached keys at 0.05 for each of 64 GPUs = 3.2 beside it: 13.44.
    Case(
        "the worst moment of reading",
        lambda: Need("x", 64, dataset=10.24, checkpoint_gb=1120.0, checkpoint_s=60, restart_s=120, kv_offload=3.2).read,
        13.44,
    ),
    # Four replicas load 140 GB each within 90 s: 560 / 90 = 6.222 GB/s.
    Case("weights of four replicas at scale-up", lambda: a.loading(140.0, 4, 90), 6.222),
    # 4096 GiB = 4398.05 GB; at 12.5 GB/s 351.84 s.
    Case("time to fill a volume of 4 TiB", lambda: a.seconds(a.gb_of_gib(4_096), 12.5), 351.844),
    # A run that writes 18.667 and one that writes by thumb, 64 x 0.08 = 5.12: together 23.787 GB/s.
    Case(
        "two runs write at one time",
        lambda: a.needed(
            [Need("x", 64, checkpoint_gb=1120.0, checkpoint_s=60), a.rule_of_thumb("y", 64, "better")], "write"
        ),
        23.787,
    ),
    # One node of 8 GPUs: a unit's share is 8 x 0.16 = 1.28, and the table lets a node alone read 8. The larger counts.
    Case("eight GPUs read as one node does", lambda: a.needed([BETTER_8], "read"), 8.0, 0.0),
    # Writing 8 x 0.08 = 0.64, and a node alone writes 4.
    Case("eight GPUs write as one node does", lambda: a.needed([BETTER_8], "write"), 4.0, 0.0),
    # 64 GPUs of text, good: 64 x 0.06 = 3.84, and a node alone reads 4.
    Case("64 GPUs of text read as one node does", lambda: a.needed([a.rule_of_thumb("x", 64, "good")], "read"), 4.0),
    # 256 GPUs, better: 256 x 0.16 = 40.96 (40 in the table, 0.16 is rounded); a node's 8 are in it.
    Case("a unit reads as a unit does", lambda: a.needed([a.rule_of_thumb("x", 256, "better")], "read"), 40.96),
    # 2 of the 8 GPUs of a node: a quarter of 8.
    Case("a quarter of a node reads a quarter", lambda: a.needed([a.rule_of_thumb("x", 2, "better")], "read"), 2.0),
    # Two runs of 8 GPUs: one reads 8 as a node alone, the other its share of 1.28 meanwhile: 9.28, not 16.
    Case(
        "one node at a time reads as fast as it may",
        lambda: a.needed([BETTER_8, a.rule_of_thumb("y", 8, "better")], "read"),
        9.28,
    ),
    # A measured 5 GB/s beside a run of 8 GPUs by rule of thumb: 5 + 8 = 13.
    Case("measured figures come beside", lambda: a.needed([Need("y", 8, dataset=5.0), BETTER_8], "read"), 13.0),
    # One class reads 40. A tier on it needs 64 x 0.16 = 10.24, another 31: each fits, and both take
    # 41.24 / 40 = 1.031 of its time.
    Case(
        "two tiers of one class",
        lambda: a.together(
            [
                a.share([a.rule_of_thumb("x", 64, "better")], "read", 40.0),
                a.share([Need("y", 8, dataset=31.0)], "read", 40.0),
            ]
        ),
        1.031,
    ),
    # One Ceph cluster gives kernels 75, and buckets 25. Files take 30 / 75 = 0.4 of its time, buckets
    # 12.5 / 25 = 0.5: 0.9.
    Case(
        "two tiers of one Ceph cluster, each at its own rate",
        lambda: a.together(
            [a.share([Need("x", 8, dataset=30.0)], "read", 75.0), a.share([Need("y", 8, dataset=12.5)], "read", 25.0)]
        ),
        0.9,
    ),
    # A pool of 64 GPUs and two parts on it with 16 and 32: the parts' 48 are among the 64.
    Case("GPUs of a pool and of parts on it", lambda: a.gpus_of([POOL, RUNS, SERVES]), 64, 0.0),
    # A node of 8: the pool needs 2 of each GPU = 16. RUNS needs 48 / 16 = 3 of each, more than SERVES with
    # 16 / 32 = 0.5, so the node that is hit hardest is all RUNS: 24. Together 40.
    Case("the node that is hit hardest", lambda: a.worst_node([POOL, RUNS, SERVES], "read", 8), 40.0, 0.0),
    # FEW has 4 GPUs at 10 each = 40; the other 4 of the node are SERVES' at 0.5 = 2: 42. A mean over all 36 GPUs would
    # have said 8 x (40 + 16) / 36 = 12.4, while that node waits.
    Case("a small part that reads much fills half a node", lambda: a.worst_node([FEW, SERVES], "read", 8), 42.0, 0.0),
    # Two pools share no node: 8 x 2 = 16 of one, 8 x 1 = 8 of the other; the worse counts.
    Case("nodes of two pools", lambda: a.worst_node([POOL, OTHER_POOL], "read", 8), 16.0, 0.0),
    # By rule of thumb a node alone reads 8 of its own drives, too.
    Case("a node's own drives, by rule of thumb", lambda: a.worst_node([BETTER_64], "read", 8), 8.0, 0.0),
    # 4096 GB of which 3 percent change in a day, copied each 8 hours: 1 percent = 40.96 GB in 28,800 s.
    Case("what a copy reads", lambda: a.read_by_copy(4096.0, 3.0, 8), 0.00142222),
    # 512 GB written over ten times a day and copied once: 512 GB in 86,400 s, not 5,120.
    Case("what a copy reads of checkpoints", lambda: a.read_by_copy(512.0, 1000.0, 24), 0.00592593),
    # 1.844 GB/s x 86,400 s = 159.3 TB a day, on 8 x 3.84 = 30.72 TB.
    Case("how often drives are written in full", lambda: a.drive_writes_a_day(1.844, 8, 3.84), 5.186),
    # 8 drives x 3.84 TB = 30.72 TB = 27.93969 TiB = 28610.2 GiB; 75 percent may be filled, a quarter stays:
    # 7152.56, so 7153 GiB.
    Case(
        "what local volumes leave free", lambda: a.spare_gib(Drives(1, 8, 3.84, 6.8, 4.0, None).raw_tib, 75), 7153, 0.0
    ),
)
