"""Writes charts of a comparison as SVG, where the charting library is there."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from aifactory.components.counting import counted
from aifactory.components.problems import Problem, Refused
from aifactory.stacks.estimate.comparing import Comparison

EXTRA = "charts"


def write_charts(found: Comparison, folder: Path) -> None:
    """All charts that the comparison has data for. Raises `Refused` without the library, or where nothing can be
    written."""
    if find_spec("matplotlib") is None:
        hint = f"install the extra {EXTRA}: pip install 'ai-factory-blueprints[{EXTRA}]'"
        raise Refused([Problem("charts are drawn by matplotlib, which is not installed", hint=hint)])
    from aifactory.stacks.estimate.charts import charts  # noqa: PLC0415 - heavy, and only for this option

    drawn = dict(charts(found))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in drawn.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise Refused([Problem(f"charts can't be written: {error}", hint="name another folder")]) from None
    click.echo(f"wrote {counted(len(drawn), 'chart')} to {folder}: {', '.join(drawn)}", err=True)
