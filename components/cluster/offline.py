"""What lets a site start without its uplink: images on its nodes, and nothing that asks for them again."""

from __future__ import annotations

from aifactory.components.base import PlanContext, Rejected
from aifactory.components.offers import OperatorNote
from aifactory.components.venues import IMAGE_FOLDERS

CONTAINERD = {
    "k3s": "k3s ctr -n k8s.io",
    "rke2": "/var/lib/rancher/rke2/bin/ctr -a /run/k3s/containerd/containerd.sock -n k8s.io",
}
"""The runtime's own command, by distribution. Source: docs.rke2.io, CLI tools."""


def decide_start(ctx: PlanContext) -> None:
    """Say where images come from, at a site that starts offline; elsewhere from registries, as ever."""
    place = ctx.place
    if not place.venue_facts.starts_offline or place.uplink is None:
        return
    runs = place.cluster.distribution
    folder = IMAGE_FOLDERS[runs]
    ctx.decide(
        "images",
        folder,
        f"{runs} imports the archives there when it starts, and pins what they hold; a node that boots without an "
        f"uplink, which may be gone for {place.uplink.outage}, has all it runs",
        rejected=[
            Rejected("pull from a registry", "a start would wait for the uplink"),
            Rejected("a registry at the site", "one more service that must start first, on the same node"),
        ],
        source=("uplink",),
        document="site",
    )
    before = (
        f"Images lie in {folder} of each node as archives, those of {runs} and all that images.txt names or says how "
        f"to find, weights too, and {runs} was restarted since. Or the node has its uplink this once. Charts are read "
        "by the machine that deploys."
    )
    ctx.offer(OperatorNote(ctx.part, "before", before))
    _keep(ctx, runs, folder)


def _keep(ctx: PlanContext, runs: str, folder: str) -> None:
    """Images that operators start later stand in no list: the node that runs them all knows them all."""
    names = f"$({CONTAINERD[runs]} images ls -q | grep -v sha256)"
    platform = f"linux/{ctx.place.nodes[0].architecture}"
    keep = f"{CONTAINERD[runs]} images export --platform {platform} {folder}/{ctx.factory}.tar {names}"
    says = (
        "Once all pods run, keep their images for starts without the uplink, as root on each node; then cut the "
        "uplink, reboot the node, and see that the model answers:"
    )
    ctx.offer(OperatorNote(ctx.part, "running", says, (keep,)))
