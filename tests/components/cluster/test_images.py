"""Where nodes pull copies, images that charts don't write out are written out, or the chart is refused."""

from __future__ import annotations

from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.catalog.rows import plain
from aifactory.components.catalog.trains import releases
from aifactory.components.cluster.merge import value_at
from aifactory.components.cluster.releases import RECIPES
from aifactory.components.rows import HelmRow
from support.aws_sites import ACCOUNT, TRAIN, aws_place
from support.planning import Planned, plan_site
from support.schemas import Schemas

ROOT = f"{ACCOUNT}.dkr.ecr.eu-north-1.amazonaws.com/mirror/demo-sto-lab"
ROWS = Catalog.shipped().rows("images.chart_images")
OTHERWISE = {
    **{f"cert-manager:{at}": "composed of imageRegistry, imageNamespace and name" for at in (
        "image", "webhook.image", "cainjector.image", "acmesolver.image", "startupapicheck.image")},
    "kueue:controllerManager.manager.image": "the registry of builds, until it is released",
    "jobset:image": "the registry of builds, until it is released",
    "lws:image.manager": "the tag of the branch, until it is released",
    "karpenter:controller.image": "the tag of the release before, until it is released",
    "kube-prometheus-stack:grafana.image": "of a chart inside it",
    "kube-prometheus-stack:grafana.sidecar.image": "of a chart inside it",
    "kube-prometheus-stack:kube-state-metrics.image": "of a chart inside it",
    "kube-prometheus-stack:prometheus-node-exporter.image": "of a chart inside it",
}  # fmt: skip
"""Rows that say something else than the stored values of the chart, and why."""


def cluster(*capabilities: str, **aws: Any) -> Planned:
    spec = {"kind": "cluster", "name": "cluster", "capabilities": list(capabilities)}
    return plan_site([spec], aws_place(**aws))


def values(found: Planned, chart: str) -> dict[str, Any]:
    (row,) = [row for row in found.stack.rows if isinstance(row, HelmRow) and row.chart == chart]
    return dict(row.values)


def test_a_chart_gets_the_names_of_copies() -> None:
    found = values(cluster("cert-manager"), "cert-manager")
    assert found["webhook"]["image"] == {
        "repository": f"{ROOT}/quay.io/jetstack/cert-manager-webhook",
        "tag": "v1.21.1",
    }
    assert found["webhook"]["replicaCount"] == 2


def test_where_images_come_from_their_publishers_nothing_is_written_out() -> None:
    found = values(cluster("cert-manager", image_registry=None, vpc={"egress": "nat"}), "cert-manager")
    assert "image" not in found
    assert "image" not in found["webhook"]


def test_what_is_off_is_not_copied() -> None:
    gpu = values(cluster("gpu-operator"), "gpu-operator")
    assert gpu["devicePlugin"]["repository"] == f"{ROOT}/nvcr.io/nvidia"
    assert "repository" not in gpu["ccManager"]


def test_a_chart_whose_images_nobody_wrote_out_is_refused() -> None:
    found = cluster("csi-driver-nfs")
    (problem,) = [each for each in found.errors if each.rule == "AWS-171"]
    assert "csi-driver-nfs" in problem.says
    assert problem.path == ("aws", "image_registry")
    assert "vpc.egress to nat" in problem.hint
    assert not cluster("csi-driver-nfs", image_registry=None, vpc={"egress": "nat"}).errors


def test_every_row_is_of_a_chart_of_a_train_and_says_which_image() -> None:
    charts = {each.chart for each in releases(Catalog.shipped(), TRAIN)}
    assert {row.text("chart") for row in ROWS} <= charts
    for row in ROWS:
        names: Any = row.value("values")
        assert set(names) <= {"registry", "repository", "tag", "image", "version", "rbacProxyImage"}, row.ref
        assert "." in str(names.get("registry") or names.get("repository") or names.get("image")).partition("/")[0]


def test_charts_that_a_cluster_at_aws_may_get_are_known_but_those_of_engines_that_it_has_not() -> None:
    """What is left out is refused by a rule; a new recipe must be looked at."""
    known = {row.text("chart") for row in ROWS} | {
        row.text("chart") for row in Catalog.shipped().rows("images.settled_charts")
    }
    left = {each.chart for each in releases(Catalog.shipped(), TRAIN) if each.provides in RECIPES} - known
    assert left == {"rook-ceph", "topolvm", "network-operator", "csi-driver-nfs", "dra-driver-nvidia-gpu"}


@pytest.mark.schema
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_rows_say_what_values_files_of_charts_say(schemas: Schemas, row: Any) -> None:
    if row.key in OTHERWISE:
        return
    default: Any = value_at(schemas.values(row.text("chart")), row.text("at"))
    for name, value in plain(row.value("values")).items():
        said = default.get(name)
        if "{app_version}" in value:
            # Left out, it is the chart's own version; one chart names its version beside.
            assert not said or value.format(app_version="v1.9.0") == said
        elif row.text("chart") == "kserve-resources" and name == "image":
            assert value == f"docker.io/{said}"
        else:
            assert value == said


@pytest.mark.schema
def test_rows_that_differ_from_values_files_do(schemas: Schemas) -> None:
    keys = {row.key: row for row in ROWS}
    for key in OTHERWISE:
        row = keys[key]
        default = value_at(schemas.values(row.text("chart")), row.text("at"))
        assert default != plain(row.value("values"))
