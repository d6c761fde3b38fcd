"""Forms of single values that people write: versions, host names, addresses, lines of text.

The text below a form is what a message says when a value doesn't have it.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field

from aifactory.components.catalog import CountryKey
from aifactory.components.image_reference import parse_image

Country = CountryKey
"""ISO 3166-1 alpha-2 code of a country, such as DE."""

Version = Annotated[str, Field(pattern=r"^v?\d+(\.\d+){1,3}(-[0-9A-Za-z.]+)?$", max_length=60)]
"""A dotted version in quotes, such as "1.36" or v1.21.1; an unquoted 1.30 is the number 1.3."""

Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")]
"""One line of text; a text folded over several lines begins with >- and not with >."""

Folder = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$", max_length=200)]
"""A folder below another, such as generated/prod: forward slashes, no .. and none at the end."""

BucketName = Annotated[str, Field(max_length=50, pattern=r"^[a-z0-9][-a-z0-9]{1,48}[a-z0-9]$")]
"""The name of a bucket: lower-case letters, digits and -."""

HostName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", max_length=63)
]
"""The name of a machine as Kubernetes knows it: lower-case letters, digits, - and dots, 63 at most."""

HostAndPort = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*:[1-9][0-9]{0,4}$", max_length=200),
]
"""A host and its TCP port, such as redis.example.com:6379: no scheme, no user."""

PciAddress = Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]
"""The PCI address of a physical function in quotes and lower case, such as "0000:1a:00.0"."""

InterfaceName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,14}$")]
"""The name of a network interface on the host; Linux allows 15 characters."""

PortName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9/_.:-]{0,39}$")]
"""The name of a switch port as the switch prints it, such as swp1 or Ethernet1/1."""

Feature = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=40)]
"""The name of a feature, such as taints."""

Guid = Annotated[str, Field(pattern=r"^([0-9a-f]{2}:){7}[0-9a-f]{2}$")]
"""The GUID of an InfiniBand port, such as 02:00:00:00:00:00:00:00."""

PKey = Annotated[str, Field(pattern=r"^0x[0-9a-f]{1,4}$")]
"""A partition key as UFM prints it, in quotes, such as "0x12"."""

GitUrl = Annotated[
    str,
    Field(
        pattern=r"^(https://|ssh://([A-Za-z0-9_-]+@)?)[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._/~-]+$",
        max_length=400,
    ),
]
"""A Git repository by https or ssh without a password, such as https://git.example.com/team/repo.git or
ssh://git@git.example.com/team/repo.git."""

_CIDR = re.compile(r"(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}/(0|[1-9][0-9]?)")
_NO_HOSTS = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3")))


def _network(value: str) -> str:
    """The value, if it is an IPv4 network that hosts can have, written with its network address."""
    if ":" in value:
        raise ValueError(f'"{value}" is not an IPv4 network; write an IPv4 one, such as 10.0.0.0/16')
    if not _CIDR.fullmatch(value):
        raise ValueError(
            f'"{value}" is not an IPv4 network; '
            "write four decimal numbers without leading zeros and a length, such as 10.0.0.0/16"
        )
    address, _, length = value.partition("/")
    if any(int(octet) > 255 for octet in address.split(".")):
        raise ValueError(f'"{value}" has a number above 255; each of the four is 0 to 255')
    if int(length) > 32:
        raise ValueError(f'"{value}" has a length above 32; an IPv4 address has 32 bits')
    network = IPv4Network(value, strict=False)
    if network.prefixlen == 0:
        raise ValueError(f'"{value}" is the whole address space; name the network of the site')
    if str(network) != value:
        raise ValueError(f'"{value}" is an address inside a network; write the network: {network}')
    if any(network.overlaps(space) for space in _NO_HOSTS):
        raise ValueError(f'"{value}" is reserved, no host can have it; choose a private network: 10.0.0.0/16')
    return value


Cidr = Annotated[str, AfterValidator(_network), Field(json_schema_extra={"pattern": f"^{_CIDR.pattern}$"})]
"""An IPv4 network, written with its network address, such as 10.0.0.0/16."""

ImageText = Annotated[str, Field(min_length=3, max_length=512), AfterValidator(lambda text: parse_image(text).text)]
"""An image with its registry: `nvcr.io/nvidia/pytorch:25.06-py3`, `registry/repository@sha256:...`, or
both."""

SecretName = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
"""The name of a Secret of Kubernetes: lower-case letters, digits, - and dots."""

AbsolutePath = Annotated[str, Field(max_length=255, pattern=r"^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$")]
"""An absolute path without `..`, such as /checkpoints."""
