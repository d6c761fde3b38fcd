"""Brings together what the planner found and the verdict over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from aifactory.blueprints.load import Loaded
from aifactory.cli.pricing import as_of, estimated, narrowed
from aifactory.cli.report import failure, tell
from aifactory.cli.work import PlanRefused, Work, prepare
from aifactory.components import names
from aifactory.components.counting import counted
from aifactory.components.problems import Problem, Refused, path_text
from aifactory.components.rules import Rule
from aifactory.policies.verdict import Finding, RuleCount, Verdict, judge
from aifactory.stacks.estimate.gates import gated
from aifactory.stacks.estimate.gates import rules as estimate_rules
from aifactory.stacks.estimate.model import Estimate
from aifactory.stacks.planning.data import data_of, digest_of
from aifactory.stacks.planning.model import FactoryPlan
from aifactory.stacks.planning.passes import rules as planner_rules


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the problems it rests on. `plan` is None when the input couldn't be loaded."""

    verdict: Verdict
    problems: tuple[Problem, ...]
    plan: FactoryPlan | None
    digests: Mapping[str, str]
    loaded: Loaded | None = None
    """What was read. None: it couldn't be."""
    work: Work | None = None
    """What would be built. None: it can't be."""
    estimate: Estimate | None = None
    """Of the sites that were asked for."""

    def print(self, root: Path) -> None:
        """Findings to stderr, the verdict in one line to stdout."""
        tell(self.problems, root)
        click.echo(self.in_short())

    def in_short(self) -> str:
        """The verdict in one line."""
        told = {(problem.at, problem.path, problem.says): problem.severity for problem in self.problems}
        found = Counter(told.values())
        color = {"allowed": "green", "denied": "red"}.get(self.verdict.outcome, "yellow")
        outcome = click.style(self.verdict.outcome, fg=color, bold=True)
        problems, warnings = counted(found["error"], "problem"), counted(found["warning"], "warning")
        return f"{outcome}: {problems}, {warnings}; {self._rules()}"

    def _rules(self) -> str:
        """How many rules had something to judge, and how often."""
        applied = [rule.evaluated for rule in self.verdict.rules if rule.evaluated]
        if not applied:
            return "no rule was reached"
        known = counted(len(self.verdict.rules), "rule")
        return f"{len(applied)} of {known} applied, {counted(sum(applied), 'time')}"


def judged(blueprint: Path, sites: Sequence[str], values: Mapping[str, str], day: str | None = None) -> Judgement:
    """Load, plan, estimate and judge. Never raises for wrong input: that is a verdict.

    `day` is the one that ages of prices count from; by default that of `SOURCE_DATE_EPOCH`, or today.
    """
    plan: FactoryPlan | None = None
    loaded: Loaded | None = None
    work: Work | None = None
    estimate: Estimate | None = None
    digests: dict[str, str] = {}
    problems: list[Problem] = []
    evaluated: Counter[str] = Counter()
    try:
        work = prepare(blueprint, sites, values)
        plan, loaded, estimate = work.plan, work.loaded, estimated(work, as_of(day))
        held = gated(estimate, loaded)
        problems = [*plan.findings.problems, *held.problems]
        evaluated += held.evaluated
        estimate = narrowed(estimate, sites)
        digests = {"plan": work.digest, "data": digest_of(work.data["facts"])}
    except PlanRefused as refused:
        plan, loaded = refused.plan, refused.loaded
        problems = [
            *refused.problems,
            *(found for found in plan.findings.problems if found.severity == "warning"),
        ]
    except Refused as refused:
        problems = list(refused.problems)
    digests["rules"] = digest_of({rule.id: data_of(rule) for rule in _rules().values()})
    shown = tuple(found for found in problems if not sites or found.site in ("", *sites) or _refuses_all(found))
    factory = plan.factory if plan else ""
    verdict = judge([finding_of(problem, factory) for problem in shown], _counts(plan, problems, evaluated))
    return Judgement(verdict, shown, plan, digests, loaded, work if plan else None, estimate)


def _refuses_all(found: Problem) -> bool:
    """Whether it counts at whatever site was asked for, as `up` does: a budget is one of all sites, and is not met by
    what is unknown at another."""
    return found.severity == "error" and found.rule in estimate_rules()


def failed(error: Exception) -> Judgement:
    """What is said when the check itself fails: error, and never allowed."""
    failure(error)
    says = f"the check failed by a defect of its own ({type(error).__name__})"
    finding = Finding("aifactory", "critical", "", "", says, "run it again with AIFACTORY_DEBUG=1 and report it")
    return Judgement(Verdict("error", (finding,), ()), (), None, {})


def finding_of(problem: Problem, factory: str) -> Finding:
    """A problem as a finding of a verdict."""
    at = problem.at
    return Finding(
        rule=problem.rule or "language",
        severity="high" if problem.severity == "error" else "medium",
        stack=names.stack_name(factory, problem.site) if factory and problem.site else "",
        target=path_text(problem.path),
        message=problem.says,
        remediation=problem.hint,
        file=at.file if at else "",
        line=at.line if at else 0,
        column=at.column if at else 0,
    )


def _rules() -> dict[str, Rule]:
    """Everything that is judged by: what the planner keeps, and what holds an estimate."""
    return {**planner_rules(), **estimate_rules()}


def _counts(plan: FactoryPlan | None, problems: Sequence[Problem], evaluated: Mapping[str, int]) -> list[RuleCount]:
    if plan is None:
        return []
    found = Counter(problem.rule for problem in problems)
    asked = {**plan.findings.evaluated, **evaluated}
    return [
        RuleCount(rule.id, "mandatory" if rule.level == "error" else "advisory", asked.get(rule.id, 0), found[rule.id])
        for rule in _rules().values()
    ]
