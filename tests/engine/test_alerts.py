"""Alerts of a shipped stack, asked by Prometheus's own tool: each calls somebody when it should, and not before."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from aifactory.cli.pricing import estimated
from aifactory.components.rows import KubernetesRow
from aifactory.stacks.estimate.estimating import cases
from aifactory.stacks.estimate.measuring import rules as measuring_rules
from support import shipped
from support.alert_cases import ASKED, CASES, NODES, STACK, Case
from support.poisoned import HOSTILE, poisoned
from support.proving.tools import Missing, paths
from support.watching import queries

pytestmark = pytest.mark.engine

WATCHED = tuple(name for name in shipped.GIVEN if not name.startswith(("training", "gpu-as-a-service")))
"""Stacks with rules of Prometheus."""


@pytest.fixture(scope="module")
def promtool() -> Path:
    """Prometheus's tool, of the version that the chart runs."""
    try:
        return paths("promtool")["promtool"]
    except Missing as missing:
        pytest.skip(str(missing))


@cache
def rules_of(name: str) -> list[dict[str, Any]]:
    """All groups of rules of a stack."""
    return [group for body in bodies(name) if body["kind"] == "PrometheusRule" for group in body["spec"]["groups"]]


def bodies(name: str) -> list[dict[str, Any]]:
    """Objects of a stack as an API server gets them."""
    stack = shipped.stacks()[name]
    return [dict(stack.plain_tree(row)) for row in stack.rows if isinstance(row, KubernetesRow)]


def asked(promtool: Path, folder: Path, *words: str) -> tuple[int, str]:
    ran = subprocess.run(
        [promtool, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    return ran.returncode, ran.stdout + ran.stderr


def written(folder: Path, groups: list[dict[str, Any]], tests: list[dict[str, Any]]) -> None:
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def unit(case: Case, rule: Mapping[str, Any], *, calls: bool) -> dict[str, Any]:
    """A test of promtool: the series, and what is expected at a time."""
    series = case.loud if calls else case.quiet
    expected = {
        "exp_labels": {**rule["labels"], **case.labels},
        "exp_annotations": rule["annotations"],
    }
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": case.at, "alertname": case.alert, "exp_alerts": [expected] if calls else []},
        ],
    }


