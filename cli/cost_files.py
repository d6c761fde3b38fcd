"""What `cost --out` writes: for each stack the estimate, and what carries it into OpenCost, FOCUS and Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from aifactory.cli.cost_text import markdown
from aifactory.cli.pricing import narrowed
from aifactory.cli.work import Work
from aifactory.components.counting import counted
from aifactory.stacks.estimate.bill import focus_csv, opencost_csv, opencost_values
from aifactory.stacks.estimate.case import Case
from aifactory.stacks.estimate.data import csv_text, estimate_data
from aifactory.stacks.estimate.estimating import cases
from aifactory.stacks.estimate.measuring import rules
from aifactory.stacks.estimate.model import Estimate, SiteEstimate
from aifactory.stacks.render.output import Written, write_all
from aifactory.stacks.render.output_lock import refuse_unfit
from aifactory.stacks.render.yaml import dump


def write_files(work: Work, found: Estimate, out: Path) -> dict[str, Written]:
    """Write a folder for each site. Raises `Refused`, with nothing written, if one can't be written as a whole."""
    forbidden = (work.loaded.root, work.loaded.path.resolve().parent)
    refuse_unfit(out, forbidden)
    known = cases(work.plan, work.loaded, work.stacks)
    folders = {out / site.stack: dict(_files(found, site, known[site.site])) for site in found.sites}
    written = write_all(folders, forbidden=forbidden)
    return {folder.name: each for folder, each in written.items()}


def print_written(out: Path, written: dict[str, Written]) -> None:
    """A line a folder."""
    for name, each in written.items():
        files = counted(len(each.written) + len(each.unchanged), "file")
        click.echo(f"{click.style(name, fg='green', bold=True)}: {files} ({len(each.written)} written) in {out / name}")


def _files(found: Estimate, site: SiteEstimate, case: Case) -> Iterator[tuple[str, bytes]]:
    own = narrowed(found, (site.site,))
    texts = {
        "estimate.json": json.dumps(estimate_data(own), indent=2, ensure_ascii=False) + "\n",
        "estimate.md": "\n".join(markdown(own)) + "\n",
        "lines.csv": csv_text(own),
        "focus.csv": focus_csv(site, case, found.as_of),
        "opencost-prices.csv": opencost_csv(site, case, found.as_of),
        "opencost-values.yaml": dump(opencost_values(site)),
        "prometheus-rules.yaml": dump(rules(site, case)),
        "README.md": _readme(site),
    }
    for name, text in texts.items():
        yield name, text.encode()


def _readme(site: SiteEstimate) -> str:
    return f"""# Estimate of {site.stack}

| file | is |
|---|---|
| `estimate.json` `estimate.md` `lines.csv` | the estimate, with formulas, sources and dates |
| `focus.csv` | one month as rows of FOCUS 1.2: what is owned is a purchase once and a use each month |
| `opencost-prices.csv` `opencost-values.yaml` | prices of nodes for OpenCost, and values of its chart that read them |
| `prometheus-rules.yaml` | what a million tokens cost and burn, measured and estimated, under one name |

OpenCost finds its prices in a ConfigMap:

```sh
kubectl -n opencost create configmap aifactory-prices --from-file=opencost-prices.csv
helm upgrade --install opencost opencost/opencost -n opencost -f opencost-values.yaml
```

The rules are those of a Prometheus without its operator; with it, put `groups` into a PrometheusRule. They read series
of vLLM and of the DCGM exporter, which the factory's own `observability` part collects.
"""
