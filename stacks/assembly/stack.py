"""All rows of a stack, each with everything it waits for, in an order in which they can be made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import cast

from msgspec import Struct, structs
from msgspec.structs import replace

from aifactory.components import names
from aifactory.components.mirroring import MirrorOffer, mirrored, with_unnamed
from aifactory.components.names import Layer
from aifactory.components.parts import Keeper
from aifactory.components.problems import Problem, Refused
from aifactory.components.rows import CloudRow, ClusterRow, HelmRow, HostRow, KubernetesRow, Maker, Row, SwitchRow
from aifactory.components.values import Ref, canonical_json, plain
from aifactory.stacks.assembly.codec import encode
from aifactory.stacks.assembly.handing import placeholder
from aifactory.stacks.assembly.links import Links
from aifactory.stacks.assembly.order import in_order
from aifactory.stacks.assembly.overrides import apply_overrides
from aifactory.stacks.assembly.trees import References, references, tree_of
from aifactory.stacks.planning.model import PartPlan, StackPlan


class Stack(Struct, frozen=True):
    """A stack's plan and its rows, in the order in which they are made."""

    plan: StackPlan
    rows: tuple[Row, ...]
    by_id: dict[str, Row]
    steps: dict[str, int]
    """Place of each row inside its wave: rows of one step don't wait for each other."""
    references: References
    """Rows that hold more than plain data, and the outputs of other rows that they name."""
    layer: Layer = "platform"
    base_digest: str = ""
    """Digest of the rows of the base, empty where there is none."""
    handed: tuple[Ref, ...] = ()
    """Outputs of the base's rows that the platform needs: the base hands them over, the platform reads them."""

    @property
    def name(self) -> str:
        """Name of the stack."""
        return names.stack_name(self.plan.factory, self.plan.place.site, self.layer)

    @property
    def cloud_rows(self) -> Iterator[CloudRow]:
        """The resources of a cloud."""
        return (row for row in self.rows if isinstance(row, CloudRow))

    @property
    def cluster_rows(self) -> Iterator[ClusterRow]:
        """The rows that exist inside the cluster."""
        return (row for row in self.rows if isinstance(row, (KubernetesRow, HelmRow)))

    @property
    def host_rows(self) -> Iterator[HostRow]:
        """The files on hosts."""
        return (row for row in self.rows if isinstance(row, HostRow))

    @property
    def switch_rows(self) -> Iterator[SwitchRow]:
        """The settings of switches."""
        return (row for row in self.rows if isinstance(row, SwitchRow))

    @property
    def awaited(self) -> dict[str, tuple[Ref, ...]]:
        """What of the base's outputs stands in rows of the cluster, by row: in files each is a placeholder."""
        found = {
            name: tuple(ref for ref in refs if ref.row not in self.by_id) for name, refs in self.references.items()
        }
        return {name: refs for name, refs in found.items() if refs}

    def plain_tree(self, row: ClusterRow) -> dict[str, object]:
        """The object, or the chart values, of a row with every reference resolved.

        What the base hands over stands as a placeholder. Not to be changed: it may be the row's own.
        """
        if row.id not in self.references:
            return tree_of(row)
        tree = plain(tree_of(row), self._known)
        assert isinstance(tree, dict)  # noqa: S101 - a dict stays one
        return tree

    def _known(self, ref: Ref) -> object:
        row = self.by_id.get(ref.row)
        return placeholder(ref) if row is None else output(row, ref.path)


def assemble(plan: StackPlan) -> tuple[Stack, ...]:
    """The stacks of a plan: a platform, and before it a base where a cloud is asked for something.

    Raises `Refused` for overrides that don't fit and for rows that collide.
    """
    problems: list[Problem] = []
    rows: dict[str, Row] = {}
    for part in plan.parts:
        shaped = list(shape(plan, part))
        problems.extend(apply_overrides(part, shaped))
        for row in shaped:
            if row.id in rows:
                problems.append(_collision(plan, rows[row.id], row))
            rows[row.id] = row
    if problems:
        raise Refused(problems)
    if plan.mirror is not None:
        rows |= copied(plan, plan.mirror, rows)
    base = {name: row for name, row in rows.items() if isinstance(row, CloudRow)}
    if not base:
        return (linked(plan, rows),)
    platform = {name: row for name, row in rows.items() if name not in base}
    handed = _handed(plan, base, platform)
    below = linked(plan, dict(base), "base", handed)
    rows_text = canonical_json([encode(row, below.steps[row.id]) for row in below.rows])
    digest = f"sha256:{hashlib.sha256(rows_text.encode()).hexdigest()}"
    above = linked(plan, platform, "platform", handed)
    return structs.replace(below, base_digest=digest), structs.replace(above, base_digest=digest)


