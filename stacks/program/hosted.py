"""The component as other languages see it: one `args` of plain types, from which Pulumi infers the schema.

No postponed annotations here: the inference reads them as they stand.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi.provider.experimental import component_provider_host
from pulumi.provider.experimental.component import ComponentProvider

from aifactory.components.names import Layer
from aifactory.components.problems import Refused
from aifactory.stacks.program.adapter import Factory
from aifactory.stacks.program.folder import handed_over
from aifactory.stacks.program.handoff import HANDOFF_FILE
from aifactory.stacks.program.identity import PROJECT
from aifactory.stacks.program.planned import planned_rows, problems_text
from aifactory.stacks.program.untraced import untraced


class AiFactoryArgs(TypedDict):
    """What an AI factory at one site is made from."""

    blueprint: str
    """Path of the blueprint, from the working directory of the program."""

    site: str
    """Name of the site."""

    parameters: NotRequired[dict[str, str]]
    """Values of the blueprint's parameters, as text."""

    kubeconfig: NotRequired[str]
    """Kubeconfig file to use on this machine instead of the one that the site names."""

    layer: NotRequired[str]
    """`base` or `platform`, where the cluster is made too. Default platform."""

    handoff: NotRequired[str]
    """File with the output `handoff` of the base, for a platform. Default handoff.json."""


class AiFactory(Factory):
    """A blueprint of an AI factory at one site: planned, then registered row by row. One for each stack."""

    plan_digest: pulumi.Output[str]
    """Digest of the plan."""

    namespaces: pulumi.Output[dict[str, str]]
    """Namespaces of the factory."""

    local_queues: pulumi.Output[dict[str, str]]
    """Queues that workloads name, by namespace and name."""

    releases: pulumi.Output[dict[str, str]]
    """Version of each Helm release, by namespace and name."""

    training_runs: pulumi.Output[dict[str, str]]
    """Training runs, by namespace and name."""

    @untraced
    def __init__(self, name: str, args: AiFactoryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Plan the blueprint and register its rows. Raises `pulumi.RunError` if it can't be built."""
        blueprint = args["blueprint"]
        try:
            layer: Layer = "base" if args.get("layer") == "base" else "platform"
            planned = planned_rows(Path(blueprint), args["site"], args.get("parameters"), layer)
        except Refused as refused:
            raise pulumi.RunError(problems_text(f"{blueprint} can't be built:", refused.problems)) from None
        rows = handed_over(planned.rows, Path(args.get("handoff", HANDOFF_FILE)))
        super().__init__(name, rows, planned.root, args.get("kubeconfig", ""), opts)
        for output, value in self.outputs.items():
            setattr(self, output, pulumi.Output.from_input(value))


def schema() -> dict[str, Any]:
    """The Pulumi package schema of the component."""
    provider = ComponentProvider([AiFactory], PROJECT, None, _version())
    described: dict[str, Any] = json.loads(provider.schema or "{}")
    return described


def host() -> None:
    """Serve the component to an engine. Doesn't return."""
    component_provider_host([AiFactory], name=PROJECT, version=_version())


def _version() -> str:
    return version("ai-factory-blueprints")
