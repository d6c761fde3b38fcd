"""`images.txt`: what a mirror must hold for this stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aifactory.components.given import NodeGroup
from aifactory.components.rows import HelmRow, KubernetesRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.assembly.trees import plain_json
from aifactory.stacks.render.charts import chart_reference, chart_repository

Known = Mapping[str, Any]
"""A row of the catalog's tables of images."""

_SYSTEMS = {"ubuntu-22.04": "ubuntu22.04", "ubuntu-24.04": "ubuntu24.04"}
"""How the operators write an operating system in a tag. Others add a minor release that no site file has."""

_BUILT = ("driver", "gdrdrv", "nvidia-fs", "doca-driver")
"""Images whose tag ends with the operating system of the node: an operator adds it to the tag that a row names.
Source: NVIDIA/gpu-operator internal/state/driver.go; Mellanox/network-operator pkg/state/state_ofed.go."""

_HEAD = """\
# Images that {stack} needs: name, then the digest of what its tag meant when a source printed it.
# "-": no source prints one. Record it when you mirror the image, for the owner of a tag can move it.
# Names alone: awk '!/^#/ && NF {{print $1}}' images.txt | sort -u
"""

_COPIES = """\
# Nodes pull copies: where there is a third word, it is the name of the copy. ./copy-images.sh makes them.
"""


def images_file(stack: Stack, known: Iterable[Known]) -> str:
    """The file. `known` are the catalog's rows of images: digests, and what charts are known to pull."""
    table = list(known)
    digests = {_name(row, str(row["tag"])): row.get("digest") for row in table if "image" in row}
    by_tag = {str(row["tag"]): row.get("digest") for row in table if "image" not in row}
    lines = [_HEAD.format(stack=stack.name), "# Named by objects and chart values\n"]
    mirror = stack.plan.mirror
    if mirror is not None:
        lines.insert(1, _COPIES)
    for name in images(stack):
        original = mirror.original_of(name) if mirror else name
        line = _line(original, digests.get(original) or by_tag.get(_tag(original)))
        lines.append(line if original == name else f"{line[:-1]} {name}\n")
    for release in stack.cluster_rows:
        if isinstance(release, HelmRow):
            lines.append(_chart(release))
            if mirror is not None:
                continue  # values name them all
            pulled = {_name(row, str(row["tag"])) for row in table if row.get("release") == release.chart}
            lines += [_line(name, digests[name]) for name in sorted(pulled) if not _is_built(name)]
    return "".join(lines)


def images(stack: Stack) -> list[str]:
    """Images that objects and chart values name, sorted, with the tags that nodes of the site pull."""
    groups = [group for group in stack.plan.place.nodes if group.accelerator]
    found: set[str] = set()
    for row in stack.cluster_rows:
        tree = stack.plain_tree(row)
        text = plain_json(tree) or ""
        if '"image"' not in text and '"imageName"' not in text and '"repository"' not in text:
            continue  # nearly all rows; looking into each of them takes ten times as long
        for name in images_in(tree):
            is_policy = isinstance(row, KubernetesRow) and "/" in str(row.body["apiVersion"])
            found.update(_pulled(name, groups) if is_policy and _is_built(name) else [name])
    return sorted(found)


def images_in(tree: object) -> Iterator[str]:
    """Images in a tree: a container's, that of a volume, `repository`, `image` and `version` side by side as in the
    operators' policies, or `registry`, `repository`, `tag` and `digest` as in chart values."""
    pending = [tree]
    while pending:
        value = pending.pop()
        if isinstance(value, (list, tuple)):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
            yield from _reference(value)


def _reference(value: Mapping[str, object]) -> Iterator[str]:
    image, repository, version = value.get("image"), value.get("repository"), value.get("version")
    for key in ("imageName", "rbacProxyImage"):  # of a database by CloudNativePG, of the proxy in KServe's chart
        if isinstance(value.get(key), str):
            yield str(value[key])
    if isinstance(image, Mapping) and isinstance(image.get("reference"), str):
        yield image["reference"]
    if isinstance(image, str) and image:
        if isinstance(repository, str) and isinstance(version, str):
            yield f"{repository}/{image}{'@' if version.startswith('sha256:') else ':'}{version}"
        elif "name" in value or "/" in image:
            tag = value.get("tag")
            yield f"{image}:{tag}" if isinstance(tag, str) and tag and ":" not in image else image
    elif isinstance(repository, str) and isinstance(value.get("tag"), str) and value["tag"]:
        registry = f"{value['registry']}/" if value.get("registry") else ""
        yield f"{registry}{repository}:{value['tag']}" + (f"@{value['digest']}" if value.get("digest") else "")


def _is_built(name: str) -> bool:
    return name.rpartition("/")[2].partition(":")[0] in _BUILT


def _pulled(name: str, groups: Iterable[NodeGroup]) -> Iterator[str]:
    """The names that nodes of these groups pull. A release that the site file leaves open stays a question mark."""
    machine = name.rpartition("/")[2].startswith("doca-driver")
    for group in groups:
        system = _SYSTEMS.get(group.host.os, f"{group.host.os.replace('-', '')}.?")
        yield f"{name}-{system}" + (f"-{group.architecture}" if machine else "")


def _name(row: Known, tag: str) -> str:
    return f"{row['repository']}/{row['image']}:{tag}"


def _tag(name: str) -> str:
    return name.rpartition(":")[2]


def _line(name: str, digest: object) -> str:
    return f"{name} {'-' if '@' in name else digest or '-'}\n"


def _chart(row: HelmRow) -> str:
    where = chart_repository(row)
    words = [chart_reference(row), *(["--repo", where] if where else []), "--version", row.version]
    chart = " ".join(" ".join(words).split())
    return f"\n# Chart {chart}\n# What it may pull, as known here; all of it: helm template {chart} | grep image:\n"
