"""Chart values against a values.yaml small enough to read."""

from typing import Any

import pytest

from support.schemas_values import REMARK, commented, defaults, problems

VALUES = """\
# Note: prose with a colon is read as a key that nobody sets.
image:
  repository: nvcr.io/nvidia
  # version: "1"
  #pullSecrets: []
enabled: true
replicas: 1
name: ""
extra: {}
list: []
nothing:
nodeSelector:
  kubernetes.io/os: linux
controller:
  resources:
    csiProvisioner: {}
  # monitor:
  #   interval: 30s
  #   nested:
  #     deep: 1
  port: 80
# top:
#  under: 1
sub:
  image: own
"""
SUBS = {"sub": defaults("image: other\nworker:\n  tolerations: []\n"), "absent": defaults("a: 1\n")}

RIGHT: list[dict[str, Any]] = [
    {"image": {"repository": "x", "version": "2", "pullSecrets": ["a"]}},
    {"enabled": False, "replicas": 3, "name": "x"},
    {"extra": {"any": {"thing": 1}}, "nothing": {"any": 1}, "list": [{"any": 1}]},
    {"nodeSelector": {"a": "b"}},
    {"controller": {"resources": {"csiProvisioner": {"limits": {}}, "limits": {"cpu": 1}}}},
    {"controller": {"monitor": {"interval": "10s", "nested": {"deep": 2}}}},
    {"top": {"under": {"any": 1}}},
    {"sub": {"image": "x", "worker": {"tolerations": []}}, "absent": {"a": 2}},
    {"enabled": None, "image": None},
]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"imagee": {}}, 'imagee: chart has no such value; did you mean "image"?'),
    ({"image": {"tag": "x"}}, "image.tag: chart has no such value"),
    (
        {"controller": {"monitor": {"intervall": "1s"}}},
        "controller.monitor.intervall: chart has no such value",
    ),
    (
        {"controller": {"resources": {"limit": {}}}},
        'controller.resources.limit: chart has no such value; did you mean "limits"?',
    ),
    ({"sub": {"wroker": {}}}, 'sub.wroker: chart has no such value; did you mean "worker"?'),
    ({"absent": {"b": 2}}, "absent.b: chart has no such value"),
    ({"image": "x"}, "image: is a map in the chart's values, set to 'x'"),
    ({"enabled": "false"}, "enabled: is a boolean in the chart's values, set to 'false'"),
    ({"list": {"a": 1}}, "list: is a list in the chart's values, set to a map"),
    ({"replicas": [1]}, "replicas: is 1 in the chart's values, set to a list"),
]


@pytest.mark.parametrize("values", RIGHT)
def test_values_that_the_chart_names_have_no_problem(values: dict[str, Any]) -> None:
    assert list(problems(values, defaults(VALUES), "chart", SUBS)) == []


@pytest.mark.parametrize(("values", "says"), WRONG)
def test_a_value_that_the_chart_does_not_take_is_one_problem(values: dict[str, Any], says: str) -> None:
    found = list(problems(values, defaults(VALUES), "chart", SUBS))
    assert len(found) == 1
    assert says in found[0]


def test_keys_in_comments_stand_below_their_parents() -> None:
    assert commented(VALUES) == {
        "Note": REMARK,
        "image": {"version": REMARK, "pullSecrets": REMARK},
        "controller": {"monitor": {"interval": REMARK, "nested": {"deep": REMARK}}},
        "top": {"under": REMARK},
    }


def test_an_empty_file_names_nothing() -> None:
    assert list(problems({"a": 1}, defaults("# no values\n"), "chart", {})) == ["a: chart has no such value"]
