"""Whether Bedrock answers for the models that roles of a base may ask: access of the account, regions of profiles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from aifactory.components.rows import CloudRow
from aifactory.components.values import Json
from aifactory.stacks.live.account import Account, Declined
from aifactory.stacks.live.finding import Finding, guarded

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
_ARN = re.compile(r"arn:[^:]+:bedrock:([^:]+):[0-9]*:(foundation-model|inference-profile)/(.+)")
_THROUGH = "bedrock:InferenceProfileArn"
_NEEDED = (
    ("regionAvailability", "AVAILABLE", "the region doesn't have it"),
    ("entitlementAvailability", "AVAILABLE", "the account has no access to it"),
    ("agreementAvailability", "AVAILABLE", "the account has no agreement for it"),
    ("authorizationStatus", "AUTHORIZED", "the account isn't authorized for it"),
)
"""Fields of an answer, what they must say, and what it means if they don't.
Source: Amazon Bedrock API Reference, GetFoundationModelAvailability."""


class Asked(Struct, frozen=True):
    """A model or an inference profile that a role may ask for."""

    region: str
    called: str
    profile: bool
    answering: frozenset[str] = frozenset()
    """Regions of a profile in which the role may ask its model."""


def asked(rows: Mapping[str, CloudRow]) -> tuple[Asked, ...]:
    """What policies of roles name, each once."""
    found: dict[tuple[str, str], Asked] = {}
    answering: dict[str, set[str]] = {}
    statements = [each for row in rows.values() if row.token == ROLE_POLICY for each in _statements(row)]
    for statement in statements:
        for profile in _through(statement):
            answering.setdefault(profile, set()).update(match[1] for match, _ in _named(statement))
    for statement in statements:
        for match, arn in () if _through(statement) else _named(statement):
            regions = frozenset(answering.get(arn, ()))
            found[match[1], match[3]] = Asked(match[1], match[3], match[2] == "inference-profile", regions)
    return tuple(found.values())


def answered(rows: Mapping[str, CloudRow], account: Account) -> Iterator[Finding]:
    """Each question by itself. A region that isn't the site's own is asked there."""
    for each in asked(rows):
        name = f"{each.called} in {each.region}"
        yield from guarded(name, _profile if each.profile else _model, name, each, account.at(each.region))


def _model(name: str, each: Asked, account: Account) -> Iterator[Finding]:
    there = account.ask("bedrock", "get_foundation_model_availability", modelId=each.called)
    said = {**there, "agreementAvailability": there["agreementAvailability"]["status"]}
    wrong = [f"{says} ({said[field]})" for field, right, says in _NEEDED if said[field] != right]
    if wrong:
        advice = f"ask for access in the console of Bedrock in {each.region}, or name another model"
        yield Finding(name, "broken", "; ".join(wrong), advice)
    else:
        yield Finding(name, "ok", "the account may ask for it")


def _profile(name: str, each: Asked, account: Account) -> Iterator[Finding]:
    """AWS adds regions to a profile without a new name: requests that go there are denied by the role."""
    try:
        there = account.ask("bedrock", "get_inference_profile", inferenceProfileIdentifier=each.called)
    except Declined as declined:
        if declined.code != "ResourceNotFoundException":
            raise
        yield Finding(name, "broken", "the region has no such inference profile", "name one that it lists")
        return
    matches = [_ARN.fullmatch(str(model.get("modelArn", ""))) for model in there["models"]]
    regions = {match[1] for match in matches if match is not None}
    more = sorted(regions - each.answering)
    if more:
        says = f"it answers from {', '.join(more)} too, which the plan doesn't know and the role may not ask"
        advice = f"state it in aws.inference_profiles with {', '.join(sorted(regions))}; residency is judged by these"
        yield Finding(name, "broken", says, advice)
    else:
        yield Finding(name, "ok", f"it answers from {', '.join(sorted(regions))}")


def _statements(row: CloudRow) -> list[Mapping[str, Any]]:
    policy = row.properties["policy"]
    tree: Any = policy.tree if isinstance(policy, Json) else {}
    return [each for each in tree.get("Statement", ()) if "bedrock:InvokeModel" in each["Action"]]


def _through(statement: Mapping[str, Any]) -> list[str]:
    found = statement.get("Condition", {}).get("StringEquals", {}).get(_THROUGH)
    return [str(found)] if found else []


def _named(statement: Mapping[str, Any]) -> Iterator[tuple[re.Match[str], str]]:
    for arn in statement["Resource"]:
        match = _ARN.fullmatch(str(arn))
        if match is not None:
            yield match, str(arn)
