"""Models of a gateway are looked for in Bedrock: moto has none, so answers are held to botocore's own model of them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from aifactory.stacks.live.account import Account
from aifactory.stacks.live.finding import Finding
from aifactory.stacks.live.models import answered, asked
from support.accounts import ADMIN, REGION
from support.aws_doors import NOVA, door, model
from support.aws_sites import base_rows
from support.signed_in import signed_in

PROFILE = f"eu.{NOVA}"
KNOWN = ["eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"]
MODEL, THROUGH = f"{NOVA} in {REGION}", f"{PROFILE} in {REGION}"
AVAILABLE = {
    "modelId": NOVA,
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}


def rows() -> Any:
    """A base whose proxies may ask for a model, and for the same through a profile."""
    found = door(model(), model(PROFILE, name="more", id="more", tenants=["triage"]))
    assert not found.errors
    return base_rows(found)


def profile(*regions: str) -> dict[str, Any]:
    """What Bedrock says of the profile when it answers from these regions."""
    arns = [{"modelArn": f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"} for region in regions]
    named = {"inferenceProfileName": "EU Nova Lite", "inferenceProfileId": PROFILE, "type": "SYSTEM_DEFINED"}
    arn = f"arn:aws:bedrock:{REGION}:111122223333:inference-profile/{PROFILE}"
    return {**named, "inferenceProfileArn": arn, "models": arns, "status": "ACTIVE"}


def look(there: dict[str, Any], through: dict[str, Any] | str) -> dict[str, Finding]:
    """What is found when Bedrock answers so; a text is the code of an error."""
    with signed_in(ADMIN):
        account = Account(REGION)
        client = account._clients["bedrock"] = boto3.client("bedrock", region_name=REGION)
        with Stubber(client) as stub:
            stub.add_response("get_foundation_model_availability", there, {"modelId": NOVA})
            expected = {"inferenceProfileIdentifier": PROFILE}
            if isinstance(through, str):
                stub.add_client_error("get_inference_profile", through, expected_params=expected)
            else:
                stub.add_response("get_inference_profile", through, expected)
            found = {each.name: each for each in answered(rows(), account)}
            stub.assert_no_pending_responses()
    return found


def test_models_are_read_from_policies_of_roles_each_once() -> None:
    plain, through = asked(rows())
    assert (plain.region, plain.called, plain.profile, plain.answering) == (REGION, NOVA, False, frozenset())
    assert (through.region, through.called, through.profile) == (REGION, PROFILE, True)
    assert through.answering == frozenset(KNOWN)


def test_a_model_with_access_and_a_profile_as_planned_are_ok() -> None:
    found = look(AVAILABLE, profile(*KNOWN))
    assert {name: each.state for name, each in found.items()} == {MODEL: "ok", THROUGH: "ok"}
    assert found[THROUGH].found == f"it answers from {', '.join(KNOWN)}"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"regionAvailability": "NOT_AVAILABLE"}, "the region doesn't have it (NOT_AVAILABLE)"),
        ({"entitlementAvailability": "NOT_AVAILABLE"}, "the account has no access to it (NOT_AVAILABLE)"),
        ({"agreementAvailability": {"status": "PENDING"}}, "the account has no agreement for it (PENDING)"),
        ({"authorizationStatus": "NOT_AUTHORIZED"}, "the account isn't authorized for it (NOT_AUTHORIZED)"),
    ],
)
def test_a_model_that_the_account_may_not_ask_is_told(changes: dict[str, Any], says: str) -> None:
    found = look({**AVAILABLE, **changes}, profile(*KNOWN))[MODEL]
    assert (found.state, found.found) == ("broken", says)
    assert REGION in found.advice


def test_a_region_that_was_added_to_a_profile_is_told() -> None:
    found = look(AVAILABLE, profile(*KNOWN, "eu-south-1"))[THROUGH]
    assert found.state == "broken"
    assert found.found.startswith("it answers from eu-south-1 too")
    assert "aws.inference_profiles with eu-central-1, eu-north-1, eu-south-1, eu-west-1, eu-west-3" in found.advice


def test_a_region_that_was_taken_from_a_profile_is_no_harm() -> None:
    assert look(AVAILABLE, profile(*KNOWN[:2]))[THROUGH].state == "ok"


@pytest.mark.parametrize(
    ("code", "state", "says"),
    [
        ("ResourceNotFoundException", "broken", "the region has no such inference profile"),
        ("AccessDeniedException", "missing", "not seen: AWS answers AccessDeniedException"),
    ],
)
def test_a_profile_that_is_not_there_or_not_shown_is_told(code: str, state: str, says: str) -> None:
    found = look(AVAILABLE, code)[THROUGH]
    assert (found.state, found.found) == (state, says)


def test_another_region_is_asked_there() -> None:
    with signed_in(ADMIN):
        account = Account(REGION)
        assert account.at(REGION) is account
        assert account.at("us-east-1")._session.region_name == "us-east-1"
