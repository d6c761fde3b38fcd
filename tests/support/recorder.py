"""Runs a whole Pulumi program without an engine and returns what it registered.

Builds on `pulumi.runtime` pieces that are importable but not promised, so it stands alone here.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, settings
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


@dataclass
class Recorded:
    """A program's registrations by URN, in the order in which they arrived, and its outputs."""

    resources: dict[str, Registered] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    component_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of_type(self, kind: str) -> list[Registered]:
        """The registrations of one type."""
        return [resource for resource in self.resources.values() if resource.type == kind]


class _Echo(mocks.Mocks):
    """Resources whose outputs are their inputs, as a provider answers at preview."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:  # noqa: ARG002 - pulumi's signature
        return {}, None

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return args.resource_id or "", dict(args.inputs)


class _Monitor(mocks.MockMonitor):
    def __init__(self, project: str, stack: str) -> None:
        super().__init__(_Echo())
        # Requests arrive on another thread, where the settings of this one don't reach.
        self.place = f"urn:pulumi:{stack}::{project}"
        self.recorded = Recorded()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The engine's rule: types of all ancestors but the stack."""
        qualified = parent.split("::")[2] if parent else STACK_TYPE
        kind = type_ if qualified == STACK_TYPE else f"{qualified}${type_}"
        return f"{self.place}::{kind}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name in the protocol
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self.recorded.resources:
            raise ValueError(f"duplicate URN {urn}")
        response = super().RegisterResource(request)
        self.recorded.resources[urn] = _registered(urn, request)
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name in the protocol
        outputs = plain(json_format.MessageToDict(request.outputs))
        if f"::{STACK_TYPE}::" in request.urn:
            self.recorded.outputs = outputs
        self.recorded.component_outputs[request.urn] = outputs
        return super().RegisterResourceOutputs(request)


def record(
    program: Callable[[], None],
    *,
    stack: str = "demo-lab-platform",
    project: str = "aifactory",
    config: Mapping[str, str] | None = None,
    tuned: bool = True,
) -> Recorded:
    """Run a program as a preview. Raises what it raises. `tuned` keeps the garbage collector at rest."""
    settings.reset_options(project=project, stack=stack, preview=True)
    monitor = _Monitor(project, stack)
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

    async def run() -> None:
        # One worker: registrations arrive in the order of the program, on every run.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        await run_in_stack(program)

    with _collector_at_rest() if tuned else _nothing():
        asyncio.run(run())
    return monitor.recorded


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


@contextmanager
def _nothing() -> Iterator[None]:
    yield
