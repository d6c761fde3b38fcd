"""Reads a blueprint and its sites: every problem at once, with file, line and column."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field
from pydantic import ValidationError

from aifactory.blueprints.document import Document
from aifactory.blueprints.includes import compose
from aifactory.blueprints.model import Blueprint
from aifactory.blueprints.parameters import bind, declared, parse_value
from aifactory.blueprints.price_files import LoadedPrices, price_files
from aifactory.blueprints.project import Project
from aifactory.blueprints.root import project_root
from aifactory.blueprints.shown import shown
from aifactory.blueprints.site import AwsSite, Site, site_model
from aifactory.blueprints.site_files import SITES, named_sites, site_file
from aifactory.blueprints.source import read
from aifactory.components.catalog import Catalog
from aifactory.components.given_prices import PriceFile
from aifactory.components.problems import Path as TreePath
from aifactory.components.problems import Position, Problem, Refused, nearest
from aifactory.components.spec import Spec

Model = TypeVar("Model", bound=Spec)

PROJECT_FILE = "aifactory.yaml"
_SAME_EVERYWHERE = ("name", "description", "release_train", "placement", "budget", "energy", "training_limit")
"""Fields of the blueprint that hold for all sites, so that no parameter of a site may change them."""


class LoadedSite(Struct, frozen=True):
    """One site, and the blueprint with the parameters of that site."""

    site: Site | AwsSite
    document: Document
    blueprint: Blueprint
    prices: tuple[LoadedPrices, ...] = ()
    """Price files that hold before the catalog, the first one first."""


class Loaded(Struct, frozen=True):
    """A blueprint with all its sites."""

    root: Path
    path: Path
    document: Document
    """The blueprint as written, its includes merged, its parameters not bound."""
    sites: Mapping[str, LoadedSite]
    """By name, in the order of `placement.core.sites`."""
    catalog: Catalog
    sites_folder: str = "sites"
    """The project's folder of site files."""
    fact_folders: tuple[str, ...] = ()
    """The project's folders of private facts."""

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
    catalog = _catalog(project, root)
    document = compose(path, root)
    loading = _Loading(root, Path(os.path.realpath(path)), project, document, catalog)
    loading.take_values(values or {})
    sites = loading.take_sites()
    if loading.problems:
        raise Refused(loading.problems)
    return Loaded(root, path, document, sites, catalog, project.sites, tuple(project.catalog))


def validated(model: type[Model], document: Document, catalog: Catalog) -> Model:
    """The document as a model. Raises `Refused` with a problem for each thing that doesn't fit."""
    try:
        return model.model_validate(document.data, context={"catalog": catalog})
    except ValidationError as error:
        from aifactory.blueprints.invalid import problems_of  # noqa: PLC0415 - only for what is refused

        raise Refused(problems_of(error, document, model)) from None


def project_catalog(start: Path) -> Catalog:
    """The facts of the project that holds a file or folder: shipped ones and those of its private folders.

    Raises `Refused` when the project file or a private row is wrong.
    """
    root = project_root(start)
    return _catalog(_project(root), root)


