"""Makes docs/venues.md: where one shipped blueprint differs between a room of one's own and a region of AWS."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from aifactory.blueprints.site import AwsSite, Site
from aifactory.components.base import Decision
from aifactory.components.rows import HelmRow, KubernetesRow, Row
from aifactory.components.venues import VENUES
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.planning.model import StackPlan
from support import shipped

HEAD = "<!-- Generated from the code by tests/repository/test_venues.py; run it with --update-golden. -->\n\n"
BLUEPRINT, ROOM, REGION = "public-inference", "fra-dc1", "sto-aws"
SITE, DOMAIN = "SITE", "DOMAIN"
ABSENT = object()


class Difference(NamedTuple):
    """A place of one thing that both venues have, with what stands there."""

    part: str
    thing: str
    path: str
    room: object
    region: object


def page() -> str:
    """The page, from the shipped stacks."""
    room, region = platform(ROOM), platform(REGION)
    title = "# What differs between venues\n\n"
    text = (
        f"Blueprint `{BLUEPRINT}` at `{ROOM}` ({_where(room.plan)}) and at `{REGION}` ({_where(region.plan)}). "
        "Whatever is not on this page is equal at both, but for the name of the site and its domain, written "
        f"{SITE} and {DOMAIN} here.\n"
    )
    return "".join([HEAD, title, text, *_files(), *_facts(), *_decided(room.plan, region.plan), *_rows(room, region)])


def platform(site: str) -> Stack:
    """What runs in the cluster of a site."""
    return shipped.stacks()[f"{BLUEPRINT}-{site}-platform"]


def differences(room: Stack, region: Stack) -> Iterator[Difference]:
    """Every place of every row that both have, in which they differ."""
    here, there = _named(room), _named(region)
    for name in here:
        if name in there:
            for path, one, other in _apart(_tree(room, here[name]), _tree(region, there[name])):
                yield Difference(here[name].part, name, path, one, other)


def alone(stack: Stack, other: Stack) -> list[Row]:
    """Rows of a stack that the other one doesn't have."""
    known = _named(other)
    return [row for name, row in _named(stack).items() if name not in known]


def decided_apart(room: StackPlan, region: StackPlan) -> Iterator[tuple[str, object, object]]:
    """Decisions that have another value, by path; ABSENT where one isn't made."""
    here, there = room.decisions, region.decisions
    for path in sorted({*here, *there}):
        one, other = _value(here.get(path), room), _value(there.get(path), region)
        if one != other:
            yield path, one, other


def _where(plan: StackPlan) -> str:
    place = plan.place
    return f"{place.venue}, {place.location.city}, {place.location.country}; {place.location.operator.name}"


def _files() -> Iterator[str]:
    yield "\n## Site files\n\nFields that the file of one kind of place has and the other lacks.\n\n"
    yield "| field | in a room | at aws |\n|---|---|---|\n"
    mine, theirs = Site.model_fields, AwsSite.model_fields
    for name in sorted({*mine, *theirs}):
        if (name in mine) != (name in theirs):
            yield f"| `{name}` | {_yes(name in mine)} | {_yes(name in theirs)} |\n"


def _facts() -> Iterator[str]:
    room, region = platform(ROOM).plan.place.venue, platform(REGION).plan.place.venue
    yield f"\n## The kind of place\n\n| fact | {room} | {region} |\n|---|---|---|\n"
    for name in VENUES[room].__struct_fields__:
        one, other = getattr(VENUES[room], name), getattr(VENUES[region], name)
        if one != other:
            yield f"| `{name}` | {_shown(one)} | {_shown(other)} |\n"


def _decided(room: StackPlan, region: StackPlan) -> Iterator[str]:
    yield "\n## Decisions\n\n`aifactory explain PATH` has the reason of each.\n\n"
    yield f"| path | {ROOM} | {REGION} |\n|---|---|---|\n"
    for path, one, other in decided_apart(room, region):
        yield f"| `{path}` | {_shown(one)} | {_shown(other)} |\n"


def _rows(room: Stack, region: Stack) -> Iterator[str]:
    base = shipped.stacks()[f"{BLUEPRINT}-{REGION}-base"]
    yield f"\n## Made at AWS alone\n\nRows of stack `{base.name}`.\n\n| part | token | rows |\n|---|---|---|\n"
    for (part, token), count in sorted(Counter((row.part, row.token) for row in base.cloud_rows).items()):
        yield f"| {part} | `{token}` | {count} |\n"
    for title, mine, other in ((ROOM, room, region), (REGION, region, room)):
        yield f"\n## In the cluster or beside it at {title} alone\n\n| part | row |\n|---|---|\n"
        for row in sorted(alone(mine, other), key=lambda row: (row.part, row.id)):
            yield f"| {row.part} | `{_plain(row.id, mine)}` |\n"
    yield "\n## In both clusters, and not equal\n\n"
    yield f"| part | row | where | {ROOM} | {REGION} |\n|---|---|---|---|---|\n"
    for each in sorted(differences(room, region), key=lambda each: each[:3]):
        yield f"| {each.part} | `{each.thing}` | `{each.path}` | {_shown(each.room)} | {_shown(each.region)} |\n"


def _named(stack: Stack) -> dict[str, Row]:
    return {_plain(row.id, stack): row for row in stack.rows}


def _tree(stack: Stack, row: Row) -> Any:
    if isinstance(row, HelmRow):
        values = {"chart": row.chart, "version": row.version, "values": stack.plain_tree(row)}
        return _normal(values, stack)
    return _normal(stack.plain_tree(row), stack) if isinstance(row, KubernetesRow) else {}


def _normal(tree: Any, stack: Stack) -> Any:
    if isinstance(tree, Mapping):
        return {_plain(str(key), stack): _normal(value, stack) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_normal(value, stack) for value in tree]
    return _plain(tree, stack) if isinstance(tree, str) else tree


def _plain(text: str, stack: Stack) -> str:
    return _without(text, stack.plan)


def _without(text: str, plan: StackPlan) -> str:
    """A text without the name of its site and its domain."""
    place = plan.place
    domain = place.endpoints.domain if place.endpoints else ""
    return (text.replace(domain, DOMAIN) if domain else text).replace(place.site, SITE)


def _apart(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, object, object]]:
    """Leaves that differ, by path. Lists of one length are compared item by item, others as a whole."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            yield from _apart(one.get(key, ABSENT), other.get(key, ABSENT), f"{path}.{key}" if path else key)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _apart(mine, theirs, f"{path}[{index}]")
    elif one != other:
        yield path, one, other


def _value(decision: Decision | None, plan: StackPlan) -> object:
    if decision is None:
        return ABSENT
    return _without(str(_lists(decision.value)), plan)


def _lists(value: object) -> object:
    """A value as JSON has it: whether it is a tuple or a list is no difference of venues."""
    if isinstance(value, list | tuple):
        return [_lists(each) for each in value]
    return {key: _lists(each) for key, each in value.items()} if isinstance(value, dict) else value


def _yes(there: bool) -> str:
    return "yes" if there else "no"


def _shown(value: object) -> str:
    """A value for a cell: long ones by their beginning and a digest, so that no change of the rest is missed."""
    if value is ABSENT:
        return "not there"
    text = " ".join(str(value).split())
    if len(text) > 120:
        text = f"{text[:100]}... sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return f"`{text}`".replace("|", "\\|") if text else "empty"
