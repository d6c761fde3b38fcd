"""A site in a region of AWS: what its file may say, what others may not, and what is said of it where it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from aifactory.blueprints.load import load
from aifactory.blueprints.schema import schema_of
from aifactory.blueprints.site import AwsSite, Site, site_model
from aifactory.cli.starting import QUESTIONS
from aifactory.components.problems import Problem, Refused
from aifactory.components.venues import DRAFTED, VENUES
from support.aws_sites import P5EN, aws_site_data
from support.planning import site_data

BLUEPRINT = """\
aifactory: v1
name: burst
placement: {core: {sites: [sto-lab]}}
parts:
  - {kind: cluster, name: cluster}
"""


def problems(tmp_path: Path, data: dict[str, Any]) -> list[Problem]:
    """What `load` says of a blueprint at one site whose file is this data."""
    (tmp_path / "aifactory.yaml").write_text("aifactory: v1\n", encoding="utf-8")
    (tmp_path / "factory.yaml").write_text(BLUEPRINT, encoding="utf-8")
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / f"{data['site']}.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    try:
        load(tmp_path / "factory.yaml")
    except Refused as refused:
        return list(refused.problems)
    return []


def test_a_site_at_aws_states_account_and_region_and_no_machine(tmp_path: Path) -> None:
    assert problems(tmp_path, aws_site_data()) == []


@pytest.mark.parametrize("field", ["power", "cluster", "nodes", "network"])
def test_what_stands_in_a_room_is_refused_at_aws_with_what_to_do(tmp_path: Path, field: str) -> None:
    (problem,) = problems(tmp_path, {**aws_site_data(), field: site_data()[field]})
    assert (problem.says, problem.path) == (f'"{field}" is not a known field', (field,))
    assert problem.hint == AwsSite.belongs_elsewhere[field]


def test_account_and_region_are_refused_in_a_room_with_what_to_do(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, {**site_data(site="sto-lab"), "aws": aws_site_data()["aws"]})
    assert (problem.path, problem.hint) == (("aws",), Site.belongs_elsewhere["aws"])


def test_every_problem_of_a_site_at_aws_is_told_at_once(tmp_path: Path) -> None:
    data = aws_site_data(account="1", region="Stockholm", admins=[])
    assert {problem.path for problem in problems(tmp_path, data)} == {
        ("aws", "account"),
        ("aws", "region"),
        ("aws", "admins"),
    }


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        (
            {"zones": [{"zone": "eu-north-1a", "id": "eun1-az1"}, {"zone": "eu-west-1a", "id": "euw1-az1"}]},
            ("aws", "zones", 1, "zone"),
            "zone eu-west-1a is not one of eu-north-1",
        ),
        (
            {"zones": [{"zone": "eu-north-1a", "id": "eun1-az1"}, {"zone": "eu-north-1b", "id": "eun1-az1"}]},
            ("aws", "zones", 1, "id"),
            "eun1-az1 is listed twice",
        ),
        (
            {"admins": ["arn:aws:iam::111122223333:role/a"] * 2},
            ("aws", "admins", 1),
            "arn:aws:iam::111122223333:role/a is listed twice",
        ),
        (
            {"kubernetes": "1.36"},
            ("aws", "system_nodes", "ami_release"),
            "AMI release 1.35.3-20261105 is not of Kubernetes 1.36",
        ),
        ({"vpc": {"cidr": "10.0.0.0/8"}}, ("aws", "vpc", "cidr"), "10.0.0.0/8 has a length of 8"),
        (
            {"vpc": {"service_cidr": "172.20.0.0/25"}},
            ("aws", "vpc", "service_cidr"),
            "172.20.0.0/25 has a length of 25",
        ),
        (
            {"vpc": {"service_cidr": "10.80.0.0/20"}},
            ("aws", "vpc", "service_cidr"),
            "10.80.0.0/20 overlaps 10.80.0.0/16 of vpc.cidr",
        ),
        (
            {"reached_from": [{"networks": ["10.80.8.0/24"], "through": "tgw-0123456789abcdef0"}]},
            ("aws", "reached_from", 0, "networks", 0),
            "10.80.8.0/24 overlaps 10.80.0.0/16 of vpc.cidr",
        ),
        (
            {
                "reached_from": [
                    {"networks": ["10.0.0.0/16"], "through": "tgw-0123456789abcdef0", "account": "444455556666"}
                ]
            },
            ("aws", "reached_from", 0, "account"),
            "tgw-0123456789abcdef0 is attached in the account and region of the site",
        ),
        ({"logs": {"retention_days": 366}}, ("aws", "logs", "retention_days"), "CloudWatch Logs can't keep 366 days"),
        (
            {"rented_nodes": [{**P5EN, "purchase": "reserved"}]},
            ("aws", "rented_nodes", 0, "purchase"),
            "purchase reserved without its reservation or zone",
        ),
        (
            {"rented_nodes": [{**P5EN, "reservation": "cr-0123456789abcdef0"}]},
            ("aws", "rented_nodes", 0, "reservation"),
            "purchase on-demand with a reservation",
        ),
        (
            {"rented_nodes": [{**P5EN, "ends": "2027-01-31T11:30Z"}]},
            ("aws", "rented_nodes", 0, "ends"),
            "purchase on-demand has no end",
        ),
        (
            {"rented_nodes": [P5EN, P5EN]},
            ("aws", "rented_nodes", 1, "group"),
            '"p5en" is the name of two groups',
        ),
        (
            {"rented_nodes": [{**P5EN, "zone": "eu-north-1d"}]},
            ("aws", "rented_nodes", 0, "zone"),
            "zone eu-north-1d is none of the site's",
        ),
        (
            {"rented_nodes": [{**P5EN, "ami_release": "1.34.6-20261105"}]},
            ("aws", "rented_nodes", 0, "ami_release"),
            "AMI release 1.34.6-20261105 is not of Kubernetes 1.35",
        ),
    ],
)
def test_facts_that_do_not_fit_together_are_told_with_what_to_do(
    tmp_path: Path, changes: dict[str, Any], path: tuple[str | int, ...], says: str
) -> None:
    (problem,) = problems(tmp_path, aws_site_data(**changes))
    assert (problem.path, problem.says) == (path, says)
    assert problem.hint


def test_an_instance_type_that_nobody_read_up_on_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    data = aws_site_data(system_nodes={"instance_type": "m8i.xlrge"})
    (problem,) = problems(tmp_path, data)
    assert problem.says == '"m8i.xlrge" is not a known instance type of system nodes'
    assert "m8i.xlarge" in problem.hint


@pytest.mark.parametrize(
    ("data", "model"), [({"venue": "aws"}, AwsSite), ({"venue": "colo"}, Site), ({"venue": ["aws"]}, Site), ([], Site)]
)
def test_the_venue_says_which_model_a_file_is_held_against(data: object, model: type) -> None:
    assert site_model(data) is model


def test_the_schema_holds_each_file_against_the_model_of_its_venue() -> None:
    validator = jsonschema.Draft202012Validator(schema_of("site"))
    assert validator.is_valid(aws_site_data())
    assert validator.is_valid(site_data())
    assert not validator.is_valid({**aws_site_data(), "power": site_data()["power"]})
    assert not validator.is_valid({**site_data(), "aws": aws_site_data()["aws"]})
    assert not validator.is_valid({**aws_site_data(), "venue": "on-prem"})


def test_init_drafts_a_site_of_each_kind() -> None:
    venue = next(question for question in QUESTIONS if question.key == "venue")
    assert DRAFTED == tuple(VENUES) == ("on-prem", "colo", "edge", "aws")
    assert venue.problem("aws") is None
