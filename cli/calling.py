"""Who runs `up` at a site at AWS, found out before a base is begun: a cluster lets its administrators in alone."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.cli.progress import to_stderr
from aifactory.cli.work import Work
from aifactory.components.aws_place import AwsPlace
from aifactory.components.problems import Problem
from aifactory.stacks.live.account import Account, AccountError
from aifactory.stacks.live.caller import whose


def caller_problems(work: Work) -> list[Problem]:
    """What keeps whoever runs this from deploying to the sites at AWS, as far as AWS says who that is.

    Without boto3, without credentials and without an answer it is said that nobody was asked: the engine finds its
    credentials by itself.
    """
    places = {place.site: place for stack in work.shown.values() if isinstance(place := stack.plan.place, AwsPlace)}
    found = [problem for place in places.values() for problem in _of(place)]
    loaded = work.loaded
    return [each.located(loaded.position(each.path, each.document, each.site)) for each in found]


def _of(place: AwsPlace) -> Iterator[Problem]:
    try:
        found = list(whose(place.site, place.aws, Account(place.aws.region)))
    except AccountError as error:
        to_stderr(f"{place.site}: not asked whether you are one of aws.admins, {error.says}; {error.hint}")
        return
    for each in found:
        if each.state != "ok":
            yield Problem(each.found, _AT[each.name], each.advice, site=place.site, document="site")


_AT = {"account": ("aws", "account"), "caller": ("aws", "admins")}
"""Field of the site file that a finding is about."""
