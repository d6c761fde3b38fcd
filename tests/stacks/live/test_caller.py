"""Who asks is held against whom the cluster lets in: a session's ARN is not its role's."""

from __future__ import annotations

import pytest

from aifactory.cli.reaching import address_towards
from aifactory.components.given_aws import AwsGiven
from aifactory.stacks.live.caller import (
    is_let_in,
    looked_at_caller,
    looked_at_way,
    principal_of,
    roles_of,
)
from support.aws_sites import aws_place

A = "111122223333"
ROLE = f"arn:aws:iam::{A}:role/platform"
DEEP = f"arn:aws:iam::{A}:role/aws-reserved/sso.amazonaws.com/eu-north-1/AWSReservedSSO_Admin_0123456789abcdef"


def aws(*admins: str) -> AwsGiven:
    return aws_place(admins=list(admins or (ROLE,))).aws


@pytest.mark.parametrize(
    ("caller", "admins", "let_in"),
    [
        (f"arn:aws:sts::{A}:assumed-role/platform/ada@example.com", [ROLE], True),
        (f"arn:aws:sts::{A}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/ada", [DEEP], True),
        (f"arn:aws-eusc:sts::{A}:assumed-role/platform/ada", [f"arn:aws-eusc:iam::{A}:role/platform"], True),
        (f"arn:aws-eusc:sts::{A}:assumed-role/platform/ada", [ROLE], False),
        (f"arn:aws:sts::{A}:assumed-role/platform-read/ada", [ROLE], False),
        ("arn:aws:sts::444455556666:assumed-role/platform/ada", [ROLE], False),
        (f"arn:aws:iam::{A}:user/team/ada", [f"arn:aws:iam::{A}:user/team/ada"], True),
        (f"arn:aws:iam::{A}:user/ada", [f"arn:aws:iam::{A}:user/team/ada"], False),
        (f"arn:aws:iam::{A}:user/platform", [ROLE], False),
        (f"arn:aws:iam::{A}:root", [ROLE], False),
        (f"arn:aws:sts::{A}:federated-user/platform", [ROLE], False),
    ],
)
def test_a_session_is_its_role_and_nobody_else(caller: str, admins: list[str], let_in: bool) -> None:
    assert is_let_in(caller, admins) is let_in
    assert (looked_at_caller(caller, aws(*admins)).state == "ok") is let_in


@pytest.mark.parametrize(
    ("caller", "advice"),
    [
        (f"arn:aws:sts::{A}:assumed-role/dev/ada", "aws iam get-role --role-name dev --query Role.Arn"),
        (f"arn:aws:iam::{A}:user/team/ada", f"add arn:aws:iam::{A}:user/team/ada to aws.admins"),
        (f"arn:aws:iam::{A}:root", "take neither root nor federated users"),
    ],
)
def test_who_is_not_let_in_is_told_what_to_write(caller: str, advice: str) -> None:
    found = looked_at_caller(caller, aws())
    assert found.found.startswith(f"{principal_of(caller)} is none of aws.admins")
    assert advice in found.advice
    assert f"or sign in as {ROLE}" in found.advice


@pytest.mark.parametrize(
    ("address", "state", "says"),
    [
        ("10.0.3.4", "ok", "which aws.reached_from lists"),
        ("10.80.3.4", "ok", "packets leave from 10.80.3.4"),  # within the VPC itself
        ("192.168.1.7", "missing", "the API lets 10.80.0.0/16, 10.0.0.0/16 in"),
        (None, "missing", "no route"),
    ],
)
def test_an_address_that_the_api_does_not_let_in_is_a_doubt(address: str | None, state: str, says: str) -> None:
    found = looked_at_way(aws(), address)
    assert found.state == state
    assert says in found.found


def test_the_address_of_a_machine_depends_on_where_packets_go() -> None:
    assert address_towards("127.0.0.0/24") == "127.0.0.1"


def test_roles_of_other_accounts_are_not_looked_for() -> None:
    assert list(roles_of(aws(ROLE, "arn:aws:iam::444455556666:role/a", f"arn:aws:iam::{A}:user/b"))) == [ROLE]
