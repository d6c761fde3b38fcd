"""Prices of the catalog asked for anew: what each was, is now, and the file that says so.

Nothing shipped is touched: the answer is a file of its own, with the day and the source of each row, to be reviewed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from msgspec import Struct

from aifactory.components.catalog import Catalog, Row
from aifactory.components.catalog.rows import plain
from aifactory.components.problems import Problem, Refused
from aifactory.stacks.live.price_list import Listed, PriceError, Wanted

SERVICES, ACCELERATORS = "prices-aws-services", "prices-aws"
TABLES = (SERVICES, ACCELERATORS)


class Source(Protocol):
    """Where prices are asked for."""

    says: str
    """What it is, for the file."""

    def price(self, wanted: Wanted, region: str) -> Listed | None:
        """None when it lists no such price. Raises `PriceError` for an answer that can't be one."""


class Change(Struct, frozen=True):
    """One price: what the catalog says, and what the source says."""

    section: str
    key: str
    region: str
    old: Decimal | None
    new: Decimal | None
    """None: the source lists none."""
    row: Mapping[str, Any]
    """As the file has it."""

    @property
    def percent(self) -> str:
        """How far the price moved, with its sign, to one decimal."""
        if self.new is None:
            return "not listed"
        if self.old is None:
            return "new"
        return f"{(self.new - self.old) / self.old * 100:+.1f} %"


class _Ask(Struct, frozen=True):
    section: str
    key: str
    region: str
    wanted: Wanted
    old: Row | None
    row: Mapping[str, Any]
    per: int = 1


def changes(catalog: Catalog, table: str, regions: Sequence[str], source: Source, today: dt.date) -> list[Change]:
    """Each price of a table, in each region. Raises `Refused` with every answer that can't be a price.

    A region that the catalog doesn't know is refused before anything is asked.
    """
    unknown = [region for region in regions if catalog.find("regions", f"aws:{region}") is None]
    if unknown:
        raise Refused(
            [Problem(f"{region} is not a region of AWS", hint=_nearest(catalog, region)) for region in unknown]
        )
    found, problems = [], []
    for ask in _ASKS[table](catalog, regions):
        try:
            found.append(_changed(ask, source.price(ask.wanted, ask.region), today))
        except PriceError as error:
            problems.append(Problem(f"{ask.key}: {error}", hint="an answer like this is no price: report it"))
    if problems:
        raise Refused(problems)
    return found


def as_data(table: str, found: Sequence[Change], file: str) -> dict[str, Any]:
    """For `--format json`: prices as text, so that none is rounded."""
    rows = [
        {"key": each.key, "region": each.region, "old": _said(each.old), "new": _said(each.new), "moved": each.percent}
        for each in found
    ]
    return {"schema": "aifactory-refreshed-prices/v1", "table": table, "file": file, "prices": rows}


def text_lines(found: Sequence[Change]) -> Iterator[str]:
    """Key, old, new and percent, in columns."""
    rows = [(_named(each), _said(each.old) or "-", _said(each.new) or "-", each.percent) for each in found]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    for key, old, new, moved in rows:
        yield f"{key:{widths[0]}}  {old:>{widths[1]}}  {new:>{widths[2]}}  {moved:>{widths[3]}}"


def document(table: str, found: Sequence[Change], source: Source, today: dt.date) -> dict[str, Any]:
    """The file: a catalog file of the table's form, with the rows that the source listed and no others."""
    day = today.isoformat()
    sections: dict[str, dict[str, dict[str, Any]]] = {}
    for each in found:
        if each.new is None:
            continue
        rows = sections.setdefault(each.section, {})
        known = rows.setdefault(each.key, {**each.row})
        if "on_demand" in known:
            known["on_demand"] = {**known["on_demand"], **each.row["on_demand"]}
    if not sections:
        raise Refused([Problem(f"nothing of {table} is listed", hint="ask for another region, or of another source")])
    header = {"schema": f"{table}/v1", "as_of": day, "checked": day, "sources": {"list": f"{source.says}, {day}"}}
    return {**header, **{section: list(rows.values()) for section, rows in sections.items()}}


