"""All rows of a stack, each with everything it waits for, in an order in which they can be made."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from aifactory.components.problems import Problem, Refused
from aifactory.components.rows import ClusterRow, HelmRow, HostRow, KubernetesRow, Maker, Row, SwitchRow
from aifactory.components.values import plain
from aifactory.stacks.assembly.links import Links
from aifactory.stacks.assembly.order import in_order
from aifactory.stacks.assembly.overrides import apply_overrides
from aifactory.stacks.assembly.trees import References, tree_of
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

    @property
    def name(self) -> str:
        """Name of the stack."""
        return self.plan.name

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

    def plain_tree(self, row: ClusterRow) -> dict[str, object]:
        """The object, or the chart values, of a row with every reference resolved.

        Not to be changed: it may be the row's own.
        """
        if row.id not in self.references:
            return tree_of(row)
        tree = plain(tree_of(row), lambda ref: output(self.by_id[ref.row], ref.path))
        assert isinstance(tree, dict)  # noqa: S101 - a dict stays one
        return tree


def assemble(plan: StackPlan) -> Stack:
    """The rows of a plan. Raises `Refused` for overrides that don't fit and for rows that collide."""
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
    return linked(plan, rows)


def linked(plan: StackPlan, rows: dict[str, Row]) -> Stack:
    """A stack of these rows, each with all that it waits for.

    Raises KeyError or `OrderError` for rows that name what isn't there, or wait for each other: a defect of a
    part.
    """
    links = Links(rows)
    complete = {row.id: replace(row, after=links.of(row)) for row in rows.values()}
    _check_references(complete, links.references)
    ordered, steps = in_order(complete)
    return Stack(plan, ordered, complete, steps, links.references)


def shape(plan: StackPlan, part: PartPlan) -> Iterator[Row]:
    """The rows of one part, as its shape lists them."""
    maker = Maker(plan.factory, plan.place.site, part.name, part.part.wave, identity=part.renamed_from)
    return part.part.shaper.rows(part.plan, maker)


def output(row: Row, path: str) -> object:
    """An output of a row that is known before it exists: a field of its object, or name, namespace
    or version of a release.

    Raises KeyError for a path that isn't there, as those of a status, or that isn't a scalar.
    """
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


def _check_references(rows: dict[str, Row], references: References) -> None:
    """A reference to what isn't there is a defect of a part, found before anything is written."""
    for reader, found in references.items():
        for ref in found:
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
