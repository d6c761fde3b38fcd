"""Release trains: typed, complete, and naming only what is stored, or saying what isn't."""

import pytest

from aifactory.components.capabilities import CAPABILITIES
from aifactory.components.catalog import Catalog
from aifactory.components.catalog.trains import (
    KubernetesRange,
    Release,
    kubernetes_range,
    provider,
    release,
    releases,
)
from aifactory.components.problems import Refused
from support.schemas import Schemas

CATALOG = Catalog.shipped()
RELEASES = [(train, item) for train in CATALOG.keys("trains") for item in releases(CATALOG, train)]
each_release = pytest.mark.parametrize(("train", "item"), RELEASES, ids=lambda value: getattr(value, "name", value))


@each_release
def test_a_release_is_complete(train: str, item: Release) -> None:
    assert item.ref == f"trains.releases/{train}:{item.name}"
    assert item.version
    assert item.app_version
    assert bool(item.definitions) == bool(item.schemas)
    assert item.definitions or item.chart
    assert item.repository.startswith(("oci://", "https://"))
    assert bool(item.chart) == bool(item.namespace) == bool(item.release_name)
    assert item.values or item.gap or not item.chart
    for definitions in item.definitions:
        assert definitions.arrive in {"crds-directory", "templates", "operator", "other-release", "manifest"}
        assert len(set(definitions.names)) == len(definitions.names)
        assert all(name.count(".") >= 1 and name == name.lower() for name in definitions.names)


def test_each_row_of_releases_is_in_its_train() -> None:
    rows = {f"{row.text('train')}:{row.text('name')}" for row in CATALOG.rows("trains.releases")}
    assert rows == set(CATALOG.keys("trains.releases")) == {f"{train}:{item.name}" for train, item in RELEASES}


def test_the_range_of_a_train_is_the_intersection_of_its_releases() -> None:
    for train in CATALOG.keys("trains"):
        ranges = [item.kubernetes for item in releases(CATALOG, train)]
        lows = max((low.low for low in ranges if low.low), key=_minor)
        highs = min((high.high for high in ranges if high.high), key=_minor)
        assert kubernetes_range(CATALOG, train) == KubernetesRange(lows, highs) == KubernetesRange("1.33", "1.36")


def test_every_capability_has_exactly_one_provider_in_each_train() -> None:
    for train in CATALOG.keys("trains"):
        provided = [item.provides for item in releases(CATALOG, train)]
        assert len(set(provided)) == len(provided)
        # Only a site can give these: one is part of another release of ours, two are of the site's network, and one
        # needs a store that nobody here sizes.
        released = set(CAPABILITIES) - {"sriov-network-operator", "load-balancer", "milvus", "cilium"}
        assert released <= set(provided)
        for capability in released:
            found = provider(CATALOG, train, capability)
            assert found is not None
            assert found.provides == capability
        assert provider(CATALOG, train, "teleport") is None


@pytest.mark.parametrize(
    ("name", "version", "arrive", "definition"),
    [
        ("cert-manager", "v1.21.1", "templates", "certificates.cert-manager.io"),
        ("node-feature-discovery", "0.19.0", "crds-directory", "nodefeaturerules.nfd.k8s-sigs.io"),
        ("gpu-operator", "v26.7.0", "crds-directory", "clusterpolicies.nvidia.com"),
        ("dra-driver-nvidia-gpu", "0.4.1", "crds-directory", "computedomains.resource.nvidia.com"),
        ("network-operator", "26.4.1", "crds-directory", "nicclusterpolicies.mellanox.com"),
        ("network-operator", "26.4.1", "crds-directory", "sriovnetworks.sriovnetwork.openshift.io"),
        ("network-operator", "26.4.1", "operator", "ippools.nv-ipam.nvidia.com"),
        ("network-operator", "26.4.1", "operator", "nicconfigurationtemplates.configuration.net.nvidia.com"),
        ("kueue", "0.19.2", "templates", "clusterqueues.kueue.x-k8s.io"),
        ("jobset", "0.12.0", "crds-directory", "jobsets.jobset.x-k8s.io"),
        ("lws", "0.10.0", "crds-directory", "leaderworkersets.leaderworkerset.x-k8s.io"),
        ("gateway-api", "v1.9.0", "templates", "httproutes.gateway.networking.k8s.io"),
    ],
)
def test_a_release_says_how_its_definitions_arrive(name: str, version: str, arrive: str, definition: str) -> None:
    item = release(CATALOG, "2026.11", name)
    assert item.version == version
    assert definition in item.crds(arrive)
    assert definition in item.crds()
    assert definition not in item.crds("other-release")


