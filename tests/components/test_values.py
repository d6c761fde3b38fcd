import pytest

from aifactory.components.values import Format, Json, Ref, SecretRef, canonical_json, plain, refs

NAME = Ref("ConfigMap/ml/nccl", "metadata.name")
TREE = {
    "text": "a",
    "count": 2,
    "ref": NAME,
    "format": Format(("s3://", NAME, "/x")),
    "json": Json({"b": NAME, "a": [1, None]}),
    "secret": SecretRef("token", "key"),
    "list": [NAME, {"deep": NAME}],
}


def test_a_plain_tree_has_every_reference_answered() -> None:
    assert plain(TREE, lambda ref: "nccl") == {
        "text": "a",
        "count": 2,
        "ref": "nccl",
        "format": "s3://nccl/x",
        "json": '{"a":[1,null],"b":"nccl"}',
        "secret": {"name": "token", "key": "key"},
        "list": ["nccl", {"deep": "nccl"}],
    }


def test_references_are_found_wherever_they_stand() -> None:
    assert refs(TREE) == {NAME}
    assert refs({"a": Json({"b": [Format(("x", Ref("r", "p")))]})}) == {Ref("r", "p")}
    assert refs({"a": [1, "x", SecretRef("a", "b")]}) == set()


def test_canonical_json_sorts_keys_and_has_no_spaces() -> None:
    assert canonical_json({"b": [1, True], "a": "é"}) == '{"a":"é","b":[1,true]}'


def test_canonical_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": float("nan")})
