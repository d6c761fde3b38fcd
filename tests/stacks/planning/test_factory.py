"""A whole factory: where decisions say that they were written."""

from pathlib import Path

import pytest

from aifactory.blueprints.load import load
from aifactory.components.base import Decision
from aifactory.stacks.planning.factory import plan_factory
from support.written import write_project
from support.written_models import SERVED, SERVED_SITE

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def decisions() -> dict[str, Decision]:
    plan = plan_factory(load(ROOT / "blueprints/library/training-roce.yaml"))
    return dict(plan.stacks["training-roce-fra-dc1-platform"].decisions)


def test_a_decision_on_something_written_names_the_place(decisions: dict[str, Decision]) -> None:
    assert decisions["train.nodes"].source == ("parts", 0, "nodes")
    assert decisions["pretrain.topology"].source == ("parts", 2, "topology")


def test_a_default_was_written_nowhere(decisions: dict[str, Decision]) -> None:
    for path in ("teams.sharing", "teams.preemption.reclaim", "pretrain.restarts", "fabric.memory_lock"):
        assert decisions[path].source == ()
    assert decisions["teams.sharing"].reason.endswith("(the default)")


def test_each_cause_of_a_decision_is_a_decision(decisions: dict[str, Decision]) -> None:
    causes = {cause for decision in decisions.values() for cause in decision.because}
    assert causes <= set(decisions)


@pytest.mark.parametrize(
    "path",
    [
        "pretrain.gang",
        "pretrain.pod.requests",
        "pretrain.pod.networks",
        "pretrain.pod.tolerations",
        "pretrain.pod.user_id",
        "pretrain.priority",
        "pretrain.rendezvous",
        "teams.tenants.product.train",
        "teams.spare.train",
        "teams.excluded",
        "teams.covered",
        "teams.flavors",
        "teams.pod_security",
    ],
)
def test_what_follows_from_other_parts_says_from_which_decision(decisions: dict[str, Decision], path: str) -> None:
    assert decisions[path].because


@pytest.mark.parametrize(("model", "told"), [("llama-3.1-8b", 0), ("qwen3-8b", 1)])
def test_a_demand_that_no_part_serves_is_told_once(tmp_path: Path, model: str, told: int) -> None:
    rate = "{mean: 1, peak: 1}"
    more = f"    - {{name: {model}, requests_per_s: {rate}, input_tokens: 10, output_tokens: 10, itl_ms: 90}}\n"
    blueprint = SERVED if model in SERVED else SERVED.replace("demand:\n  models:\n", f"demand:\n  models:\n{more}")
    plan = plan_factory(load(write_project(tmp_path, blueprint, lab=SERVED_SITE)))
    found = [problem for problem in plan.findings.problems if problem.rule == "SRV-026"]
    assert len(found) == told
    assert plan.findings.evaluated["SRV-026"] == told + 1
    if found:
        assert found[0].says == "no part serves qwen3-8b, so nothing is planned for it"
        assert found[0].path == ("demand", "models", 0)
        assert found[0].at is not None
