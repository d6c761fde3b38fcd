from __future__ import annotations

import hashlib
from decimal import Decimal

import pytest
from msgspec import Struct

from aifactory.components.base import Decision
from aifactory.components.problems import Refused
from aifactory.components.rows import Wave
from aifactory.stacks.planning.data import data_of, digest_of
from aifactory.stacks.planning.explain import chain, matching


class Thing(Struct, frozen=True):
    name: str
    kw: float
    inner: tuple[object, ...] = ()


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (1.5, "1.5"),
        (10.2, "10.2"),
        (1e-7, "0.0000001"),
        (Decimal("4.20"), "4.20"),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**60), "-1152921504606846976"),
        (True, True),
        (None, None),
        (Wave.TRUST, "02-trust"),
        ({"b": (1, 2)}, {"b": [1, 2]}),
        ({"y", "x"}, ["x", "y"]),
        (
            Thing("a", 0.5, (Thing("b", 2.0),)),
            {"name": "a", "kw": "0.5", "inner": [{"name": "b", "kw": "2.0", "inner": []}]},
        ),
    ],
)
def test_a_plan_becomes_plain_data_whose_fractions_no_reader_rounds(value: object, data: object) -> None:
    assert data_of(value) == data


def test_a_thing_without_a_plain_form_is_a_defect() -> None:
    with pytest.raises(TypeError, match="object"):
        data_of(object())


def test_a_digest_is_that_of_the_canonical_text() -> None:
    assert digest_of({"b": 1, "a": [True]}) == digest_of({"a": [True], "b": 1})
    assert digest_of({"a": 1}) == "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_keys_are_ordered_by_utf16_unit() -> None:
    text = '{"a":[{"é":1,"\U0001f600":2,"\ufb33":3}]}'
    data = {"a": [{"\ufb33": 3, "\U0001f600": 2, "é": 1}]}
    assert digest_of(data) == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


DECISIONS = {
    decision.path: decision
    for decision in (
        Decision("train.nodes", 4, "quotas", because=("train.gpus", "train.per_node")),
        Decision("train.gpus", 32, "tenants", because=("train.per_node",)),
        Decision("train.per_node", 8, "the site's", because=("cluster.gone",)),
    )
}


def test_a_chain_follows_each_cause_once() -> None:
    links = [(link.depth, link.decision.path, link.repeated) for link in chain(DECISIONS, "train.nodes")]
    assert links == [
        (0, "train.nodes", False),
        (1, "train.gpus", False),
        (2, "train.per_node", False),
        (1, "train.per_node", True),
    ]


def test_a_part_names_all_its_decisions() -> None:
    assert matching(DECISIONS, "train") == ["train.nodes", "train.gpus", "train.per_node"]
    assert matching(DECISIONS, "train.gpus") == ["train.gpus"]


def test_an_unknown_path_gets_the_nearest() -> None:
    with pytest.raises(Refused) as refused:
        matching(DECISIONS, "train.node")
    assert 'did you mean "train.nodes"?' in refused.value.problems[0].hint
