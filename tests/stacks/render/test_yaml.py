"""The YAML writer: what operators see, and that no reader sees anything else than what was written."""

from __future__ import annotations

import enum
import json
import math
from importlib import import_module
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aifactory.stacks.render.yaml import dump, dump_all

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "chat",
        "labels": {"app.kubernetes.io/name": "chat", "aifactory.dev/on": "on"},
        "annotations": {},
    },
    "spec": {
        "replicas": 2,
        "template": {
            "spec": {
                "hostNetwork": False,
                "nodeName": None,
                "containers": [
                    {
                        "name": "server",
                        "image": "nvcr.io/nvidia/vllm:25.09@sha256:0a1b",
                        "command": ["sh", "-c", "set -e\nexec vllm serve\n"],
                        "args": ["--port=8000", "--tp=4", "$(POD_IP):8000", '{"rope": 1.5}'],
                        "env": [{"name": "NCCL_IB_TC", "value": "106"}],
                        "resources": {"limits": {"nvidia.com/gpu": "4", "memory": "256Gi", "cpu": "500m"}},
                        "volumeMounts": [],
                    },
                ],
            },
        },
    },
}

DEPLOYMENT_TEXT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: chat
  labels:
    app.kubernetes.io/name: chat
    aifactory.dev/on: "on"
  annotations: {}
spec:
  replicas: 2
  template:
    spec:
      hostNetwork: false
      nodeName: null
      containers:
      - name: server
        image: nvcr.io/nvidia/vllm:25.09@sha256:0a1b
        command:
        - sh
        - -c
        - |
          set -e
          exec vllm serve
        args:
        - --port=8000
        - --tp=4
        - $(POD_IP):8000
        - '{"rope": 1.5}'
        env:
        - name: NCCL_IB_TC
          value: "106"
        resources:
          limits:
            nvidia.com/gpu: "4"
            memory: 256Gi
            cpu: 500m
        volumeMounts: []