class _Loading(Struct, dict=True):
    """One load on its way: what is read, and what is wrong so far."""

    root: Path
    path: Path
    project: Project
    document: Document
    catalog: Catalog
    problems: list[Problem] = field(default_factory=list)
    given: dict[str, object] = field(default_factory=dict)
    """Values of parameters that hold for every site."""
    declared: bool = True
    """Whether the declarations of parameters are right."""
    blueprints: dict[str, Blueprint | None] = field(default_factory=dict)
    """By values of parameters: sites with equal ones share one."""

    def take_values(self, values: Mapping[str, str]) -> None:
        """Read the values that were given as text."""
        try:
            declarations = declared(self.document)
        except Refused as refused:
            self._refuse(refused)
            self.declared = False
            return
        for name, text in values.items():
            if name not in declarations:
                says = f"{shown(name)} is not a parameter of this blueprint"
                hint = nearest(name, declarations) if declarations else "it declares no parameters"
                self.problems.append(Problem(says, hint=hint))
                continue
            try:
                self.given[name] = parse_value(declarations[name], text)
            except Refused as refused:
                self._refuse(refused)

    def take_sites(self) -> dict[str, LoadedSite]:
        """Read every site, and the blueprint as it is at each."""
        names = named_sites(self.document)
        blueprints = {name: self._blueprint(name) for name in names} if self.declared else {}
        if not names and self.declared:
            self._blueprint()
        self._check_same(blueprints)
        sites: dict[str, LoadedSite] = {}
        for name, at in names.items():
            found = self._site(name, at)
            blueprint = blueprints.get(name)
            if found is not None and blueprint is not None:
                sites[name] = LoadedSite(*found, blueprint, self._prices(*found))
        return sites

    def _blueprint(self, site: str = "") -> Blueprint | None:
        """The blueprint with the parameters of one site, None if it is refused.

        Without a site it is one that names none, and only looked at for what is wrong with it.
        """
        values, origins = self._values_of(site)
        key = repr(sorted(values.items()))
        if key not in self.blueprints:
            self.blueprints[key] = None
            try:
                self.blueprints[key] = validated(Blueprint, bind(self.document, values, origins), self.catalog)
            except Refused as refused:
                self._refuse(refused)
        return self.blueprints[key]

    def _values_of(self, site: str) -> tuple[dict[str, object], dict[str, str | TreePath]]:
        """Values of parameters at a site, and where each was given."""
        here: object = self.document.data
        for step in ("placement", "parameters"):
            here = here.get(step) if isinstance(here, Mapping) else None
        by_site = here if isinstance(here, Mapping) else {}
        own: dict[str, object] = {}
        for each in [by_site.get(site)] if site else by_site.values():
            own |= each if isinstance(each, Mapping) else {}
        origins: dict[str, str | TreePath] = {name: ("placement", "parameters", site, name) for name in own}
        return {**own, **self.given}, {**origins, **dict.fromkeys(self.given, "--set")}

    def _check_same(self, blueprints: Mapping[str, Blueprint | None]) -> None:
        found = [blueprint for blueprint in blueprints.values() if blueprint is not None]
        for name in _SAME_EVERYWHERE:
            values = [getattr(blueprint, name) for blueprint in found]
            if any(value != values[0] for value in values):
                says = "a parameter of a site changes it, and it holds for all sites"
                hint = "write the value out, or use one blueprint a site"
                self.problems.append(Problem(says, (name,), hint, self.document.at((name,))))

    def _site(self, name: str, at: TreePath) -> tuple[Site | AwsSite, Document] | None:
        try:
            file = site_file(name, self.path, self.root, self.project.sites)
            if isinstance(file, Problem):
                raise Refused([Problem(file.says, at, file.hint, self.document.at(at))])
            document = bind(compose(file, self.root), {})
            site = validated(site_model(document.data), document, self.catalog)
        except Refused as refused:
            self._refuse(refused)
            return None
        if site.site != name:
            says = f'"{site.site}" is not the name of this file, {name}'
            self.problems.append(Problem(says, ("site",), f"write site: {name}", document.at(("site",))))
            return None
        return site, document

    def _prices(self, site: Site | AwsSite, document: Document) -> tuple[LoadedPrices, ...]:
        names = site.costs.prices if site.costs else []
        try:
            return tuple(
                price_files(
                    names,
                    ("costs", "prices"),
                    document,
                    self.root,
                    lambda each: validated(PriceFile, bind(each, {}), self.catalog),
                    self.catalog,
                )
            )
        except Refused as refused:
            self._refuse(refused)
            return ()

    def _refuse(self, refused: Refused) -> None:
        """Add problems; one that another site had already is not told again."""
        known = set(self.problems)
        self.problems += [problem for problem in refused.problems if problem not in known]


def _project(root: Path) -> Project:
    path = root / PROJECT_FILE
    if not path.is_file():
        return Project(aifactory="v1")
    return validated(Project, read(path, root), Catalog.shipped())


def _catalog(project: Project, root: Path) -> Catalog:
    """The catalog with the project's folders. A folder that is missing or leads outside is refused."""
    problems = []
    for index, name in enumerate(project.catalog):
        at, real = ("catalog", index), Path(os.path.realpath(root / name))
        if not real.is_relative_to(root):
            problems.append(Problem(f'"{name}" leads out of the project', at, "copy it into the project"))
        elif not real.is_dir():
            problems.append(Problem(f'there is no folder "{name}"', at, "make it, or drop the line"))
    if problems:
        document = read(root / PROJECT_FILE, root)
        raise Refused(problem.located(document.at(problem.path)) for problem in problems)
    return Catalog.with_folders([root / name for name in project.catalog])


__all__ = ["SITES", "Loaded", "LoadedSite", "load", "project_catalog", "validated"]
