"""What catalog rows mean for a pool."""

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.gpu_node_pool import accelerators

CATALOG = Catalog.shipped()


@pytest.mark.parametrize(
    ("name", "form", "nvlink", "floor"),
    [
        ("a100", "baseboard", True, (535,)),
        ("a100-40gb", "baseboard", True, (535,)),
        ("a100-pcie", "card", False, (535,)),
        ("h100", "baseboard", True, (535,)),
        ("h100-pcie", "card", False, (535,)),
        ("h100-nvl", "card", True, (535,)),
        ("h200", "baseboard", True, (535,)),
        ("b200", "baseboard", True, (570, 133, 20)),
        ("b300", "baseboard", True, (580,)),
        ("l40s", "card", False, (535,)),
        ("l4", "card", False, (535,)),
        ("rtx-pro-6000", "card", False, (575, 57, 8)),
        ("gb200", "superchip", True, ()),
        ("rubin", "superchip", True, ()),
        ("mi300x", "card", False, ()),
        ("gaudi3", "card", False, ()),
        ("trainium2", "card", False, ()),
    ],
)
def test_form_and_driver_follow_from_the_row(name: str, form: str, nvlink: bool, floor: tuple[int, ...]) -> None:
    card = accelerators.card(CATALOG, name)
    assert (card.form, card.nvlink, card.driver_floor) == (form, nvlink, floor)


def test_only_nvidia_gpus_beside_x86_hosts_are_run() -> None:
    supported = accelerators.supported(CATALOG)
    cards = [accelerators.card(CATALOG, key) for key in CATALOG.keys("accelerators")]
    assert {"nvidia-h100-sxm", "nvidia-b300-sxm", "nvidia-l4"} <= set(supported)
    assert all((card.key in supported) == (card.vendor == "nvidia" and card.form != "superchip") for card in cards)


def test_figures_of_third_party_articles_are_doubted() -> None:
    doubted = [key for key in CATALOG.keys("accelerators") if accelerators.card(CATALOG, key).doubtful]
    assert doubted == ["nvidia-h20"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("580.178.04", (580, 178, 4)), ("v1.36", (1, 36)), ("1.35.6-rc.1", (1, 35, 6))],
)
def test_releases_are_compared_as_numbers(text: str, number: tuple[int, ...]) -> None:
    assert accelerators.version(text) == number
