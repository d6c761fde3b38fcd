"""Reads the stored schemas: CRDs, indexed by a scan and parsed on demand, and native kinds (OpenAPI v3)."""

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from support.schemas_check import IS_METADATA, OPEN

Json = Any
"""A JSON value: the schemas are data that no type of ours describes."""

KindKey = tuple[str, str]
"""API group and kind; the core group is the empty string."""

NATIVE = "kubernetes-1.36-openapi-v3"
"""Project folder of the native kinds."""

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
"""Name of the schema of `metadata` in each native file."""

CACHE_FORMAT = 1
"""Part of each cache name: raise it when what is cached changes its form."""

QUANTITY = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
"""Form of `500m` or `8Gi`. Source: k8s.io/apimachinery, pkg/api/resource, Quantity."""

PROSE = frozenset({"description", "example", "externalDocs"})
"""Keys of a schema that only people read."""

_DOCUMENT = re.compile(r"^---\s*$", re.MULTILINE)
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_REF = "#/components/schemas/"


class CrdFile(Struct, frozen=True):
    """Where one CustomResourceDefinition is stored."""

    project: str
    """Folder below `crds/`."""
    path: Path
    document: int
    """Number of the YAML document in the file, from 0."""
    plural: str
    scope: str
    """`Namespaced` or `Cluster`."""


def cache_folder() -> Path:
    """Folder of parsed schemas, one per user: below `XDG_CACHE_HOME` if set, else below the system's temp."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (
        Path(base) / "aifactory-schemas" if base else Path(tempfile.gettempdir()) / f"aifactory-schemas-{os.getuid()}"
    )


class CrdStore:
    """The CRDs below one folder. Files are scanned once, and parsed only when a schema is asked for."""

    def __init__(self, crds: Path, cache: Path) -> None:
        """Read below `crds`, keep parsed schemas below `cache`."""
        self._crds = crds
        self._cache = cache
        self._loaded: dict[CrdFile, dict[str, Json]] = {}

    @cached_property
    def index(self) -> dict[KindKey, tuple[CrdFile, ...]]:
        """Every stored CRD by group and kind; several projects may hold the same."""
        paths = sorted(path for path in self._crds.glob("*/*.yaml"))
        marks = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in paths]
        name = f"index-{_digest(json.dumps(marks).encode())}"
        rows = self._remember(name, lambda: [row for path in paths for row in _scan(path)])
        found: dict[KindKey, list[CrdFile]] = {}
        for group, kind, path, *rest in rows:
            found.setdefault((group, kind), []).append(CrdFile(Path(path).parent.name, Path(path), *rest))
        return {key: tuple(files) for key, files in found.items()}

    def versions(self, file: CrdFile) -> dict[str, Json]:
        """Each version, without prose: `{name: {"served": bool, "schema": {...}}}`."""
        if file not in self._loaded:
            content = file.path.read_bytes()
            name = f"crd-{_digest(content)}-{file.document}"
            self._loaded[file] = self._remember(name, lambda: _versions(content, file.document))
        return self._loaded[file]

    def whole(self, file: CrdFile) -> Json:
        """A definition as it is stored."""
        return _document(file.path.read_bytes(), file.document)

    def _remember(self, name: str, make: Any) -> Json:
        """The cached value; names hold a digest of the source, so an entry can't be stale."""
        path = self._cache / f"{name}-{CACHE_FORMAT}.json"
        with contextlib.suppress(OSError, ValueError):
            return json.loads(path.read_bytes())
        value = make()
        with contextlib.suppress(OSError):  # a machine without a writable cache is slower, not wrong
            self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._cache, delete=False) as file:
                json.dump(value, file)
            Path(file.name).replace(path)
        return value


def _scan(path: Path) -> Iterator[tuple[str, str, str, int, str, str]]:
    """Group, kind, path, document, plural and scope of each CRD in a file, read by line form alone."""
    for number, text in enumerate(_DOCUMENT.split(path.read_text(encoding="utf-8"))):
        if "kind: CustomResourceDefinition" not in text:
            continue
        group, scope = (_line(rf"^  {key}: *", text, path) for key in ("group", "scope"))
        kind, plural = (_line(rf"^    {key}: *", text, path) for key in ("kind", "plural"))
        yield group, kind, str(path), number, plural, scope


