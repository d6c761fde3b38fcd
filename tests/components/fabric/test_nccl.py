"""NCCL settings, each with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from support.fabrics import group, infiniband, place, plan_fabrics, roce
from support.planning import nics


def settings(network: dict[str, Any], spec: dict[str, Any] | None = None, rails: int = 8) -> dict[str, str]:
    """The settings of a fabric."""
    found = plan_fabrics([spec or {}], place(network=network, nodes=[group(nics=nics(rails))]))
    return dict(found.offers[0].settings)


def test_roce_is_marked_alike_by_nccl_ucx_and_nvshmem() -> None:
    found = settings(roce(traffic_class=98))
    names = ("NCCL_IB_TC", "UCX_IB_TRAFFIC_CLASS", "NVSHMEM_IB_TRAFFIC_CLASS")
    assert {found[name] for name in names} == {"98"}


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (
            roce(),
            {
                "NCCL_CROSS_NIC": "0",
                "NCCL_IB_GID_INDEX": "3",
                "NCCL_IB_HCA": "mlx5",
                "NCCL_IB_TC": "106",
                "NCCL_NET": "IB",
                "NCCL_SOCKET_IFNAME": "eth0",
                "NVSHMEM_IB_GID_INDEX": "3",
                "NVSHMEM_IB_TRAFFIC_CLASS": "106",
                "UCX_IB_GID_INDEX": "3",
                "UCX_IB_TRAFFIC_CLASS": "106",
            },
        ),
        (
            infiniband(),
            {"NCCL_CROSS_NIC": "0", "NCCL_IB_HCA": "mlx5", "NCCL_NET": "IB", "NCCL_SOCKET_IFNAME": "eth0"},
        ),
        (
            infiniband(sharp=True),
            {
                "NCCL_COLLNET_ENABLE": "1",
                "NCCL_CROSS_NIC": "0",
                "NCCL_IB_HCA": "mlx5",
                "NCCL_SOCKET_IFNAME": "eth0",
            },
        ),
    ],
)
def test_the_settings_of_a_fabric(network: dict[str, Any], expected: dict[str, str]) -> None:
    assert settings(network) == expected


def test_pods_that_share_a_device_look_for_their_gid() -> None:
    found = settings(roce(mode="macvlan-shared"))
    assert not [name for name in found if name.endswith("GID_INDEX")]
    assert (found["NCCL_IB_ROCE_VERSION_NUM"], found["NCCL_IB_ADDR_FAMILY"]) == ("2", "AF_INET")


def test_rails_are_listed_in_order_where_an_operator_names_them() -> None:
    found = settings(roce(mode="host-device", rails=2), rails=2)
    assert found["NCCL_IB_HCA"] == "=rdma_rail0,rdma_rail1"
    assert found["UCX_NET_DEVICES"] == "rdma_rail0:1,rdma_rail1:1"


def test_one_rail_has_nothing_to_cross() -> None:
    assert "NCCL_CROSS_NIC" not in settings(roce(rails=1), rails=1)


def test_what_was_measured_is_set_and_nothing_else() -> None:
    measured = {
        "ib_timeout": 22,
        "ib_retry_count": 7,
        "ib_qps_per_connection": 4,
        "ib_split_data_on_qps": False,
        "socket_interface": "=bond0",
    }
    found = settings(infiniband(), {"nccl": measured})
    assert {name: found[name] for name in set(found) - set(settings(infiniband()))} == {
        "NCCL_IB_TIMEOUT": "22",
        "NCCL_IB_RETRY_CNT": "7",
        "NCCL_IB_QPS_PER_CONNECTION": "4",
        "NCCL_IB_SPLIT_DATA_ON_QPS": "0",
    }
    assert found["NCCL_SOCKET_IFNAME"] == "=bond0"


@pytest.mark.parametrize("network", [roce(), roce(mode="macvlan-shared"), infiniband(), infiniband(sharp=True)])
def test_each_setting_is_a_decision_and_nothing_debugs(network: dict[str, Any]) -> None:
    found = plan_fabrics(at=place(network=network))
    for name, value in found.offers[0].settings:
        decision = found.site_plan.decisions[f"fabric.nccl.{name}"]
        assert decision.value == value
        assert len(decision.reason) > 20
    assert "NCCL_DEBUG" not in dict(found.offers[0].settings)


def test_the_settings_lie_in_each_namespace_that_asked() -> None:
    found = plan_fabrics(readers={"red": "red", "blue": "blue"})
    ids = [name for name in found.rows if name.startswith("ConfigMap/")]
    assert ids == ["ConfigMap/red/fabric-nccl", "ConfigMap/blue/fabric-nccl"]
    assert found.objects("ConfigMap")["fabric-nccl"]["data"] == dict(found.offers[0].settings)
