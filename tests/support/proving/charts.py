"""Charts of a stack's releases, where the real ones can't be fetched: real definitions, a workload that does nothing.

A chart here has the real name, version and resource definitions, arriving the way the train says, and one Deployment
with a ServiceAccount under the release's name. The values of the release are taken and not read. Definitions of kinds
that the stack has no object of keep their names and versions and lose their schemas: publishing those is most of what
an API server does here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from aifactory.components.catalog.trains import Definitions, Release
from aifactory.components.rows import HelmRow, KubernetesRow, Row
from support.schemas import Schemas

_BRACES = "{{"
_ANYTHING = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
_WORKLOAD = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/instance: "{{ .Release.Name }}"}}
  template:
    metadata: {labels: {app.kubernetes.io/instance: "{{ .Release.Name }}"}}
    spec:
      serviceAccountName: "{{ .Release.Name }}"
      securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: stand-in
        image: example.com/none
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}
"""


def write_charts(folder: Path, rows: Sequence[Row], releases: Iterable[Release], schemas: Schemas) -> set[str]:
    """A chart for each release among the rows. Returns the definitions that go when their release goes."""
    known = list(releases)
    going: set[str] = set()
    used = kinds(rows)
    bare = {name for key, name in schemas.crd_names().items() if key not in used}
    for row in rows:
        if not isinstance(row, HelmRow):
            continue
        definitions = [each for release in known if release.chart == row.chart for each in release.definitions]
        write_chart(folder, row.chart, row.version, row.crds, definitions, schemas, bare)
        going |= {crd for each in definitions if each.arrive == "templates" and not each.keep for crd in each.names}
    return going


def write_chart(
    folder: Path,
    name: str,
    version: str,
    crds: tuple[str, ...],
    definitions: list[Definitions],
    schemas: Schemas,
    bare: Collection[str] = (),
) -> None:
    """One chart, as a folder `NAME-VERSION`. Definitions that Helm may not remove are marked so, as there.

    Those named in `bare` have no schema of their own.
    """
    chart = folder / f"{name}-{version}"
    if chart.exists():
        return
    (chart / "templates").mkdir(parents=True)
    (chart / "crds").mkdir()
    about = {"apiVersion": "v2", "name": name, "version": version, "type": "application"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
    (chart / "templates" / "workload.yaml").write_text(_WORKLOAD, encoding="utf-8")
    by_name = {crd: (group, kind) for (group, kind), crd in schemas.crd_names().items()}
    how = {crd: each for each in definitions for crd in each.names}
    for crd in crds:
        body = definition(schemas, *by_name[crd])
        if crd in bare:
            for served in body["spec"]["versions"]:
                served["schema"] = _ANYTHING
                served.pop("selectableFields", None)
        arrives = how.get(crd)
        in_template = arrives is not None and arrives.arrive == "templates"
        if in_template and arrives is not None and arrives.keep:
            body["metadata"].setdefault("annotations", {})["helm.sh/resource-policy"] = "keep"
        text = yaml.dump(body, Dumper=yaml.CSafeDumper)
        if in_template:
            text = text.replace(_BRACES, '{{ "{{" }}')
        (chart / ("templates" if in_template else "crds") / f"{crd}.yaml").write_text(text, encoding="utf-8")


def kinds(rows: Iterable[Row]) -> set[tuple[str, str]]:
    """Group and kind of each object of the rows."""
    bodies = [row.body for row in rows if isinstance(row, KubernetesRow)]
    return {(str(body["apiVersion"]).rpartition("/")[0], str(body["kind"])) for body in bodies}


def definition(schemas: Schemas, group: str, kind: str) -> Any:
    """A definition as an API server takes it here: no webhook converts versions, no prose fills Helm's records."""
    body = schemas.definition(group, kind)
    body["spec"].pop("conversion", None)
    body.pop("status", None)
    body["metadata"] = {"name": body["metadata"]["name"]}
    if group.endswith(".k8s.io"):
        body["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a copy for tests"}
    for version in body["spec"]["versions"]:
        version["schema"] = _without_prose(version.get("schema"))
    return body


def _without_prose(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {
            key: _without_prose(value)
            for key, value in tree.items()
            if not (key == "description" and isinstance(value, str))
        }
    return [_without_prose(each) for each in tree] if isinstance(tree, list) else tree
