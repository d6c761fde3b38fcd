"""Policies of IAM, of keys and of buckets, for whatever part makes rows at AWS: each statement with what it allows, on
what, and why so widely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from aifactory.components.aws_place import AwsRegion, principal
from aifactory.components.rows import Tree
from aifactory.components.values import Json

EVERY = ("*",)
OF_THE_KEY = "a key's policy speaks of its own key alone, and names it so"


class Statement(Struct, frozen=True):
    """What a policy allows."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[object, ...] = ()
    """ARNs, as text or as a reference. None in the policy of a role's trust."""
    principals: Mapping[str, object] | None = None
    condition: Mapping[str, object] | None = None
    why: str = ""
    """Why it speaks of every resource, where it does."""
    denies: bool = False

    def tree(self) -> Tree:
        """The statement as IAM reads it. Raises ValueError for a wide one without a reason."""
        if self.resources == EVERY and not self.why:
            raise ValueError(f"statement {self.sid} speaks of every resource and doesn't say why")
        found: Tree = {"Sid": self.sid, "Effect": "Deny" if self.denies else "Allow", "Action": list(self.actions)}
        if self.principals is not None:
            found["Principal"] = dict(self.principals)
        if self.resources:
            found["Resource"] = list(self.resources) if self.resources != EVERY else "*"
        if self.condition is not None:
            found["Condition"] = dict(self.condition)
        return found


def document(statements: Iterable[Statement]) -> Json:
    """A policy document, as one text."""
    return Json({"Version": "2012-10-17", "Statement": [each.tree() for each in statements]})


def of_pods(region: AwsRegion, cluster: str) -> tuple[Statement, ...]:
    """Who may take a role of pods: Pod Identity, for one cluster."""
    condition = {
        "StringEquals": {"aws:SourceAccount": region.account},
        "ArnEquals": {"aws:SourceArn": region.arn("eks", f"cluster/{cluster}")},
    }
    actions = ("sts:AssumeRole", "sts:TagSession")
    return (Statement("PodIdentity", actions, principals={"Service": principal("pods.eks")}, condition=condition),)


def administration(region: AwsRegion) -> Statement:
    """The account administers its key, by policies of IAM; none of these actions uses it."""
    verbs = (
        "DescribeKey", "GetKeyPolicy", "PutKeyPolicy", "ListKeyPolicies", "UpdateKeyDescription", "EnableKey",
        "DisableKey", "EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus", "ListResourceTags",
        "TagResource", "UntagResource", "ListGrants", "RevokeGrant", "CreateAlias", "UpdateAlias", "DeleteAlias",
        "ScheduleKeyDeletion", "CancelKeyDeletion",
    )  # fmt: skip
    root = {"AWS": region.arn("iam", "root", region="")}
    return Statement("Administer", tuple(f"kms:{verb}" for verb in verbs), EVERY, root, why=OF_THE_KEY)
