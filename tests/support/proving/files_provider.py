"""A Pulumi provider whose cluster is a folder: what it makes stays there, and it fails or kills the engine on demand.

Run as a plugin (`pulumi-resource-kubernetes` on PATH). As strict as the real one where that matters here: a create of
an object that exists fails, a read of one that doesn't finds nothing, a delete of one that is gone is done.
`FilesCluster` in `files_cluster.py` is the other side.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from google.protobuf import json_format, struct_pb2
from pulumi.provider.experimental import provider, server
from pulumi.provider.experimental.property_value import PropertyValue

from support.echo_provider import Echo
from support.proving.faults import kill_engine
from support.proving.processes import end_with_parent

FOLDER = "AIFACTORY_FILES_CLUSTER"
"""Environment variable that names the folder."""
Properties = dict[str, PropertyValue]


class Files(Echo):
    """Objects are files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._creates = 0
        fault = folder / "fault.json"
        self._fault: dict[str, Any] = json.loads(fault.read_text()) if fault.is_file() else {}

    async def diff(self, request: provider.DiffRequest) -> provider.DiffResponse:
        """Differ where the inputs do."""
        return provider.DiffResponse(changes=_plain(request.old_state) != _plain(request.new_inputs))

    async def create(self, request: provider.CreateRequest) -> provider.CreateResponse:
        """Make an object, unless it is there; break where a test wants that."""
        if request.preview:
            return provider.CreateResponse(resource_id="", properties=request.properties)
        self._creates += 1
        due = self._creates == self._fault.get("at")
        how = self._fault.get("how")
        if due and how == "kill before":
            self._kill_engine()
        if due and how == "fail":
            self._say("fail", request.urn)
            raise ValueError("the cluster says no")
        sent = _plain(request.properties)
        identifier = _identifier(sent)
        path = self._path(request.urn, identifier)
        if path.exists():
            self._say("exists", request.urn)
            raise ValueError(f"{identifier} already exists")
        _write(path, sent)
        self._say("create", request.urn)
        if due and how == "kill after":
            self._kill_engine()
        if due and how == "wait":
            _wait_for(self._folder / "go on")
        return provider.CreateResponse(resource_id=identifier, properties=request.properties)

    async def read(self, request: provider.ReadRequest) -> provider.ReadResponse:
        """What is there: outputs whole; inputs whole for one that was imported, else as they were sent."""
        path = self._path(request.urn, request.resource_id)
        self._say("read", request.urn)
        if not path.is_file():
            return provider.ReadResponse(resource_id="")
        live = _properties(json.loads(path.read_text(encoding="utf-8")))
        return provider.ReadResponse(resource_id=request.resource_id, properties=live, inputs=live)

    async def update(self, request: provider.UpdateRequest) -> provider.UpdateResponse:
        """Write an object's new content."""
        if not request.preview:
            _write(self._path(request.urn, request.resource_id), _plain(request.news))
            self._say("update", request.urn)
            if self._fault.get("how") == "kill at update":
                self._kill_engine()
        return provider.UpdateResponse(properties=request.news)

    async def delete(self, request: provider.DeleteRequest) -> None:
        """Remove an object; it may be gone already."""
        self._path(request.urn, request.resource_id).unlink(missing_ok=True)
        self._say("delete", request.urn)
        if self._fault.get("how") == "kill at delete":
            self._kill_engine()

    def _path(self, urn: str, identifier: str) -> Path:
        kind = urn.split("::")[2].rpartition("$")[2]
        return self._folder / "objects" / f"{quote(kind, safe='')}__{quote(identifier, safe='')}.json"

    def _say(self, what: str, urn: str) -> None:
        with (self._folder / "log").open("a", encoding="utf-8") as log:
            log.write(f"{what}\t{urn}\n")

    def _kill_engine(self) -> None:
        """As a kernel out of memory does. A fault is met once."""
        (self._folder / "fault.json").unlink()
        kill_engine()


def _wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.1)


def _write(path: Path, content: Any) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(content), encoding="utf-8")
    new.replace(path)


def _plain(properties: Properties) -> dict[str, Any]:
    return {key: json_format.MessageToDict(value.marshal()) for key, value in properties.items()}


def _properties(content: dict[str, Any]) -> Properties:
    message = struct_pb2.Struct()
    message.update(content)
    return PropertyValue.unmarshal_map(message)


def _identifier(sent: dict[str, Any]) -> str:
    named = sent.get("metadata", sent)
    return f"{named['namespace']}/{named['name']}" if named.get("namespace") else str(named["name"])


if __name__ == "__main__":
    end_with_parent()
    server.main(sys.argv[1:], "4.34.2", Files(Path(os.environ[FOLDER])))
