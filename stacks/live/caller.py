"""Whether whoever asks an account is among those whom a site's cluster lets in.

EKS lets principals of IAM in, and credentials are mostly those of a session: STS names the session, a site its role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from aifactory.components.given_aws import AwsGiven
from aifactory.stacks.live.account import Account
from aifactory.stacks.live.finding import Finding

_SESSION = re.compile(r"arn:([^:]+):sts::([0-9]{12}):assumed-role/([^/]+)/.+")


def principal_of(caller: str) -> str:
    """The principal of IAM behind the ARN of a caller: a session's role, without its path, which STS leaves out.

    Source: IAM User Guide, reference_policies_elements_principal, "Role session principals".
    """
    session = _SESSION.fullmatch(caller)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else caller


def is_let_in(caller: str, admins: Sequence[str]) -> bool:
    """Whether a caller is one of the principals. Role names are unique in an account, whatever their path."""
    if _SESSION.fullmatch(caller) is None:
        return caller in admins
    return principal_of(caller) in map(_without_path, admins)


def whose(site: str, aws: AwsGiven, account: Account) -> Iterator[Finding]:
    """The findings about whose account credentials are for, and who asks. Raises `Declined`."""
    who = account.ask("sts", "get_caller_identity")
    if who["Account"] == aws.account:
        yield Finding("account", "ok", f"{who['Account']}, as {who['Arn']}")
        yield looked_at_caller(str(who["Arn"]), aws)
        return
    says = f"these credentials are of account {who['Account']}, and {site} is in {aws.account}"
    yield Finding("account", "broken", says, "sign in to the account of the site, or correct aws.account")


def looked_at_caller(caller: str, aws: AwsGiven) -> Finding:
    """The finding about whoever asks."""
    who = principal_of(caller)
    if is_let_in(caller, aws.admins):
        return Finding("caller", "ok", f"{who} is one of aws.admins")
    says = f"{who} is none of aws.admins, and the cluster lets nobody else in: the platform would fail after the base"
    return Finding("caller", "broken", says, f"{_to_write(caller)}, or sign in as {' or '.join(aws.admins)}")


def looked_at_way(aws: AwsGiven, address: str | None) -> Finding:
    """Whether packets of this machine to the VPC come from a network that the site lets in.

    `address` is the one they leave with, None where there is no route. What translates it on the way isn't seen
    here, so it is never more than a doubt.
    """
    networks = [aws.vpc.cidr, *(each for given in aws.reached_from for each in given.networks)]
    if address is None:
        return Finding("way to the API", "missing", "this machine has no route to the VPC", _THENCE)
    if any(ip_address(address) in ip_network(network) for network in networks):
        return Finding("way to the API", "ok", f"packets leave from {address}, which aws.reached_from lists")
    says = f"packets leave from {address}, and the API lets {', '.join(networks)} in"
    return Finding("way to the API", "missing", says, _THENCE)


_THENCE = (
    "run up from one of those networks, or see that its address is translated into one; or list it in aws.reached_from"
)


def roles_of(aws: AwsGiven) -> Iterator[str]:
    """Those of the administrators that are roles of the site's own account."""
    for admin in aws.admins:
        if f":iam::{aws.account}:role/" in admin:
            yield admin


def _to_write(caller: str) -> str:
    if _SESSION.fullmatch(caller):
        name = principal_of(caller).rpartition("/")[2]
        return f"add the ARN of that role to aws.admins: aws iam get-role --role-name {name} --query Role.Arn prints it"
    if ":user/" in caller:
        return f"add {caller} to aws.admins"
    return "sign in as a role, for access entries take neither root nor federated users"


def _without_path(principal: str) -> str:
    head, kind, rest = principal.partition(":role/")
    return f"{head}{kind}{rest.rpartition('/')[2]}" if kind else principal
