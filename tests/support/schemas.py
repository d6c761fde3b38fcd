"""The schema lane: validates Kubernetes objects and chart values against stored copies of the real schemas.

The folder `AIFACTORY_SCHEMAS`, or `shared` beside the repository, holds `crds/<project>/*.yaml`,
`crds/kubernetes-1.36-openapi-v3/*.json` and `chart-values/<chart>/values.yaml`.

    schemas = Schemas.open()
    schemas.problems({"apiVersion": "v1", "kind": "Pod", ...})   # [] when an API server would take it
    schemas.chart_problems("kueue", {"replicas": 2})
"""

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from support import schemas_cel, schemas_check, schemas_values
from support.schemas_meta import name_problems
from support.schemas_store import NATIVE, CrdFile, CrdStore, KindKey, NativeStore, cache_folder
from support.schemas_tables import CLUSTER_SCOPED, PREFERRED, SUB_CHARTS

REASON_ABSENT = "no schemas: neither AIFACTORY_SCHEMAS nor ../shared beside the repository holds crds/"
"""Why the schema lane is skipped."""

Json = Any
"""A JSON value."""


class Schemas:
    """All stored schemas. Cheap to make: files are read when an object of theirs is checked."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """Read below `folder`; parsed schemas are kept below `cache`, by default one folder per user."""
        self.folder = folder
        """Holds `crds/` and `chart-values/`."""
        self._crds = CrdStore(folder / "crds", cache or cache_folder())
        self._native = NativeStore(folder / "crds" / NATIVE)
        self._known: dict[str, list[Json]] = {}
        self.rules = schemas_cel.Rules()
        """Runs CEL rules, and counts them by outcome."""

    @staticmethod
    def open() -> "Schemas | None":
        """The schemas of this machine, or None: then the lane is skipped (`REASON_ABSENT`)."""
        named = os.environ.get("AIFACTORY_SCHEMAS")
        folder = Path(named) if named else Path(__file__).resolve().parents[2].parent / "shared"
        return _opened(folder) if (folder / "crds").is_dir() else None

    def problems(self, obj: Mapping[str, Json], project: str | None = None) -> list[str]:
        """What an API server with strict field validation refuses in one object; empty when it takes it.

        `project` names the folder whose CRD counts, where several hold the same kind.
        """
        version, kind = obj.get("apiVersion"), obj.get("kind")
        if not isinstance(version, str) or not isinstance(kind, str):
            return ["apiVersion and kind: are required"]
        group, _, version = version.rpartition("/")
        return list(self._problems(dict(obj), group, version, kind, project))

    def chart_problems(self, chart: str, values: Mapping[str, Json]) -> list[str]:
        """Values that the chart doesn't know, by its own values.yaml and those of its sub-charts."""
        if not (self.folder / "chart-values" / chart / "values.yaml").is_file():
            if not values:
                return []
            return [f"no values.yaml of chart {chart} is stored"]
        subs = {alias: self._defaults(name) for alias, name in SUB_CHARTS.get(chart, {}).items()}
        return list(schemas_values.problems(values, self._defaults(chart), chart, subs))

    def values(self, chart: str) -> dict[str, Json]:
        """The chart's own values."""
        return dict(self._defaults(chart)[0])

    def schema(self, api_version: str, kind: str, project: str | None = None) -> Json:
        """Schema of a served custom kind, without prose; KeyError when there is none."""
        group, _, version = api_version.rpartition("/")
        files = [file for file in self._crds.index[group, kind] if project in (None, file.project)]
        return self._crds.versions(min(files, key=_rank))[version]["schema"]

    def native_kinds(self) -> set[KindKey]:
        """Group and kind of everything that Kubernetes itself serves."""
        return self._native.all_kinds()

    def definition(self, group: str, kind: str, project: str | None = None) -> Json:
        """The CRD of a kind as it is stored, None without one. Of several that of `project`, else of the preferred."""
        files = self._crds.index.get((group, kind), ())
        chosen = sorted((file for file in files if project in (None, file.project)), key=_rank)
        if not chosen:
            return None
        return self._crds.whole(chosen[0])

    def crd_names(self) -> dict[KindKey, str]:
        """Name of the CRD (`plural.group`) of each group and kind."""
        return {(group, kind): f"{files[0].plural}.{group}" for (group, kind), files in self._crds.index.items()}

    def crd_projects(self) -> dict[KindKey, tuple[str, ...]]:
        """Project folders that hold the CRD of each group and kind; the one that counts comes first."""
        return {
            key: tuple(file.project for file in sorted(files, key=_rank)) for key, files in self._crds.index.items()
        }

    def _problems(
        self, obj: dict[str, Json], group: str, version: str, kind: str, project: str | None
    ) -> Iterator[str]:
        if (group, kind) in self._crds.index:
            yield from self._custom(obj, (group, kind), version, project)
            return
        schema = self._native.kinds(group, version).get(kind) if project in (None, NATIVE) else None
        if schema is None:
            yield self._unknown(group, version, kind)
            return
        yield from _named(obj, group, kind, cluster_scoped=kind in CLUSTER_SCOPED)
        yield from schemas_check.problems(obj, schema)

    def _custom(self, obj: dict[str, Json], key: KindKey, version: str, project: str | None) -> Iterator[str]:
        files = [file for file in self._crds.index[key] if project in (None, file.project)]
        if not files:
            yield f"{key[1]} {key[0]}: not in project {project}, but in {', '.join(self.crd_projects()[key])}"
            return
        file = min(files, key=_rank)
        versions = self._crds.versions(file)
        if not versions.get(version, {}).get("served"):
            served = ", ".join(name for name, entry in versions.items() if entry["served"])
            yield f"apiVersion: {file.project} doesn't serve {key[1]} {key[0]}/{version}; served: {served}"
            return
        found = list(self._structure(obj, versions[version]["schema"], key, file))
        if not found:  # the server, too, runs rules only on sound objects
            schema = versions[version]["schema"]
            rules = schemas_check.ruled(schemas_check.defaulted(obj, schema), schema)
            found = list(self.rules.problems(rules))
        yield from found

    def _structure(self, obj: dict[str, Json], schema: Json, key: KindKey, file: CrdFile) -> Iterator[str]:
        yield from _named(obj, *key, cluster_scoped=file.scope == "Cluster")
        yield from schemas_check.problems(obj.get("metadata", {}), self._native.object_meta, "metadata")
        fields = schema.get("properties", {})
        # A CRD may say more about metadata.name; what ObjectMeta holds is not its to list.
        yield from schemas_check.problems(obj.get("metadata", {}), fields.get("metadata", {}), "metadata", strict=False)
        text = {"type": "string"}
        whole = schema | {
            "properties": fields | {"apiVersion": text, "kind": text, "metadata": {schemas_check.OPEN: True}}
        }
        yield from schemas_check.problems(schemas_check.defaulted(obj, whole), whole)

    def _unknown(self, group: str, version: str, kind: str) -> str:
        name = f"{group}/{version}" if group else version
        held = sorted(other for other, known in self._crds.index if known == kind and other != group)
        near = f"; {kind} exists in {', '.join(held)}" if held else ""
        where = f"no {kind} in {name} of Kubernetes" if self._native.holds(group) else f"no CRD for {kind} in {name}"
        return f"{where}{near}"

    def _defaults(self, chart: str) -> list[Json]:
        if chart not in self._known:
            path = self.folder / "chart-values" / chart / "values.yaml"
            self._known[chart] = schemas_values.defaults(path.read_text(encoding="utf-8"))
        return self._known[chart]


@lru_cache(maxsize=4)
def _opened(folder: Path) -> Schemas:
    return Schemas(folder)


def _rank(file: CrdFile) -> tuple[bool, str]:
    return (file.project not in PREFERRED, file.project)


def _named(obj: dict[str, Json], group: str, kind: str, *, cluster_scoped: bool) -> Iterator[str]:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        yield "metadata: is required"
        return
    yield from name_problems(metadata, group, kind)
    if cluster_scoped and "namespace" in metadata:
        yield f"metadata.namespace: {kind} is cluster-scoped"
