"""Whether the policies in rows grant the least: each statement is held to what IAM knows of its actions.

What the actions are, which resources they are on and which conditions they know is policy-sentry's copy of AWS'
Service Authorization Reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import Struct
from policy_sentry.shared.iam_data import get_service_prefix_data

from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Json, Ref, canonical_json, plain
from support.proving.aws_identity import example_arn

NAMED = ("policy", "assumeRolePolicy", "accessPolicies", "inlinePolicy")
"""Properties that hold the text of a policy."""
_OWN_RESOURCE = ("aws:kms/key:Key", "aws:kms/keyPolicy:KeyPolicy")
"""In their policies `*` is the key itself."""
_NARROWS = ("aws:ec2/vpcEndpoint:VpcEndpoint",)
"""Their policies grant nothing: they say what of all that others grant may pass, so that any principal may stand there.
Source: AWS PrivateLink Guide, vpc-endpoints-access: an endpoint policy does not override or replace others."""
_EVERY = re.compile(r"\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:\*")
"""Every resource, of all services or of one."""
REGION = "eu-north-1"
_TRUST = "assumeRolePolicy"
_VERSION = "2012-10-17"
_CLOSED = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
"""What statements are made of. `NotAction`, `NotResource` and `NotPrincipal` grant what nobody has listed."""


Parts = tuple[str, ...]
"""A field of an ARN, a character or a wildcard each."""
Arn = tuple[Parts, ...]
_ANY, _NAME, _ONE = "any text", "any text without /", "any character"


class Policy(Struct, frozen=True):
    """The text of a policy in a row."""

    row: CloudRow
    where: str
    document: Any
    """None when the text is no JSON."""


def policies(rows: Iterable[CloudRow], region: str = REGION) -> Iterator[Policy]:
    """Every policy in rows. What isn't known yet looks as it may look."""
    listed = list(rows)
    tokens = {row.id: row.token for row in listed}

    def example(ref: Ref) -> object:
        return (
            example_arn(tokens[ref.row], region) if ref.path == "arn" and ref.row in tokens else f"example-{ref.path}"
        )

    for row in listed:
        for where, value in _named(row.properties, ""):
            yield Policy(row, where, _document(plain(value, example)))


def check_policies(rows: Iterable[CloudRow], reasons: Mapping[str, str], region: str = REGION) -> list[str]:
    """All that the policies in rows grant too widely. `reasons` say, by `Sid`, why a statement is on every resource."""
    found = []
    used = set()
    for policy in policies(rows, region):
        for each in _document_mistakes(policy):
            found.append(f"{policy.row.id}: {policy.where}: {each}")
        for statement in _statements(policy.document):
            used.add(statement.get("Sid"))
            name = statement.get("Sid") or "a statement without Sid"
            found += [
                f"{policy.row.id}: {policy.where}: {name}: {each}" for each in _mistakes(policy, statement, reasons)
            ]
    return [*found, *(f"a reason for {sid}, and no statement has that Sid" for sid in reasons if sid not in used)]


