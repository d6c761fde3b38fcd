"""Registers the rows of a stack with Pulumi: one adapter for every part. Decides and computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.output import UNKNOWN

from aifactory.components.rows import CloudRow, ResourceRow
from aifactory.components.values import Ref
from aifactory.stacks.assembly.handing import is_placeholder
from aifactory.stacks.assembly.rowset import PartEntry, RowSet
from aifactory.stacks.program import identity
from aifactory.stacks.program.handoff import HANDOFF_FILE
from aifactory.stacks.program.inputs import cloud_inputs, inputs, plugin_version, provider_inputs, timeouts
from aifactory.stacks.program.lowering import lower, output_names, output_of
from aifactory.stacks.program.process import rest_collector
from aifactory.stacks.program.untraced import untraced


class Part(pulumi.ComponentResource):
    """A part of a factory. One class for all: the kind is in the type (`aifactory:layer1:GpuNodePool`)."""

    former: tuple[tuple[str, pulumi.Output[str]], ...] = ()
    """Names that the part had, each with its URN under that name."""

    @untraced
    def __init__(self, part: PartEntry, parent: pulumi.Resource) -> None:
        """Register the part below its factory; under its former names too, if it was renamed."""
        kind = identity.part_type(part)
        aliases = [pulumi.Alias(name=former) for former in part.former_names] or None
        super().__init__(kind, part.name, None, pulumi.ResourceOptions(parent=parent, aliases=aliases))
        if part.former_names:
            self.former = tuple((name, pulumi.create_urn(name, kind, parent)) for name in part.former_names)


class Factory(pulumi.ComponentResource):
    """All rows of one stack as Pulumi resources.

    `outputs` is what the stack exports: plan digest, namespaces, queues, releases, training runs. No secrets.
    The class doesn't annotate it: Pulumi would take it for an output of the component in other languages.
    """

    @untraced
    def __init__(
        self,
        name: str,
        rows: RowSet,
        root: Path,
        kubeconfig: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the rows. `kubeconfig` stands in for the file that the site names, on this machine."""
        super().__init__(identity.FACTORY_TYPE, name, None, opts)
        self.outputs: Mapping[str, Any] = register(rows, parent=self, root=root, kubeconfig=kubeconfig)
        self.register_outputs(dict(self.outputs))


def register(rows: RowSet, *, parent: pulumi.Resource, root: Path, kubeconfig: str = "") -> dict[str, Any]:
    """Register the provider, the parts and the rows of a stack below `parent`. Returns the stack's outputs.

    `root` is the folder that a relative kubeconfig path counts from. Raises `pulumi.RunError` for a platform that
    still awaits what its base hands over.
    """
    if rows.awaits:
        raise pulumi.RunError(
            f"stack {rows.stack} needs what its base hands over, and has none of it: deploy the base first, "
            f"then give its outputs as {HANDOFF_FILE} ({len(rows.awaits)} values, the first is {rows.awaits[0]})"
        )
    provider = _provider(rows, parent, root, kubeconfig)
    parts = {part.name: Part(part, parent) for part in rows.parts}
    made: dict[str, pulumi.CustomResource] = {}

    def resolve(ref: Ref) -> Any:
        return output_of(made[ref.row], ref.path)

    resources = identity.resource_rows(rows)
    # A row may wait for a file on a host, which the operator applies; Pulumi waits for resources alone.
    awaited = {row.id for row in resources}
    read = output_names([*(row.properties for row in resources if isinstance(row, CloudRow)), dict(rows.outputs)])
    for row in resources:
        after = [made[name] for name in row.after if name in awaited]
        opts = _options(row, parts[row.part], provider, after)
        name = identity.resource_name(row)
        given = inputs(row, resolve)
        if isinstance(row, CloudRow):
            # An output that is no input is an attribute only when it is named here; without a value it isn't sent.
            given = {**dict.fromkeys(sorted(read.get(row.id, ()))), **given}
        made[row.id] = pulumi.CustomResource(row.token, name, given, opts)
    for part in parts.values():
        part.register_outputs({})
    outputs: dict[str, Any] = lower(dict(rows.outputs), resolve)
    return outputs


def _provider(rows: RowSet, parent: pulumi.Resource, root: Path, kubeconfig: str) -> pulumi.ProviderResource:
    """The one provider of a stack: that of its cloud in a base, that of its cluster in a platform."""
    cloud = rows.cloud
    if cloud is None:
        package, settings = "kubernetes", _known(provider_inputs(rows.cluster, kubeconfig, root))
    else:
        package, settings = cloud.package, cloud_inputs(cloud)
    opts = pulumi.ResourceOptions(parent=parent, version=plugin_version(package))
    return pulumi.ProviderResource(package, rows.cluster.identifier, settings, opts)


def _known(settings: Mapping[str, str]) -> dict[str, Any]:
    """Settings of a provider, in which what a base has not handed over yet is unknown.

    So the engine previews without asking that provider, which would fail to read such a kubeconfig. Raises
    `pulumi.RunError` outside of a preview.
    """
    found: dict[str, Any] = {name: UNKNOWN if is_placeholder(text) else text for name, text in settings.items()}
    if UNKNOWN in found.values() and not pulumi.runtime.is_dry_run():
        raise pulumi.RunError("the way to the cluster is not known: its base has not handed it over")
    return found


def _options(
    row: ResourceRow,
    part: Part,
    provider: pulumi.ProviderResource,
    after: list[pulumi.CustomResource],
) -> pulumi.ResourceOptions:
    former = None
    if part.former:
        former = [pulumi.Alias(name=identity.former_name(row, name), parent=urn) for name, urn in part.former]
    return pulumi.ResourceOptions(
        parent=part,
        provider=provider,
        depends_on=after,
        protect=row.protect or None,
        retain_on_delete=row.retain_on_delete or None,
        custom_timeouts=timeouts(row),
        aliases=former,
        version=plugin_version(row.token.partition(":")[0]),
    )


def register_stack(rows: RowSet, root: Path, kubeconfig: str = "") -> Factory:
    """Register a stack and export its outputs: the whole of each program of ours."""
    rest_collector()
    factory: Factory = Factory(rows.factory, rows, root, kubeconfig)
    for name, value in factory.outputs.items():
        pulumi.export(name, value)
    return factory
