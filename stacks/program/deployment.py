"""One stack in its state backend, worked on through the Automation API with the program in this process."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct
from pulumi.automation import (
    CommandError,
    ConcurrentUpdateError,
    EngineEvent,
    LocalWorkspace,
    OutputMap,
    ProjectBackend,
    ProjectSettings,
    Stack,
    StackNotFoundError,
    StackSettings,
)

from aifactory.stacks.program.begun import Begun
from aifactory.stacks.program.disk import drop_half_written
from aifactory.stacks.program.engine import Engine, EngineError, Locked
from aifactory.stacks.program.events import Event, event_of
from aifactory.stacks.program.identity import PROJECT

OnEvent = Callable[[Event], None]
Program = Callable[[], None]
_SHOWN_LINES = 12
_WRITING_ONCE = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}


class Target(Struct, frozen=True):
    """A stack and where its state lies. `backend` is absolute."""

    stack: str
    backend: str
    secrets_provider: str


class RunFailed(Exception):
    """A run ended with an error. What its events told says whether a row or the engine failed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Deployment:
    """A stack that exists in its backend."""

    def __init__(
        self, stack: Stack, workspace: LocalWorkspace, engine: Engine, exported: dict[str, Any] | None = None
    ) -> None:
        """`exported` is its state, if that has just been read."""
        self._stack = stack
        self._workspace = workspace
        self._engine = engine
        self._exported = exported

    @contextmanager
    def writing_once(self) -> Iterator[None]:
        """Let runs write the state at their end alone, not after each resource, which takes quadratic time.

        An engine that is killed then leaves the state as it was. One that doesn't know the setting is slower.
        """
        before = self._workspace.env_vars
        self._workspace.env_vars = {**before, **_WRITING_ONCE}
        try:
            yield
        finally:
            self._workspace.env_vars = before

    @property
    def written_at(self) -> str:
        """The time in the state. Asked also of a run that was stopped."""
        engine = self._engine
        stopped, engine.cancelled = engine.cancelled, False
        try:
            return written_at(self.exported())
        finally:
            engine.cancelled = stopped

    def refresh(self) -> None:
        """Read every resource; what isn't there leaves the state."""
        self._exported = None
        with engine_failures(self._stack.name), _run_failures():
            self._stack.refresh(color="never", show_secrets=False)

    def preview(self, program: Program, on_event: OnEvent, *, refresh: bool = False) -> None:
        """Tell what `up` would do."""
        with engine_failures(self._stack.name), _run_failures():
            self._stack.preview(program=program, on_event=_reader(on_event), refresh=refresh, color="never")

    def up(self, program: Program, on_event: OnEvent, *, refresh: bool = False) -> OutputMap:
        """Make the cluster what the program says. Returns the stack's outputs."""
        self._exported = None
        with engine_failures(self._stack.name), _run_failures():
            done = self._stack.up(
                program=program,
                on_event=_reader(on_event),
                refresh=refresh,
                color="never",
                show_secrets=False,
            )
        return done.outputs

    def destroy(self, on_event: OnEvent, *, refresh: bool = False, only: Sequence[str] = ()) -> None:
        """Remove everything that is not protected, nor needed by what is; or the resources of these URNs alone."""
        self._exported = None
        with engine_failures(self._stack.name), _run_failures():
            self._stack.destroy(
                on_event=_reader(on_event),
                refresh=refresh,
                exclude_protected=None if only else True,  # the engine doesn't take both
                target=list(only) or None,
                color="never",
                show_secrets=False,
            )

    def outputs(self) -> OutputMap:
        """The stack's outputs; those that are secret are marked."""
        with engine_failures(self._stack.name):
            return self._stack.outputs()

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state, secrets still encrypted."""
        found: list[dict[str, Any]] = self.exported()["deployment"].get("resources") or []
        return found

    def exported(self) -> dict[str, Any]:
        """The whole state, secrets still encrypted. It is read again after each run."""
        if self._exported is None:
            self._exported = json.loads(self._cli("stack", "export"))
        return self._exported

    def restore(self, exported: Mapping[str, Any]) -> None:
        """Put this in the place of the state, and drop operations that were pending."""
        self._exported = None
        path = Path(self._workspace.work_dir, "state.json")
        path.write_text(json.dumps(exported), encoding="utf-8")
        self._cli("stack", "import", "--file", str(path))

    def _cli(self, *args: str) -> str:
        with engine_failures(self._stack.name):
            return _cli(self._workspace, self._stack.name, *args)


@contextmanager
def opened(engine: Engine, target: Target, *, create: bool = False) -> Iterator[Deployment | None]:
    """The stack of `target`, created if asked, None if it doesn't exist.

    Settings live in a folder of the moment: the encryption key of an existing stack comes from its state.
    Raises `EngineError` if the backend can't be used.
    """
    with TemporaryDirectory(prefix="aifactory-") as folder:
        workspace = _workspace(engine, target, folder)
        with engine_failures(target.stack):
            stack = _select(workspace, target, create=create)
            # The engine takes 0.2 s to tell a state, and more for a large one: once is enough.
            exported = json.loads(_cli(workspace, target.stack, "stack", "export")) if stack is not None else {}
            _keep_key(workspace, target, exported.get("deployment") or {})
        yield None if stack is None else Deployment(stack, workspace, engine, exported)


def stacks_beside(engine: Engine, target: Target) -> list[str]:
    """Names of the other stacks of ours in the backend of `target`. Raises `EngineError` if that can't be used."""
    folder = local_folder(target)
    if folder is not None and not folder.exists():
        return []
    _check_passphrase(target)
    with TemporaryDirectory(prefix="aifactory-") as work, engine_failures(target.stack):
        workspace = _workspace(engine, target, work)
        told = engine.run(["stack", "ls", "--json"], workspace.work_dir, dict(workspace.env_vars)).stdout
    # A name may come with its organisation and project.
    found = [str(each["name"]).rpartition("/")[2] for each in json.loads(told)]
    return sorted(name for name in found if name != target.stack)


