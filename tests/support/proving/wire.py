"""Values as the engine sends them to a provider, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a value that is known after the update. Source: the provider protocol."""
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # a mark of the protocol, no secret


def plain(message: struct_pb2.Struct) -> dict[str, Any]:
    """Properties as data: whole numbers as integers, secrets opened, nothing for null."""
    found: dict[str, Any] = _plain(json_format.MessageToDict(message))
    return found


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Data as properties."""
    message = struct_pb2.Struct()
    message.update(dict(values))
    return message


def has_unknown(tree: Any) -> bool:
    """Whether something in a tree is known after the update only."""
    if isinstance(tree, Mapping):
        return any(has_unknown(value) for value in tree.values())
    if isinstance(tree, list):
        return any(has_unknown(value) for value in tree)
    return isinstance(tree, str) and UNKNOWN in tree


def partly_made(context: Any, identifier: str, state: Any, why: str, inputs: Any = None) -> None:
    """Answer a call: it was made and isn't ready. The engine keeps it, and tells why."""
    detail = provider_pb2.ErrorResourceInitFailed(id=identifier, properties=state, reasons=[why], inputs=inputs)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=why)
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, why)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _plain(value["value"])
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
