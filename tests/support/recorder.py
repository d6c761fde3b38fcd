"""Runs a whole Pulumi program without an engine and returns what it registered.

Builds on `pulumi.runtime` pieces that are importable but not promised, so it stands alone here.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import empty_pb2, json_format
from pulumi.runtime import mocks, settings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

SECRET_KEY = "4dabf18193072939515e22adb298388d"
STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Registered:
    """One registration, as the engine would get it."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    provider: str
    """URN of the provider, without its id."""
    inputs: dict[str, Any]
    dependencies: frozenset[str]
    property_dependencies: dict[str, frozenset[str]]
    aliases: tuple[dict[str, Any], ...]
    protect: bool
    retain_on_delete: bool
    timeouts: dict[str, str]
    version: str
    traced: bool
    """Whether the Python stack of this machine would go into the state with it."""


@dataclass
class Recorded:
    """A program's registrations by URN, in the order in which they arrived, and its outputs."""

    resources: dict[str, Registered] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    component_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of_type(self, kind: str) -> list[Registered]:
        """The registrations of one type."""
        return [resource for resource in self.resources.values() if resource.type == kind]


class _Monitor:
    """Answers as the engine does at a preview: the outputs of a resource are its inputs."""

    def __init__(self, project: str, stack: str) -> None:
        self.recorded = Recorded()
        self._place = f"urn:pulumi:{stack}::{project}"

    def SupportsFeature(self, request: Any) -> Any:  # noqa: N802 - the name in the protocol
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id != "outputValues")

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - as above
        urn = self._urn(request.parent, request.type, request.name)
        if urn in self.recorded.resources:
            raise ValueError(f"duplicate URN {urn}")
        self.recorded.resources[urn] = _registered(urn, request)
        return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - as above
        outputs = plain(json_format.MessageToDict(request.outputs))
        if f"::{STACK_TYPE}::" in request.urn:
            self.recorded.outputs = outputs
        self.recorded.component_outputs[request.urn] = outputs
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any) -> Any:  # noqa: ARG002, N802 - as above
        return empty_pb2.Empty()

    def _urn(self, parent: str, kind: str, name: str) -> str:
        """The engine's rule: the types of all ancestors but the stack."""
        above = parent.split("::")[2] if parent else STACK_TYPE
        qualified = kind if above == STACK_TYPE else f"{above}${kind}"
        return f"{self._place}::{qualified}::{name}"


def record(
    program: Callable[[], None],
    *,
    stack: str = "demo-lab-platform",
    project: str = "aifactory",
    config: Mapping[str, str] | None = None,
    tuned: bool = True,
) -> Recorded:
    """Run a program as a preview. Raises what it raises. `tuned` keeps the garbage collector at rest."""
    monitor = _Monitor(project, stack)

    def run() -> None:
        settings.reset_options(project=project, stack=stack, preview=True)
        settings.configure(
            mocks.MockSettings(
                monitor=monitor,
                engine=mocks.MockEngine(None),
                project=project,
                stack=stack,
                dry_run=True,
                organization="organization",
                callbacks=None,
            )
        )
        pulumi.runtime.set_all_config(dict(config or {}))
        asyncio.run(_run(program))

    with _collector_at_rest() if tuned else nullcontext():
        _apart(run)
    return monitor.recorded


def resolved(make: Callable[[], Any]) -> Any:
    """The value of the Output that `make` makes; what else it returns, as it is."""

    async def run() -> Any:
        made = make()
        return await made.future() if isinstance(made, pulumi.Output) else made

    return _apart(lambda: asyncio.run(run()))


async def _run(program: Callable[[], None]) -> None:
    # One worker: registrations arrive in the order of the program, on every run.
    with ThreadPoolExecutor(1) as executor:
        asyncio.get_running_loop().set_default_executor(executor)
        await run_in_stack(program)


def _apart(job: Callable[[], Any]) -> Any:
    """Do a job on a thread of its own, whose event loop and settings go with it."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(copy_context().run, job).result()


def plain(value: Any) -> Any:
    """JSON-like data as it was before the wire: sorted keys, whole numbers as int, secrets masked."""
    if isinstance(value, dict):
        if SECRET_KEY in value:
            return "[secret]"
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _registered(urn: str, request: Any) -> Registered:
    timeouts = json_format.MessageToDict(request.customTimeouts) if request.HasField("customTimeouts") else {}
    return Registered(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        provider=request.provider.rpartition("::")[0],
        inputs=plain(json_format.MessageToDict(request.object)),
        dependencies=frozenset(request.dependencies),
        property_dependencies={
            name: frozenset(found.urns) for name, found in request.propertyDependencies.items() if found.urns
        },
        aliases=tuple(json_format.MessageToDict(alias) for alias in request.aliases),
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        timeouts=timeouts,
        version=request.version,
        traced=bool(request.stackTrace.frames or request.sourcePosition.uri),
    )


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
