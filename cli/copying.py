"""Whether nodes of a site can pull what its platform runs, found out between the base and the platform."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.cli.handing import base_of
from aifactory.cli.progress import to_stderr
from aifactory.cli.work import Work
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.live.account import Account, AccountError
from aifactory.stacks.live.copied import copies, looked_at_copies
from aifactory.stacks.live.finding import Finding
from aifactory.stacks.program.engine import EngineError
from aifactory.stacks.render.images import images


def check_copies(work: Work, platform: Stack) -> None:
    """See that each image of a platform is in the registry of its account. Raises `EngineError` if one isn't.

    Where nodes pull from everywhere there is nothing to see. Without boto3, without credentials and without an answer
    it is said that nobody was asked.
    """
    cloud = platform.plan.cloud
    if cloud is None or platform.plan.mirror is None:
        return
    site = platform.plan.place.site
    try:
        found = list(copied(work, platform, Account(cloud.region)))
    except AccountError as error:
        to_stderr(f"{site}: not asked whether copies of its images are there, {error.says}; {error.hint}")
        return
    for each in found:
        if each.state != "ok":
            says = f"the base of {site} is there, and its platform would not start: {each.name}: {each.found}"
            raise EngineError(says, f"{each.advice}, then up again")


def copied(work: Work, platform: Stack, account: Account) -> Iterator[Finding]:
    """The finding about copies of a platform's images; none where it pulls from everywhere. Raises `Declined`."""
    cloud, mirror = platform.plan.cloud, platform.plan.mirror
    if cloud is None or mirror is None:
        return
    wanted = copies(images(platform), mirror, work.stacks[base_of(platform)].cloud_rows)
    yield from looked_at_copies(wanted, platform.name, cloud.account, account)
