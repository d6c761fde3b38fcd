"""`copy-images.sh`: fills the registry from which nodes of a site pull copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from aifactory.components.mirroring import MirrorOffer
from aifactory.components.rows import HelmRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.charts import chart_reference, chart_repository, release_labels, values_file

COPY_IMAGES = "copy-images.sh"
_TEMPLATE = Path(__file__).parent / "templates" / COPY_IMAGES


def copy_script(stack: Stack, mirror: MirrorOffer) -> str:
    """The script: what `images.txt` names, and what charts name with these values, in repositories that are there."""
    cloud = stack.plan.cloud
    assert cloud is not None  # noqa: S101 - a registry of the account is offered where there is an account
    values = {
        "stack": stack.name,
        "host": mirror.host,
        "prefix": mirror.prefix,
        "region": cloud.region,
        "own": "|".join(f"{host.replace('.', '[.]')}/" for host in mirror.own),
        "charts": "\n".join(_charts(stack)),
    }
    text = _TEMPLATE.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _charts(stack: Stack) -> Iterator[str]:
    labels = release_labels(stack)
    kubernetes = stack.plan.place.cluster.version.removeprefix("v")
    for row in stack.cluster_rows:
        if isinstance(row, HelmRow):
            where = chart_repository(row)
            words = [row.name, chart_reference(row), *(["--repo", where] if where else []), "--version", row.version]
            words += ["--namespace", row.namespace, "--kube-version", kubernetes, "--skip-crds"]
            words += ["--values", values_file(labels[row.id])]
            yield f"  helm template {' '.join(map(quote, words))}"
