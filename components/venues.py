"""Kinds of place, and all that differs between them: one table, which the language, the planner and parts read."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from aifactory.components.rules import Rule

Venue = Literal["on-prem", "colo", "edge", "aws"]
"""Kind of place. on-prem: a room of one's own. colo: rented racks. edge: a node or a few where the work is. aws: a
region of AWS, in which the base layer makes network and cluster."""


class VenueFacts(Struct, frozen=True):
    """What a kind of place is, and is not."""

    nodes_at_most: int = 0
    """Nodes that it has room for, 0 for any number."""
    distributions: tuple[str, ...] = ()
    """Kubernetes distributions that run there, none for any."""
    fabric: bool = True
    """Whether it has switches that join GPUs of several nodes."""
    starts_offline: bool = False
    """Whether everything must start, and start again, while the uplink is gone. The site then describes it."""
    makes_cluster: bool = False
    """Whether network, cluster and nodes are made for the factory, so that a site file names none of them."""


EDGE_DISTRIBUTIONS = ("k3s", "rke2")
EDGE_NODES = 5
"""Three servers with etcd and two more: beyond that, nodes want racks, switches and people."""

VENUES: dict[Venue, VenueFacts] = {
    "on-prem": VenueFacts(),
    "colo": VenueFacts(),
    "edge": VenueFacts(nodes_at_most=EDGE_NODES, distributions=EDGE_DISTRIBUTIONS, fabric=False, starts_offline=True),
    "aws": VenueFacts(distributions=("eks",), makes_cluster=True),
}

DRAFTED: tuple[Venue, ...] = tuple(VENUES)
"""Kinds of place that `init` drafts a site file of."""

IMAGE_FOLDERS = {name: f"/var/lib/rancher/{name}/agent/images" for name in EDGE_DISTRIBUTIONS}
"""Folder whose archives of images a distribution imports when it starts, and pins: the kubelet doesn't remove them.

Source: docs.k3s.io, air-gap install; k3s-io/k3s pkg/agent/containerd/containerd.go, preloadImages, labelImages.
"""

_SIZING = "docs/accuracy.md, the sizing kernel against measurements"

RULES: tuple[Rule, ...] = (
    Rule(
        "EDG-001",
        "error",
        "A gang has its nodes and a fabric between them",
        "Ranks that are missing are waited for without end; over the network of a shop, gradients take longer than "
        "the step that made them.",
        "NVIDIA/nccl#489",
    ),
    Rule(
        "EDG-002",
        "error",
        "A fabric has switches",
        "An edge site joins no GPUs of several nodes: drivers would wait for RDMA devices that never come.",
        "NVIDIA/cloud-native-stack#95",
    ),
    Rule(
        "EDG-003",
        "error",
        "A model fits the GPUs that are there",
        "Nobody racks another node at an edge site this week, so a model that is too large or too slow there belongs "
        "elsewhere.",
        _SIZING,
    ),
    Rule(
        "EDG-004",
        "error",
        "What is to outlive a node has another node",
        "A promise to outlive the only node is one that its first reboot breaks.",
        "Kubernetes documentation, disruptions",
    ),
    Rule(
        "EDG-005",
        "error",
        "Weights lie on the node before a start",
        "A download at a start, or at a restart, makes the model depend on an uplink that may be gone.",
        "NVIDIA/aicr#1116; huggingface/huggingface_hub#3312",
    ),
    Rule(
        "EDG-006",
        "error",
        "The GPU driver lies on the host",
        "The GPU Operator builds its driver at each boot, from packages of a mirror: a node that reboots without an "
        "uplink has no GPU until it is back.",
        "NVIDIA GPU Operator, pre-installed drivers; precompiled driver containers",
    ),
    Rule(
        "EDG-007",
        "error",
        "Images are found on the node by a tag that doesn't move",
        "An imported image has the tag of its archive and no digest, by which a runtime would look for it; one that "
        "is called latest is asked for at the registry at each start.",
        "k3s-io/k3s pkg/agent/containerd/containerd.go, retagImages; containerd docker.ParseDockerRef; Kubernetes "
        "documentation, images, default image pull policy",
    ),
    Rule(
        "EDG-008",
        "error",
        "Controllers find a node",
        "Where all nodes are tainted for GPU pods, nothing that makes, admits or routes to these pods ever starts.",
        "Kubernetes documentation, taints and tolerations",
    ),
    Rule(
        "EDG-009",
        "error",
        "What is spread over hosts has the hosts",
        "Copies on one disk are one copy; a store that wants three hosts for them never gets healthy on fewer.",
        "rook/rook, cluster and pool definitions: failureDomain host",
    ),
)
"""What the planner keeps of a venue. All of it is looked at before anything is planned at the site."""
