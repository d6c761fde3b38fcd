"""Charts of a comparison as SVG. The same comparison gives the same bytes: no date, no random ids, no user's style."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Sheet
from matplotlib.style import context

from aifactory.stacks.estimate.comparing import Comparison
from aifactory.stacks.estimate.splits import CoreFlex

SIZE = (8.0, 4.5)
"""Of a chart. Unit: inch."""
FIXED: dict[Any, Any] = {
    "svg.hashsalt": "aifactory",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
}
"""Text stays text, and ids follow from what is drawn."""
NO_DATE = {"Date": None, "Creator": "aifactory"}
CORE, FLEX = "tab:blue", "tab:orange"


def charts(found: Comparison) -> Iterator[tuple[str, bytes]]:
    """Names of files, and what stands in them: those that there is data for."""
    yield "cost-over-time.svg", drawn(partial(_over_time, found=found))
    yield "cost-and-carbon.svg", drawn(partial(_carbon, found=found))
    for site in found.estimate.sites:
        if any(swing.site == site.site for swing in found.swings):
            yield f"tornado-{site.site}.svg", drawn(partial(_tornado, found=found, site=site.site))
        for each in site.core_flex:
            if each.load:
                yield f"load-{site.site}-{each.part}.svg", drawn(partial(_load, each=each))


def drawn(draw: Callable[[Axes], None]) -> bytes:
    """One chart."""
    with context("default"), mpl.rc_context(FIXED):
        sheet = Sheet(figsize=SIZE, layout="constrained")
        FigureCanvasSVG(sheet)
        draw(sheet.subplots())
        out = io.BytesIO()
        sheet.savefig(out, format="svg", metadata=NO_DATE)
    return out.getvalue()


def _over_time(axes: Axes, found: Comparison) -> None:
    """What has been paid by the end of each year."""
    for option in found.options:
        span = option.spans[-1]
        flows = [[flow.first, *flow.yearly] for flow in span.flows]
        low, expected, high = ([float(sum(flow[: year + 1])) / 1e6 for year in range(len(flow))] for flow in flows)
        years = list(range(len(expected)))
        (line,) = axes.plot(years, expected, label=option.name, linestyle="-" if option.planned else "--")
        axes.fill_between(years, low, high, alpha=0.15, color=line.get_color(), linewidth=0)
    axes.set(title=f"{found.factory}: paid so far", xlabel="years", ylabel="million USD", ylim=(0, None))
    axes.set_xticks(range(found.years[-1] + 1))
    axes.legend(frameon=False)


def _carbon(axes: Axes, found: Comparison) -> None:
    """Cost against carbon of every way to have a site, with their ranges."""
    for option in found.options:
        site = option.estimate
        cost, carbon = site.cost.figure, site.carbon.figure + site.embodied.figure
        x, y = float(cost.expected) / 1e3, float(carbon.expected) / 1e3
        axes.errorbar(
            [x],
            [y],
            xerr=[[x - float(cost.low) / 1e3], [float(cost.high) / 1e3 - x]],
            yerr=[[y - float(carbon.low) / 1e3], [float(carbon.high) / 1e3 - y]],
            fmt="o" if option.planned else "s",
            label=option.name,
            elinewidth=0.8,
        )
    title = f"{found.factory}: cost against carbon, by site"
    axes.set(title=title, xlabel="thousand USD a month", ylabel="t CO2e a month", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False)


def _tornado(axes: Axes, found: Comparison, site: str) -> None:
    """The input that moves most on top."""
    swings = [swing for swing in found.swings if swing.site == site][::-1]
    by_tokens = all(swing.base_per_million is not None for swing in swings)
    for row, swing in enumerate(swings):
        base, low, high = swing.base_usd, swing.low_usd, swing.high_usd
        if (
            swing.base_per_million is not None
            and swing.low_per_million is not None
            and swing.high_per_million is not None
        ):
            base, low, high = swing.base_per_million, swing.low_per_million, swing.high_per_million
        for end, colour in ((low, CORE), (high, FLEX)):
            axes.barh(row, float(end - base), left=float(base), color=colour, height=0.6)
        axes.axvline(float(base), color="black", linewidth=0.6)
    labels = [f"{each.key}\n{float(each.range.low):.4g} to {float(each.range.high):.4g}" for each in swings]
    axes.set_yticks(range(len(swings)), labels)
    unit = "USD per million tokens" if by_tokens else "USD a month"
    axes.set(title=f"{site}: what moves the answer (blue: low end of the input, orange: high end)", xlabel=unit)


def _load(axes: Axes, each: CoreFlex) -> None:
    """GPUs by hour: below the core they are owned, above it rented."""
    load = [float(hour) for hour in each.load]
    hours = list(range(len(load)))
    core = float(each.core[1]) if each.core else max(load)
    axes.bar(hours, [min(hour, core) for hour in load], width=1, color=CORE, label="core")
    over = [max(0.0, hour - core) for hour in load]
    axes.bar(hours, over, bottom=[min(hour, core) for hour in load], width=1, color=FLEX, label="flex")
    if each.core:
        axes.axhline(core, color="black", linewidth=0.8)
    axes.set(title=f"{each.part}: GPUs by hour of the day", xlabel="hour", ylabel="GPUs")
    axes.legend(frameon=False)
