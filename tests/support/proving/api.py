"""A client of an API server under test: any kind, by what the server itself says of its kinds."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
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
        request = urllib.request.Request(f"{self.url}{path}", data, method=method)
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Content-Type", kind)
        context = ssl.create_default_context(cafile=self._authority)
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:
                return _read(answer.read())
        except urllib.error.HTTPError as error:
            said = _read(error.read())
            message = str(said.get("message", said)) if isinstance(said, dict) else str(said)
            raise Refused(error.code, message) from None

    def path(self, body: Body) -> str:
        """Path of an object. Raises Refused for a kind that the server doesn't know."""
        version, kind, metadata = str(body["apiVersion"]), str(body["kind"]), body["metadata"]
        plural, namespaced = self._kind(version, kind)
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        space = f"/namespaces/{metadata['namespace']}" if namespaced else ""
        return f"{root}{space}/{plural}/{metadata['name']}"

    def apply(self, body: Body, *, dry: bool = False) -> Any:
        """Make an object what `body` says, by server-side apply."""
        query = {"fieldManager": MANAGER, "force": "true", **({"dryRun": "All"} if dry else {})}
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
        """Every object that can be listed, by `kind.group/namespace/name`, definitions and events left out."""
        found: dict[str, Any] = {}
        for version in self._versions():
            for resource in self.call("GET", version)["resources"]:
                if "/" in resource["name"] or "list" not in resource["verbs"] or resource["kind"] == "Event":
                    continue
                for item in self.call("GET", f"{version}/{resource['name']}")["items"]:
                    metadata = item["metadata"]
                    group = version.removeprefix("/apis/").partition("/")[0] if version.startswith("/apis/") else ""
                    name = f"{resource['kind']}.{group}/{metadata.get('namespace', '')}/{metadata['name']}"
                    found[name] = item
        return found

    def _versions(self) -> list[str]:
        groups = self.call("GET", "/apis")["groups"]
        return ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]

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