"""

PLAIN = (
    "chat", "Llama-3.3-70B", "a b", "a  b", "10Gi", "500m", "10.0.0.0/24", "v1.36.0", "25.09-py3", "it's",
    "a:b", "http://x/y?z=1&w", "a#b", "--port=80", "-c", "$(POD_IP)", "/dev/nvidia0", ".spec.x", "_x",
    "sha256:ab12", "a, b", "a{b}[c]", "a=b", "1st", "nvidia.com/gpu", "x*", "nulls", "yesterday", "e5a",
    "Grüße", "模型", "🚀",
)  # fmt: skip

QUOTED = (
    "", " ", "y", "N", "yes", "No", "ON", "off", "true", "False", "null", "Null", "~", "~/x", ".nan",
    ".inf", "-.inf", "+.INF", "nan", "Infinity", "-inf", "0", "1", "-1", "+1", "1.5", ".5", "5.", "1e3",
    "1E+3", "0x1f", "e5", "-E+5", ".e-8", "._", "0o7", "012", "0b1", "1_000", "1,000", "0x1p4", "22:22",
    "1:30:00", "1.2.3", "10.0.0.1", "2026-01-02", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05 +1", "12e03",
    "190:20:30.15", " a", "a ", "a: b", "a:", "a #b", "#a", "- a", "-", "--", "---", "...", "? a", "?",
    ": a", ":a", "!x", "!!str x", "&a", "*a", "@a", "`a", "%a", "|", ">", "|-", "[a", "]", "{a", "}", ",a",
    '"a"', "'a'", "=", "<<", "\t", "a\tb", "a\x00", "\x1b[31m", "\x7f", "\x85", "a\xa0b", "\u200b",
    "\u202e", "\u2028", "\u2029", "\ufeff", "\ufffe", "\ue000", "a\r\nb", "\n", "\n\n", "\na", " a\nb",
    "a \nb", "a\n b \n", "a\n\t\nb", "\ta\nb", "a\x07\nb", "\U000e0041", "0.0.0",
)  # fmt: skip

BLOCKS = (
    ("a\nb", "|-", "  a\n  b\n"),
    ("a\nb\n", "|", "  a\n  b\n"),
    ("a\n", "|", "  a\n"),
    ("a\n\n\n", "|+", "  a\n\n\n"),
    ("a\n  b\n\tc", "|-", "  a\n    b\n  \tc\n"),
    ("a\n\n  b: c\n# d\n---\n\te\n", "|", "  a\n\n    b: c\n  # d\n  ---\n  \te\n"),
)

NUMBERS = (
    (0, "0"), (-7, "-7"), (10**30, "1" + "0" * 30), (1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"),
    (1.5e16, "1.5e+16"),
    (1e16, "1.0e+16"), (1e-07, "1.0e-07"), (5e-324, "5.0e-324"), (True, "true"), (False, "false"),
    (None, "null"),
)  # fmt: skip

REFUSED = (
    (math.nan, ValueError, "nan"),
    ({"a": [math.inf]}, ValueError, "inf"),
    ({"a": -math.inf}, ValueError, "-inf"),
    ({1: "a"}, ValueError, "the key 1 is not a string"),
    ({None: "a"}, ValueError, "the key None"),
    ([{True: "a"}], ValueError, "the key True"),
    ({"a": {("b",): 1}}, ValueError, "not a string"),
    ("a\ud800", ValueError, "U+D800"),
    ({"\udfff": 1}, ValueError, "U+DFFF"),
    ("line\n\ud800\n", ValueError, "U+D800"),
    ({"a": {1, 2}}, TypeError, "set is not plain data"),
    ([b"a"], TypeError, "bytes is not plain data"),
    (object(), TypeError, "object is not plain data"),
)


class Venue(str, enum.Enum):  # noqa: UP042 - the kind whose str() is not its value
    """A string that prints as something else."""

    ON_PREM = "on-prem"


class Rank(enum.IntEnum):
    """A number that prints as something else."""

    FIRST = 1


def readers() -> list[Any]:
    """Every reader at hand: PyYAML's two (1.1), and one of YAML 1.2 if it is installed."""
    found: list[Any] = [
        lambda text: list(yaml.load_all(text, Loader=yaml.SafeLoader)),
        lambda text: list(yaml.load_all(text, Loader=yaml.CSafeLoader)),
    ]
    try:
        yaml12 = import_module("yaml12")
    except ImportError:
        return found
    return [*found, lambda text: yaml12.parse_yaml(text, multi=True)]


READERS = readers()

text = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.sampled_from("aé \n\t:#-'\"\\{0.~?\u2028\x85"), max_size=12),
    st.sampled_from(PLAIN + QUOTED + tuple(block[0] for block in BLOCKS)),
    st.text(st.sampled_from("0123456789abefxot_:.,+-TZ "), min_size=1, max_size=9),
)
scalars = st.one_of(text, st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False),
                    st.booleans(), st.none())  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=20,
)


def same(a: object, b: object) -> bool:
    """Equal as JSON, key order and the difference of 1 and 1.0 and true included."""
    return json.dumps(a) == json.dumps(b)


def test_a_manifest_looks_as_kubectl_prints_it() -> None:
    assert dump(DEPLOYMENT) == DEPLOYMENT_TEXT


@pytest.mark.parametrize("value", PLAIN)
def test_a_string_that_nobody_misreads_is_plain(value: str) -> None:
    assert dump({"k": value, value: [value]}) == f"k: {value}\n{value}:\n- {value}\n"


@pytest.mark.parametrize("value", QUOTED)
def test_a_string_that_somebody_misreads_is_quoted(value: str) -> None:
    line = dump({"k": value}).removeprefix("k: ").removesuffix("\n")
    assert line[0] == line[-1]
    assert line[0] in "'\""
    assert all(read(dump({value: [value]})) == [{value: [value]}] for read in READERS)


@pytest.mark.parametrize(("value", "mark", "lines"), BLOCKS)
def test_several_lines_are_a_literal_block(value: str, mark: str, lines: str) -> None:
    assert dump({"k": value, "l": 1}) == f"k: {mark}\n{lines}l: 1\n"
    assert dump([value]) == f"- {mark}\n{lines}"
    assert dump(value) == f"{mark}\n{lines}"


