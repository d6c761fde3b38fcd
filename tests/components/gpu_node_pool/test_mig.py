"""Geometry of MIG instances."""

import pytest
import yaml

from aifactory.components.catalog import Catalog
from aifactory.components.gpu_node_pool import mig
from aifactory.components.gpu_node_pool.accelerators import card


def profiles(name: str) -> tuple[str, ...]:
    return card(Catalog.shipped(), name).mig_profiles


@pytest.mark.parametrize(
    ("gpu", "profile", "most"),
    [
        ("h100", "1g.10gb", 7),
        ("h100", "1g.20gb", 4),
        ("h100", "2g.20gb", 3),
        ("h100", "3g.40gb", 2),
        ("h100", "4g.40gb", 1),
        ("h100", "7g.80gb", 1),
        ("h100", "1g.10gb+me", 1),
        ("a100-40gb", "1g.10gb", 4),
        ("h200", "1g.35gb", 4),
        ("b200", "1g.23gb", 7),
        ("b300", "3g.135gb", 2),
        ("a30", "1g.6gb", 4),
        ("a30", "2g.12gb", 2),
        ("a30", "4g.24gb", 1),
        ("rtx-pro-6000", "1g.24gb-me", 4),
        ("rtx-pro-6000", "1g.24gb+me.all", 1),
    ],
)
def test_as_many_instances_fit_as_the_vendor_says(gpu: str, profile: str, most: int) -> None:
    assert mig.most(profile, profiles(gpu)) == most


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1}, True),  # all-balanced of mig-parted
        ({"3g.40gb": 1, "4g.40gb": 1}, True),
        ({"2g.20gb": 3, "1g.10gb": 1}, True),
        ({"1g.10gb": 6, "1g.10gb+me": 1}, True),
        ({"3g.40gb": 2, "1g.10gb": 1}, False),
        ({"7g.80gb": 1, "1g.10gb": 1}, False),
        ({"4g.40gb": 2}, False),
        ({"1g.10gb+me": 2}, False),
        ({"1g.20gb": 4, "1g.10gb": 1}, False),
    ],
    ids=str,
)
def test_instances_fit_where_their_slices_do(wanted: dict[str, int], fits: bool) -> None:
    assert mig.fits(wanted, profiles("h100")) is fits


@pytest.mark.parametrize("profile", ["5g.40gb", "1g.gb", "", "MIG 1g.10gb", "0g.0gb"])
def test_a_profile_of_another_form_is_not_read(profile: str) -> None:
    assert not mig.readable(profile)


def test_a_suffix_becomes_part_of_the_resource() -> None:
    assert mig.resource("1g.18gb+me") == "nvidia.com/mig-1g.18gb.me"
    assert mig.resource("1g.24gb-me") == "nvidia.com/mig-1g.24gb-me"


def test_the_managers_configuration_keeps_nodes_of_other_pools_whole() -> None:
    text = mig.config_text([("small", {"1g.18gb+me": 1, "3g.71gb": 1}), ("even", {"2g.35gb": 3})])
    configs = yaml.safe_load(text)["mig-configs"]
    assert list(configs) == ["all-disabled", "small", "even"]
    assert configs["all-disabled"] == [{"devices": "all", "mig-enabled": False}]
    assert configs["small"][0]["mig-devices"] == {"1g.18gb+me": 1, "3g.71gb": 1}
