"""Loading a blueprint with its sites: which files are read, and that every problem of every file is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aifactory.blueprints.load import load, project_catalog
from aifactory.components.problems import Refused, path_text
from support.written import BLUEPRINT, SITE, write_project

WITH_PARAMETERS = """\
aifactory: v1
name: demo
parameters:
  count: {type: integer, default: 2, minimum: 1}
  gpus: {type: integer}
placement:
  core: {sites: [lab, other]}
  parameters:
    lab: {gpus: 8}
    other: {count: 1, gpus: 4}
parts:
  - kind: gpu-node-pool
    name: train
    accelerator: h200
    nodes: {parameter: count}
    fabric: rdma
  - kind: queue
    name: teams
    pools: [train]
    tenants:
      - {name: research, gpus: {parameter: gpus}}
"""
OTHER = SITE.replace("site: lab", "site: other")
PRIVATE_ROW = """\
schema: accelerators/v1
as_of: 2026-11-21
checked: 2026-11-21
sources: {own: measured in our lab}
accelerators:
  - {id: own-gpu, vendor: nvidia, src: [own]}
"""


def said(path: Path, values: dict[str, str] | None = None) -> list[str]:
    """Every problem of a blueprint that must be refused: place, path and words."""
    with pytest.raises(Refused) as raised:
        load(path, values)
    return [
        f"{f'{each.at.file}:{each.at.line}:{each.at.column} ' if each.at else ''}{path_text(each.path)}: {each.says}"
        for each in raised.value.problems
    ]


def test_a_blueprint_is_loaded_with_its_sites_in_order(tmp_path: Path) -> None:
    loaded = load(write_project(tmp_path, WITH_PARAMETERS, other=OTHER))
    assert list(loaded.sites) == ["lab", "other"]
    assert (loaded.name, loaded.train, loaded.root) == ("demo", "2026.11", tmp_path)
    nodes = {name: site.blueprint.parts[0].nodes for name, site in loaded.sites.items()}
    assert nodes == {"lab": 2, "other": 1}


def test_a_value_from_the_command_line_goes_before_those_of_sites(tmp_path: Path) -> None:
    loaded = load(write_project(tmp_path, WITH_PARAMETERS, other=OTHER), {"count": "3"})
    assert {site.blueprint.parts[0].nodes for site in loaded.sites.values()} == {3}


def test_sites_with_the_same_parameters_share_a_blueprint(tmp_path: Path) -> None:
    loaded = load(write_project(tmp_path, BLUEPRINT.replace("[lab]", "[lab, other]"), other=OTHER))
    assert loaded.sites["lab"].blueprint is loaded.sites["other"].blueprint


def test_positions_lead_into_the_blueprint_and_into_sites(tmp_path: Path) -> None:
    loaded = load(write_project(tmp_path))
    at = loaded.position(("parts", 0, "accelerator"))
    assert (at.file, at.line, at.column) == ("factory.yaml", 9, 18)
    at = loaded.position(("power", "racks"), "site", "lab")
    assert (at.file, at.line) == ("sites/lab.yaml", 10)


def test_every_problem_of_every_file_is_told(tmp_path: Path) -> None:
    blueprint = BLUEPRINT.replace("accelerator: h200", "accelerator: b20").replace("[lab]", "[lab, other, nowhere]")
    path = write_project(
        tmp_path, blueprint, lab=SITE.replace("racks: 4", "racks: 0"), other=OTHER.replace("DE\n", "D\n")
    )
    assert said(path) == [
        'factory.yaml:9:18 parts[0].accelerator: "b20" is not a known accelerator',
        "sites/lab.yaml:10:10 power.racks: 0 is too small",
        'sites/other.yaml:5:12 location.country: "D" is not a known country',
        'sites/other.yaml:71:10 state.place: "D" is not a known country',
        'factory.yaml:5:25 placement.core.sites[2]: there is no site file for "nowhere" in sites',
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"count": "x"}, ['factory.yaml:4:3 parameters.count: count must be an integer, not "x"']),
        ({"count": "0"}, ["factory.yaml:4:3 parameters.count: count must be at least 1, not 0"]),
        ({"nodes": "1"}, [': "nodes" is not a parameter of this blueprint']),
        (
            {"nodes": "1", "count": "1.5"},
            [
                ': "nodes" is not a parameter of this blueprint',
                "factory.yaml:4:3 parameters.count: count must be an integer, not 1.5",
            ],
        ),
    ],
)
def test_a_wrong_value_from_the_command_line_is_refused(
    tmp_path: Path, values: dict[str, str], expected: list[str]
) -> None:
    assert said(write_project(tmp_path, WITH_PARAMETERS, other=OTHER), values) == expected


def test_a_value_for_a_blueprint_without_parameters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as raised:
        load(write_project(tmp_path), {"count": "1"})
    assert raised.value.problems[0].hint == "it declares no parameters"


def test_a_value_that_came_from_a_parameter_says_so(tmp_path: Path) -> None:
    path = write_project(tmp_path, WITH_PARAMETERS.replace("gpus: 8}", "gpus: -8}"), other=OTHER)
    with pytest.raises(Refused) as raised:
        load(path)
    (problem,) = raised.value.problems
    assert problem.path == ("parts", 1, "tenants", 0, "gpus")
    assert problem.says == "-8 is too small"
    assert problem.hint.endswith("; the value is that of parameter gpus")


def test_a_wrong_parameter_is_told_once_and_not_for_each_site(tmp_path: Path) -> None:
    path = write_project(
        tmp_path, WITH_PARAMETERS.replace("{type: integer, default: 2", "{type: int, default: 2"), other=OTHER
    )
    assert said(path) == ['factory.yaml:4:17 parameters.count.type: "int" is not a type']


def test_a_problem_that_is_the_same_at_each_site_is_told_once(tmp_path: Path) -> None:
    path = write_project(tmp_path, WITH_PARAMETERS.replace("h200", "h20x"), other=OTHER)
    assert said(path) == ['factory.yaml:14:18 parts[0].accelerator: "h20x" is not a known accelerator']


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  core: {sites: [lab, other]}\n", "", "factory.yaml:6:1 placement.core: the field is missing"),
        ("[lab, other]", "lab", 'factory.yaml:7:17 placement.core.sites: "lab" is not a list'),
        ("[lab, other]", "[]", "factory.yaml:7:17 placement.core.sites: the list is empty"),
        ("[lab, other]", "[5]", "factory.yaml:7:18 placement.core.sites[0]: 5 is not text"),
        (
            "[lab, other]",
            "[{parameter: gpus}]",
            "factory.yaml:7:18 placement.core.sites[0]: 8 is not text",
        ),
    ],
)
def test_a_blueprint_without_sites_gets_no_problem_but_that(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Its parameters have no values then, which is no mistake of its own."""
    blueprint = WITH_PARAMETERS.replace(old, new).replace("    other: {count: 1, gpus: 4}\n", "")
    assert said(write_project(tmp_path, blueprint, other=OTHER))[0] == expected


