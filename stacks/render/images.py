"""`images.txt`: what a mirror must hold for this stack."""

from __future__ import annotations

from collections.abc import Iterator

from aifactory.components.rows import HelmRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.charts import chart_reference, chart_repository


def images(stack: Stack) -> list[str]:
    """Images that objects and chart values name, sorted."""
    found: set[str] = set()
    for row in stack.cluster_rows:
        found.update(images_in(stack.plain_tree(row)))
    return sorted(found)


def images_in(tree: object) -> Iterator[str]:
    """Images in a tree: an `image` that is a whole reference, or `repository`, `image` and `version` side by side."""
    pending = [tree]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
            image = value.get("image")
            if isinstance(image, str) and image:
                yield from _reference(image, value)


def images_file(stack: Stack) -> str:
    """The file. Charts bring images of their own, which only the chart names; they are listed as charts."""
    lines = [f"# Images that the objects and values of {stack.name} name."]
    lines += images(stack)
    lines.append("# Charts, and the images that they name themselves: helm template CHART | grep image:")
    for row in stack.cluster_rows:
        if isinstance(row, HelmRow):
            repository = chart_repository(row)
            where = f" --repo {repository}" if repository else ""
            lines.append(f"# {chart_reference(row)}{where} --version {row.version}")
    return "\n".join(lines) + "\n"


def _reference(image: str, beside: dict[str, object]) -> Iterator[str]:
    repository, version = beside.get("repository"), beside.get("version")
    if isinstance(repository, str) and isinstance(version, str):
        separator = "@" if version.startswith("sha256:") else ":"
        yield f"{repository}/{image}{separator}{version}"
    elif "/" in image and (":" in image.rpartition("/")[2] or "@" in image):
        yield image
