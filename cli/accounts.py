"""Accounts of sites at AWS, as `doctor --live` asks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aifactory.cli.copying import copied
from aifactory.cli.machine import Check
from aifactory.cli.reaching import address_towards
from aifactory.cli.work import Work, prepare
from aifactory.components import names
from aifactory.components.aws_place import AwsPlace
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.live.account import Account, NotAsked
from aifactory.stacks.live.copied import COPIES
from aifactory.stacks.live.finding import guarded
from aifactory.stacks.live.region import examined


def examined_accounts(blueprint: Path, sites: Sequence[str], values: Mapping[str, str]) -> list[Check]:
    """What the accounts of a blueprint's sites have of what its bases ask for.

    Raises `Refused` if the blueprint can't be planned: what it asks for is known from its rows.
    """
    work = prepare(blueprint, sites, values)
    found = [check for stack in work.shown.values() if stack.layer == "base" for check in _examined(stack, work)]
    if not found:
        named = " and ".join(sites) or "this blueprint"
        return [Check("accounts", "missing", f"no site of venue aws in {named}: there is no account to ask")]
    return found


def _examined(stack: Stack, work: Work) -> Iterator[Check]:
    place = stack.plan.place
    if not isinstance(place, AwsPlace):
        return
    rows = {row.id: row for row in stack.cloud_rows}
    try:
        account = Account(place.aws.region)
    except NotAsked as lacking:
        yield Check(f"{place.site}: account", "missing", f"not asked, {lacking.says}", lacking.hint)
        return
    platform = work.stacks[names.stack_name(stack.plan.factory, place.site)]
    address = address_towards(place.aws.vpc.cidr)
    found = examined(place, rows, work.loaded.catalog, account, address, platform.cluster_rows)
    for each in (*found, *guarded(COPIES, copied, work, platform, account)):
        yield Check(f"{place.site}: {each.name}", each.state, each.found, each.advice)
