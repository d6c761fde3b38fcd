"""Support plans: percent of what AWS bills, by bands, as income tax is."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext

from aifactory.components.economics.figures import EXACTLY, Figure, just, total
from aifactory.components.given_costs import AwsCostsGiven
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.model import Lack, Line, Term, priced
from aifactory.stacks.estimate.prices import SERVICES, seen_of


def support(case: Case, costs: AwsCostsGiven | None, lines: Iterable[Line]) -> Line:
    """What support costs on these lines, as if the account had no others: with them its upper bands are cheaper."""
    name = costs.support_plan if costs else None
    if name is None:
        says = f"{case.site.site} doesn't say which support plan its account has"
        lack = Lack(says, "write costs.support_plan in its site file; basic for none", ("costs", "support_plan"))
        return Line("site", "support", just(0), "month", "F19", lacks=lack)
    row = case.catalog.row(f"{SERVICES}.support", name)
    bill = total(line.amount for line in lines if line.known)
    bands = tuple((Decimal(str(above)), Decimal(str(percent))) for above, percent in row.data["percent"])
    least = Decimal(str(row.number("least_usd")))
    ends = (support_usd(end, bands, least) for end in (bill.low, bill.expected, bill.high))
    price = Term(f"support plan {name}", Figure(*ends), "USD/month", row.ref, seen_of(row))
    return priced(
        Line("site", f"support, {name}", just(1), "month", "F19", price, terms=(Term("bill", bill, "USD/month"),))
    )


def support_usd(bill: Decimal, bands: tuple[tuple[Decimal, Decimal], ...], least: Decimal) -> Decimal:
    """Percent of each band of a bill, and no less than the least. Unit: USD a month."""
    with localcontext(EXACTLY):
        summed = Decimal(0)
        for index, (above, percent) in enumerate(bands):
            top = bands[index + 1][0] if index + 1 < len(bands) else bill
            summed += max(Decimal(0), min(bill, top) - above) * percent / 100
        return max(summed, least)
