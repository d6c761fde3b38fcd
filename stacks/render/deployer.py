"""What whoever runs `up`, `refresh` and `destroy` of a base must be allowed to do: policies of IAM, from its rows.

Statements hold to names where a name is known, and to the tags of factory and site where a cloud gives an id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

from msgspec import Struct

from aifactory.components import names
from aifactory.components.rows import CloudRow
from aifactory.components.values import Format, Ref
from aifactory.stacks.assembly.stack import Stack

MOST_CHARS = 6144
"""Longest policy that IAM takes, without white space. Source: IAM User Guide, reference_iam-quotas."""
EVERYWHERE = "ReadWhatIsThere"
"""Sid of the statement on every resource: its actions describe and list, and AWS lets nobody narrow them."""
MAKE_UNNAMED = "MakeWhatHasNoArn"
"""Sid of the statement that makes keys and the cluster: AWS knows no resource of that, and tags hold it."""
_TAGGED = ("ec2", "kms", "fsx")
_LAUNCHED = ("instance", "volume", "network-interface")
_LAUNCHED_WITH = ("launch-template", "placement-group", "security-group", "subnet", "capacity-reservation")

Actions = Mapping[str, Mapping[str, Any]]
"""Rows of the catalog's `aws-deployer`, by token."""
Statement = dict[str, Any]


class _Ground(Struct, frozen=True):
    partition: str
    region: str
    account: str
    rows: Mapping[str, CloudRow]

    def arn(self, pattern: str, row: CloudRow | None = None) -> str:
        """An ARN of the catalog with what the row says; `*` for what nobody knows yet."""
        fields = [field for _, field, _, _ in Formatter().parse(pattern) if field]
        known = {"region": self.region, "account": self.account}
        filled = {each: known.get(each) or self.text(row, each) for each in fields}
        return f"arn:{self.partition}:{pattern.format(**filled)}"

    def text(self, row: CloudRow | None, name: str) -> str:
        """A property of a row; for one that refers to another row, the name of that."""
        value = row.properties.get(name) if row is not None else None
        if isinstance(value, Format) and len(value.parts) == 1:
            value = value.parts[0]
        if isinstance(value, Ref):
            other = self.rows.get(value.row)
            found = [other.properties.get(each) for each in ("name", "bucket")] if other is not None else []
            value = next((each for each in found if isinstance(each, str)), None)
        return value if isinstance(value, str) and value else "*"


def deployer_files(stack: Stack, actions: Actions) -> Iterator[tuple[str, str]]:
    """The files of a base: one policy each, as `aws iam create-policy` takes it."""
    for number, document in enumerate(deployer_policies(stack, actions), start=1):
        yield f"deployer-policy-{number}.json", json.dumps(document, indent=2) + "\n"


def deployer_policies(stack: Stack, actions: Actions) -> list[dict[str, Any]]:
    """The policies, each within what IAM takes. Raises KeyError for a token without a row in the catalog."""
    cloud = stack.plan.cloud
    if cloud is None:
        return []
    rows = {row.id: row for row in stack.cloud_rows}
    ground = _Ground(cloud.partition, cloud.region, cloud.account, rows)
    place = stack.plan.place
    tags = names.tags(stack.plan.factory, place.site, "")
    owned = {tag: tags[tag] for tag in names.OWNER_TAGS}
    return _divided(list(_statements(list(rows.values()), actions, ground, owned)))


def _statements(
    rows: Sequence[CloudRow], actions: Actions, ground: _Ground, owned: Mapping[str, str]
) -> Iterator[Statement]:
    known = {row.token: actions[row.token] for row in rows}
    asked = {"StringEquals": {f"aws:RequestTag/{tag}": value for tag, value in owned.items()}}
    there = {"StringEquals": {f"aws:ResourceTag/{tag}": value for tag, value in owned.items()}}
    for service in _TAGGED:
        made = [each for each in known.values() if _first(each.get("makes", ())) == service]
        others = [each for each in known.values() if _service_of(each) == service]
        title = service.title()
        yield from _allowed(f"Make{title}", _of(made, "makes"), map(ground.arn, _of(made, "new")), asked)
        yield from _allowed(
            f"MakeWithin{title}", _of(made, "makes", "beside"), map(ground.arn, _of(made, "beside")), there
        )
        acts = [*_of(others, "acts"), *(["ec2:CreateTags", "ec2:DeleteTags"] if service == "ec2" and others else [])]
        yield from _allowed(
            f"Change{title}", acts, map(ground.arn, [*_of(others, "new"), *_of(others, "inside")]), there
        )
        yield from _allowed(f"Tag{title}", _of(others, "adopts"), map(ground.arn, _of(others, "new", "adopts")), asked)
        yield from _allowed(f"MakeRules{title}", _of(others, "makes_in"), map(ground.arn, _of(others, "inside")), asked)
    yield from _allowed(MAKE_UNNAMED, _of(known.values(), "makes_any"), ["*"], asked)
    yield from _of_keys(known.values(), ground, there)
    yield from _of_ec2(rows, known, ground)
    yield from _of_names(rows, actions, ground)
    yield from _of_roles(rows, known, ground)
    yield from _allowed(EVERYWHERE, _of(known.values(), "reads"), ["*"], {})


