"""Where the schemas come from: the index, the choice between copies, the cache."""

from pathlib import Path

import pytest

from support.schemas import Schemas
from support.schemas_tables import PREFERRED


@pytest.mark.schema
def test_one_project_answers_for_each_crd_that_several_hold(schemas: Schemas) -> None:
    shared = {key: held for key, held in schemas.crd_projects().items() if len(held) > 1}
    assert shared
    assert [key for key, held in shared.items() if sum(project in PREFERRED for project in held) != 1] == []
    assert {held[0] for held in shared.values()} == set(PREFERRED)


@pytest.mark.schema
def test_the_scan_agrees_with_the_index_that_comes_with_the_schemas(schemas: Schemas) -> None:
    lines = (schemas.folder / "crds" / "INDEX-layer2.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    names, projects = schemas.crd_names(), schemas.crd_projects()
    assert len(rows) > 400
    assert [row for row in rows if names.get((row[1], row[2])) != f"{row[3]}.{row[1]}"] == []
    assert [row for row in rows if row[0] not in projects[row[1], row[2]]] == []


TOY = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.example.com}
spec:
  group: example.com
  names:
    kind: Toy
    plural: toys
  scope: Cluster
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {size: {type: integer}}}}
    - name: v2
      served: false
      storage: false
      schema: {openAPIV3Schema: {type: object}}
"""


@pytest.fixture
def toys(tmp_path: Path, schemas: Schemas) -> Path:
    """A schemas folder with one CRD and the real native kinds."""
    folder = tmp_path / "crds" / "toys"
    folder.mkdir(parents=True)
    (folder / "crds.yaml").write_text(f"# two documents\n---\n{TOY}", encoding="utf-8")
    native = "kubernetes-1.36-openapi-v3"
    (tmp_path / "crds" / native).symlink_to(schemas.folder / "crds" / native)
    return tmp_path


@pytest.mark.schema
def test_a_cached_schema_is_used_and_a_changed_one_is_read_anew(toys: Path, tmp_path: Path) -> None:
    toy = {"apiVersion": "example.com/v1", "kind": "Toy", "metadata": {"name": "a"}, "size": "x"}
    cache = tmp_path / "cache"
    assert Schemas(toys, cache).problems(toy) == ['size: is string "x", must be integer']
    kept = {path.name for path in cache.iterdir()}
    assert len(kept) == 2
    assert Schemas(toys, cache).problems(toy) == ['size: is string "x", must be integer']
    assert {path.name for path in cache.iterdir()} == kept
    (toys / "crds" / "toys" / "crds.yaml").write_text(TOY.replace("integer", "string"), encoding="utf-8")
    assert Schemas(toys, cache).problems(toy) == []


@pytest.mark.schema
def test_a_version_that_is_not_served_and_a_wrong_scope_are_found(toys: Path, tmp_path: Path) -> None:
    schemas = Schemas(toys, tmp_path / "cache")
    toy = {"apiVersion": "example.com/v2", "kind": "Toy", "metadata": {"name": "a"}}
    assert schemas.problems(toy) == ["apiVersion: toys doesn't serve Toy example.com/v2; served: v1"]
    placed = {"apiVersion": "example.com/v1", "kind": "Toy", "metadata": {"name": "a", "namespace": "b"}}
    assert schemas.problems(placed) == ["metadata.namespace: Toy is cluster-scoped"]
