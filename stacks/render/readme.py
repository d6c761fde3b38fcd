"""`README.md` of a generated folder: what an operator reads first."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from aifactory.components.problems import Problem
from aifactory.components.rows import KubernetesRow
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.planning.model import PartPlan

if TYPE_CHECKING:
    from jinja2 import Template


def readme(stack: Stack, digest: str, warnings: list[Problem], *, files: set[str]) -> str:
    """The text. `files` are the first path steps of the folder, such as `hosts`."""
    place = stack.plan.place
    protected = [row.id for row in stack.cluster_rows if row.protect]
    return _template().render(
        stack=stack.name,
        factory=stack.plan.factory,
        site=place.site,
        description="",
        version=version("ai-factory-blueprints"),
        digest=digest,
        argocd="argocd" in files,
        hosts="hosts" in files,
        switches="switches" in files,
        parts=[_part(stack, part) for part in stack.plan.parts],
        given=[f"{name} {given.version}" for name, given in sorted(place.cluster.provides.items())],
        overrides=[{"row": row.id, "reason": row.override} for row in stack.rows if row.override],
        warnings=[f"{problem.says} ({problem.rule})" for problem in warnings],
        context=place.cluster.kubeconfig.context,
        backend=place.state.backend,
        secrets_provider=place.state.secrets_provider,
        waves=_waves(stack),
        protected=protected[:20] + ([f"and {len(protected) - 20} more"] if len(protected) > 20 else []),
    )


@cache
def _template() -> Template:
    from jinja2 import StrictUndefined  # noqa: PLC0415 - 40 ms that only `generate` pays
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    environment.filters["md"] = _markdown
    environment.filters["shell"] = quote
    return environment.from_string((Path(__file__).parent / "templates" / "README.md.j2").read_text(encoding="utf-8"))


def _markdown(text: object) -> str:
    """User text on one line, with no character that Markdown would act on."""
    return re.sub(r"([\\`*_{}\[\]<>|#!])", r"\\\1", " ".join(str(text).split()))


def _part(stack: Stack, part: PartPlan) -> dict[str, Any]:
    return {
        "name": part.name,
        "kind": part.kind,
        "rows": sum(row.part == part.name for row in stack.rows),
        "short": part.plan.in_short,
    }


def _waves(stack: Stack) -> list[dict[str, Any]]:
    rows = Counter(row.wave for row in stack.cluster_rows)
    gates: dict[str, list[str]] = {}
    for row in stack.cluster_rows:
        if isinstance(row, KubernetesRow) and row.gate:
            gates.setdefault(row.wave, []).append(row.id)
    return [
        {"name": wave, "rows": count, "gates": ", ".join(sorted(gates.get(wave, []))[:4]) or "its releases"}
        for wave, count in sorted(rows.items())
    ]