def price_file(name: str, found: Sequence[Change], source: Source, today: dt.date) -> dict[str, Any]:
    """The same as a price file, which a site names and an estimate takes before the catalog."""
    rows = [
        {
            "item": each.key if each.section == "aws" else each.key.rpartition(":")[0],
            "region": each.region,
            **({"purchase": "on-demand"} if each.section in ("aws", "nodes") else {}),
            "price": each.new / int(each.row.get("per", 1)),
        }
        for each in found
        if each.new is not None
    ]
    if not rows:
        raise Refused([Problem("nothing is listed", hint="ask for another region, or of another source")])
    return {
        "aifactory": "v1",
        "prices": name,
        "source": f"{source.says}, {today.isoformat()}",
        "seen": today.isoformat(),
        "currency": "USD",
        "rows": rows,
    }


def _changed(ask: _Ask, price: Listed | None, today: dt.date) -> Change:
    if price is None:
        return Change(ask.section, ask.key, ask.region, _old(ask), None, ask.row)
    usd = price.usd * ask.per
    day = today.isoformat()
    if ask.section == "aws":
        row = {**ask.row, "on_demand": {ask.region: usd}, "checked": day, "source": "list"}
        return Change(ask.section, ask.key, ask.region, _old(ask), usd, row)
    included = {"included": price.included} if price.included else {}
    tiers = {"tiers": [[above, cheaper * ask.per] for above, cheaper in price.tiers]} if price.tiers else {}
    effective = {"effective": price.effective} if price.effective else {}
    dated = {"seen": day, **effective, "checked": day, "grade": "A", "source": "list"}
    row = {**ask.row, "usd": usd, **included, **tiers, **dated}
    return Change(ask.section, ask.key, ask.region, _old(ask), usd, row)


def _old(ask: _Ask) -> Decimal | None:
    if ask.old is None:
        return None
    if ask.section == "aws":
        known = ask.old.data.get("on_demand") or {}
        return Decimal(str(known[ask.region])) if ask.region in known else None
    return Decimal(str(ask.old.number("usd")))


def _services(catalog: Catalog, regions: Sequence[str]) -> Iterator[_Ask]:
    """What `asked` says, and each instance type that has a row."""
    for asked in catalog.rows(f"{SERVICES}.asked"):
        token, meter = asked.text("token"), asked.text("meter")
        data = plain(asked.data)
        region_field = data.get("region_field", "regionCode")
        wanted = Wanted(data["service"], data["usage"], data["match"], data["units"], region_field)
        like = next(row for row in catalog.rows(SERVICES) if row.key.startswith(f"{token}:{meter}:"))
        for region in regions:
            key = f"{token}:{meter}:{region}"
            old = catalog.find(SERVICES, key) or catalog.find(SERVICES, f"{token}:{meter}:any")
            row = {
                "token": token,
                "meter": meter,
                "region": region,
                "unit": like.text("unit"),
                "per": like.count("per"),
            }
            yield _Ask("meters", key, region, wanted, old, row, like.count("per"))
    table = f"{SERVICES}.nodes"
    for kind in dict.fromkeys(row.text("type") for row in catalog.rows(table)):
        for region in regions:
            key = f"{kind}:{region}"
            row = {"type": kind, "region": region, "unit": "hour", "per": 1}
            yield _Ask("nodes", key, region, of_instances(kind), catalog.find(table, key), row)


def _accelerators(catalog: Catalog, regions: Sequence[str]) -> Iterator[_Ask]:
    for known in catalog.rows(ACCELERATORS):
        row = {"type": known.key, "accelerator": known.text("accelerator"), "count": known.count("count")}
        for region in regions:
            yield _Ask("aws", known.key, region, of_instances(known.key), known, row)


def of_instances(kind: str) -> Wanted:
    """An hour of an instance on demand: Linux without licences, on shared hardware, not bound to a reservation."""
    match = {"instanceType": kind, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA"}
    return Wanted("AmazonEC2", "", {**match, "capacitystatus": "Used"}, {"Hrs": 1})


_ASKS: dict[str, Callable[[Catalog, Sequence[str]], Iterator[_Ask]]] = {
    SERVICES: _services,
    ACCELERATORS: _accelerators,
}


def _nearest(catalog: Catalog, region: str) -> str:
    return catalog.hint("regions", f"aws:{region}").replace("aws:", "")


def _said(usd: Decimal | None) -> str | None:
    return None if usd is None else f"{usd.normalize():f}"


def _named(change: Change) -> str:
    return f"{change.key} {change.region}" if change.section == "aws" else change.key
