"""What may be written about a pool."""

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.components.gpu_node_pool.spec import GpuNodePoolSpec


def spec(**fields: Any) -> GpuNodePoolSpec:
    return GpuNodePoolSpec.model_validate(
        {"kind": "gpu-node-pool", "name": "train", "accelerator": "h200", "nodes": 1, **fields}
    )


def test_an_alias_is_held_as_its_catalog_key() -> None:
    assert spec().accelerator == "nvidia-h200-sxm"


@pytest.mark.parametrize(
    "fields",
    [
        {"nodes": 4096, "fabric": "roce"},
        {"nodes": "all"},
        {"nodes": "quotas"},
        {"nodes": 2, "workload": "inference"},
        {"nodes": 2, "sharing": {"kind": "mig", "profiles": {"1g.18gb": 7}}},
        {"sharing": {"kind": "mig", "profiles": {"1g.18gb+me": 1, "3g.71gb": 1}, "strategy": "mixed"}},
        {"sharing": {"kind": "mig", "profiles": {"1g.24gb+me.all": 1}}},
        {"sharing": {"kind": "time-slicing", "replicas": 4}},
        {"driver": {"version": "580.178.04", "max_unavailable_percent": 10}},
        {"fabric": "rdma", "gds": True},
        {"device_management": "dra"},
    ],
    ids=str,
)
def test_what_can_be_built_is_accepted(fields: dict[str, Any]) -> None:
    spec(**fields)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"nodes": 3}, "3 training nodes without a fabric; set fabric to rdma, nodes to 1"),
        ({"nodes": "all", "flex": {}}, "set nodes to the most that may be there at once"),
        ({"fabric": "efa", "flex": {}}, "a gang needs all its nodes at once"),
        ({"nodes": 0}, "greater than or equal to 1"),
        ({"nodes": 4097, "fabric": "rdma"}, "less than or equal to 4096"),
        ({"nodes": "many"}, "'all', 'quotas' or 'demand'"),
        ({"accelerator": "b20"}, '"b20" is not a known accelerator'),
        ({"fabric": "ethernet"}, "'none', 'rdma', 'roce', 'infiniband' or 'efa'"),
        (
            {"fabric": "rdma", "sharing": {"kind": "time-slicing", "replicas": 2}},
            "sharing time-slicing with fabric rdma: collectives need whole GPUs",
        ),
        (
            {"device_management": "dra", "sharing": {"kind": "mig", "profiles": {"1g.18gb": 7}}},
            "sharing mig with DRA, where sharing is alpha",
        ),
        (
            {"sharing": {"kind": "mig", "profiles": {"1g.18gb": 1, "2g.35gb": 1}}},
            "2 profiles (1g.18gb, 2g.35gb) with strategy single",
        ),
        ({"sharing": {"kind": "mig", "profiles": {}}}, "at least 1 item"),
        ({"sharing": {"kind": "mig", "profiles": {"7": 1}}}, "String should match pattern"),
        ({"sharing": {"kind": "mig", "profiles": {"1g.18gb": 8}}}, "less than or equal to 7"),
        ({"sharing": {"kind": "mps", "replicas": 2}}, "'none', 'mig', 'time-slicing'"),
        ({"sharing": {"kind": "time-slicing", "replicas": 1}}, "greater than or equal to 2"),
        ({"gds": True}, "gds without a fabric; set fabric to rdma"),
        ({"driver": {"version": "580"}}, "String should match pattern"),
        ({"driver": {"version": 580.1}}, "valid string"),
        ({"monitoring": {"interval_s": 1}}, "greater than or equal to 5"),
        ({"numa": "strict"}, "'none', 'best-effort', 'restricted' or 'single-numa-node'"),
        ({"gpus": 8}, "Extra inputs are not permitted"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_contradicts_itself_is_refused_with_the_way_out(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as found:
        spec(**fields)
    assert says in str(found.value)


def test_a_renamed_pool_keeps_the_identity_of_its_objects() -> None:
    assert spec(name="learn", renamed_from="train").identity == "train"
