"""Runs the program behind a language server, and takes its registrations as the engine would."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import (
    empty_pb2,
    json_format,
    struct_pb2,
)
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from support.recorder import STACK_TYPE, plain

_FEATURES = {"secrets", "resourceReferences", "aliasSpecs", "deletedWith"}


Answer = Callable[[str, str, dict[str, Any]], tuple[str, dict[str, Any]]]
"""The id and the outputs of a resource, by its type, name and inputs. No outputs: its inputs are."""


@dataclass
class Resource:
    """One registration."""

    urn: str
    type: str
    parent: str
    provider: str
    custom: bool
    inputs: dict[str, Any]
    dependencies: list[str]
    aliases: list[str]
    protect: bool
    retain: bool
    outputs: dict[str, Any] = field(default_factory=dict)
    id: str = ""

    def as_state(self) -> dict[str, Any]:
        """As it stands in an exported state."""
        return {
            "urn": self.urn,
            "type": self.type,
            "custom": self.custom,
            "id": self.id,
            "parent": self.parent,
            "provider": self.provider,
            "inputs": self.inputs,
            "outputs": self.outputs or self.inputs,
            "dependencies": self.dependencies,
            "protect": self.protect,
            "retainOnDelete": self.retain,
        }


def registrations(
    client: str, stack: str, register: Callable[[Resource], bool], answer: Answer, *, dry: bool
) -> list[Resource]:
    """Run the program at `client`. `register` says whether a resource can be made, `answer` what it has then."""
    monitor = _Monitor(stack, register, answer)
    server = grpc.server(futures.ThreadPoolExecutor(8))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        with grpc.insecure_channel(client) as channel:
            request = language_pb2.RunRequest(
                project="aifactory",
                stack=stack,
                dryRun=dry,
                monitor_address=address,
                args=[address],
                parallel=4,
                organization="organization",
            )
            # A program whose monitor goes away ends with an error, which the engine has told before.
            with suppress(grpc.RpcError):
                language_pb2_grpc.LanguageRuntimeStub(channel).Run(request)
    finally:
        server.stop(0)
    return monitor.made


class _Engine(engine_pb2_grpc.EngineServicer):
    def Log(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the name in the protocol
        return empty_pb2.Empty()

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - as above
        return engine_pb2.SetRootResourceResponse()


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    def __init__(self, stack: str, register: Callable[[Resource], bool], answer: Answer) -> None:
        self.made: list[Resource] = []
        self._answer = answer
        self._stack = stack
        self._register = register

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - as above
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURES)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802 - as above
        resource = self._resource(request)
        if not self._register(resource):
            context.abort(grpc.StatusCode.UNAVAILABLE, "the run has ended")
        self.made.append(resource)
        outputs = struct_pb2.Struct()
        if request.custom:
            resource.id, resource.outputs = self._answer(resource.type, request.name, resource.inputs)
        outputs.update(resource.outputs or resource.inputs)
        identifier = resource.id
        return resource_pb2.RegisterResourceResponse(urn=resource.urn, id=identifier, object=outputs)

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - as above
        for resource in self.made:
            if resource.urn == request.urn:
                resource.outputs = plain(json_format.MessageToDict(request.outputs))
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - as above
        return empty_pb2.Empty()

    def _resource(self, request: Any) -> Resource:
        return Resource(
            urn=self._urn(request.parent, request.type, request.name),
            type=request.type,
            parent=request.parent,
            provider=request.provider,
            custom=request.custom,
            inputs=plain(json_format.MessageToDict(request.object)),
            dependencies=sorted(request.dependencies),
            aliases=[self._alias(request, alias.spec) for alias in request.aliases],
            protect=request.protect,
            retain=request.retainOnDelete,
        )

    def _alias(self, request: Any, spec: Any) -> str:
        return self._urn(spec.parentUrn or request.parent, spec.type or request.type, spec.name or request.name)

    def _urn(self, parent: str, kind: str, name: str) -> str:
        above = parent.split("::")[2] if parent else STACK_TYPE
        qualified = kind if above == STACK_TYPE else f"{above}${kind}"
        return f"urn:pulumi:{self._stack}::aifactory::{qualified}::{name}"
