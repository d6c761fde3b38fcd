"""Objects as the Kubernetes provider makes, changes, reads and removes them on an API server.

Source: pulumi-kubernetes 4.34, `provider/pkg/await` and `provider/pkg/provider`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from support.proving.api import APPLY, Api, Refused
from support.proving.waiting import SKIP, notes_of, patience_s, unready

Body = dict[str, Any]
_POLL_S = 0.15
_FOREGROUND = "foreground"
_RETRIES = 5


class NotReady(Exception):
    """An object is there and didn't become ready in time. `live` is how it is."""

    def __init__(self, says: str, live: Body) -> None:
        super().__init__(says)
        self.live = live


class Objects:
    """Objects of one cluster, under one configuration of the provider."""

    def __init__(self, api: Api, *, upsert: bool, force: bool, cancelled: Callable[[], bool]) -> None:
        """`upsert` takes an existing object over, `force` the fields that another manager set."""
        self.api = api
        self._upsert = upsert
        self._force = force
        self._cancelled = cancelled

    def knows(self, body: Mapping[str, Any]) -> bool:
        """Whether the server has the kind."""
        try:
            self.api.path(body)
        except Refused as refused:
            if refused.code == 404:
                return False
            raise
        return True

    def create(self, body: Body, manager: str, *, dry: bool, timeout_s: float = 0) -> Body:
        """Make an object. Raises Refused if it is there already, unless upserting."""
        query = {"fieldManager": manager, **({"dryRun": "All"} if dry else {})}
        if self._upsert:
            return self._awaited(self._apply(body, manager, dry=dry, force=self._force), body, dry, timeout_s)
        for attempt in range(_RETRIES + 1):
            try:
                made = self.api.call("POST", f"{self._parent(body)}?{urlencode(query)}", body)
                break
            except Refused as error:
                # A definition or namespace that another row makes may be there a moment later.
                if dry or attempt == _RETRIES or error.code != 404:
                    raise
                time.sleep(0.3 * 2**attempt)
        return self._awaited(made, body, dry, timeout_s)

    def update(self, body: Body, manager: str, *, dry: bool, timeout_s: float = 0) -> Body:
        """Change an object by server-side apply. Raises Refused for a field that another manager set."""
        live = self.api.get(body)
        if live is None:
            raise Refused(404, f"{body['kind']} {body['metadata']['name']} not found")
        if not dry:
            self._hand_over(body, live, manager)
        force = self._force or dry or notes_of(body).get("pulumi.com/patchForce") == "true"
        return self._awaited(self._apply(body, manager, dry=dry, force=force), body, dry, timeout_s)

    def delete(self, body: Body, timeout_s: float = 0) -> None:
        """Remove an object and what it owns, and wait until it is gone. Raises NotReady when it stays."""
        policy = notes_of(body).get("pulumi.com/deletionPropagationPolicy", _FOREGROUND)
        try:
            self.api.call("DELETE", self.api.path(body), {"propagationPolicy": policy.capitalize()})
        except Refused as refused:
            if refused.code == 404:
                return
            raise
        if notes_of(body).get(SKIP) == "true":
            return
        until = time.monotonic() + (timeout_s or patience_s(body, 0))
        while (live := self.api.get(body)) is not None:
            if time.monotonic() > until or self._cancelled():
                held = live["metadata"].get("finalizers") or []
                raise NotReady(f"it still exists{f', held by {held}' if held else ''}", live)
            time.sleep(_POLL_S)

    def _parent(self, body: Body) -> str:
        return self.api.path(body).rpartition("/")[0]

    def _apply(self, body: Body, manager: str, *, dry: bool, force: bool) -> Body:
        query = {
            "fieldManager": manager,
            "force": str(force).lower(),
            **({"dryRun": "All"} if dry else {}),
        }
        applied: Body = self.api.call("PATCH", f"{self.api.path(body)}?{urlencode(query)}", body, APPLY)
        return applied

    def _hand_over(self, body: Body, live: Body, manager: str) -> None:
        """Fields that we set by create become fields that we apply, or the first apply would conflict with us."""
        managed = live["metadata"].get("managedFields") or []
        steps = [
            {"op": "replace", "path": f"/metadata/managedFields/{index}/operation", "value": "Apply"}
            for index, each in enumerate(managed)
            if each["manager"] == manager and each["operation"] == "Update" and not each.get("subresource")
        ]
        if steps and not any(each["manager"] == manager and each["operation"] == "Apply" for each in managed):
            self.api.call("PATCH", self.api.path(body), steps, "application/json-patch+json")

    def _awaited(self, live: Body, body: Body, dry: bool, timeout_s: float) -> Body:
        if dry:
            return live
        until = time.monotonic() + patience_s(body, timeout_s)
        while (why := unready(self.api, body, live)) is not None:
            if time.monotonic() > until or self._cancelled():
                raise NotReady("cancelled" if self._cancelled() else f"timed out: {why}", live)
            time.sleep(_POLL_S)
            found = self.api.get(body)
            if found is None:
                raise NotReady("it was deleted meanwhile", live)
            live = found
        return live