def _line(start: str, text: str, path: Path) -> str:
    found = re.search(start + r"[\"']?([\w.-]+)", text, re.MULTILINE)
    if not found:
        raise ValueError(f"{path}: a CRD has no line {start!r}; the scan of the index doesn't know this form")
    return found[1]


def _document(content: bytes, number: int) -> Json:
    return yaml.load(_DOCUMENT.split(content.decode("utf-8"))[number], yaml.CSafeLoader)


def _versions(content: bytes, number: int) -> dict[str, Json]:
    crd = _document(content, number)
    return {
        version["name"]: {"served": version["served"], "schema": _bare(version["schema"]["openAPIV3Schema"])}
        for version in crd["spec"]["versions"]
    }


def _bare(schema: Json) -> Json:
    """The schema without prose. Only schema positions count: a property may be named `description`."""
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in PROSE}
    for key in ("items", "additionalProperties", "not"):
        if key in kept:
            kept[key] = _bare(kept[key])
    for key in ("allOf", "anyOf", "oneOf"):
        if key in kept:
            kept[key] = [_bare(part) for part in kept[key]]
    if "properties" in kept:
        kept["properties"] = {name: _bare(part) for name, part in kept["properties"].items()}
    return kept


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class NativeStore:
    """Native kinds, one OpenAPI v3 file per group and version."""

    def __init__(self, folder: Path) -> None:
        """Read the OpenAPI files in `folder`."""
        self._folder = folder
        self._files: dict[str, dict[str, Json]] = {}

    def holds(self, group: str) -> bool:
        """Whether Kubernetes itself has this API group."""
        return any(self._folder.glob(f"apis__{group}__*.json")) if group else True

    def kinds(self, group: str, version: str) -> dict[str, Json]:
        """Schema of each kind of a group and version; empty when the API server doesn't serve it."""
        name = f"apis__{group}__{version}" if group else f"api__{version}"
        return {
            mark["kind"]: schema
            for schema in self._schemas(name).values()
            for mark in schema.get("x-kubernetes-group-version-kind", ())
            if (mark["group"], mark["version"]) == (group, version)
        }

    def all_kinds(self) -> set[KindKey]:
        """Group and kind of everything the API server serves."""
        return {
            (mark["group"], mark["kind"])
            for path in self._folder.glob("*.json")
            for schema in self._schemas(path.stem).values()
            for mark in schema.get("x-kubernetes-group-version-kind", ())
        }

    @cached_property
    def object_meta(self) -> Json:
        """Schema of `metadata`."""
        return self._schemas("api__v1")[OBJECT_META]

    def _schemas(self, name: str) -> dict[str, Json]:
        if name not in self._files:
            path = self._folder / f"{name}.json"
            found = json.loads(path.read_bytes())["components"]["schemas"] if path.is_file() else {}
            self._files[name] = found
            for schema in found.values():
                _link(schema, found)
            # What Go refuses and the files don't say.
            found.get(OBJECT_META, {})[IS_METADATA] = True
            found.get(_QUANTITY, {})["pattern"] = QUANTITY
        return self._files[name]


def _link(schema: Json, named: dict[str, Json]) -> None:
    """Replace each `$ref` below a schema by what it names, in place; recursive kinds become cycles.

    A native object without named fields (RawExtension, FieldsV1, JSON) is free; in a CRD it would be empty.
    """
    if schema.get("type", "object") == "object" and not schema.keys() & {
        "properties",
        "additionalProperties",
    }:
        schema[OPEN] = True
    for key, value in schema.get("properties", {}).items():
        schema["properties"][key] = _linked(value, named)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = _linked(schema[key], named)


def _linked(schema: Json, named: dict[str, Json]) -> Json:
    # The API server writes a reference with a default as {allOf: [{$ref}], default, description}.
    ref = schema.get("$ref") or (len(schema.get("allOf", ())) == 1 and schema["allOf"][0].get("$ref"))
    if ref:
        return named[ref.removeprefix(_REF)]
    _link(schema, named)
    return schema