@pytest.mark.parametrize(
    "name", ["../outside", "..", "/etc/passwd", "a/b", "CON", "x" * 300, "-x", "a\\tb", "%s", "{0}"]
)
def test_no_path_is_made_of_what_is_not_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.yaml").write_text(SITE, encoding="utf-8")
    project = tmp_path / "project"
    problems = said(write_project(project, BLUEPRINT.replace("[lab]", f'["{name}"]')))
    assert len(problems) == 1
    assert problems[0].startswith("factory.yaml:5:13 placement.core.sites[0]: ")


def test_a_site_file_must_describe_the_site_it_is_named_for(tmp_path: Path) -> None:
    path = write_project(tmp_path, lab=OTHER)
    assert said(path) == ['sites/lab.yaml:2:7 site: "other" is not the name of this file, lab']


@pytest.mark.parametrize("folder", ["sites", "blueprints/sites", "blueprints/library/sites", "deploy/places"])
def test_a_site_is_found_beside_its_blueprint_above_it_and_where_the_project_says(tmp_path: Path, folder: str) -> None:
    write_project(tmp_path)
    (tmp_path / "aifactory.yaml").write_text(
        "aifactory: v1\n" + ("sites: deploy/places\n" if folder.startswith("deploy") else ""), encoding="utf-8"
    )
    library = tmp_path / "blueprints" / "library"
    library.mkdir(parents=True)
    (tmp_path / "factory.yaml").rename(library / "factory.yaml")
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "sites" / "lab.yaml").rename(tmp_path / folder / "lab.yaml")
    assert list(load(library / "factory.yaml").sites) == ["lab"]


