"""Nothing of AWS is said in code where nobody expects it, and the search for it can fail."""

from pathlib import Path

import pytest

from support.cloud_rules import PLACES, elsewhere, idle
from support.source_tree import SourceTree


def test_nothing_of_aws_is_said_outside_of_the_places_that_may() -> None:
    assert list(elsewhere(SourceTree())) == []


def test_every_place_that_may_say_something_does() -> None:
    assert idle(SourceTree()) == []


def test_no_other_part_may() -> None:
    """Beside the four that make something there, a part is named by single files."""
    parts = {place.split("/")[1] for place in PLACES if place.startswith("components/") and place.endswith("/")}
    assert parts == {"cluster", "gpu_node_pool", "fabric", "storage_tier", "catalog"}


@pytest.mark.parametrize(
    "code",
    [
        'if place.venue == "aws": pass',
        "from aifactory.components.aws_place import AwsPlace",
        "from aifactory.components import aws_place as place",
        "import aifactory.components.given_aws",
        "size = place.vpc",
        "def of_eks(): pass",
        'image = f"{account}.dkr.ecr.{region}.amazonaws.com"',
        "call(arn=1)",
        'settings = {"provider": "efa"}',
    ],
)
def test_a_word_of_aws_in_another_part_is_found(tmp_path: Path, code: str) -> None:
    (tmp_path / "components/serving").mkdir(parents=True)
    (tmp_path / "components/serving/plan.py").write_text(f'"""Serves models."""\n{code}\n')
    [found, *_] = elsewhere(SourceTree(tmp_path))
    assert found.startswith("components/serving/plan.py:2: ")


@pytest.mark.parametrize(
    "code",
    [
        '"""What AWS does."""',
        "x = 1  # as EKS has it",
        'names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")',
        'text = "draws, laws and seeks"',
    ],
)
def test_what_decides_nothing_is_not_found(tmp_path: Path, code: str) -> None:
    (tmp_path / "components/serving").mkdir(parents=True)
    (tmp_path / "components/serving/plan.py").write_text(f"{code}\n")
    assert list(elsewhere(SourceTree(tmp_path))) == []