def linked(plan: StackPlan, rows: dict[str, Row], layer: Layer = "platform", handed: tuple[Ref, ...] = ()) -> Stack:
    """A stack of these rows, each with all that it waits for.

    Raises KeyError or `OrderError` for rows that name what isn't there, or wait for each other: a defect of a
    part.
    """
    links = Links(rows, frozenset(ref.row for ref in handed))
    complete = {row.id: replace(row, after=links.of(row)) for row in rows.values()}
    _check_references(complete, links.references, handed)
    ordered, steps = in_order(complete)
    return Stack(plan, ordered, complete, steps, links.references, layer, handed=handed)


def _handed(plan: StackPlan, base: Mapping[str, Row], platform: Mapping[str, Row]) -> tuple[Ref, ...]:
    """What the platform needs of the base: the way to its cluster, and what its rows refer to."""
    found = {ref for refs in references(platform).values() for ref in refs if ref.row in base}
    if plan.reached_by is not None:
        found.update((plan.reached_by.name, plan.reached_by.endpoint, plan.reached_by.authority))
    return tuple(sorted(found, key=placeholder))


def copied(plan: StackPlan, mirror: MirrorOffer, rows: Mapping[str, Row]) -> dict[str, Row]:
    """The rows of the cluster with each image by the name of its copy, and the repositories of these."""
    found: set[str] = set()
    renamed: dict[str, Row] = {}
    for name, row in rows.items():
        if isinstance(row, KubernetesRow):
            body = mirrored(with_unnamed(row.body, mirror), mirror, found)
            renamed[name] = replace(row, body=body) if body != row.body else row
        elif isinstance(row, HelmRow):
            renamed[name] = replace(row, values=mirrored(row.values, mirror, found))
    holder = next(part for part in plan.parts if part.name == mirror.part)
    maker = Maker(plan.factory, plan.place.site, holder.name, holder.part.wave, identity=holder.renamed_from)
    names = sorted({mirror.repository_of(name) for name in found})
    keeper = cast("Keeper", holder.part.shaper)
    return {**renamed, **{row.id: row for row in keeper.repository_rows(holder.plan, maker, names)}}


def shape(plan: StackPlan, part: PartPlan) -> Iterator[Row]:
    """The rows of one part, as its shape lists them."""
    maker = Maker(plan.factory, plan.place.site, part.name, part.part.wave, identity=part.renamed_from)
    return part.part.shaper.rows(part.plan, maker)


def output(row: Row, path: str) -> object:
    """An output of a row that is known before it exists: a field of its object, or name, namespace
    or version of a release.

    Raises KeyError for a path that isn't there, as those of a status, or that isn't a scalar.
    """
    if isinstance(row, CloudRow):
        return placeholder(Ref(row.id, path))  # known to the cloud alone; tests hold paths against its schema
    if isinstance(row, HelmRow):
        return {"name": row.name, "namespace": row.namespace, "version": row.version}[path]
    if not isinstance(row, KubernetesRow):
        raise KeyError(path)
    value: object = row.body
    for step in path.split("."):
        if not isinstance(value, dict):
            raise KeyError(path)
        value = value[step]
    if not isinstance(value, (str, int, float)):
        raise KeyError(path)
    return value


def _check_references(rows: dict[str, Row], references: References, handed: tuple[Ref, ...]) -> None:
    """A reference to what isn't there is a defect of a part, found before anything is written."""
    for reader, found in references.items():
        for ref in found:
            if ref in handed and ref.row not in rows:
                continue
            if ref.row not in rows:
                raise KeyError(f"{reader} refers to {ref.row}, which is not a row of its stack")
            output(rows[ref.row], ref.path)


def _collision(plan: StackPlan, first: Row, second: Row) -> Problem:
    return Problem(
        f"parts {first.part} and {second.part} both make {first.id}",
        ("parts",),
        "rename one of them, or leave it to one part",
        site=plan.place.site,
    )
