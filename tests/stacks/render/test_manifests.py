from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from aifactory.components.rows import KubernetesRow, Row, Wave
from aifactory.components.values import Format, Json, Ref
from aifactory.stacks.assembly.stack import Stack
from aifactory.stacks.render.manifests import manifest_files, steps
from support import shipped
from support.stacking import MAKE, release, stack_of


def config(name: str, *after: str, **fields: object) -> KubernetesRow:
    return MAKE.kubernetes("v1", "ConfigMap", name, after=after, **fields)  # type: ignore[arg-type]  # by name


def files(stack: Stack) -> dict[str, str]:
    return dict(manifest_files(stack, steps(stack)))


def test_a_wave_is_a_folder_and_a_step_of_a_part_a_file() -> None:
    stack = stack_of(
        MAKE.kubernetes("v1", "Namespace", "a", wave=Wave.FOUNDATION),
        config("first"),
        config("second", "ConfigMap/first"),
        release("op", "a"),
    )
    assert list(files(stack)) == [
        "manifests/00-foundation/00-part.yaml",
        "manifests/05-hardware/00-part.yaml",
        "manifests/05-hardware/01-part.yaml",
        "manifests/00-foundation/kustomization.yaml",
        "manifests/05-hardware/kustomization.yaml",
    ]


def test_file_names_sort_in_the_order_of_steps_however_many_there_are() -> None:
    rows: list[Row] = [config("c000")]
    for number in range(1, 120):
        rows.append(config(f"c{number:03d}", rows[-1].id))
    names = [path for path in files(stack_of(*rows)) if "kustomization" not in path]
    assert len(names) == 120
    assert names == sorted(names)


def test_a_kustomization_lists_every_file_of_its_folder_in_order() -> None:
    written = files(shipped.stacks()[shipped.PLATFORMS[0]])
    for path, text in written.items():
        if path.endswith("kustomization.yaml"):
            folder = path.rpartition("/")[0]
            there = [name.rpartition("/")[2] for name in written if name.startswith(f"{folder}/") and name != path]
            assert yaml.safe_load(text)["resources"] == there == sorted(there)


@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_the_files_hold_every_object_once_with_its_references_resolved(name: str) -> None:
    stack = shipped.stacks()[name]
    found = [
        document
        for path, text in files(stack).items()
        if "kustomization" not in path
        for document in yaml.safe_load_all(text)
    ]
    objects = [row for row in stack.rows if isinstance(row, KubernetesRow)]
    assert len(found) == len(objects)
    assert [one["metadata"]["name"] for one in found] == [row.name for row in objects]
    assert "$ref" not in "".join(files(stack).values())


def test_values_that_are_not_yet_text_become_it() -> None:
    reader = config(
        "b", body={"data": {"x": Format(("<", Ref("ConfigMap/a", "metadata.name"), ">")), "y": Json({"k": 1})}}
    )
    text = files(stack_of(config("a"), reader))["manifests/05-hardware/01-part.yaml"]
    assert yaml.safe_load(text)["data"] == {"x": "<a>", "y": '{"k":1}'}


def test_an_overridden_object_says_so_on_one_line() -> None:
    row = MAKE.kubernetes("v1", "ConfigMap", "a")
    stack = stack_of(KubernetesRow(row.id, row.part, row.wave, row.body, override="a\n# b: c\n---\nkind: Secret"))
    text = files(stack)["manifests/05-hardware/00-part.yaml"]
    assert text.startswith("# overridden: ConfigMap/a: a # b: c --- kind: Secret\napiVersion: v1\n")
    assert len(list(yaml.safe_load_all(text))) == 1


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on PATH")
@pytest.mark.parametrize("name", shipped.PLATFORMS)
def test_kustomize_builds_every_folder(name: str, tmp_path: Path) -> None:
    stack = shipped.stacks()[name]
    for path, text in files(stack).items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for folder in sorted((tmp_path / "manifests").iterdir()):
        built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
        assert built.returncode == 0, built.stderr
        wanted = sum(isinstance(row, KubernetesRow) and row.wave == folder.name for row in stack.rows)
        assert len(list(yaml.safe_load_all(built.stdout))) == wanted
