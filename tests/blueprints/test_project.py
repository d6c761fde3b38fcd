"""The project file: folders below the project, and nothing else."""

from __future__ import annotations

import pytest

from aifactory.blueprints.project import Project
from support.refusals import Row, name, rows
from support.written import accepted, refused_once


@pytest.mark.parametrize("row", rows("project"), ids=name)
def test_a_wrong_value_is_refused_at_its_place_with_the_cure(row: Row) -> None:
    assert refused_once(Project, row.change, row.to) == (row.says, row.hint)


@pytest.mark.parametrize(
    ("new", "sites", "catalog"),
    [
        ("sites: sites", "sites", []),
        ("sites: deploy/sites", "deploy/sites", []),
        ("catalog: [facts, deploy/facts]", "sites", ["facts", "deploy/facts"]),
    ],
)
def test_folders_below_the_project_are_accepted(new: str, sites: str, catalog: list[str]) -> None:
    project = accepted(Project, "sites: sites", new)
    assert isinstance(project, Project)
    assert (project.sites, project.catalog) == (sites, catalog)
