"""Volumes of claims at AWS: what they hold, and what they have beyond what each has."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import replace

from aifactory.components.economics.figures import just
from aifactory.components.given_costs import AwsCostsGiven
from aifactory.components.storage_tier.aws_spec import GP3_IOPS, GP3_MIB_PER_S
from aifactory.components.storage_tier.spec import StorageTierSpec
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.model import Lack, Line, Term, priced


def volumes(case: Case, costs: AwsCostsGiven | None) -> Iterator[Line]:
    """Bytes of all claims, and operations and throughput that tiers give their volumes beyond those that are included.

    Which volume is of which tier a plan can't know: bytes count at the price of the dearest type among them.
    """
    tiers = [spec for spec in case.here.blueprint.parts if isinstance(spec, StorageTierSpec) and spec.ebs is not None]
    wishes = [spec.ebs for spec in tiers if spec.ebs and (not spec.sites or case.site.site in spec.sites)]
    kind = "io2" if any(wish.type == "io2" for wish in wishes) else "gp3"
    stated = costs.usage.volume_gb if costs else None
    line = Line("site", "volumes of claims", just(stated or 0), "GB", "F18")
    if stated is None:
        yield replace(line, lacks=ask(case, "volume_gb", "GB of volumes of claims"))
    else:
        yield sold(line, case.book.service("ebs/volume", kind, "USD/GB-month"))
    iops = max((wish.iops or 0) - (GP3_IOPS if wish.type == "gp3" else 0) for wish in wishes) if wishes else 0
    rate = max((wish.mib_per_s or 0) - GP3_MIB_PER_S for wish in wishes) if wishes else 0
    for beyond, meter, unit in ((iops, f"{kind}-iops", "IOPS"), (rate, "gp3-rate", "MB/s")):
        if beyond > 0:
            yield _beyond(case, costs, beyond, meter, unit)


def _beyond(case: Case, costs: AwsCostsGiven | None, each: int, meter: str, unit: str) -> Line:
    many = costs.usage.volumes if costs else None
    line = Line("site", f"{unit} of volumes beyond those included", just(many or 0).times(Decimal(each)), unit, "F18")
    if many is None:
        return replace(line, lacks=ask(case, "volumes", "volumes of claims, of which each has more than is included"))
    return sold(line, case.book.service("ebs/volume", meter, f"USD/{unit}-month"))


def sold(line: Line, price: Term | Lack) -> Line:
    """The line at a price, or without one. Nothing of what nobody priced is nothing."""
    if isinstance(price, Lack):
        return replace(line, lacks=price) if line.quantity.high else line
    return priced(replace(line, price=price))


def ask(case: Case, field: str, what: str) -> Lack:
    """What only the site knows of a month."""
    says = f"{case.site.site} doesn't say how much a month: {what}"
    return Lack(says, f"write costs.usage.{field} in its site file", ("costs", "usage", field))