def read_only(engine: Engine, target: Target) -> list[dict[str, Any]]:
    """Resources of a stack that exists, as its state has them: nothing of it is mended, for a run may be under way.

    Raises `EngineError` if it can't be read.
    """
    with TemporaryDirectory(prefix="aifactory-") as work, engine_failures(target.stack):
        exported = json.loads(_cli(_workspace(engine, target, work), target.stack, "stack", "export"))
    found: list[dict[str, Any]] = (exported.get("deployment") or {}).get("resources") or []
    return found


@contextmanager
def throwaway(engine: Engine, stack: str) -> Iterator[Deployment]:
    """An empty stack that is gone afterwards: a first preview writes nothing."""
    with (
        TemporaryDirectory(prefix="aifactory-state-") as state,
        TemporaryDirectory(prefix="aifactory-") as folder,
    ):
        no_passphrase = {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_CONFIG_PASSPHRASE_FILE": ""}
        workspace = _workspace(engine, Target(stack, f"file://{state}", "passphrase"), folder, no_passphrase)
        with engine_failures(stack):
            created = Stack.create(stack, workspace)
        yield Deployment(created, workspace, engine)


@contextmanager
def copied(engine: Engine, target: Target, exported: Mapping[str, Any]) -> Iterator[Deployment]:
    """A stack with a copy of a state, gone afterwards. What is done to it changes no state that exists.

    The copy is encrypted with the key of `exported`, so what is secret in it can go into that state.
    """
    with TemporaryDirectory(prefix="aifactory-state-") as state, TemporaryDirectory(prefix="aifactory-") as folder:
        apart = Target(target.stack, f"file://{state}", target.secrets_provider)
        workspace = _workspace(engine, apart, folder)
        with engine_failures(target.stack):
            deployment = Deployment(Stack.create(target.stack, workspace), workspace, engine)
            _keep_key(workspace, target, exported["deployment"])
        deployment.restore(exported)
        yield deployment


def refreshed(engine: Engine, target: Target, exported: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources that remain of a state when the engine has read each. Changes no state that exists.

    Raises `RunFailed` if the cluster doesn't answer.
    """
    with copied(engine, target, exported) as deployment:
        with deployment.writing_once():
            deployment.refresh()
        return deployment.resources()


@contextmanager
def engine_failures(stack: str) -> Iterator[None]:
    """Turn what the engine itself fails at into `EngineError`."""
    try:
        yield
    except ConcurrentUpdateError as error:
        raise Locked(
            f"another run holds the lock of stack {stack}: {_tail(str(error))}",
            "wait for it; if it was killed, run `pulumi cancel` in the generated folder of the stack, "
            "then `aifactory up`",
        ) from None
    except CommandError as error:
        raise EngineError(f"the engine could not work on stack {stack}: {_tail(str(error))}") from None


@contextmanager
def _run_failures() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            # Of an engine that was killed: its end is told, and so is that of its events.
            warnings.filterwarnings("ignore", "Error in event stream", UserWarning)
            yield
    except ConcurrentUpdateError:
        raise
    except CommandError as error:
        raise RunFailed(_tail(str(error))) from None


def _workspace(
    engine: Engine, target: Target, folder: str, variables: Mapping[str, str] | None = None
) -> LocalWorkspace:
    return LocalWorkspace(
        work_dir=folder,
        project_settings=ProjectSettings(name=PROJECT, runtime="python", backend=ProjectBackend(url=target.backend)),
        secrets_provider=target.secrets_provider,
        env_vars=dict(variables or {}),
        pulumi_command=engine,
    )


def _select(workspace: LocalWorkspace, target: Target, *, create: bool) -> Stack | None:
    folder = local_folder(target)
    if folder is not None:
        if not folder.exists() and not create:
            return None
        make_folder(folder, target)
        drop_half_written(folder, target.stack)
        Begun(folder, target.stack).mend()
    _check_passphrase(target)
    try:
        return Stack.select(target.stack, workspace)
    except StackNotFoundError:
        return Stack.create(target.stack, workspace) if create else None


def written_at(exported: Mapping[str, Any]) -> str:
    """The time at which the engine wrote an exported state."""
    return str((exported["deployment"].get("manifest") or {}).get("time", ""))


def local_folder(target: Target) -> Path | None:
    """The folder of this machine that the state lies in, None if it lies elsewhere."""
    if not target.backend.startswith("file://"):
        return None
    return Path(target.backend.removeprefix("file://")).expanduser()


def make_folder(folder: Path, target: Target) -> None:
    """Make the folder of a state, for our eyes only. Raises `EngineError` if that can't be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        says = f"the state of stack {target.stack} can't lie in {folder}: {error.strerror}"
        raise EngineError(says, "mend the folder, or change state.backend of the site") from None


def _check_passphrase(target: Target) -> None:
    given = any(name in os.environ for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"))
    if target.secrets_provider == "passphrase" and not given:
        raise EngineError(
            f"the state of stack {target.stack} is encrypted with a passphrase, and none is given",
            "set PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it, or PULUMI_CONFIG_PASSPHRASE",
        )


def _keep_key(workspace: LocalWorkspace, target: Target, deployment: Mapping[str, Any]) -> None:
    """Write the encryption settings that the state names: a wrong passphrase is refused, not adopted."""
    provider = deployment.get("secrets_providers")
    if not provider:
        return
    kind, state = provider.get("type", ""), provider.get("state") or {}
    if (kind == "passphrase") != (target.secrets_provider == "passphrase"):
        raise EngineError(
            f"the state of stack {target.stack} is encrypted with {state.get('url', kind)}, and the site "
            f"says {target.secrets_provider}",
            "set state.secrets_provider back, or run `pulumi stack change-secrets-provider`",
        )
    settings = (
        StackSettings(encryption_salt=state.get("salt"))
        if kind == "passphrase"
        else StackSettings(secrets_provider=state.get("url"), encrypted_key=state.get("encryptedkey"))
    )
    workspace.save_stack_settings(target.stack, settings)


def _cli(workspace: LocalWorkspace, stack: str, *args: str) -> str:
    command = [*args, "--stack", stack]
    result = workspace.pulumi_command.run(command, workspace.work_dir, dict(workspace.env_vars))
    return result.stdout


def _reader(on_event: OnEvent) -> Callable[[EngineEvent], None]:
    def read(event: EngineEvent) -> None:
        found = event_of(event)
        if found is not None:
            on_event(found)

    return read


def _tail(text: str) -> str:
    """The end of what the engine printed, which is where it says why. `text` is that of a `CommandError`."""
    printed, _, said = text.partition("\n stderr: ")
    lines = [line.strip() for line in (said.strip() or printed).splitlines() if line.strip()]
    return "\n".join(lines[-_SHOWN_LINES:])