def rule_of(case: Case, groups: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rule that a case is about, and its group with it and with what it records."""
    for group in groups:
        for rule in group["rules"]:
            if rule.get("alert") == case.alert and case.own.items() <= rule["labels"].items():
                kept = [each for each in group["rules"] if "record" in each or each is rule]
                return rule, {**group, "rules": kept}
    raise KeyError(case.alert)


def test_prometheus_takes_every_rule_of_every_stack(promtool: Path, tmp_path: Path) -> None:
    found = {name: rules for name in shipped.GIVEN if (rules := rules_of(name))}
    assert tuple(found) == WATCHED
    files = [_file(tmp_path, name, rules) for name, rules in found.items()]
    code, said = asked(promtool, tmp_path, "check", "rules", "--lint=all", "--lint-fatal", *files)
    assert code == 0, said
    for rules in found.values():
        assert f"{sum(len(group['rules']) for group in rules)} rules found" in said


def test_prometheus_takes_every_query_of_a_dashboard_of_every_stack(promtool: Path, tmp_path: Path) -> None:
    files = []
    for name in WATCHED:
        found = [query for where, query in queries(bodies(name)) if where.startswith("ConfigMap/")]
        assert len(found) > 20 or name.startswith("inference"), name  # which has none
        records = [{"record": f"dashboard:query:{index}", "expr": query} for index, query in enumerate(found)]
        files.append(_file(tmp_path, name, [{"name": "dashboards", "rules": records}]))
    code, said = asked(promtool, tmp_path, "check", "rules", *files)
    assert code == 0, said


def _file(folder: Path, name: str, groups: list[dict[str, Any]]) -> str:
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    return f"{name}.yaml"


def test_prometheus_takes_rules_and_queries_whatever_the_names_are(promtool: Path, tmp_path: Path) -> None:
    files, rules = [], 0
    for number, text in enumerate(HOSTILE):
        made = poisoned(text).values()
        groups = [group for body in made if body["kind"] == "PrometheusRule" for group in body["spec"]["groups"]]
        shown = [query for where, query in queries(made) if where.startswith("ConfigMap/")]
        records = [{"record": f"dashboard:query:{index}", "expr": query} for index, query in enumerate(shown)]
        rules += sum(len(group["rules"]) for group in groups) + len(records)
        files.append(_file(tmp_path, f"hostile-{number}", [*groups, {"name": "dashboards", "rules": records}]))
    code, said = asked(promtool, tmp_path, "check", "rules", *files)
    assert code == 0, said
    assert rules > 15 * len(HOSTILE)
    assert sum(int(count) for count in re.findall(r"(\d+) rules found", said)) == rules


def test_a_query_that_is_none_is_refused(promtool: Path, tmp_path: Path) -> None:
    written(tmp_path, [{"name": "wrong", "rules": [{"record": "a", "expr": "sum(rate(b[5m])"}]}], [])
    assert asked(promtool, tmp_path, "check", "rules", "rules.yaml")[0] != 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_calls_when_it_should_and_not_before(promtool: Path, tmp_path: Path, case: Case) -> None:
    rule, group = rule_of(case, rules_of(case.stack))
    written(tmp_path, [group], [unit(case, rule, calls=True), unit(case, rule, calls=False)])
    code, said = asked(promtool, tmp_path, "test", "rules", "tests.yaml")
    assert code == 0, said


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_a_case_that_is_turned_round_fails(promtool: Path, tmp_path: Path, case: Case) -> None:
    rule, group = rule_of(case, rules_of(case.stack))
    turned = replace(case, loud=case.quiet, quiet=case.loud)
    for calls in (True, False):
        written(tmp_path, [group], [unit(turned, rule, calls=calls)])
        assert asked(promtool, tmp_path, "test", "rules", "tests.yaml")[0] != 0, calls


def test_the_nodes_of_the_cases_are_those_of_the_pool() -> None:
    (plan,) = [part.plan for part in shipped.stacks()[STACK].plan.parts if part.kind == "observability"]
    watched: Any = plan
    assert [pool.nodes for pool in watched.watched.pools] == [NODES]


@pytest.mark.parametrize("name", WATCHED)
def test_every_alert_has_a_case(name: str) -> None:
    named = {rule["alert"] for group in rules_of(name) for rule in group["rules"] if "alert" in rule}
    assert named
    assert named <= {case.alert for case in CASES}


MONTH_S = 30 * 86_400


def test_spend_begins_anew_when_the_window_of_the_door_does(promtool: Path, tmp_path: Path) -> None:
    """A thousand tokens of answers a minute cost 0.0024 USD; half an hour before the end of a window, and after it.
    Two minutes are missing of the first five, in which the rate begins."""
    (group,) = [each for each in rules_of(STACK) if each["name"] == "watch-budgets"]
    spent = 'tenant:spend_usd:month{gateway="gate",tenant="assist"}'
    series = f'gen_ai_client_token_usage_token_sum{{{ASKED},tenant_id="assist",gen_ai_token_type="output"}}'

    def at(minute: int, usd: float) -> dict[str, Any]:
        near = f"round(sum({spent}) * 10000)"
        return {"expr": near, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": usd}]}

    case = {
        "interval": "1m",
        "start_timestamp": str(MONTH_S - 30 * 60),
        "input_series": [{"series": series, "values": "0+1000x60"}],
        "promql_expr_test": [at(20, 432), at(29, 648), at(30, 24), at(40, 264)],
    }
    written(tmp_path, [group], [case])
    code, said = asked(promtool, tmp_path, "test", "rules", "tests.yaml")
    assert code == 0, said


def test_prometheus_takes_the_rules_that_compare_an_estimate_with_what_is_measured(
    promtool: Path, tmp_path: Path
) -> None:
    files = []
    for work in shipped.works().values():
        found = estimated(work, "2026-11-29")
        for site, case in cases(work.plan, work.loaded, work.stacks).items():
            made = measuring_rules(next(each for each in found.sites if each.site == site), case)
            files.append(tmp_path / f"{work.loaded.name}-{site}.yaml")
            files[-1].write_text(yaml.safe_dump(made), encoding="utf-8")
    code, said = asked(promtool, tmp_path, "check", "rules", "--lint=all", "--lint-fatal", *map(str, files))
    assert code == 0, said
