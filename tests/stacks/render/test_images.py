from __future__ import annotations

import re
from typing import Any

import pytest

from aifactory.components.gpu_node_pool.model import GpuNodePoolPlan
from aifactory.stacks.render.images import images, images_file, images_in
from support import shipped
from support.planning import HOST, group, place
from support.stacking import MAKE, release, stack_of


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"containers": [{"name": "a", "image": "busybox"}]}, ["busybox"]),
        ({"containers": [{"name": "a", "image": "r.io/x:1@sha256:00"}]}, ["r.io/x:1@sha256:00"]),
        ({"image": "plugins", "repository": "r.io/n", "version": "v1"}, ["r.io/n/plugins:v1"]),
        ({"image": "plugins", "repository": "r.io/n", "version": "sha256:00"}, ["r.io/n/plugins@sha256:00"]),
        ({"image": {"repository": "r.io/n/x", "tag": "v1"}}, ["r.io/n/x:v1"]),
        ({"image": {"registry": "r.io", "repository": "x", "tag": "v1"}}, ["r.io/x:v1"]),
        ({"image": {"repository": "r.io/x", "tag": "v1", "digest": "sha256:00"}}, ["r.io/x:v1@sha256:00"]),
        ({"image": {"pullPolicy": "Always"}}, []),
        ({"image": {"repository": "r.io/x", "tag": ""}}, []),
        ({"image": "driver"}, []),
        ({"image": ""}, []),
        ({"volumes": [{"name": "weights", "image": {"reference": "r.io/models/a:1"}}]}, ["r.io/models/a:1"]),
        ({"spec": {"imageName": "r.io/data/postgresql:18.3"}}, ["r.io/data/postgresql:18.3"]),
        ({"repository": "https://git.example.com/x"}, []),
        ((({"image": "r.io/in/tuples"},),), ["r.io/in/tuples"]),
    ],
)
def test_images_are_found_in_every_form_that_names_one(tree: object, found: list[str]) -> None:
    assert list(images_in(tree)) == found


POLICY = MAKE.kubernetes(
    "nvidia.com/v1alpha1",
    "NVIDIADriver",
    "gpu",
    spec={
        "repository": "nvcr.io/nvidia",
        "image": "driver",
        "version": "580.1",
        "gdrcopy": {"repository": "nvcr.io/c", "image": "gdrdrv", "version": "v2"},
    },
)
OFED = MAKE.kubernetes(
    "mellanox.com/v1alpha1",
    "NicNodePolicy",
    "nic",
    spec={"ofedDriver": {"repository": "nvcr.io/m", "image": "doca-driver", "version": "doca3"}},
)


@pytest.mark.parametrize(
    ("fields", "suffix"),
    [({"os": "ubuntu-24.04"}, "ubuntu24.04"), ({"os": "ubuntu-22.04"}, "ubuntu22.04"), ({"os": "rhel-9"}, "rhel9.?")],
)
def test_drivers_are_listed_by_the_tags_that_nodes_pull(fields: dict[str, Any], suffix: str) -> None:
    cpu = group(group="cpu", accelerator=None, gpus_per_node=0, nics=[], nic_model=None, host={**HOST, "os": "talos"})
    stack = stack_of(POLICY, OFED, at=place(nodes=[group(host={**HOST, **fields}), cpu]))
    assert images(stack) == [
        f"nvcr.io/c/gdrdrv:v2-{suffix}",
        f"nvcr.io/m/doca-driver:doca3-{suffix}-amd64",
        f"nvcr.io/nvidia/driver:580.1-{suffix}",
    ]


KNOWN = (
    {"release": "op", "image": "plugins", "repository": "r.io/n", "tag": "v1", "digest": "sha256:11"},
    {"release": "op", "image": "other", "repository": "r.io/n", "tag": "v1", "digest": None},
    {"release": "op", "image": "driver", "repository": "r.io/n", "tag": "595", "digest": None},
    {"release": "else", "image": "x", "repository": "r.io/n", "tag": "v1", "digest": None},
    {"os": "ubuntu24.04", "arch": "amd64", "tag": "doca3-ubuntu24.04-amd64", "digest": "sha256:22"},
)


def test_digests_stand_beside_names_and_a_missing_one_is_seen() -> None:
    named = MAKE.kubernetes(
        "v1", "ConfigMap", "a", body={"x": {"image": "plugins", "repository": "r.io/n", "version": "v1"}}
    )
    text = images_file(stack_of(named, OFED, release("op", repository="https://charts.example.com")), KNOWN)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines == [
        "nvcr.io/m/doca-driver:doca3-ubuntu24.04-amd64 sha256:22",
        "r.io/n/plugins:v1 sha256:11",
        "r.io/n/other:v1 -",
        "r.io/n/plugins:v1 sha256:11",
    ]
    assert "# Chart op --repo https://charts.example.com --version 1.2.3\n" in text


def test_charts_of_unknown_images_are_listed_as_charts() -> None:
    text = images_file(stack_of(release("op")), ())
    assert "# Chart oci://charts.example.com/all/op --version 1.2.3\n" in text


@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_the_list_of_a_shipped_stack_names_its_programs_weights_drivers_and_charts(name: str) -> None:
    text = shipped.files(name)["images.txt"].decode()
    names = {line.split()[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert all(":" in image.rpartition("/")[2] for image in names)
    stack = shipped.stacks()[name]
    written = (shipped.LIBRARY / f"{stack.plan.factory}.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r'registry\.example\.com/[^\s"}]+', written)) <= names
    assert any("vllm" in image for image in names) == any(part.kind == "serving" for part in stack.plan.parts)
    owners = {part.plan.driver.owner for part in stack.plan.parts if isinstance(part.plan, GpuNodePoolPlan)}
    drivers = [image for image in names if image.startswith("nvcr.io/nvidia/driver:580.") and "-ubuntu2" in image]
    assert bool(drivers) == ("operator" in owners)
    charts = [row.chart for row in stack.rows if hasattr(row, "chart")]
    assert len(charts) == text.count("\n# Chart ")
