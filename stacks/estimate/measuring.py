"""Rules of Prometheus that put what is measured beside what was estimated, in one unit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext

from aifactory.components.economics.figures import EXACTLY, NOTHING, Figure, per_million
from aifactory.components.economics.powering import HOURS
from aifactory.stacks.estimate.case import Case, Served
from aifactory.stacks.estimate.energy import burnt, grid, instance_kw
from aifactory.stacks.estimate.model import ModelCost, SiteEstimate
from aifactory.stacks.estimate.owned import counted
from aifactory.stacks.estimate.sharing import gpus_of

TOKENS = "aifactory:output_tokens:rate5m"
USD = "aifactory:usd_per_million_output_tokens"
KWH = "aifactory:kwh_per_million_output_tokens"
GROUP = "aifactory-estimate"
FINE = Decimal("0.00000001")
ENDS = ("low", "expected", "high")


def rules(site: SiteEstimate, case: Case) -> dict[str, object]:
    """A file of rules: for each model what a million tokens cost and burn, measured and estimated.

    Measured money is the estimate's month over tokens that are really written, so it shows what utilisation does.
    Measured energy is the draw of the pool's GPUs, by DCGM, times what their node takes beside them, times PUE.
    """
    found = [rule for model in site.models for rule in _of_model(model, site, case)]
    return {"groups": [{"name": GROUP, "interval": "1m", "rules": found}] if found else []}


def _of_model(model: ModelCost, site: SiteEstimate, case: Case) -> Iterator[dict[str, object]]:
    served = next(each for each in case.served if each.part == model.part)
    if not served.demand.output_tokens:
        return
    labels = {"site": site.site, "part": model.part, "model": model.model}
    picked = f'namespace="{served.plan.namespace}",model_name="{served.plan.model}"'
    yield _record(TOKENS, f"sum(rate(vllm:generation_tokens_total{{{picked}}}[5m]))", labels)
    rate = f'({TOKENS}{{site="{site.site}",part="{model.part}"}} * 3600 / 1e6)'
    with localcontext(EXACTLY):
        hourly = model.usd_per_month.expected / HOURS
    yield _record(USD, f"{_number(hourly)} / ({rate} > 0)", {**labels, "end": "measured"})
    for end in ENDS:
        if model.usd_per_million is not None:
            value = _number(getattr(model.usd_per_million, end))
            yield _record(USD, f"vector({value})", {**labels, "end": end})
    of_pool = f'on (Hostname) group_left (pool) aifactory:gpu_pool:node{{pool="{served.pool}"}}'
    watts = f"sum(DCGM_FI_DEV_POWER_USAGE * {of_pool})"
    share, pue = _share(served, case), grid(case).pue.value.expected
    part = _number(_part_of_pool(served, case))
    power = f"{watts} * {part} / {_number(share)} * {_number(pue)} / 1000"
    yield _record(KWH, f"({power}) / ({rate} > 0)", {**labels, "end": "measured"})
    estimated = _kwh(model, served, case)
    for end in ENDS:
        yield _record(KWH, f"vector({_number(getattr(estimated, end))})", {**labels, "end": end})


def _record(name: str, expression: str, labels: dict[str, str]) -> dict[str, object]:
    return {"record": name, "expr": expression, "labels": labels}


def _share(served: Served, case: Case) -> Decimal:
    """Boards of a node over its nameplate: by it the draw of GPUs becomes that of their nodes."""
    pool = next(each for each in case.pools if each.part == served.pool)
    card = case.catalog.row("accelerators", pool.plan.accelerator)
    boards = Decimal(str(card.number("power_w"))) * pool.plan.gpus_per_node / 1000
    own = [nodes for nodes in counted(case) if nodes.pool == served.pool]
    kw = (
        Decimal(str(own[0].group.kw_per_node))
        if own
        else (instance_kw(case.catalog, pool.plan.accelerator, pool.plan.gpus_per_node).value.expected)
    )
    with localcontext(EXACTLY):
        return min(Decimal(1), boards / kw)


def _part_of_pool(served: Served, case: Case) -> Decimal:
    """Of the pool's draw, that of the GPUs that the model reserves, as its cost is shared."""
    with localcontext(EXACTLY):
        return Decimal(served.gpus) / gpus_of(case)[served.pool]


def _kwh(model: ModelCost, served: Served, case: Case) -> Figure:
    """The pool's energy by the GPUs that the model reserves, over its tokens."""
    part = _part_of_pool(served, case)
    kwh = next(each.kwh for each in burnt(case) if each.pool == served.pool).times(part)
    return per_million(kwh, model.tokens_out) or NOTHING


def _number(value: Decimal) -> str:
    return format(value.quantize(FINE, ROUND_HALF_UP).normalize(), "f")
