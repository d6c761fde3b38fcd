"""Arithmetic of addresses, by hand."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.cluster.aws import addresses
from aifactory.components.given_aws import ZoneGiven
from aifactory.components.offers import AddressDemand

ZONES = [ZoneGiven(zone=f"eu-north-1{letter}", id=f"eun1-az{index}") for index, letter in enumerate("abcdef", start=1)]


def demand(**changes: object) -> AddressDemand:
    facts: dict[str, object] = {
        "part": "pool",
        "nodes": "nodes",
        "zones": ("eu-north-1a",),
        "nodes_per_zone": 1,
        "pods_per_node": 110,
        "addresses_per_interface": 30,
    }
    return AddressDemand(**{**facts, **changes})  # type: ignore[arg-type]  # a table of fields


@pytest.mark.parametrize(
    ("changes", "takes"),
    [
        # 110 pods and 5 that are kept ready are 115; an interface gives 29 to pods, so 4 of them take one each
        ({}, 119),
        # 15 addresses an interface: 14 for pods, 115 / 14 is 9 interfaces
        ({"addresses_per_interface": 15}, 124),
        # 20 pods and 5 on one interface of 50
        ({"pods_per_node": 20, "addresses_per_interface": 50}, 26),
        # p5.48xlarge with 31 interfaces of type efa beside the first: 31 addresses more
        ({"pods_per_node": 20, "addresses_per_interface": 50, "interfaces": 31}, 57),
        # 24 pods and 5 fill an interface of 30 to the last; one pod more takes another
        ({"pods_per_node": 24}, 30),
        ({"pods_per_node": 25}, 32),
    ],
)
def test_a_full_node_takes_an_address_for_each_pod_and_each_interface(changes: dict[str, object], takes: int) -> None:
    assert addresses.of_node(demand(**changes)) == takes


def test_a_zone_adds_up_what_may_be_in_it_and_a_load_balancer() -> None:
    system = demand(zones=("eu-north-1a", "eu-north-1b"), nodes_per_zone=4)
    gpus = demand(nodes_per_zone=16, pods_per_node=20, addresses_per_interface=50, interfaces=31)
    assert addresses.in_zone([system, gpus], "eu-north-1a") == 4 * 119 + 16 * 57 + 8
    assert addresses.in_zone([system, gpus], "eu-north-1b") == 4 * 119 + 8
    assert addresses.in_zone([system, gpus], "eu-north-1c") == 8


@pytest.mark.parametrize(("cidr", "left"), [("10.0.0.0/26", 59), ("10.0.0.0/18", 16_379), ("10.0.0.0/28", 11)])
def test_five_addresses_of_a_subnet_are_of_aws(cidr: str, left: int) -> None:
    assert addresses.room(cidr) == left


def test_a_vpc_of_three_zones_divides_in_four() -> None:
    found = addresses.divided("10.80.0.0/16", ZONES[:3], nat=True)
    assert found is not None
    assert [(subnet.name, subnet.cidr) for subnet in found] == [
        ("nodes-eun1-az1", "10.80.0.0/18"),
        ("nodes-eun1-az2", "10.80.64.0/18"),
        ("nodes-eun1-az3", "10.80.128.0/18"),
        ("control-eun1-az1", "10.80.192.0/26"),
        ("control-eun1-az2", "10.80.192.64/26"),
        ("control-eun1-az3", "10.80.192.128/26"),
        ("public-eun1-az1", "10.80.192.192/27"),
        ("public-eun1-az2", "10.80.192.224/27"),
        ("public-eun1-az3", "10.80.193.0/27"),
    ]


def test_a_zone_that_is_added_moves_no_subnet_of_nodes() -> None:
    for fewer, more in ((2, 3), (4, 6)):
        before = addresses.divided("10.80.0.0/16", ZONES[:fewer], nat=False) or ()
        after = {
            subnet.name: subnet.cidr for subnet in addresses.divided("10.80.0.0/16", ZONES[:more], nat=False) or ()
        }
        assert before
        assert all(after[subnet.name] == subnet.cidr for subnet in before)


@pytest.mark.parametrize(
    ("length", "zones", "nat", "fits"),
    [(22, 3, False, True), (23, 3, False, False), (22, 3, True, False), (21, 3, True, True), (24, 6, False, False)],
)
def test_a_vpc_that_is_too_small_does_not_divide(length: int, zones: int, nat: bool, fits: bool) -> None:
    # /22 in four is /24: 256 addresses hold three /26 (192), and not three /27 (96) beside them
    assert (addresses.divided(f"10.80.0.0/{length}", ZONES[:zones], nat=nat) is not None) is fits


@given(st.integers(16, 24), st.integers(2, 6), st.booleans())
def test_subnets_lie_in_the_vpc_and_apart(length: int, zones: int, nat: bool) -> None:
    found = addresses.divided(f"10.80.0.0/{length}", ZONES[:zones], nat=nat) or ()
    networks = [IPv4Network(subnet.cidr) for subnet in found]
    assert all(network.subnet_of(IPv4Network(f"10.80.0.0/{length}")) for network in networks)
    assert not any(one.overlaps(other) for one, other in combinations(networks, 2))


@pytest.mark.parametrize(
    ("zones", "needed", "length"),
    [(3, 484, 21), (3, 507, 21), (3, 508, 20), (6, 484, 20), (3, 16_379, 16), (3, 16_380, None)],
)
def test_the_vpc_that_would_do_is_the_smallest_one(zones: int, needed: int, length: int | None) -> None:
    assert addresses.shortest_that_fits(zones, needed) == length
    if length is not None:
        subnet = addresses.divided(f"10.80.0.0/{length}", ZONES[:zones], nat=False)
        assert subnet is not None
        assert addresses.room(subnet[0].cidr) >= needed
