"""Reads a blueprint and its sites: every problem at once, with file, line and column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from aifactory.blueprints.document import Document
from aifactory.blueprints.includes import compose
from aifactory.blueprints.invalid import problems_of
from aifactory.blueprints.model import Blueprint
from aifactory.blueprints.parameters import bind, declared, parse_value
from aifactory.blueprints.project import Project
from aifactory.blueprints.root import project_root
from aifactory.blueprints.shown import shown
from aifactory.blueprints.site import Site
from aifactory.blueprints.source import read
from aifactory.components.catalog import Catalog
from aifactory.components.problems import Path as TreePath
from aifactory.components.problems import Position, Problem, Refused, nearest
from aifactory.components.spec import Spec

Model = TypeVar("Model", bound=Spec)

PROJECT_FILE = "aifactory.yaml"
_SITES = ("placement", "core", "sites")


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """One site, and the blueprint with the parameters of that site."""

    site: Site
    document: Document
    blueprint: Blueprint


@dataclass(frozen=True, slots=True)
class Loaded:
    """A blueprint with all its sites."""

    root: Path
    path: Path
    document: Document
    """The blueprint as written, its includes merged, its parameters not bound."""
    sites: Mapping[str, LoadedSite]
    """By name, in the order of `placement.core.sites`."""
    catalog: Catalog

    @property
    def name(self) -> str:
        """Name of the factory."""
        return next(iter(self.sites.values())).blueprint.name

    @property
    def train(self) -> str:
        """The release train."""
        return next(iter(self.sites.values())).blueprint.release_train

    def position(self, path: TreePath, document: str = "blueprint", site: str = "") -> Position:
        """Where a value was written, or the nearest value around it."""
        return (self.sites[site].document if document == "site" else self.document).at(path)


def load(path: Path, values: Mapping[str, str] | None = None) -> Loaded:
    """Read a blueprint, its fragments and its sites. `values` are parameters given as text.

    Raises `Refused` with every problem of every file.
    """
    root = project_root(path)
    project = _project(root)
    catalog = Catalog.with_folders([root / folder for folder in project.catalog])
    document = compose(path, root)
    problems: list[Problem] = []
    names = _site_names(document, problems)
    given = _given_values(document, values or {}, problems)
    blueprints: dict[str, Blueprint] = {}
    sites: dict[str, LoadedSite] = {}
    cache: dict[str, Blueprint] = {}
    for name in names:
        try:
            blueprint = _blueprint(document, name, given, catalog, cache)
            blueprints[name] = blueprint
        except Refused as refused:
            problems.extend(problem for problem in refused.problems if problem not in problems)
        try:
            site, site_document = _site(name, path, root, project, document, catalog)
            if name in blueprints:
                sites[name] = LoadedSite(site, site_document, blueprints[name])
        except Refused as refused:
            problems.extend(refused.problems)
    if problems:
        raise Refused(problems)
    return Loaded(root, path, document, sites, catalog)


def validated(model: type[Model], document: Document, catalog: Catalog) -> Model:
    """The document as a model. Raises `Refused` with a problem for each thing that doesn't fit."""
    try:
        return model.model_validate(document.data, context={"catalog": catalog})
    except ValidationError as error:
        raise Refused(problems_of(error, document, model)) from None


def _project(root: Path) -> Project:
    path = root / PROJECT_FILE
    if not path.is_file():
        return Project(aifactory="v1")
    return validated(Project, read(path, root), Catalog.shipped())


def _site_names(document: Document, problems: list[Problem]) -> list[str]:
    """The sites that the blueprint names, read before it is validated; a wrong shape is left to the model."""
    value: object = document.data
    for step in _SITES:
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return list(dict.fromkeys(value))
    try:
        validated(Blueprint, document, Catalog.shipped())
    except Refused as refused:
        problems.extend(refused.problems)
    return []


def _given_values(
    document: Document, values: Mapping[str, str], problems: list[Problem]
) -> dict[str, object]:
    given: dict[str, object] = {}
    try:
        declarations = declared(document)
    except Refused as refused:
        problems.extend(refused.problems)
        return given
    for name, text in values.items():
        if name not in declarations:
            says = f"{shown(name)} is not a parameter of this blueprint"
            problems.append(Problem(says, hint=nearest(name, declarations)))
            continue
        try:
            given[name] = parse_value(declarations[name], text)
        except Refused as refused:
            problems.extend(refused.problems)
    return given


def _blueprint(
    document: Document, site: str, given: Mapping[str, object], catalog: Catalog, cache: dict[str, Blueprint]
) -> Blueprint:
    """The blueprint with the parameters of one site. Sites with equal parameters share it."""
    of_site = document.data.get("placement", {}).get("parameters", {})
    here = of_site.get(site, {}) if isinstance(of_site, Mapping) else {}
    values = {**here, **given} if isinstance(here, Mapping) else dict(given)
    key = repr(sorted(values.items()))
    if key not in cache:
        origins = {name: ("placement", "parameters", site, name) for name in values if name not in given}
        bound = bind(document, values, {**origins, **dict.fromkeys(given, "--set")})
        cache[key] = validated(Blueprint, bound, catalog)
    return cache[key]


def _site(
    name: str, path: Path, root: Path, project: Project, blueprint: Document, catalog: Catalog
) -> tuple[Site, Document]:
    file = _site_file(name, path, root, project, blueprint)
    document = bind(compose(file, root), {})
    site = validated(Site, document, catalog)
    if site.site != name:
        raise Refused(
            [
                Problem(
                    f'this file describes site "{site.site}"',
                    ("site",),
                    f"call it {name}",
                    document.at(("site",)),
                )
            ]
        )
    return site, document


def _site_file(name: str, path: Path, root: Path, project: Project, blueprint: Document) -> Path:
    folders = [path.parent / "sites", path.parent.parent / "sites", root / project.sites]
    folders = [folder for folder in dict.fromkeys(folders) if folder.is_relative_to(root) or folder == root]
    for folder in folders:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    known = sorted({file.stem for folder in folders if folder.is_dir() for file in folder.glob("*.yaml")})
    looked = ", ".join(str(folder.relative_to(root)) for folder in folders) or "."
    index = blueprint.data["placement"]["core"]["sites"].index(name)
    where = (*_SITES, index)
    raise Refused(
        [
            Problem(
                f'there is no site file for "{name}" in {looked}',
                where,
                nearest(name, known),
                blueprint.at(where),
            )
        ]
    )