def _named(tree: object, where: str) -> Iterator[tuple[str, object]]:
    """Values of properties that hold policies. One that is a reference is judged where it is made."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            path = f"{where}.{name}" if where else str(name)
            if name in NAMED and isinstance(value, str | Format | Json):
                yield path, value
            else:
                yield from _named(value, path)
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from _named(value, f"{where}[{index}]")


def _document(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None


def _document_mistakes(policy: Policy) -> Iterator[str]:
    if not isinstance(policy.document, dict) or not _statements(policy.document):
        yield "is no policy: a JSON object with a Statement"
    elif policy.document.get("Version") != _VERSION:
        yield f"has no Version {_VERSION}; without it variables are plain text"
    sids = [each["Sid"] for each in _statements(policy.document) if each.get("Sid")]
    yield from (f"two statements have the Sid {sid}" for sid in sorted({sid for sid in sids if sids.count(sid) > 1}))


def _statements(document: Any) -> list[dict[str, Any]]:
    found = document.get("Statement", []) if isinstance(document, dict) else []
    return [found] if isinstance(found, dict) else [each for each in found if isinstance(each, dict)]


def _mistakes(policy: Policy, statement: dict[str, Any], reasons: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(statement.keys() - _CLOSED):
        yield f"{name}: say what is meant, not what isn't"
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"Effect is {statement.get('Effect')}; there is Allow and Deny"
    actions = _list(statement.get("Action"))
    if not actions and "NotAction" not in statement:
        yield "has no Action"
    yield from _condition_mistakes(statement, actions)
    if statement.get("Effect") == "Deny":
        yield from (f"{action} is no action of IAM" for action in actions if "*" not in action and not _action(action))
        return
    for action in actions:
        if "*" in action or "?" in action:
            yield f"{action}: an action with a wildcard grants what AWS adds tomorrow; list the actions"
        elif not _action(action):
            yield f"{action} is no action of IAM"
    if policy.where.endswith(_TRUST):
        yield from _trust_mistakes(statement, actions)
    else:
        yield from _resource_mistakes(policy, statement, actions, reasons)
    reads = statement.get("Sid") in reasons and all(_reads(action) for action in actions)
    narrows = policy.row.token in _NARROWS and (reads or not _every(statement))
    if "*" in _principals(statement) and not statement.get("Condition") and not narrows:
        yield "every principal of every account, without a condition"


def _trust_mistakes(statement: dict[str, Any], actions: list[str]) -> Iterator[str]:
    if not _principals(statement):
        yield "trusts nobody: it has no Principal"
    yield from (f"{each} is nothing that a trust policy grants" for each in actions if not each.startswith("sts:"))
    if "sts:AssumeRoleWithWebIdentity" in actions and ":sub" not in canonical_json(statement.get("Condition", {})):
        yield "any identity of the provider: a condition on its sub is missing"


def _resource_mistakes(
    policy: Policy, statement: dict[str, Any], actions: list[str], reasons: Mapping[str, str]
) -> Iterator[str]:
    resources = _list(statement.get("Resource"))
    known = [action for action in actions if _action(action)]
    if not resources:
        yield "has no Resource"
    elif _every(statement):
        if policy.row.token in _OWN_RESOURCE:
            return
        limited = [action for action in known if _patterns(action)]
        if limited and statement.get("Sid") not in reasons:
            yield f"{', '.join(limited)} on every resource, and no reason is on record for this Sid"
    else:
        for action in known:
            patterns = _patterns(action)
            if not patterns:
                yield f"{action} has no resources: it takes * alone"
            elif not any(_overlap(pattern, _fields(each)) for pattern in patterns for each in resources):
                yield f"{action} is on none of {', '.join(resources)}"


def _condition_mistakes(statement: dict[str, Any], actions: list[str]) -> Iterator[str]:
    services = {action.partition(":")[0] for action in actions}
    for tests in statement.get("Condition", {}).values():
        for key in tests:
            service, _, _ = key.partition(":")
            if service == "aws" or service not in services:
                continue  # keys of all services, and of identity providers, which have their own names
            known = [re.sub(r"\\\$\\\{.*?\\\}", ".+", re.escape(each)) for each in _service(service)["conditions"]]
            if not any(re.fullmatch(each, key, re.IGNORECASE) for each in known):
                yield f"{key} is no condition that {service} knows"


def _action(action: str) -> dict[str, Any] | None:
    service, _, name = action.partition(":")
    data = _service(service)
    found: dict[str, Any] | None = data["privileges"].get(name) if data else None
    return found


def _reads(action: str) -> bool:
    """Whether an action changes nothing, so that nothing is carried out by it."""
    found = _action(action)
    return found is not None and found["access_level"] in ("Read", "List")


def _every(statement: dict[str, Any]) -> bool:
    return any(_EVERY.fullmatch(each) for each in _list(statement.get("Resource")))


def _patterns(action: str) -> list[Arn]:
    """What an ARN looks like that an action is on; none for an action without resources."""
    found, data = _action(action), _service(action.partition(":")[0])
    arns = [data["resources"][name]["arn"] for name in found["resource_types"] if name] if found else []
    return [_pattern(arn) for arn in arns]


def _pattern(arn: str) -> Arn:
    """A name has no `/` where a longer form with one is another kind of resource, as with buckets and objects."""
    name = _NAME if re.fullmatch(r"arn:\$\{Partition\}:s3:::\$\{\w+\}", arn) else _ANY
    fields = re.sub(r"\$\{\w+\}", "$", arn).split(":", 5)
    return tuple(tuple(name if part == "$" else part for part in field) for field in fields)


def _fields(resource: str) -> Arn:
    """A resource as a statement has it. In its last field `*` spans `/` and `:`, and none spans two fields.

    Source: IAM User Guide, reference-arns, "Paths in ARNs" and wildcards in segments.
    """
    return tuple(tuple({"*": _ANY, "?": _ONE}.get(each, each) for each in field) for field in resource.split(":", 5))


def _overlap(one: Arn, other: Arn) -> bool:
    return len(one) == len(other) and all(map(_meet, one, other))


def _meet(one: Parts, other: Parts) -> bool:
    """Whether there is a text that both stand for."""

    @cache
    def meet(i: int, j: int) -> bool:
        left, right = one[i:], other[j:]
        if not left or not right:
            return all(part in (_ANY, _NAME) for part in left or right)
        a, b = left[0], right[0]
        if a in (_ANY, _NAME):
            return meet(i + 1, j) or (not (a == _NAME and b == "/") and meet(i, j + 1))
        if b in (_ANY, _NAME):
            return meet(i, j + 1) or (not (b == _NAME and a == "/") and meet(i + 1, j))
        return (a == b or _ONE in (a, b)) and meet(i + 1, j + 1)

    return meet(0, 0)


def _service(prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = get_service_prefix_data(prefix)
    return found


def _principals(statement: dict[str, Any]) -> list[str]:
    found = statement.get("Principal", [])
    return [one for each in found.values() for one in _list(each)] if isinstance(found, dict) else _list(found)


def _list(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)
