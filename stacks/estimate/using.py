"""How much of what is there is used: calls a month, tokens, and the mean utilisation of GPUs."""

from __future__ import annotations

from decimal import Decimal, localcontext

from aifactory.components.economics.figures import EXACTLY, NOTHING, Figure, exact, just, total
from aifactory.components.economics.powering import HOURS
from aifactory.stacks.estimate.case import Case, Pool, Served
from aifactory.stacks.estimate.model import Lack, Result, Term

SECONDS = Decimal(3600)
WORST = just(1)


def tokens(case: Case) -> tuple[Result, Result]:
    """F11: tokens of answers, and of prompts, a month. Where none are written, tokens of texts stand for answers."""
    writing = [each for each in case.served if each.demand.output_tokens]
    out = [month_tokens(each, each.counted_tokens) for each in (writing or case.served)]
    read = [month_tokens(each, each.demand.input_tokens) for each in case.served]
    lacks = () if case.served else (Lack("no model is asked for, so no tokens are counted", "add demand.models"),)
    word = "tokens of answers" if writing or not case.served else "tokens of texts"
    return (
        Result(total(term.value for term in out), f"{word}/month", "F11", tuple(out), lacks),
        Result(total(term.value for term in read), "prompt tokens/month", "F11", tuple(read), lacks),
    )


def month_tokens(served: Served, each: int) -> Term:
    """F11: so many tokens of each call of a model."""
    calls = exact(served.calls_per_s)
    return Term(f"{served.part}: {served.plan.model}", just(calls * each * SECONDS * HOURS), "tokens/month", "demand")


def tokens_per_s(case: Case) -> Result:
    """What all replicas write together at full load, by the bands of their sizes."""
    writing = [each for each in case.served if each.demand.output_tokens] or case.served
    terms = tuple(
        Term(
            f"{each.part}: {each.plan.replicas} replicas",
            Figure(*(exact(end) * each.plan.replicas for end in each.tokens_per_s)),
            "tokens/s",
            "roofline/v2",
        )
        for each in writing
    )
    return Result(total(term.value for term in terms), "tokens/s", "SUM", terms)


def busy(served: Served) -> Figure:
    """Share of its replicas' time that a model's calls take over a day, at most all of it. A fast replica is less
    busy."""
    calls = exact(served.calls_per_s) * served.counted_tokens
    low, expected, high = (exact(end) * served.plan.replicas for end in served.tokens_per_s)
    one = Decimal(1)
    with localcontext(EXACTLY):
        ends = [min(one, calls / end) if end else one for end in (high, expected, low)]
    return Figure(*ends)


def of_pool(pool: Pool, case: Case) -> tuple[Figure, tuple[Term, ...]]:
    """Mean utilisation of a pool's GPUs. GPUs that no model reserves are as busy as the site says, and else always."""
    models = case.models_of(pool.part)
    terms = [Term(f"{each.part}, {each.gpus} GPUs", busy(each), "share", "demand") for each in models]
    weighted = [busy(each).times(Decimal(each.gpus)) for each in models]
    rest = pool.gpus - sum(each.gpus for each in models)
    if rest > 0 and _others_use(pool, case):
        term = _stated(case)
        terms.append(term)
        weighted.append(term.value.times(Decimal(rest)))
    if not pool.gpus:
        return NOTHING, tuple(terms)
    mean, one = total(weighted).over(pool.gpus), Decimal(1)
    return Figure(min(one, mean.low), min(one, mean.expected), min(one, mean.high)), tuple(terms)


def _others_use(pool: Pool, case: Case) -> bool:
    """Whether jobs or people may use GPUs of the pool that no model reserves: a training, or a tenant of a queue."""
    for part in case.here.blueprint.parts:
        if getattr(part, "kind", "") == "training" and getattr(part, "pool", "") == pool.part:
            return True
        if getattr(part, "kind", "") == "queue" and pool.part in getattr(part, "pools", ()):
            return any(tenant.workload != "inference" for tenant in getattr(part, "tenants", ()))
    return not case.models_of(pool.part)


def _stated(case: Case) -> Term:
    asked = case.what_if.use
    if asked is not None:
        return Term("other GPUs", just(asked), "share", "asked about", assumed=True)
    costs = case.site.costs
    if costs is not None and costs.utilisation_percent is not None:
        value = just(exact(costs.utilisation_percent) / 100)
        return Term("other GPUs", value, "share", costs.source, costs.seen, example=costs.example)
    return Term("other GPUs", WORST, "share", "nobody states it: they count as always busy", assumed=True)
