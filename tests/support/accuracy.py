"""Makes docs/accuracy.md from the catalog's measurements, the sizing kernel and the formulas of estimates."""

from __future__ import annotations

from collections.abc import Iterable

from aifactory.components.catalog import Catalog
from aifactory.components.sizing.accuracy import Compared, Summary, at_concurrency, mlperf, summary
from support.published import sections

CALIBRATION = "throughput.inferencex_concurrency_64"
MLPERF = ("throughput.mlperf_v5_1_closed", "throughput.mlperf_v4_1_closed")

HEAD = """\
<!-- Generated from the catalog by tests/repository/test_accuracy.py; run it with --update-golden. -->

# How good sizes and estimates are

Sizes come first, then [energy](#energy-against-measured-wall-power) and
[owned cost](#owned-cost-against-published-comparisons).

`aifactory` sizes model servers by a roofline with four published constants (`components/catalog/roofline.yaml`). They
were fitted on 500 rows of the half of InferenceX that the first table shows 53 of, which is why it is called in-sample;
we fit nothing, and leave no row of the catalog out. The ratio is estimated over measured: 1.00 is right, 2.00 twice too
fast. Plans count replicas at the estimate divided by 1.5, or by 2 where the work is of a kind that nobody measured.
Where nobody measured the card, the plan warns and says how many GPUs half the speed would take
([0013](decisions/0013-what-a-size-promises.md)).

| rows | what they prove | rows | estimated | median error | median ratio | within 1.5x | within 2x | bar |
|---|---|---|---|---|---|---|---|---|
"""

MIDDLE = """
In-sample means that the constants were fitted on rows of this kind, so it proves the arithmetic and not the forecast.
No constant was fitted on independent rows; they helped to choose among published models, and they tell which cards
have results at all. Rows that can't be estimated lack a sourced figure of the card: were they counted as misses,
{server:.0%} of all MLPerf server rows would lie within a factor of two. GPUs of a row are taken to work on each layer
together, also where a system was cut otherwise. The prompts of deepseek-r1 and mixtral are assumed, because nobody
states them.

The time to the first token under load is not estimated: the best published estimator is off by 47 % in the median. A
plan refuses what an empty server can't reach, and writes a load test for the rest.

## Your own measurements

Write them as rows with the fields of the first table and compare them:

```text
python -m aifactory.components.sizing.accuracy measurements.yaml
```

"""


def classes() -> dict[str, tuple[str, str, list[Compared]]]:
    """Classes of rows: what they prove, the bar, and the rows compared."""
    catalog = Catalog.shipped()
    scenarios = {
        name: [
            mlperf(catalog, row.key, row.data)
            for table in MLPERF
            for row in catalog.rows(table)
            if row.data["scenario"] == name
        ]
        for name in ("server", "offline", "interactive")
    }
    calibration = [at_concurrency(catalog, row.key, row.data) for row in catalog.rows(CALIBRATION)]
    return {
        "InferenceX at 64 concurrent requests": (
            "in-sample",
            "median error 20 %, 90 % within 2x",
            calibration,
        ),
        "MLPerf server": ("independent", "85 % within 2x", scenarios["server"]),
        "MLPerf offline": ("independent, engines tuned by hand", "none", scenarios["offline"]),
        "MLPerf interactive": ("independent, latencies at the edge", "none", scenarios["interactive"]),
    }


def page() -> str:
    """The page."""
    found = classes()
    server = found["MLPerf server"][2]
    within = sum(each.ratio is not None and 0.5 <= each.ratio <= 2 for each in server) / len(server)
    middle = MIDDLE.format(server=within)
    parts = [HEAD, *(_row(name, *each) for name, each in found.items()), middle]
    for name, (_, _, rows) in found.items():
        parts += [f"## {name}\n\n", *_misses(rows), "| row | measured | estimated | ratio |\n|---|---|---|---|\n"]
        parts += [_compared(each) for each in rows]
        parts.append("\n")
    parts += sections()
    return "".join(parts).rstrip("\n") + "\n"


def _row(name: str, proves: str, bar: str, rows: list[Compared]) -> str:
    total: Summary = summary(rows)
    figures = (
        f"{total.median_error:.0%} | {total.median_ratio:.2f} | {total.within_half_more:.0%} | {total.within_twice:.0%}"
    )
    return f"| {name} | {proves} | {total.rows} | {total.estimated} | {figures} | {bar} |\n"


def _misses(rows: Iterable[Compared]) -> list[str]:
    missed = [each for each in rows if each.ratio is not None and not 0.5 <= each.ratio <= 2]
    if not missed:
        return []
    named = "; ".join(f"`{each.row}` ({each.ratio:.2f})" for each in missed)
    return [f"Outside of a factor of two: {named}.\n\n"]


def _compared(each: Compared) -> str:
    if each.ratio is None:
        return f"| {each.row} | {each.measured:,.0f} | {each.why} | |\n"
    return f"| {each.row} | {each.measured:,.0f} | {each.estimated:,.0f} | {each.ratio:.2f} |\n"
