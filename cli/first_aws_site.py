"""The text of a first site at AWS: valid, with a remark where a person must put what the account has."""

from __future__ import annotations

import re

from aifactory.components.catalog import Catalog
from aifactory.components.cluster.aws.addons import ADDONS

_AMI = {"1.35": "1.35.3-20261105", "1.36": "1.36.0-20261105"}
_LETTERS = "abc"
_AREAS = {"north": "n", "south": "s", "east": "e", "west": "w", "central": "c"}
_AREAS |= {f"{first}{second}": f"{first[0]}{second[0]}" for first in ("north", "south") for second in ("east", "west")}


def regions() -> list[str]:
    """Regions that a site can be drafted in: open to all, in a partition that the catalog has read up on."""
    catalog = Catalog.shipped()
    known = catalog.keys("aws-eks")
    return [
        row.text("region")
        for row in catalog.rows("regions")
        if row.text("provider") == "aws" and row.text("status") == "ga" and row.text("partition") in known
    ]


def country_of(region: str) -> str:
    """Country of a region, in two letters."""
    return Catalog.shipped().row("regions", f"aws:{region}").text("country")


def kubernetes() -> str:
    """The oldest version of which every add-on's version is known: the one that most else supports."""
    catalog = Catalog.shipped()
    minors = [
        {row.text("kubernetes") for row in catalog.rows("aws-eks.addons") if row.text("addon") == addon.name}
        for addon in ADDONS
    ]
    return min(set.intersection(*minors), key=lambda minor: int(minor.partition(".")[2]))


def aws_site_text(site: str, region: str) -> str:
    """`sites/SITE.yaml`. Values that nobody can guess are marked with REPLACE."""
    row = Catalog.shipped().row("regions", f"aws:{region}")
    country, partition, minor = row.text("country"), row.text("partition"), kubernetes()
    own = "" if Catalog.shipped().find("aws-eks.registries", region) else _REGISTRY
    zones = "".join(
        f"    - {{zone: {region}{letter}, id: {_zone_id(region)}-az{number}}}   # REPLACE the id\n"
        for number, letter in enumerate(_LETTERS, 1)
    )
    return f"""\
# Values marked REPLACE are examples: put what your account has. `aifactory doctor --live factory.yaml` holds them
# against it.
aifactory: v1
site: {site}
venue: aws
location:
  country: {country}
  operator: {{name: "{row.text("operator")}", nationality: {row.text("operator_nationality")}}}
  support: [{country}]   # REPLACE: countries with administrative access

aws:
  account: "111122223333"   # REPLACE: aws sts get-caller-identity
  region: {region}
  zones:   # aws ec2 describe-availability-zones
{zones}  vpc:
    cidr: 10.80.0.0/16   # REPLACE: a network that nothing else of yours has
    service_cidr: 172.20.0.0/16
    egress: none   # nat, if pods and nodes may reach the internet
  kubernetes: "{minor}"
  reached_from:   # the API has no public endpoint
    - {{networks: [10.0.0.0/16], through: tgw-0123456789abcdef0}}   # REPLACE: aws ec2 describe-transit-gateways
  admins:
    - "arn:{partition}:iam::111122223333:role/platform"   # REPLACE: the role of whoever runs up among them
  system_nodes:
    instance_type: m8i.xlarge
    ami_release: "{_AMI[minor]}"   # REPLACE: github.com/awslabs/amazon-eks-ami, releases
{own}
state: {{backend: "file://state", secrets_provider: passphrase, place: {country}}}
"""


_REGISTRY = '  registry_account: "444455556666"   # REPLACE: as the image of any EKS add-on there shows it\n'


def _zone_id(region: str) -> str:
    """How ids of zones most often begin: eun1 for eu-north-1. They are to be replaced anyway."""
    area, _, rest = region.partition("-")
    direction, _, number = rest.rpartition("-")
    words = re.split("-", direction)
    return f"{area}{''.join(_AREAS.get(word, word[0]) for word in words)}{number}"
