"""The text of a first site at AWS: valid, with a remark where a person must put what the account has."""

from __future__ import annotations

from aifactory.components.aws_sold import nearest, sold_in
from aifactory.components.catalog import Catalog, Row
from aifactory.components.cluster.aws.addons import ADDONS
from aifactory.components.given_aws_nodes import Purchase
from aifactory.components.gpu_node_pool.accelerators import card
from aifactory.components.gpu_node_pool.aws.cards import facts_of
from aifactory.components.gpu_node_pool.driver import default_release

_AMI = {"1.35": "1.35.3-20261105", "1.36": "1.36.0-20261105"}
_LETTERS = "abc"
PURCHASES: tuple[Purchase, ...] = ("on-demand", "capacity-block")
"""How nodes of a first site are bought, the first that the region sells."""
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


def rented(accelerator: str, region: str, *, efa: bool) -> tuple[Row, Purchase] | None:
    """The instance type with the most cards that the region sells, and how; None where the catalog knows of none.

    `efa`: only types with interfaces of EFA.
    """
    for purchase in PURCHASES:
        for row in _types(accelerator, efa=efa):
            if sold_in(Catalog.shipped(), row.key, region, purchase):
                return row, purchase
    return None


def sold_elsewhere(accelerator: str, region: str, *, efa: bool) -> str:
    """Where the nearest region is that sells nodes with an accelerator, in words."""
    catalog = Catalog.shipped()
    for purchase in PURCHASES:
        for row in _types(accelerator, efa=efa):
            found = nearest(catalog, row.key, country_of(region), purchase)
            if found is not None:
                return f"the nearest that sells {row.key} {purchase} is {found.sold.region} ({found.country})"
    return "no source names a region that does"


def _layout(row: Row, *, efa: bool) -> object:
    """Cards of a type and what each has, None where no source says."""
    return facts_of(Catalog.shipped(), row.key).cards(efa=efa)


def _types(accelerator: str, *, efa: bool) -> list[Row]:
    """Instance types with an accelerator, those with the most cards first."""
    catalog = Catalog.shipped()
    key = catalog.row("accelerators", accelerator).key
    found = [row for row in catalog.rows("aws-instances") if row.value("accelerator") == key]
    fitting = [row for row in found if not efa or (row.count("efa_devices") and _layout(row, efa=True) is not None)]
    return sorted(fitting, key=lambda row: -row.count("accelerator_count"))


def rented_text(accelerator: str, region: str, nodes: int, *, efa: bool) -> str:
    """The part of a site file that says which nodes are rented; nothing where no source says that the region sells
    any."""
    found = rented(accelerator, region, efa=efa)
    if found is None:
        return ""
    row, purchase = found
    catalog = Catalog.shipped()
    release = default_release(catalog, card(catalog, accelerator))
    driver = f'      driver: "{release.version}"   # REPLACE: as the notes of that AMI name it\n' if release else ""
    reserved = ""
    if purchase == "capacity-block":
        reserved = (
            "      reservation: cr-0123456789abcdef0   # REPLACE: aws ec2 describe-capacity-reservations\n"
            "      ends: 2027-01-31T11:30Z   # REPLACE\n"
        )
    facts = facts_of(catalog, row.key)
    cards = facts.cards(efa=efa)
    if cards is None or facts.pods(cards) is None:
        reserved += "      pods_per_node: 110   # REPLACE: aws ec2 describe-instance-types\n"
    zone = f"      zone: {region}a   # REPLACE\n" if efa or purchase == "capacity-block" else ""
    return (
        "  rented_nodes:\n"
        f"    - group: gpus\n      instance_type: {row.key}\n      purchase: {purchase}\n      nodes: {nodes}\n"
        f'{zone}{reserved}      ami_release: "{_AMI[kubernetes()]}"   # REPLACE\n{driver}'
    )


def aws_site_text(site: str, region: str, nodes: str = "") -> str:
    """`sites/SITE.yaml`, with `nodes` as the text of its rented nodes. Values that nobody can guess are marked with
    REPLACE."""
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
  image_registry: {{prefix: mirror}}   # ECR of the account, which copy-images.sh of the generated folder fills
  kubernetes: "{minor}"
  reached_from:   # the API has no public endpoint
    - {{networks: [10.0.0.0/16], through: tgw-0123456789abcdef0}}   # REPLACE: aws ec2 describe-transit-gateways
  admins:
    - "arn:{partition}:iam::111122223333:role/platform"   # REPLACE: the role of whoever runs up among them
  system_nodes:
    instance_type: m8i.xlarge
    ami_release: "{_AMI[minor]}"   # REPLACE: github.com/awslabs/amazon-eks-ami, releases
{nodes}{own}
state: {{backend: "file://state", secrets_provider: passphrase, place: {country}}}
"""


_REGISTRY = '  registry_account: "444455556666"   # REPLACE: as the image of any EKS add-on there shows it\n'


def _zone_id(region: str) -> str:
    """How ids of zones most often begin: eun1 for eu-north-1. They are to be replaced anyway."""
    area, _, rest = region.partition("-")
    direction, _, number = rest.rpartition("-")
    words = direction.split("-")
    return f"{area}{''.join(_AREAS.get(word, word[0]) for word in words)}{number}"
