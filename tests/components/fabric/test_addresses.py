"""Arithmetic on address spaces."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.fabric import addresses


@pytest.mark.parametrize(
    ("interfaces", "length", "index"),
    [(1, 31, 0), (2, 29, 1), (5, 29, 1), (6, 28, 1), (8, 28, 1), (63, 25, 1)],
)
def test_a_node_prefix_holds_its_interfaces_and_the_gateway(interfaces: int, length: int, index: int) -> None:
    assert addresses.node_prefix_length(interfaces) == length
    assert addresses.gateway_index(length) == index


@pytest.mark.parametrize(
    ("space", "rails", "rail", "share"),
    [
        ("10.0.0.0/8", 1, 0, "10.0.0.0/8"),
        ("10.0.0.0/8", 8, 7, "10.224.0.0/11"),
        ("172.16.0.0/12", 5, 4, "172.24.0.0/15"),
        ("192.168.0.0/24", 2, 1, "192.168.0.128/25"),
    ],
)
def test_rails_have_equal_shares(space: str, rails: int, rail: int, share: str) -> None:
    assert str(addresses.share(IPv4Network(space), rails, rail)) == share


@given(st.integers(8, 20), st.integers(1, 16), st.integers(1, 127), st.integers(1, 64))
def test_prefixes_of_nodes_lie_in_their_rail_and_apart(length: int, rails: int, interfaces: int, nodes: int) -> None:
    space = IPv4Network((int(IPv4Address("10.0.0.0")), length))
    if addresses.routed_shortage(space, rails, nodes, interfaces):
        return
    prefix = addresses.node_prefix_length(interfaces)
    shares = [addresses.share(space, rails, rail) for rail in range(rails)]
    found = [
        (share, IPv4Network(cidr), IPv4Address(gateway))
        for share in shares
        for cidr, gateway in (addresses.node_prefix(share, prefix, node) for node in range(nodes))
    ]
    assert all(cidr.subnet_of(share) and gateway in cidr for share, cidr, gateway in found)
    assert len({cidr for _, cidr, _ in found}) == rails * nodes
    usable = [address for address in found[0][1].hosts() if address != found[0][2]]
    assert len(usable) >= interfaces


@pytest.mark.parametrize("measure", [addresses.routed_shortage, addresses.flat_shortage])
@pytest.mark.parametrize(
    ("space", "rails", "nodes", "interfaces"),
    [("10.0.0.0/24", 8, 64, 8), ("10.0.0.0/30", 8, 1, 1), ("10.0.0.0/16", 16, 4096, 127)],
)
def test_a_space_that_is_too_small_says_what_would_do(
    measure: object, space: str, rails: int, nodes: int, interfaces: int
) -> None:
    assert callable(measure)
    lack = measure(IPv4Network(space), rails, nodes, interfaces)
    assert lack is not None
    assert lack.needed > lack.has
    enough = IPv4Network(f"10.0.0.0/{max(lack.prefix_needed, 1)}", strict=False)
    assert measure(enough, rails, nodes, interfaces) is None
    one_less = IPv4Network(f"10.0.0.0/{lack.prefix_needed + 1}", strict=False)
    assert measure(one_less, rails, nodes, interfaces) is not None


def test_a_space_that_suffices_lacks_nothing() -> None:
    assert addresses.flat_shortage(IPv4Network("172.16.0.0/14"), 8, 16, 8) is None
    assert addresses.routed_shortage(IPv4Network("172.16.0.0/14"), 8, 16, 8) is None
