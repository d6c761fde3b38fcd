"""A client of an API server under test: any kind, by what the server itself says of its kinds."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode

MANAGER = "aifactory-proving"
APPLY = "application/apply-patch+yaml"
_PATIENCE = 50
Body = Mapping[str, Any]


class Refused(Exception):
    """The server said no."""

    def __init__(self, code: int, says: str) -> None:
        super().__init__(f"{code}: {says}")
        self.code = code
        self.says = says


class Api:
    """Requests to one server."""

    def __init__(self, url: str, token: str, authority: str) -> None:
        """`authority` is the file of the certificate that the server must have."""
        self.url = url
        self._token = token
        self._authority = authority
        self._host = url.removeprefix("https://")
        self._here = threading.local()
        self._open: list[HTTPSConnection] = []
        self._trusts: ssl.SSLContext | None = None
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """One request; the answer as data. Raises Refused, and OSError when nobody answers.

        A server that is busy, as with a definition that has just changed, is asked again.
        """
        for _ in range(_PATIENCE):
            try:
                return self._call(method, path, body, kind)
            except Refused as refused:
                if refused.code != 429:
                    raise
                time.sleep(0.2)
        return self._call(method, path, body, kind)

    def _call(self, method: str, path: str, body: Any, kind: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        status, answer = self._ask(method, path, data, headers)
        found = _read(answer)
        if status >= HTTPStatus.BAD_REQUEST:
            raise Refused(status, str(found.get("message", found)) if isinstance(found, dict) else str(found))
        return found

    def _ask(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """One connection for each thread: most of what a request costs here is the handshake."""
        kept: HTTPSConnection | None = getattr(self._here, "connection", None)
        try:
            connection = kept or self._connect()
            connection.request(method, path, data, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException) as error:
            if kept is not None:
                kept.close()
            self._here.connection = None
            if kept is not None and method == "GET":
                return self._ask(method, path, data, headers)  # the server had closed it meanwhile
            raise error if isinstance(error, OSError) else ConnectionError(str(error)) from None

    def _connect(self) -> HTTPSConnection:
        connection = HTTPSConnection(self._host, timeout=60, context=self._context())
        self._here.connection = connection
        self._open.append(connection)
        return connection

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._open:
            self._open.pop().close()

    def _context(self) -> ssl.SSLContext:
        if self._trusts is None:
            self._trusts = ssl.create_default_context(cafile=self._authority)
        return self._trusts

    def path(self, body: Body) -> str:
        """Path of an object. Raises Refused for a kind that the server doesn't know."""
        version, kind, metadata = str(body["apiVersion"]), str(body["kind"]), body["metadata"]
        plural, namespaced = self._kind(version, kind)
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        space = f"/namespaces/{metadata['namespace']}" if namespaced else ""
        return f"{root}{space}/{plural}/{metadata['name']}"

    def apply(self, body: Body, *, dry: bool = False, manager: str = MANAGER) -> Any:
        """Make an object what `body` says, by server-side apply of a manager."""
        query = {"fieldManager": manager, "force": "true", **({"dryRun": "All"} if dry else {})}
        return self.call("PATCH", f"{self.path(body)}?{urlencode(query)}", body, APPLY)

    def get(self, body: Body) -> Any:
        """An object as it is; None if it isn't there."""
        try:
            return self.call("GET", self.path(body))
        except Refused as refused:
            if refused.code == 404:
                return None
            raise

    def delete(self, body: Body) -> None:
        """Delete an object once what it owns is gone. Nothing happens if it isn't there."""
        try:
            self.call("DELETE", self.path(body), {"propagationPolicy": "Foreground"})
        except Refused as refused:
            if refused.code != 404:
                raise

    def all(self) -> dict[str, Any]:
        """Every object that can be listed, by `Kind.group/namespace/name`. Events are left out.

        Each kind once: in the version that its group prefers, else in another that it is served in.
        """
        found: dict[str, Any] = {}
        seen: set[tuple[str, str]] = set()
        for version in self._versions():
            group = version.removeprefix("/apis/").partition("/")[0] if version.startswith("/apis/") else ""
            for resource in self.call("GET", version)["resources"]:
                listed = "/" not in resource["name"] and "list" in resource["verbs"] and resource["kind"] != "Event"
                if not listed or (group, resource["name"]) in seen:
                    continue
                seen.add((group, resource["name"]))
                for item in self.call("GET", f"{version}/{resource['name']}")["items"]:
                    metadata = item["metadata"]
                    name = f"{resource['kind']}.{group}/{metadata.get('namespace', '')}/{metadata['name']}"
                    found[name] = item
        return found

    def _versions(self) -> list[str]:
        groups = self.call("GET", "/apis")["groups"]
        first = [f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups]
        every = [f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"]]
        return list(dict.fromkeys(["/api/v1", *first, *every]))

    def _kind(self, version: str, kind: str) -> tuple[str, bool]:
        key = (version, kind)
        if key not in self._kinds:
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            for resource in self.call("GET", root)["resources"]:
                if "/" not in resource["name"]:
                    self._kinds[version, resource["kind"]] = (resource["name"], resource["namespaced"])
        if key not in self._kinds:
            raise Refused(404, f"no kind {kind} in {version}")
        return self._kinds[key]


def _read(data: bytes) -> Any:
    text = data.decode()
    try:
        return json.loads(text)
    except ValueError:
        return text