def _of_keys(known: Iterable[Mapping[str, Any]], ground: _Ground, there: Mapping[str, Any]) -> Iterator[Statement]:
    """EKS makes a grant of its key in the name of whoever makes the cluster: for an AWS service, and no other way."""
    granting = [each for each in known if each.get("grants")]
    for_aws = {**there, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    yield from _allowed("GrantKeys", _of(granting, "grants"), map(ground.arn, _of(granting, "new")), for_aws)


def _of_ec2(rows: Sequence[CloudRow], known: Mapping[str, Mapping[str, Any]], ground: _Ground) -> Iterator[Statement]:
    """What EC2 asks beside: tags while something is made, what the site names, and instances of launch templates."""
    making = [each for each in known.values() if _first(each.get("makes", ())) == "ec2"]
    launching = _of(known.values(), "launches")
    of_instances = [f"ec2:{{region}}:{{account}}:{kind}/*" for kind in _LAUNCHED] if launching else []
    verbs = sorted({action.partition(":")[2] for action in [*_of(making, "makes"), *launching]})
    inside = [each for each in known.values() if each.get("makes_in")]
    verbs = sorted({*verbs, *(action.partition(":")[2] for action in _of(inside, "makes_in"))})
    tagged = [*_of(making, "new"), *_of(inside, "inside"), *of_instances]
    when = {"StringEquals": {"ec2:CreateAction": verbs}}
    yield from _allowed("TagWhileMaking", ["ec2:CreateTags"] if tagged else [], map(ground.arn, tagged), when)
    for token, each in known.items():
        if each.get("others"):
            arns = [ground.arn(arn, row) for row in rows if row.token == token for arn in each["others"]]
            yield from _allowed("AttachTo", each["makes"], arns, {})
    if launching:
        templates = [ground.arn("ec2:{region}:{account}:launch-template/*")]
        used = [f"ec2:{{region}}:{{account}}:{kind}/*" for kind in (*_LAUNCHED, *_LAUNCHED_WITH)]
        image = f"arn:{ground.partition}:ec2:{ground.region}::image/*"
        by_template = {"ArnLike": {"ec2:LaunchTemplate": templates}}
        yield from _allowed("RunByTemplate", launching, [*map(ground.arn, used), image], by_template)


def _of_names(rows: Sequence[CloudRow], actions: Actions, ground: _Ground) -> Iterator[Statement]:
    """One statement a service and kind of ARNs: what has a name is held to it."""
    services: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        each = actions[row.token]
        for action in each.get("named", ()):
            service = action.partition(":")[0]
            found = services.setdefault(service, {"actions": [], "arns": []})
            found["actions"].append(action)
            at = [arn for arn in each["at"] if arn.partition(":")[0] == service]
            found["arns"] += [ground.arn(arn, row) for arn in at]
    for service, found in services.items():
        yield from _allowed(f"Named{service.title()}", found["actions"], found["arns"], {})


def _of_roles(rows: Sequence[CloudRow], known: Mapping[str, Mapping[str, Any]], ground: _Ground) -> Iterator[Statement]:
    """Policies that roles may be given, and roles that services make for themselves."""
    attaching = [row for row in rows if known[row.token].get("attaches")]
    policies = {str(row.properties["policyArn"]) for row in attaching}
    roles = [ground.arn(arn, row) for row in attaching for arn in known[row.token]["at"]]
    only = {"ArnEquals": {"iam:PolicyARN": sorted(policies)}}
    yield from _allowed("AttachPolicies", _of((known[row.token] for row in attaching), "attaches"), roles, only)
    services = sorted(set(_of(known.values(), "linked")))
    if services:
        arns = [ground.arn(f"iam::{{account}}:role/aws-service-role/{service}/*") for service in services]
        named = {"StringEquals": {"iam:AWSServiceName": services}}
        yield from _allowed("MakeServiceLinkedRoles", ["iam:CreateServiceLinkedRole"], arns, named)


def _allowed(
    sid: str, actions: Iterable[str], resources: Iterable[str], condition: Mapping[str, Any]
) -> Iterator[Statement]:
    acts, arns = sorted(set(actions)), sorted(set(resources))
    if acts and arns:
        narrowed = {"Condition": dict(condition)} if condition else {}
        yield {"Sid": sid, "Effect": "Allow", "Action": acts, "Resource": arns, **narrowed}


def _of(rows: Iterable[Mapping[str, Any]], field: str, only: str = "") -> list[str]:
    """All that rows of the catalog have in a field; with `only`, those rows alone that have that field."""
    return [str(each) for row in rows if not only or row.get(only) for each in row.get(field, ())]


def _first(listed: Sequence[str]) -> str:
    return listed[0].partition(":")[0] if listed else ""


def _service_of(row: Mapping[str, Any]) -> str:
    """The service whose resources a row holds to tags, empty for none."""
    return _first(row.get("new", ()))


def _divided(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    """Documents in order, each as full as IAM lets it be."""
    found: list[list[Statement]] = [[]]
    for statement in statements:
        if _chars(_document([*found[-1], statement])) > MOST_CHARS and found[-1]:
            found.append([])
        found[-1].append(statement)
    return [_document(each) for each in found if each]


def _document(statements: Sequence[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _chars(document: Mapping[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")))