def test_a_relative_path_finds_the_same_sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path)
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert list(load(Path("../factory.yaml")).sites) == ["lab"]


def test_a_site_that_lies_outside_the_project_is_not_read(tmp_path: Path) -> None:
    path = write_project(tmp_path / "project")
    (tmp_path / "lab.yaml").write_text(SITE, encoding="utf-8")
    (path.parent / "sites" / "lab.yaml").unlink()
    (path.parent / "sites" / "lab.yaml").symlink_to(tmp_path / "lab.yaml")
    assert said(path) == [': "sites/lab.yaml" lies outside the project']


@pytest.mark.parametrize("field", ["name: {parameter: which}", "name: demo\ndescription: {parameter: which}"])
def test_what_holds_for_all_sites_is_not_changed_by_one(tmp_path: Path, field: str) -> None:
    blueprint = BLUEPRINT.replace("name: demo\n", f"{field}\nparameters: {{which: {{type: string, default: demo}}}}\n")
    blueprint = blueprint.replace("sites: [lab]", "sites: [lab, other]\n  parameters: {other: {which: other}}")
    problems = said(write_project(tmp_path, blueprint, other=OTHER))
    assert len(problems) == 1
    assert problems[0].endswith("a parameter of a site changes it, and it holds for all sites")


def test_a_project_may_add_facts_of_its_own(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    (tmp_path / "aifactory.yaml").write_text("aifactory: v1\ncatalog: [facts]\n", encoding="utf-8")
    (tmp_path / "facts").mkdir()
    (tmp_path / "facts" / "accelerators.yaml").write_text(PRIVATE_ROW, encoding="utf-8")
    assert load(path).catalog.find("accelerators", "own-gpu") is not None
    assert project_catalog(tmp_path / "sites").find("accelerators", "own-gpu") is not None


def test_a_folder_of_facts_that_is_missing_or_elsewhere_is_refused(tmp_path: Path) -> None:
    path = write_project(tmp_path / "project")
    (tmp_path / "facts").mkdir()
    (path.parent / "linked").symlink_to(tmp_path / "facts")
    (path.parent / "aifactory.yaml").write_text("aifactory: v1\ncatalog: [linked, none]\n", encoding="utf-8")
    assert said(path) == [
        'aifactory.yaml:2:11 catalog[0]: "linked" leads out of the project',
        'aifactory.yaml:2:19 catalog[1]: there is no folder "none"',
    ]


def test_a_wrong_project_file_is_refused_before_anything_else(tmp_path: Path) -> None:
    path = write_project(tmp_path, "not a blueprint")
    (tmp_path / "aifactory.yaml").write_text("aifactory: v1\nsites: ../x\n", encoding="utf-8")
    assert said(path) == ['aifactory.yaml:2:8 sites: "../x" doesn\'t have the right form']


def test_a_folder_without_a_project_file_is_a_project_of_its_own(tmp_path: Path) -> None:
    path = write_project(tmp_path)
    (tmp_path / "aifactory.yaml").unlink()
    assert load(path).root == Path(os.path.realpath(tmp_path))
