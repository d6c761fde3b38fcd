"""Runs the engine over the stacks that were asked for: previews, updates and removals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field, structs

from aifactory.blueprints.load import Loaded, LoadedSite
from aifactory.blueprints.site import Site
from aifactory.cli.clearing import Clearing, Stuck, clear, last_charts, of_others, refuse_claims, volumes_there
from aifactory.cli.copying import check_copies
from aifactory.cli.handing import base_of, complete_rows, reach, rows_to_preview, values, way_to, written_content
from aifactory.cli.journal import Journal, Label, labels
from aifactory.cli.losing import check_names, named_urns, refuse_losses
from aifactory.cli.progress import Progress, to_stderr
from aifactory.cli.work import Work
from aifactory.components import names
from aifactory.components.catalog import Catalog
from aifactory.components.counting import counted
from aifactory.components.given import Kubeconfig, State
from aifactory.components.names import Layer
from aifactory.components.problems import Problem, Refused, nearest
from aifactory.components.venues import VENUES, Venue
from aifactory.stacks.assembly.rowset import RowSet, row_set
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.program.adapter import register_stack
from aifactory.stacks.program.claims import Resource, claims
from aifactory.stacks.program.deployment import Deployment, RunFailed, Target, copied, opened, throwaway
from aifactory.stacks.program.engine import Cancelled, Engine, EngineError
from aifactory.stacks.program.identity import layer_of, row_of
from aifactory.stacks.program.inputs import provider_kubeconfig
from aifactory.stacks.program.lasting import first_to_go
from aifactory.stacks.program.recovery import rows_among
from aifactory.stacks.program.safely import alone, claimed, on_record, settle
from aifactory.stacks.program.state import (
    StateRelease,
    StateRow,
    let_go,
    provider_inputs,
    region_of,
    state_releases,
    state_rows,
)

Result = Literal["succeeded", "failed", "cancelled", "absent", "kept"]
"""kept: a base that stays because its platform does, or part of it."""


class Outcome(Struct):
    """What became of one stack."""

    stack: str
    site: str
    result: Result
    journal: Journal = field(default_factory=Journal)
    elapsed_s: float = 0.0
    outputs: dict[str, Any] = field(default_factory=dict)
    exists: bool = True
    """Whether the stack existed before."""
    cut_off: bool = False
    """Whether the run before was cut off, so that the state may lack what that made."""
    remains: list[StateRow] = field(default_factory=list)
    """Rows left in the state after a removal."""
    rows: list[StateRow] = field(default_factory=list)
    """Rows that the stack held when its removal began: after a run that was cut off, more than its state had."""
    releases: list[StateRelease] = field(default_factory=list)
    """Helm releases that it held then."""
    stuck: list[Stuck] = field(default_factory=list)
    """What the cluster of a platform still has outside of it, so that its base can't go."""
    region: str = ""
    """Region of the cloud that a base works in."""
    kept_by: list[str] = field(default_factory=list)
    """Rows of the platform for which a base is kept."""


class Known(Struct, frozen=True):
    """What the state of a stack has of rows, by identity."""

    rows: frozenset[str]
    """Those count too that a run which was cut off may have made: the next run finds out."""
    protected: tuple[str, ...]


class Removal(Struct, frozen=True):
    """What removing one stack would come to."""

    stack: str
    site: LoadedSite
    rows: tuple[StateRow, ...]
    """All rows in the state; none if the stack doesn't exist."""
    named: tuple[str, ...]
    """Protected rows that were named."""
    unprotect: tuple[str, ...]
    """URNs of those that the state has."""
    reached_by: Kubeconfig | None
    """How the state says that the cluster is reached; what the site says now, if it says nothing; None of a base."""
    releases: tuple[StateRelease, ...] = ()
    unsettled: int = 0
    """Rows more that a run which was cut off may have made."""
    exists: bool = True
    """Whether there is a state."""
    clearing: Clearing | None = None
    """How its cluster is cleared of what it has outside; None where the cluster is given."""

    @property
    def protected(self) -> list[StateRow]:
        """Protected rows that were not named, and so stay."""
        return [row for row in self.rows if row.protected and row.urn not in self.unprotect]

    @property
    def going(self) -> int:
        """How many rows leave the stack at the most: what protected rows need stays too."""
        return len(self.rows) - len(self.protected)


