from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aifactory.components.rows import Gate, HelmRow, HostRow, Maker, Row, SwitchRow, Wave
from aifactory.components.values import Format, Json, Ref, SecretRef
from aifactory.stacks.assembly.codec import decode, decode_tree, encode, encode_tree

MAKE = Maker("demo", "lab", "part", Wave.HARDWARE)
ROWS: list[Row] = [
    MAKE.kubernetes(
        "v1",
        "ConfigMap",
        "a",
        "ns",
        body={"data": {"x": Ref("r", "p")}},
        after=["b"],
        gate=Gate("Ready"),
        protect=True,
    ),
    MAKE.kubernetes("v1", "Namespace", "a"),
    HelmRow(
        "Release/a/b",
        "p",
        Wave.CRDS,
        "b",
        "a",
        "c",
        "oci://x",
        "1",
        {"v": Json({"a": SecretRef("s", "k")})},
        ("x.y",),
    ),
    HostRow("Host/a", "p", ("n1", "n2"), "/etc/x", "text\n", "why", reboot=True),
    SwitchRow("Switch/a", "p", "leaf-1", "sonic", "{}\n", "why"),
]

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.builds(Ref, st.text(), st.text()),
    st.builds(SecretRef, st.text(), st.text()),
    st.builds(Format, st.tuples(st.text(), st.builds(Ref, st.text(), st.text()))),
)
keys = st.one_of(st.text(), st.sampled_from(["$ref", "$map", "$json", "$format", "$secret", "$"]))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(keys, inner), st.builds(Json, inner)),
    max_leaves=20,
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_survives_json(row: Row) -> None:
    assert decode(json.loads(json.dumps(encode(row, 3)))) == (row, 3)


@given(trees)
def test_any_tree_survives_json_even_with_keys_that_look_like_ours(tree: object) -> None:
    assert decode_tree(json.loads(json.dumps(encode_tree(tree)))) == tree
