"""Addresses of rails: equal shares of the site's space, by arithmetic on whole numbers."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from msgspec import Struct

POINT_TO_POINT = 31
"""Prefix length of a link with two ends, both usable. Source: RFC 3021."""


class Shortage(Struct, frozen=True):
    """An address space that is too small, and what would do."""

    needed: int
    """Addresses that a rail needs."""
    has: int
    """Addresses that a rail has."""
    prefix_needed: int
    """Prefix length of a space that is large enough for all rails; negative when there is none."""


def share(space: IPv4Network, rails: int, rail: int) -> IPv4Network:
    """The part of the space that belongs to a rail: equal parts, a power of two of them."""
    length = space.prefixlen + _bits(rails)
    return IPv4Network((int(space.network_address) + (rail << (32 - length)), length))


def node_prefix_length(interfaces: int) -> int:
    """Prefix length of a routed node: its pod interfaces, the leaf's gateway, and beyond two ends also
    network
    and broadcast address."""
    if interfaces == 1:
        return POINT_TO_POINT
    return 32 - _bits(interfaces + 3)


def gateway_index(length: int) -> int:
    """Place of the gateway in a node's prefix: the first address that an interface may have."""
    return 0 if length >= POINT_TO_POINT else 1


def node_prefix(rail: IPv4Network, length: int, index: int) -> tuple[str, str]:
    """Prefix and gateway of the node at a place of the inventory."""
    start = int(rail.network_address) + (index << (32 - length))
    return f"{IPv4Address(start)}/{length}", str(IPv4Address(start + gateway_index(length)))


def routed_shortage(space: IPv4Network, rails: int, nodes: int, interfaces: int) -> Shortage | None:
    """What is missing when each node has a prefix on each rail."""
    length = node_prefix_length(interfaces)
    return _shortage(space, rails, nodes << (32 - length), length)


def flat_shortage(space: IPv4Network, rails: int, nodes: int, interfaces: int) -> Shortage | None:
    """What is missing when a rail is one subnet, with a block of addresses for each node."""
    return _shortage(space, rails, nodes * interfaces + 2, POINT_TO_POINT - 1)


def _shortage(space: IPv4Network, rails: int, needed: int, longest: int) -> Shortage | None:
    rail_length = space.prefixlen + _bits(rails)
    has = 1 << (32 - rail_length) if rail_length <= longest else 0
    if needed <= has:
        return None
    return Shortage(needed, has, min(32 - _bits(needed), longest) - _bits(rails))


def _bits(number: int) -> int:
    """Bits that count `number` things."""
    return (number - 1).bit_length()