def test_cert_manager_keeps_its_definitions_by_a_chart_value() -> None:
    (definitions,) = release(CATALOG, "2026.11", "cert-manager").definitions
    assert (definitions.switch, definitions.keep) == ("crds.enabled", "crds.keep")


def test_kueue_can_not_leave_its_definitions_out() -> None:
    (definitions,) = release(CATALOG, "2026.11", "kueue").definitions
    assert definitions.switch == ""


def test_an_unknown_release_gets_the_nearest_name() -> None:
    with pytest.raises(Refused) as refused:
        release(CATALOG, "2026.11", "gpu-operater")
    assert refused.value.problems[0].hint.startswith('did you mean "gpu-operator"?')


@pytest.mark.parametrize(
    ("low", "high", "version", "admitted"),
    [
        ("1.33", "1.36", "1.33", True),
        ("1.33", "1.36", "v1.36.3", True),
        ("1.33", "1.36", "1.36.3+rke2r1", True),
        ("1.33", "1.36", "1.32.9", False),
        ("1.33", "1.36", "1.37", False),
        ("1.9", "1.10", "1.10", True),
        ("1.32", "", "1.99", True),
        ("", "1.36", "1.2", True),
        ("", "", "1.1", True),
    ],
)
def test_a_range_admits_by_minor_version(low: str, high: str, version: str, admitted: bool) -> None:
    assert KubernetesRange(low, high).admits(version) is admitted


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        ("1.33", "1.36", "1.33 to 1.36"),
        ("1.32", "", "1.32 or newer"),
        ("", "1.36", "1.36 or older"),
        ("", "", "any"),
    ],
)
def test_a_range_reads_as_people_say_it(low: str, high: str, text: str) -> None:
    assert str(KubernetesRange(low, high)) == text


@pytest.mark.parametrize("version", ["", "1", "latest", "1.x", "one.two"])
def test_what_is_not_a_version_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="is not a Kubernetes version"):
        KubernetesRange("1.33", "1.36").admits(version)


@pytest.mark.schema
@each_release
def test_a_release_names_only_stored_schemas_and_values_or_lists_the_gap(
    train: str, item: Release, schemas: Schemas
) -> None:
    stored = {name for project in item.schemas for name in _crd_names(schemas, project)}
    missing = set(item.crds()) - stored
    assert not missing or item.gap, f"{train}: {missing}"
    assert not item.values or (schemas.folder / "chart-values" / item.values / "values.yaml").is_file()


@pytest.mark.schema
@each_release
def test_a_switch_is_a_value_of_the_chart(train: str, item: Release, schemas: Schemas) -> None:
    for definitions in item.definitions:
        for path in (definitions.switch, definitions.keep, definitions.upgrade_hook):
            if path and "<" not in path:
                values = _nested(path.split("."), True)
                assert schemas.chart_problems(item.values, values) == [], (train, path)


@pytest.mark.schema
def test_images_of_the_network_operator_have_the_tag_of_its_release(schemas: Schemas) -> None:
    text = (schemas.folder / "chart-values" / "network-operator" / "values.yaml").read_text()
    for row in CATALOG.rows("images"):
        digest = row.value("digest")
        assert digest is None or (isinstance(digest, str) and len(digest) == len("sha256:") + 64)
        name = f"{row.text('repository')}/{row.text('image')}:"
        if row.text("release") == "network-operator" and name in text:
            assert f"{name}{row.text('tag')}" in text


def _crd_names(schemas: Schemas, project: str) -> set[str]:
    folder = schemas.folder / "crds" / project
    assert folder.is_dir(), project
    lines = (line for file in folder.glob("*.yaml") for line in file.read_text().splitlines())
    return {line.removeprefix("  name: ").strip("'\"") for line in lines if line.startswith("  name: ")}


def _nested(path: list[str], value: object) -> dict[str, object]:
    return {path[0]: _nested(path[1:], value) if path[1:] else value}


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
