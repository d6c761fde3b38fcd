"""Hypothesis strategies for whole factories: a site and the parts at it, mostly buildable, sometimes not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as st

from support.planning import INFINIBAND, ROCE, group, nics, site_data

MADE_UP = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
    "database": None,
}
"""Settings of Hypothesis for whole factories: the same ones each time, however long one takes."""
HGX = ("h100", "h200", "b200", "b300")
CARDS = ("l4", "l40s")
UNSUPPORTED = ("mi300x", "gaudi3")
KW = {"h100": 10.2, "h200": 10.2, "b200": 14.3, "b300": 15.1, "l4": 1.1, "l40s": 3.2}
FABRICS = ("roce", "infiniband", "none")


def leafs(blocks: int, rails: int) -> list[dict[str, Any]]:
    """A leaf for each rail of each block."""
    return [
        {
            "switch": f"leaf-{block}-{rail}",
            "block": f"b{block}",
            "rails": [rail],
            "ports": [f"swp{p}" for p in range(1, 65)],
        }
        for block in range(1, blocks + 1)
        for rail in range(rails)
    ]


@st.composite
def networks(draw: st.DrawFn, fabric: str, rails: int, blocks: int) -> dict[str, Any]:
    """The networks of a site with one fabric, or none."""
    network: dict[str, Any] = {"pod_cidr": "10.0.0.0/14", "service_cidr": "10.8.0.0/16"}
    if fabric == "roce":
        system = draw(st.sampled_from(("cumulus", "sonic", "eos", "nxos")))
        network["roce"] = {
            **deepcopy(ROCE),
            "rails": rails,
            "mtu": draw(st.sampled_from((4200, 9000))),
            "mode": draw(st.sampled_from(("sriov", "macvlan-shared", "host-device"))),
            "routed": draw(st.booleans()),
            "switches": {**ROCE["switches"], "system": system, "leafs": leafs(blocks, rails)},
        }
    if fabric == "infiniband":
        mode = draw(st.sampled_from(("sriov", "host-device", "ipoib-shared")))
        network["infiniband"] = {**INFINIBAND, "rails": rails, "mode": mode}
    return network


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, Any]:
    """A cluster that gives nothing, or one thing."""
    given: tuple[dict[str, Any], ...] = (
        {},
        {"cert-manager": {"version": "v1.21.1"}},
        {"node-feature-discovery": {"version": "0.19.0", "features": ["taints"]}},
    )
    return {
        "version": draw(st.sampled_from(("1.34.2", *("1.35.6",) * 12, "1.36.3", "1.31.0"))),
        "distribution": draw(st.sampled_from(("kubeadm", "kubeadm", "rke2", "k3s"))),
        "kubeconfig": {"context": "lab"},
        "provides": draw(st.sampled_from(given)),
        "storage_classes": [{"name": "shared", "access": ["ReadWriteOnce", "ReadWriteMany"], "default": True}],
    }


@st.composite
def sites(draw: st.DrawFn, accelerator: str, fabric: str, nodes: int) -> dict[str, Any]:
    """A site with one GPU group and one service group."""
    card = accelerator in CARDS
    rails = 0 if fabric == "none" or card else draw(st.sampled_from((4, 8)))
    per_rack = draw(st.integers(1, 4))
    racks_per_block = draw(st.integers(1, 4))
    racks = -(-nodes // per_rack)
    blocks = -(-racks // racks_per_block)
    gpus = draw(st.sampled_from((1, 2, 4))) if card else 8
    host: dict[str, Any] = {
        "os": draw(st.sampled_from(("ubuntu-22.04", "ubuntu-24.04"))),
        "kernel": "6.8",
        "management_nic": draw(st.sampled_from(("intel", "broadcom"))),
    }
    network = draw(networks(fabric, max(rails, 1), blocks))
    kw = KW.get(accelerator, 10.0)
    gpu_group = group(
        accelerator,
        nodes,
        per_rack=per_rack,
        racks_per_block=racks_per_block,
        group="gpu",
        gpus_per_node=gpus,
        kw_per_node=kw,
        host=host,
        nics=nics(rails),
        nic_model="connectx-7" if rails else None,
    )
    tight = draw(st.integers(0, 29)) == 29
    return site_data(
        venue=draw(st.sampled_from(("on-prem", "colo"))),
        nodes=[gpu_group],
        network=network,
        power={
            "racks": racks + 1,
            "kw_per_rack": (kw * per_rack) * (0.6 if tight else 1.25),
            "cooling": draw(st.sampled_from(("air", "rear-door", "liquid"))),
            "pue": 1.2,
            "usd_per_kwh": 0.15,
        },
        cluster=draw(clusters()),
    )


@st.composite
def factories(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A site and the parts at it."""
    accelerator = draw(st.sampled_from((*HGX * 6, *CARDS * 5, *UNSUPPORTED)))
    fabric = "none" if accelerator in CARDS else draw(st.sampled_from(FABRICS))
    nodes = draw(st.integers(1, 12))
    site = draw(sites(accelerator, fabric, nodes))
    here = site["nodes"][0]
    asked = draw(st.sampled_from((*(nodes,) * 12, *(max(1, nodes - 1),) * 4, *("all",) * 4, "quotas", nodes + 1)))
    several = asked not in (1, "all", "quotas")
    pool: dict[str, Any] = {
        "kind": "gpu-node-pool",
        "name": "train",
        "accelerator": accelerator,
        "nodes": asked,
        "fabric": draw(st.sampled_from(("rdma", fabric))) if fabric != "none" else "none",
    }
    if fabric == "none" and (several or nodes > 1):
        pool["workload"] = "inference"
    gpus = (asked if isinstance(asked, int) else nodes) * here["gpus_per_node"]
    teams = draw(st.integers(1, 3))
    tenants = [{"name": f"team-{index}", "gpus": gpus // teams, "weight": index + 1} for index in range(teams)]
    parts = [pool, {"kind": "queue", "name": "teams", "pools": ["train"], "tenants": tenants}]
    for index in range(draw(st.integers(0, 2))):
        gang = draw(st.integers(1, max(1, gpus // teams // here["gpus_per_node"]))) if fabric != "none" else 1
        run: dict[str, Any] = {
            "kind": "training",
            "name": f"run-{index}",
            "pool": "train",
            "tenant": draw(st.sampled_from([tenant["name"] for tenant in tenants])),
            "nodes": gang,
            "image": "registry.example.com/team/trainer:1.0",
            "topology": {"placement": draw(st.sampled_from(("required", "preferred", "none")))},
        }
        if draw(st.booleans()):
            run["checkpoint"] = {"size_gib": draw(st.integers(1, 4096))}
        parts.append(run)
    return site, draw(st.permutations(parts))
