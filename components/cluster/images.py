"""Images of a site that pulls copies: the registry that holds them, and the names that charts don't write out."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from aifactory.components.base import PlanContext
from aifactory.components.catalog import Row
from aifactory.components.cluster.merge import placed, value_at
from aifactory.components.cluster.providers import Answers, Chosen
from aifactory.components.mirroring import MirrorOffer
from aifactory.components.rows import Tree


def name_images(answers: Answers, ctx: PlanContext) -> bool:
    """Write out the images of each release of ours, where nodes pull copies. Whether all are known."""
    if not ctx.offers(MirrorOffer):
        return True
    known: dict[str, list[Row]] = {}
    for row in ctx.catalog.rows("images.chart_images"):
        known.setdefault(row.text("chart"), []).append(row)
    settled = {row.text("chart") for row in ctx.catalog.rows("images.settled_charts")}
    fine = True
    for capability, chosen in answers.chosen.items():
        chart = chosen.release.chart
        fine &= ctx.check(
            "AWS-171",
            chart in known or chart in settled,
            f"nodes of {ctx.place.site} pull copies alone, and no fact says which values of {chart} name its images",
            ("aws", "image_registry"),
            f"set vpc.egress to nat and leave image_registry out, place what needs {capability} elsewhere, or add rows "
            "to images.chart_images in a private catalog folder",
            "site",
        )
        answers.chosen[capability] = _named(chosen, known.get(chart, []), ctx)
    return fine


def _named(chosen: Chosen, rows: list[Row], ctx: PlanContext) -> Chosen:
    pulled = [row for row in rows if _is_pulled(chosen, row)]
    if not pulled:
        return chosen
    ctx.decide(
        f"{chosen.capability}.images",
        [row.text("at") for row in pulled],
        f"{chosen.release.chart} takes these images by default; they are written out, so that each is that of a copy",
        facts=[row.ref for row in pulled],
    )
    values = chosen.values
    for row in pulled:
        values = _under(values, placed(row.text("at"), _values(chosen, row)))
    return replace(chosen, values=values)


def _under(values: Tree, more: Tree) -> Tree:
    """Values with more of them where parts want nothing else."""
    found = dict(values)
    for name, value in more.items():
        here = found.get(name)
        both = isinstance(here, dict) and isinstance(value, dict)
        found[name] = _under(here, value) if both else found.get(name, value)  # type: ignore[arg-type]  # both are
    return found


def _is_pulled(chosen: Chosen, row: Row) -> bool:
    switch = row.value("when")
    return not switch or value_at(chosen.values, str(switch), row.value("default")) is True


def _values(chosen: Chosen, row: Row) -> Tree:
    values = row.value("values")
    assert isinstance(values, Mapping)  # noqa: S101 - a test holds the rows
    return {name: str(value).format(app_version=chosen.release.app_version) for name, value in values.items()}