class Runner:
    """The engine, and what all its runs share. Raises `EngineError` if there is no engine."""

    def __init__(self, root: Path, kubeconfig: Path | None = None) -> None:
        """`root` is the project root; `kubeconfig` a file to use instead of the sites'."""
        self.root = root
        self.kubeconfig = kubeconfig.absolute() if kubeconfig is not None else None
        self.engine = Engine(lambda: to_stderr("stopping: what was begun is finished first"))

    def preview(self, work: Work, named: Sequence[str] = ()) -> Iterator[Outcome]:
        """What `up` would do to each stack. Writes nothing, not even an empty stack.

        `named` are protected rows that may be removed or replaced.
        """
        for name, stack in work.shown.items():
            rows, unknown = rows_to_preview(work, stack, self._base_outputs(stack))
            if unknown:
                to_stderr(f"{name}: {counted(unknown, 'value')} come from the base, which isn't deployed yet")
            target = self.target(name, stack.plan.place.state)
            with opened(self.engine, target) as deployment:
                if deployment is not None:
                    yield self._preview_again(deployment, target, rows, named)
                    continue
            with throwaway(self.engine, name) as deployment:
                yield self._preview(deployment, rows, exists=False)

    def known(self, work: Work) -> dict[str, Known | None]:
        """What the state of each stack has; None for a stack that doesn't exist."""
        found: dict[str, Known | None] = {}
        for name, stack in work.shown.items():
            target = self.target(name, stack.plan.place.state)
            with opened(self.engine, target) as deployment:
                exported = deployment.exported() if deployment is not None else None
            found[name] = _known(target, exported) if exported is not None else None
        return found

    def up(
        self,
        work: Work,
        *,
        refresh: bool,
        named: Sequence[str] = (),
        leftovers: Mapping[str, Collection[str]] | None = None,
    ) -> Iterator[Outcome]:
        """Deploy each stack, until one fails.

        `named` are protected rows that may be removed or replaced. `leftovers` are rows of each stack that stand
        on its cluster with our labels, and that its state doesn't have: they are taken into it.
        """
        for name, stack in work.shown.items():
            rows = complete_rows(work, stack, self._base_outputs(stack))
            if stack.handed and stack.layer == "platform":
                reach(rows, self.root, self.kubeconfig)
                check_copies(work, stack)
            target = self.target(name, stack.plan.place.state)
            with alone(target, to_stderr), opened(self.engine, target, create=True) as deployment:
                assert deployment is not None  # noqa: S101 - it was created
                left = (leftovers or {}).get(name, ())
                outcome = self._up(deployment, target, rows, named, left, refresh=refresh)
            yield outcome
            if outcome.result != "succeeded":
                return

    def ways(self, work: Work) -> dict[str, Kubeconfig]:
        """How the cluster of each stack is reached, by stack; those that aren't there yet are missing."""
        found = {}
        for name, stack in work.shown.items():
            rows = row_set(stack, work.digest)
            if rows.awaits:
                known = values(self._base_outputs(stack))
                if not all(each in known for each in rows.awaits):
                    continue
                rows = rows.with_handed(known)
            way = way_to(rows)
            if way is not None:
                found[name] = way
        return found

    def _base_outputs(self, stack: Stack) -> dict[str, Any]:
        """Outputs of the base of a platform, as its state has them; empty if there is none."""
        if not stack.handed or stack.layer == "base":
            return {}
        with opened(self.engine, self.target(base_of(stack), stack.plan.place.state)) as deployment:
            found = deployment.outputs() if deployment is not None else {}
        return {name: output.value for name, output in found.items() if not output.secret}

    def removals(self, loaded: Loaded, sites: Sequence[str], named: Sequence[str]) -> list[Removal]:
        """What is there to remove. `named` are protected rows that may go."""
        found: list[Removal] = []
        for name, site in stacks_of(loaded, sites, removing=True).items():
            target = self.target(name, site.site.state)
            with opened(self.engine, target) as deployment:
                exported = deployment.exported() if deployment is not None else {"deployment": {}}
            resources = exported["deployment"].get("resources") or []
            rows = tuple(state_rows(resources))
            unprotect = tuple(named_urns(rows, named))
            unsettled = claimed(target, exported) if deployment is not None else None
            reached_by = _reached_by([*resources, *(unsettled or ())], site)
            maybe = len(rows_among(unsettled or ()))
            releases = tuple(state_releases(resources))
            there = deployment is not None
            found.append(Removal(name, site, rows, tuple(named), unprotect, reached_by, releases, maybe, there))
        return found

    def cleared(self, removals: Sequence[Removal], catalog: Catalog, named: Sequence[str]) -> list[Removal]:
        """The same, each platform whose cluster we made with how that is cleared of load balancers and volumes.

        Raises `Refused` for a name in `named` that is no protected row and no claim of others, and for claims of
        others that would go with the cluster and were not named; `EngineError` if the cluster can't be asked.
        """
        bases = {one.site.site.site for one in removals if layer_of(one.stack) == "base" and one.rows}
        found, protected = [], {}
        for one in removals:
            site = one.site.site.site
            protected[one.stack] = [row.row for row in one.rows if row.protected]
            if site in bases and layer_of(one.stack) == "platform" and one.rows and one.reached_by is not None:
                there = volumes_there(one.reached_by, self.root, self.kubeconfig, site)
                claims = of_others(there, one.rows)
                protected[one.stack] += claims
                whole = not one.protected
                if whole:
                    refuse_claims(claims, named, site)
                stays = tuple(each for each in there if not each.goes)
                ours = frozenset(claims) & frozenset(named)
                clearing = Clearing(one.reached_by, last_charts(catalog), whole, ours, stays)
                one = structs.replace(one, clearing=clearing)  # noqa: PLW2901 - the same removal, known better
            found.append(one)
        check_names(named, protected)
        return found

    def destroy(self, removals: Sequence[Removal], *, refresh: bool) -> Iterator[Outcome]:
        """Remove each stack, until one fails. A base stays as long as anything of its platform does."""
        platforms: dict[str, list[str]] = {}
        for removal in removals:
            site = removal.site.site
            target = self.target(removal.stack, site.state)
            if removal.rows and layer_of(removal.stack) == "base" and (left := platforms.get(site.site)):
                remains = list(removal.rows)
                yield Outcome(removal.stack, site.site, "kept", rows=remains, remains=remains, kept_by=left)
                continue
            if not removal.rows and not removal.unsettled:
                yield Outcome(removal.stack, site.site, "absent", exists=removal.exists)
                continue
            with alone(target, to_stderr), opened(self.engine, target) as deployment:
                assert deployment is not None  # noqa: S101 - it has rows
                outcome = self._destroy(deployment, target, removal, refresh=refresh)
            platforms[site.site] = [row.row for row in outcome.remains]
            yield outcome
            if outcome.result != "succeeded":
                return

    def outputs(self, loaded: Loaded, sites: Sequence[str]) -> dict[str, dict[str, Any] | None]:
        """The outputs of each stack, secret ones masked; None for a stack that doesn't exist."""
        found: dict[str, dict[str, Any] | None] = {}
        for name, site in stacks_of(loaded, sites).items():
            with opened(self.engine, self.target(name, site.site.state)) as deployment:
                found[name] = (_masked(deployment.outputs()) or None) if deployment is not None else None
        return found

    def target(self, stack: str, state: State) -> Target:
        """Where the state of a stack lies."""
        return Target(stack, absolute_backend(state.backend, self.root), state.secrets_provider)

    @property
    def _kubeconfig(self) -> str:
        return str(self.kubeconfig) if self.kubeconfig is not None else ""

    def _preview(self, deployment: Deployment, rows: RowSet, *, exists: bool) -> Outcome:
        with self._run(rows.stack, rows.site, labels(rows), acting=False) as (progress, outcome):
            outcome.exists = exists
            deployment.preview(self._program(rows), progress.see)
        return outcome

    def _preview_again(self, deployment: Deployment, target: Target, rows: RowSet, named: Sequence[str]) -> Outcome:
        """Preview a stack that exists; with rows named, on a copy in which they are let go."""
        exported = deployment.exported()
        state = state_rows(exported["deployment"].get("resources") or [])
        refuse_losses(state, rows, named)
        allowed = named_urns(state, named)
        if allowed:
            with copied(self.engine, target, let_go(exported, allowed)) as copy:
                outcome = self._preview(copy, rows, exists=True)
        else:
            outcome = self._preview(deployment, rows, exists=True)
        outcome.cut_off = claimed(target, exported) is not None
        return outcome

    def _up(
        self,
        deployment: Deployment,
        target: Target,
        rows: RowSet,
        named: Sequence[str],
        leftovers: Collection[str],
        *,
        refresh: bool,
    ) -> Outcome:
        with self._run(rows.stack, rows.site, labels(rows)) as (progress, outcome):
            progress.say(f"{rows.stack}: {len(labels(rows))} rows of {len(rows.parts)} parts")
            also = self._claims_of(deployment, rows, leftovers)
            by = self._reached_with(rows)
            start = settle(self.engine, target, deployment, progress.say, also, by, asks=refresh)
            state = state_rows(start.resources)
            refuse_losses(state, rows, named)
            new = None if rows.cloud else claims(rows, start.resources, self.root, self._kubeconfig)
            with on_record(target, deployment, start, new, named_urns(state, named)):
                refresh = refresh or start.cut_off
                outcome.outputs = _masked(deployment.up(self._program(rows), progress.see, refresh=refresh))
        return outcome

    def _reached_with(self, rows: RowSet) -> str:
        """The kubeconfig of the provider; none where a cloud is asked, not a cluster."""
        return "" if rows.cloud else provider_kubeconfig(rows.cluster, self._kubeconfig, self.root)

    def _claims_of(self, deployment: Deployment, rows: RowSet, leftovers: Collection[str]) -> list[Resource]:
        if not leftovers:
            return []
        every = ((row_of(one["urn"]), one) for one in claims(rows, deployment.resources(), self.root, self._kubeconfig))
        return [one for named, one in every if named is None or named[1] in leftovers]

    def _destroy(self, deployment: Deployment, target: Target, removal: Removal, *, refresh: bool) -> Outcome:
        cloud = layer_of(removal.stack) == "base"
        start = settle(self.engine, target, deployment, to_stderr, (), "" if cloud else self._kubeconfig, asks=True)
        rows = tuple(state_rows(start.resources))
        removal = structs.replace(removal, rows=rows, unprotect=tuple(named_urns(rows, removal.named)))
        known = {row.urn: Label(row.row, row.part) for row in removal.rows}
        with self._run(removal.stack, removal.site.site.site, known) as (progress, outcome):
            progress.say(f"{removal.stack}: removing {removal.going} of {len(known)} rows")
            with on_record(target, deployment, start, None if cloud else (), removal.unprotect):
                refresh = refresh or start.cut_off
                outcome.stuck = self._cleared(deployment, removal, progress, refresh=refresh)
                if not outcome.stuck:
                    deployment.destroy(progress.see, refresh=refresh)
        if outcome.stuck and removal.clearing is not None and removal.clearing.whole:
            outcome.result = "failed"
        outcome.remains, outcome.region = state_rows(deployment.resources()), region_of(start.resources)
        outcome.rows, outcome.releases = list(removal.rows), state_releases(start.resources)
        return outcome

    def _cleared(self, deployment: Deployment, removal: Removal, progress: Progress, *, refresh: bool) -> list[Stuck]:
        """Remove what may go while controllers are at work, and see that they finish. Returns what they didn't."""
        clearing = removal.clearing
        if clearing is None:
            return []
        first = first_to_go(deployment.resources(), clearing.charts)
        if first:
            deployment.destroy(progress.see, refresh=refresh, only=first)
        site = removal.site.site.site
        return clear(clearing, self.root, self.kubeconfig, site, progress.say)

    def _program(self, rows: RowSet) -> Callable[[], None]:
        def program() -> None:
            register_stack(rows, self.root, self._kubeconfig)

        return program

    @contextmanager
    def _run(
        self, stack: str, site: str, known: Mapping[str, Label], *, acting: bool = True
    ) -> Iterator[tuple[Progress, Outcome]]:
        """One run of the engine. A failed row makes a failed outcome, anything else an `EngineError`."""
        with Progress(known, acting=acting) as progress:
            outcome = Outcome(stack, site, "succeeded", progress.journal)
            try:
                yield progress, outcome
            except Cancelled:
                outcome.result = "cancelled"
            except RunFailed as failed:
                outcome.result = "failed"
                if not progress.journal.failures:
                    said = "\n".join(progress.journal.errors.get("", [])) or failed.text
                    raise EngineError(f"the engine failed at stack {stack}: {said}") from None
            outcome.elapsed_s = progress.elapsed_s


