"""A made-up site in Stockholm, and what is planned and made there: what tests of a cluster at AWS start from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from aifactory.blueprints.site import AwsSite
from aifactory.components.aws_place import AwsPlace
from aifactory.components.rows import CloudRow
from aifactory.stacks.planning.place import place_of
from support.planning import Planned, plan_site

TRAIN = "2026.11"
ACCOUNT = "111122223333"
ZONES = [{"zone": f"eu-north-1{letter}", "id": f"eun1-az{index}"} for index, letter in enumerate("abc", start=1)]
AWS: dict[str, Any] = {
    "account": ACCOUNT,
    "region": "eu-north-1",
    "zones": ZONES,
    "vpc": {"cidr": "10.80.0.0/16", "service_cidr": "172.20.0.0/16"},
    "kubernetes": "1.35",
    "reached_from": [{"networks": ["10.0.0.0/16"], "through": "tgw-0123456789abcdef0"}],
    "admins": [f"arn:aws:iam::{ACCOUNT}:role/platform"],
    "system_nodes": {"instance_type": "m8i.xlarge", "ami_release": "1.35.3-20261105"},
    "image_registry": {"prefix": "mirror"},
}


BLUEPRINT: dict[str, Any] = {
    "aifactory": "v1",
    "name": "demo",
    "placement": {"core": {"sites": ["sto-lab"]}},
    "parts": [{"kind": "cluster", "name": "cluster", "capabilities": ["lws"]}],
}
"""A blueprint of a cluster with one more release than it needs, at the site."""


def write_project(root: Path) -> Path:
    """Write a project of that blueprint and the site. Returns the file of the blueprint."""
    files = {"aifactory.yaml": {"aifactory": "v1"}, "factory.yaml": BLUEPRINT, "sites/sto-lab.yaml": aws_site_data()}
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return root / "factory.yaml"


def aws_site_data(location: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The site's file as data. `changes` replace fields of `aws`; a dict is merged into the one that is there."""
    aws = deepcopy(AWS)
    for name, value in changes.items():
        aws[name] = {**aws.get(name, {}), **value} if isinstance(value, dict) else value
    return {
        "aifactory": "v1",
        "site": "sto-lab",
        "venue": "aws",
        "location": location
        or {"country": "SE", "operator": {"name": "Amazon Web Services", "nationality": "US"}, "support": ["SE"]},
        "aws": aws,
        "state": {"backend": "file://state", "secrets_provider": "passphrase", "place": "SE"},
    }


def aws_place(location: dict[str, Any] | None = None, **changes: Any) -> AwsPlace:
    """The place of `aws_site_data`."""
    found = place_of(AwsSite.model_validate(aws_site_data(location, **changes)), TRAIN)
    assert isinstance(found, AwsPlace)
    return found


def sovereign_site() -> dict[str, Any]:
    """Changes that put the site into the European sovereign cloud, which is a partition of its own."""
    return {
        "location": {"country": "DE", "operator": {"name": "AWS ESC", "nationality": "US"}, "support": ["DE"]},
        "region": "eusc-de-east-1",
        "zones": [
            {"zone": f"eusc-de-east-1{letter}", "id": f"eusc1-az{index}"} for index, letter in enumerate("ab", 1)
        ],
        "admins": [f"arn:aws-eusc:iam::{ACCOUNT}:role/platform"],
        "registry_account": "444455556666",
    }


def planned(location: dict[str, Any] | None = None, **changes: Any) -> Planned:
    """What is planned at the site for a blueprint that asks for a cluster alone."""
    return plan_site([{"kind": "cluster", "name": "cluster"}], aws_place(location, **changes))


def base_rows(found: Planned) -> dict[str, CloudRow]:
    """The rows of the base, by identity."""
    return {row.id: row for row in found.stacks[0].cloud_rows}


P5EN: dict[str, Any] = {
    "group": "p5en",
    "instance_type": "p5en.48xlarge",
    "purchase": "on-demand",
    "zone": "eu-north-1b",
    "nodes": 4,
    "ami_release": "1.35.3-20261105",
    "driver": "580.178.04",
}
POOL: dict[str, Any] = {"kind": "gpu-node-pool", "name": "train", "accelerator": "h200", "nodes": 2, "fabric": "efa"}


def rented(*groups: dict[str, Any], pools: Sequence[dict[str, Any]] = (POOL,), **changes: Any) -> Planned:
    """What is planned at the site for pools on rented nodes: without any, four P5en in one zone."""
    return plan_site(list(pools), aws_place(rented_nodes=list(groups or (P5EN,)), **changes))
