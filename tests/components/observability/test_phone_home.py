"""Nothing that a shipped stack runs reports to its maker."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from aifactory.components.catalog import Catalog
from aifactory.components.catalog.rows import Row
from aifactory.components.rows import HelmRow, KubernetesRow
from support import shipped

ROWS = Catalog.shipped().rows("phone-home")
ENGINE = Catalog.shipped().row("engines", "vllm").text("image")
_MISSING = object()


def switches(component: str, where: str) -> list[Row]:
    return [row for row in ROWS if row.text("component") == component and row.text("where") == where]


def at(values: Any, path: str) -> Any:
    for step in path.split("/"):
        values = values.get(step, _MISSING) if isinstance(values, Mapping) else _MISSING
    return values


def containers(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every container of an object, wherever its pod stands."""
    if isinstance(tree, Mapping):
        if isinstance(tree.get("image"), str) and "name" in tree:
            yield tree
        for value in tree.values():
            yield from containers(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from containers(value)


def test_the_table_says_how_each_switch_is_set() -> None:
    for row in ROWS:
        assert row.text("where") in ("value", "environment", "nothing")
        assert (row.value("switch") is None) == (row.text("where") == "nothing"), row.key


@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_every_chart_of_a_stack_is_in_the_table_and_every_switch_of_it_is_set(name: str) -> None:
    stack = shipped.stacks()[name]
    for row in stack.rows:
        if not isinstance(row, HelmRow):
            continue
        assert [each for each in ROWS if each.text("component") == row.chart], f"{row.chart} is not in the table"
        values = stack.plain_tree(row)
        for each in switches(row.chart, "value"):
            path = each.text("switch")
            if path.startswith("grafana/") and at(values, "grafana/enabled") is False:
                continue
            assert at(values, path) == each.value("value"), f"{row.id} {path}"


@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_every_container_of_an_engine_has_every_variable_that_switches_reports_off(name: str) -> None:
    stack = shipped.stacks()[name]
    seen = 0
    for row in stack.rows:
        if not isinstance(row, KubernetesRow):
            continue
        for container in containers(stack.plain_tree(row)):
            # A copy in a registry of the site has the whole name of what it is a copy of.
            if (
                not container["image"].rpartition(":")[0].endswith(ENGINE)
                or container.get("command", [""])[0] == "sleep"
            ):
                continue
            seen += 1
            env = {each["name"]: each.get("value") for each in container["env"]}
            for each in switches("vllm", "environment"):
                asked = each.text("switch")
                assert env.get(asked) == each.value("value"), f"{row.id} {container['name']} {asked}"
    assert seen or "inference" not in name


def test_a_switch_that_is_not_set_would_be_found() -> None:
    stack = shipped.stacks()["sovereign-inference-fra-dc1-platform"]
    (loki,) = [row for row in stack.rows if isinstance(row, HelmRow) and row.chart == "loki"]
    values = dict(stack.plain_tree(loki))
    assert at(values, "loki/analytics/reporting_enabled") is False
    assert at({**values, "loki": {}}, "loki/analytics/reporting_enabled") is _MISSING