def _known(target: Target, exported: dict[str, Any]) -> Known:
    rows = state_rows(exported["deployment"].get("resources") or [])
    maybe = (row_of(one["urn"]) for one in rows_among(claimed(target, exported) or ()))
    identities = {row.row for row in rows} | {named[1] for named in maybe if named}
    return Known(frozenset(identities), tuple(row.row for row in rows if row.protected))


def stacks_of(loaded: Loaded, sites: Sequence[str], *, removing: bool = False) -> dict[str, LoadedSite]:
    """The sites asked for by the name of their stacks; all by default. Raises `Refused` for unknown ones.

    A base comes before its platform, and after it when they are removed.
    """
    unknown = [site for site in sites if site not in loaded.sites]
    if unknown:
        raise Refused(
            Problem(f'"{site}" is not a site of this blueprint', hint=nearest(site, loaded.sites)) for site in unknown
        )
    return {
        names.stack_name(loaded.name, name, layer): site
        for name, site in loaded.sites.items()
        if not sites or name in sites
        for layer in layers(site.site.venue)[:: -1 if removing else 1]
    }


def layers(venue: Venue) -> tuple[Layer, ...]:
    """The stacks of a place, in the order in which they are made."""
    return ("base", "platform") if VENUES[venue].makes_cluster else ("platform",)


def absolute_backend(backend: str, root: Path) -> str:
    """A backend with a relative file path made absolute, from the project root."""
    path = backend.removeprefix("file://")
    if path == backend or path.startswith(("/", "~")):
        return backend
    return f"file://{root.absolute() / path}"


def _reached_by(resources: Sequence[Mapping[str, Any]], site: LoadedSite) -> Kubeconfig | None:
    """How the state says that the cluster is reached, else the site; None where nobody does, as for a base."""
    now = _given(site)
    then = provider_inputs(resources)
    if now is None and not then:
        return None
    file = written_content(then["kubeconfig"], site.site.site) if "kubeconfig" in then else now.file if now else ""
    return Kubeconfig(file=file, context=then.get("context", now.context if now else ""))


def _given(site: LoadedSite) -> Kubeconfig | None:
    return site.site.cluster.kubeconfig if isinstance(site.site, Site) else None


def _masked(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: "[secret]" if output.secret else output.value for name, output in sorted(outputs.items())}
