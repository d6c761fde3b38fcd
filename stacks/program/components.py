"""The component library: a whole AI factory at one site, as one Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime import get_root_resource

from aifactory.components.names import Layer
from aifactory.components.problems import Refused
from aifactory.stacks.program.adapter import Factory
from aifactory.stacks.program.folder import handed_over
from aifactory.stacks.program.handoff import HANDOFF_FILE
from aifactory.stacks.program.planned import Scalar, planned_rows, problems_text
from aifactory.stacks.program.untraced import untraced

_FACTORIES: WeakKeyDictionary[pulumi.Resource, str] = WeakKeyDictionary()


class AiFactory(Factory):
    """A blueprint at one site. Plans in this process, and registers the rows.

    One Pulumi stack holds one factory at one site. Name the project `aifactory`, the component like the blueprint,
    and the stack `<factory>-<site>-platform`: then `aifactory up` can go on where the program stopped, or the other
    way. The names of project and component are in what Pulumi knows resources by: they are forever.
    """

    @untraced
    def __init__(
        self,
        name: str,
        blueprint: str | Path,
        site: str,
        parameters: Mapping[str, Scalar] | None = None,
        opts: pulumi.ResourceOptions | None = None,
        kubeconfig: str = "",
        layer: Layer = "platform",
        handoff: str | Path = HANDOFF_FILE,
    ) -> None:
        """Plan the blueprint and register its rows at `site`.

        `blueprint` is a path, relative to the working directory. `parameters` are values of the blueprint's
        parameters. `kubeconfig` is a file to use instead of the one that the site names, on this machine.
        Where the cluster is made too, `layer` says which of the two stacks this is, and `handoff` is a file with
        the output `handoff` of the base, for the platform.
        Raises `pulumi.RunError` that lists every problem if the blueprint can't be built.
        """
        _refuse_second(name)
        try:
            planned = planned_rows(Path(blueprint), site, parameters, layer)
        except Refused as refused:
            raise pulumi.RunError(problems_text(f"{blueprint} can't be built:", refused.problems)) from None
        super().__init__(name, handed_over(planned.rows, Path(handoff)), planned.root, kubeconfig, opts)


def _refuse_second(name: str) -> None:
    stack = get_root_resource()
    if stack is None:
        return
    first = _FACTORIES.setdefault(stack, name)
    if first != name:
        raise pulumi.RunError(
            f"{name} would be the second AiFactory of this stack, after {first}; use one stack for each site"
        )
