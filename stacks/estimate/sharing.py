"""What each model and each tenant costs: shares of all that is paid, by the GPUs that they reserve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext

from aifactory.components.economics.figures import EXACTLY, MILLION, NOTHING, Figure, just, per_million, total
from aifactory.components.gpu_node_pool.aws.model import AwsFlexPlan
from aifactory.components.queue.decided import QueuePlan
from aifactory.stacks.estimate.case import Case, Pool
from aifactory.stacks.estimate.model import Line, ModelCost, TenantCost
from aifactory.stacks.estimate.using import busy, month_tokens


def of_gpus(lines: tuple[Line, ...], case: Case) -> dict[str, Figure]:
    """What a GPU of each pool costs a month, with its share of what all GPUs share. Unit: USD."""
    gpus = gpus_of(case)
    everything = sum(gpus.values())
    if not everything:
        return {}
    common = total(line.amount for line in lines if line.known and not line.pool).over(everything)
    return {
        pool: common + total(line.amount for line in lines if line.known and line.pool == pool).over(count)
        for pool, count in gpus.items()
        if count
    }


def gpus_of(case: Case) -> dict[str, int]:
    """GPUs of each pool that its cost is spread over."""
    return {pool.part: _counted(pool, case) for pool in case.pools}


def _counted(pool: Pool, case: Case) -> int:
    """GPUs that a pool's cost is spread over: all of them, or those that models reserve where nodes come and go, since
    the others are not there to be paid for."""
    reserved = sum(each.gpus for each in case.models_of(pool.part))
    return min(pool.gpus, reserved) if isinstance(pool.plan, AwsFlexPlan) and reserved else pool.gpus


def models(lines: tuple[Line, ...], case: Case) -> Iterator[ModelCost]:
    """F12 and F17, model by model."""
    each_gpu = of_gpus(lines, case)
    charged = _charged(case)
    for served in case.served:
        usd = each_gpu.get(served.pool, NOTHING).times(Decimal(served.gpus))
        read = month_tokens(served, served.demand.input_tokens).value
        written = month_tokens(served, served.demand.output_tokens).value
        reads = just(Decimal(str(served.prompt_share)))
        writes = just(1 - Decimal(str(served.prompt_share)))
        price = charged.get(served.part)
        income = None
        if price is not None:
            income = read.over(MILLION).times(price[0]) + written.over(MILLION).times(price[1])
        yield ModelCost(
            part=served.part,
            model=served.plan.model,
            usd_per_month=usd,
            gpus=served.gpus,
            tokens_in=read,
            tokens_out=written,
            utilisation=busy(served),
            usd_per_million_in=per_million(usd.times(reads), read),
            usd_per_million_out=per_million(usd.times(writes), written),
            usd_per_million=per_million(usd, written if written.low else read),
            price_in=price[0] if price else None,
            price_out=price[1] if price else None,
            margin_per_month=(income, usd) if income is not None else None,
        )


def tenants(lines: tuple[Line, ...], case: Case) -> Iterator[TenantCost]:
    """What guaranteed GPUs of tenants cost, and how many their budgets pay for at the dearer end."""
    each_gpu = of_gpus(lines, case)
    whole = all(line.known for line in lines)
    for part in case.plan.parts:
        if not isinstance(part.plan, QueuePlan):
            continue
        spec = case.spec(part.name)
        budgets = {tenant.name: tenant.usd_per_month for tenant in spec.tenants}
        for tenant, shares in _held(part.plan, spec.pools, case):
            gpus = sum(shares.values(), Decimal(0))
            split = tuple((pool, held, each_gpu.get(pool, NOTHING).times(held)) for pool, held in shares.items())
            usd = total(cost for _, _, cost in split)
            budget = budgets.get(tenant)
            yield TenantCost(
                part.name,
                tenant,
                " and ".join(shares),
                gpus,
                usd,
                just(budget) if budget is not None else None,
                split,
                _bought(Decimal(str(budget)), usd.over(gpus)) if budget is not None and gpus and whole else None,
            )


def _held(plan: QueuePlan, pools: Sequence[str], case: Case) -> Iterator[tuple[str, dict[str, Decimal]]]:
    """GPUs that each tenant is guaranteed, by pool. Of a GPU that is cut, a slice is its part."""
    of_flavor = {flavor.name: flavor.pool for flavor in plan.flavors}
    known = {pool.part: pool for pool in case.pools}
    for tenant in plan.tenants:
        shares: dict[str, Decimal] = {}
        for flavor in tenant.quotas:
            pool = known.get(of_flavor.get(flavor.flavor, ""))
            if pool is None:
                continue
            for quota in flavor.quotas:
                part = _part_of_gpu(quota.resource, pool)
                if part is not None:
                    with localcontext(EXACTLY):
                        shares[pool.part] = shares.get(pool.part, Decimal(0)) + Decimal(quota.nominal) * part
        yield tenant.tenant, shares
    for server in plan.servers:
        yield server.tenant, {pools[0]: Decimal(server.gpus)}


def _part_of_gpu(resource: str, pool: Pool) -> Decimal | None:
    """What one unit of a resource is of a GPU of the pool; None for what is none of its GPUs."""
    slices = dict(pool.plan.sharing.slices)
    if resource in slices:
        with localcontext(EXACTLY):
            return Decimal(pool.plan.gpus_per_node) / Decimal(sum(slices.values()))
    return Decimal(1) if resource == pool.plan.gpu_resource else None


def _bought(budget: Decimal, usd: Figure) -> int | None:
    if not usd.high:
        return None
    with localcontext(EXACTLY):
        return int((budget / usd.high).to_integral_value(ROUND_FLOOR))


def _charged(case: Case) -> dict[str, tuple[Figure, Figure]]:
    """Prices of gateways by the part that answers first, as written."""
    found: dict[str, tuple[Figure, Figure]] = {}
    for part in case.here.blueprint.parts:
        for model in getattr(part, "models", ()) if getattr(part, "kind", "") == "gateway" else ():
            price, legs = getattr(model, "price", None), getattr(model, "legs", ())
            first = next((leg.part for leg in legs if getattr(leg, "part", None)), None)
            if price is not None and first is not None:
                found.setdefault(first, (just(price.input_usd), just(price.output_usd)))
    return found
