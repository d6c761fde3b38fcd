"""Lines of versions and ranges of Kubernetes."""

from __future__ import annotations

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.catalog.trains import KubernetesRange, release
from aifactory.components.cluster.versions import accepted, admits, line, narrowest, nearest_kubernetes


@pytest.mark.parametrize(
    ("version", "expected"),
    [("v1.21.1", (1, 21)), ("0.19.0", (0, 19)), ("26.7.0-rc.2", (26, 7)), ("1.36", (1, 36)), ("v2", (2, 0))],
)
def test_a_line_is_major_and_minor(version: str, expected: tuple[int, int]) -> None:
    assert line(version) == expected


@pytest.mark.parametrize(
    ("name", "given", "fits"),
    [
        ("cert-manager", "v1.21.1", True),
        ("cert-manager", "1.21.0", True),
        ("cert-manager", "v1.20.9", False),
        ("cert-manager", "v1.22.0", False),
        ("gpu-operator", "v26.7.1", True),
        ("gpu-operator", "v26.3.0", False),
        ("kueue", "0.19.0", True),
        ("kueue", "0.18.2", True),
        ("kueue", "0.17.1", False),
        ("metrics", "88.5.0", True),
        ("metrics", "v0.93.0", True),
        ("gateway-api", "v1.6.1", True),
        ("gateway-api", "v1.5.1", False),
    ],
)
def test_a_given_version_fits_by_its_line(name: str, given: str, fits: bool) -> None:
    catalog = Catalog.shipped()
    assert admits(accepted(catalog, release(catalog, "2026.11", name)), given) is fits


def test_the_narrowest_range_names_who_sets_each_end() -> None:
    found = narrowest(
        [
            ("a", KubernetesRange("1.32", "1.36")),
            ("b", KubernetesRange("1.33", "")),
            ("c", KubernetesRange()),
            ("d", KubernetesRange("", "1.35")),
        ]
    )
    assert (str(found.range), found.low_by, found.high_by) == ("1.33 to 1.35", "b", "d")
    assert nearest_kubernetes(found, "1.30") == "1.33"
    assert nearest_kubernetes(found, "1.37") == "1.35"


def test_components_that_state_nothing_narrow_nothing() -> None:
    found = narrowest([("a", KubernetesRange())])
    assert found.range == KubernetesRange()
    assert found.range.admits("1.10")
