"""Nodes that a site at AWS may rent: what a file says of them, and what is said where it doesn't fit together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from aifactory.blueprints.site import AwsSite
from support.aws_sites import P5EN, aws_site_data

BLOCK: dict[str, Any] = {
    "purchase": "capacity-block",
    "reservation": "cr-0123456789abcdef0",
    "ends": "2027-01-31T11:30Z",
}
ANYWHERE = {name: value for name, value in P5EN.items() if name != "zone"}
OFFER: dict[str, Any] = {
    "instance_type": "p5en.48xlarge",
    "purchase": "on-demand",
    "usd_per_hour": 70.0,
    "evidence": "quote of the account team",
    "seen": "2026-11-29",
}


@pytest.mark.parametrize(
    "group",
    [
        P5EN,
        ANYWHERE,
        {**P5EN, **BLOCK},
        {**P5EN, "purchase": "reserved", "reservation": "cr-0123456789abcdef0", "placement_group": "ours"},
        {**ANYWHERE, "purchase": "spot"},
    ],
)
def test_each_way_of_buying_is_said_by_what_it_needs(group: dict[str, Any]) -> None:
    site = AwsSite.model_validate(aws_site_data(rented_nodes=[group], offers=[OFFER]))
    assert site.aws.rented_nodes[0].purchase == group["purchase"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"instance_type": "p5en.48xlrge"}, '"p5en.48xlrge" is not a known AWS instance type'),
        ({"purchase": "lease"}, "'on-demand', 'reserved', 'capacity-block' or 'spot'"),
        ({"nodes": 0}, "greater than or equal to 1"),
        ({"reservation": "r-1"}, "String should match pattern"),
    ],
)
def test_what_aws_would_not_know_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as found:
        AwsSite.model_validate(aws_site_data(rented_nodes=[{**P5EN, **changes}]))
    assert says in str(found.value)


@pytest.mark.parametrize(
    ("field", "value"), [("evidence", "yes"), ("usd_per_hour", 0), ("seen", "today"), ("purchase", "free")]
)
def test_an_offer_needs_evidence_a_price_and_a_day(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        AwsSite.model_validate(aws_site_data(offers=[{**OFFER, field: value}]))
