"""What a cluster holds: its kinds, objects by their metadata, and what it would make of an object. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from msgspec import Struct

from aifactory.components import names
from aifactory.stacks.live.connection import APPLY, JSON, METADATA, METADATA_LIST, Connection, Declined

Body = Mapping[str, Any]
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
MANAGER = "aifactory-diff"
PAGE = 500
THREADS = 8
_GONE = 410


class Kind(Struct, frozen=True):
    """A kind that the server lists, in the version that it prefers."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def root(self) -> str:
        """Path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def resource(self) -> str:
        """As kubectl takes it without doubt: `clusterqueues.kueue.x-k8s.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "") -> str:
        """Path of an object, of those of a namespace, or of all."""
        space = f"/namespaces/{namespace}" if namespace else ""
        return f"{self.root}{space}/{self.plural}" + (f"/{name}" if name else "")


class Thing(Struct, frozen=True):
    """An object, as far as its metadata says. Never more: of a Secret nothing else is fetched."""

    kind: Kind
    metadata: Body

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.metadata["name"])

    @property
    def namespace(self) -> str:
        """Its namespace, empty when it is cluster-scoped."""
        return str(self.metadata.get("namespace") or "")

    @property
    def row(self) -> str:
        """Identity of the row that it would be."""
        version = f"{self.kind.group}/{self.kind.version}" if self.kind.group else self.kind.version
        return names.object_id(version, self.kind.kind, self.namespace, self.name)

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.metadata.get("labels") or {}

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations."""
        return self.metadata.get("annotations") or {}

    @property
    def finalizers(self) -> list[str]:
        """What has to happen before it may go."""
        return list(self.metadata.get("finalizers") or ())

    @property
    def owners(self) -> list[Body]:
        """Its ownerReferences."""
        return list(self.metadata.get("ownerReferences") or ())

    @property
    def leaving(self) -> str:
        """Since when it is being deleted; empty if it isn't."""
        return str(self.metadata.get("deletionTimestamp") or "")


class Unread(Struct, frozen=True):
    """What could not be looked at, and why."""

    what: str
    says: str
    silent: bool
    """Whether it is an API of another server that doesn't answer: its objects aren't in this cluster's store."""


class Cluster:
    """One cluster, read through a connection. May be asked by several threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._kinds: dict[str, list[dict[str, Any]]] = {}
        self.unread: dict[str, Unread] = {}
        """What could not be looked at so far, by group and version, or by kind."""

    def kinds(self) -> list[Kind]:
        """Every kind that can be listed, each in the version that the server prefers. Raises `Unreachable`."""
        groups = self.connection.call("GET", "/apis").get("groups") or []
        versions = ["v1", *(str(each["groupVersion"]) for group in groups for each in _preferred_first(group))]
        found: dict[tuple[str, str], Kind] = {}
        for kinds in self.each(lambda version: list(self._of(version)), versions):
            for kind, verbs in kinds:
                if "list" in verbs:
                    found.setdefault((kind.group, kind.kind), kind)
        return list(found.values())

    def kind(self, api_version: str, kind: str) -> Kind | None:
        """A kind by what objects of it say; None if the server doesn't know it."""
        return next((each for each, _ in self._of(api_version) if each.kind == kind), None)

    def things(self, kind: Kind, namespace: str = "", labels: str = "", fields: str = "") -> list[Thing]:
        """Objects of a kind by their metadata. What can't be listed is noted in `unread`."""
        query = {"labelSelector": labels, "fieldSelector": fields}
        query = {name: text for name, text in query.items() if text}
        try:
            return [Thing(kind, item["metadata"]) for item in self._all(kind.path(namespace), query)]
        except Declined as declined:
            self._note(kind, declined)
            return []

    def thing(self, kind: Kind, namespace: str, name: str) -> Thing | None:
        """One object by its metadata; None if it isn't there."""
        found = self._get(kind.path(namespace, name), METADATA)
        return Thing(kind, found["metadata"]) if found is not None else None

    def object(self, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
        """One whole object; None if it isn't there. Of a Secret, its metadata alone."""
        secret = kind.kind == "Secret" and not kind.group
        found: dict[str, Any] | None = self._get(kind.path(namespace, name), METADATA if secret else JSON)
        return found

    def objects(self, kind: Kind) -> list[dict[str, Any]]:
        """Every whole object of a kind. Not for Secrets."""
        assert kind.kind != "Secret"  # noqa: S101 - a promise to the user
        try:
            return self._all(kind.path(), {}, JSON)
        except Declined as declined:
            self._note(kind, declined)
            return []

    def note(self, what: str, declined: Declined) -> None:
        """Remember that something could not be looked at."""
        self.unread[what] = Unread(what, declined.says, silent=declined.code >= 500)

    def dry_run(self, kind: Kind, body: Body) -> dict[str, Any]:
        """What the server would make of an object, if `body` was applied. Nothing is kept.

        Raises `Declined` if it would refuse.
        """
        metadata = body["metadata"]
        path = kind.path(str(metadata.get("namespace") or ""), str(metadata["name"]))
        secret = kind.kind == "Secret" and not kind.group
        made: dict[str, Any] = self.connection.call(
            "PATCH",
            path,
            {"dryRun": "All", "fieldManager": MANAGER, "force": "true"},
            body,
            accept=METADATA if secret else JSON,
            content=APPLY,
        )
        return made

    def each(self, ask: Callable[[Asked], Answer], about: Iterable[Asked]) -> list[Answer]:
        """The answers to one question about many things, in their order, a few asked at once."""
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(ask, about))

    def _note(self, kind: Kind, declined: Declined) -> None:
        # A kind may leave while we look, and some kinds say in discovery that they list, and don't.
        if declined.code not in (404, 405):
            self.note(kind.resource, declined)

    def _of(self, version: str) -> Iterator[tuple[Kind, list[str]]]:
        """The kinds of a group and version, each with its verbs; none if it doesn't answer."""
        if version not in self._kinds:
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            try:
                self._kinds[version] = self.connection.call("GET", root).get("resources") or []
            except Declined as declined:
                self._kinds[version] = []
                if declined.code != 404:
                    self.note(version, declined)
        group, _, short = version.rpartition("/")
        for each in self._kinds[version]:
            if "/" not in each["name"]:
                kind = Kind(group, short, str(each["kind"]), str(each["name"]), bool(each["namespaced"]))
                yield kind, list(each.get("verbs") or ())

    def _get(self, path: str, accept: str) -> Any:
        try:
            return self.connection.call("GET", path, accept=accept)
        except Declined as declined:
            if declined.code == 404:
                return None
            raise

    def _all(self, path: str, query: Mapping[str, str], accept: str = METADATA_LIST) -> list[dict[str, Any]]:
        """Items of a list. One that changes too much between its pages is read at once."""
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {"limit": str(PAGE)}
        while True:
            try:
                page = self.connection.call("GET", path, {**query, **more}, accept=accept)
            except Declined as declined:
                if declined.code != _GONE or "continue" not in more:
                    raise
                found, page = [], self.connection.call("GET", path, query, accept=accept)
            found += page.get("items") or ()
            token = str((page.get("metadata") or {}).get("continue") or "")
            if not token:
                return found
            more = {"limit": str(PAGE), "continue": token}


def _preferred_first(group: Body) -> list[Body]:
    preferred = (group.get("preferredVersion") or {}).get("groupVersion")
    return sorted(group.get("versions") or (), key=lambda each: bool(each["groupVersion"] != preferred))