@pytest.mark.parametrize(("value", "written"), NUMBERS)
def test_numbers_and_words_of_json_are_canonical(value: object, written: str) -> None:
    assert dump([value, {"k": value}]) == f"- {written}\n- k: {written}\n"
    assert dump(value) == f"{written}\n"


@pytest.mark.parametrize(("tree", "error", "says"), REFUSED)
def test_what_is_not_plain_data_is_refused(tree: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        dump(tree)
    assert says in str(caught.value)


def test_a_tree_that_holds_itself_is_refused() -> None:
    tree: dict[str, Any] = {"a": []}
    tree["a"].append(tree)
    with pytest.raises(ValueError, match="holds itself"):
        dump(tree)


def test_sequences_and_maps_nest_in_each_other() -> None:
    tree = [[1, [2]], [{"a": [{"b": []}], "c": {}}], {}, [], [[]], [{}]]
    assert dump(tree) == "- - 1\n  - - 2\n- - a:\n    - b: []\n    c: {}\n- {}\n- []\n- - []\n- - {}\n"


def test_tuples_and_read_only_maps_are_written_like_lists_and_dicts() -> None:
    tree: Any = MappingProxyType({"a": (1, ("x", MappingProxyType({"b": ()})), MappingProxyType({}))})
    assert dump(tree) == "a:\n- 1\n- - x\n  - b: []\n- {}\n"


def test_members_of_an_enumeration_are_written_as_their_value() -> None:
    tree = {Venue.ON_PREM: [Venue.ON_PREM, Rank.FIRST], "rank": Rank.FIRST}
    assert dump(tree) == "on-prem:\n- on-prem\n- 1\nrank: 1\n"


def test_a_key_too_long_for_its_line_stands_alone() -> None:
    key = "k" * 2000
    tree = {"a": [{key: {"b": 1}, "c": 2}, {key: ["d"]}, {"e": {key: "x\ny"}}]}
    assert f"- ? {key}\n  :\n    b: 1\n" in dump(tree)
    assert all(read(dump(tree)) == [tree] for read in READERS)


def test_a_long_line_is_never_folded() -> None:
    value = "word " * 2000 + "end"
    assert dump({"k": value, "q": f"{value}: "}).splitlines() == [f"k: {value}", f'q: "{value}: "']


def test_documents_are_parted_by_three_dashes() -> None:
    assert dump_all([{"a": 1}, ["b"], "c\n\n"]) == "a: 1\n---\n- b\n---\n|+\n  c\n\n"
    assert dump_all([]) == ""
    assert dump_all(iter([1])) == "1\n"


@settings(max_examples=400, deadline=None)
@given(trees)
@example({"": {"": [{"": ""}]}})
@example(["|+", "a\n\n", {"a\nb": "c\n\n"}])
def test_every_reader_gets_the_tree_back(tree: object) -> None:
    for read in READERS:
        [back] = read(dump(tree))
        assert same(back, tree)


@settings(max_examples=100, deadline=None)
@given(st.lists(trees, min_size=1, max_size=4))
def test_every_reader_gets_every_document_back(documents: list[object]) -> None:
    for read in READERS:
        assert same(read(dump_all(documents)), documents)


@settings(max_examples=200, deadline=None)
@given(text)
def test_nothing_hidden_or_unprintable_is_written(value: str) -> None:
    hidden = {char for char in dump([value, {value: value}]) if not char.isprintable()} - {"\n", "\t"}
    assert {char for char in hidden if char in "\x1b\x85\u200b\u202e\u2028\u2029\ufeff" or char < " "} == set()


def test_a_full_memo_starts_over_and_changes_nothing() -> None:
    tree = {f"key-{i}": f"value {i}" for i in range(40_000)}
    assert dump(tree) == "".join(f"key-{i}: value {i}\n" for i in range(40_000))
    assert dump(tree) == dump(tree)


@pytest.mark.parametrize("unit", ["0", "1_", " ", "a: ", "a \n", "\n", "-", "\x00", '"', "é\u200b", "0x1p"])
def test_a_megabyte_of_anything_is_written_and_read_back(unit: str) -> None:
    value = unit * (1_000_000 // len(unit))
    assert yaml.load(dump({"k": [value]}), Loader=yaml.CSafeLoader) == {"k": [value]}
