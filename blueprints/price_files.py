"""Reads the price files that a site names, and those that they extend. A circle is refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from msgspec import Struct

from aifactory.blueprints.document import Document
from aifactory.blueprints.includes import compose
from aifactory.blueprints.priced_items import unusable
from aifactory.components.catalog import Catalog
from aifactory.components.given_prices import PriceFile
from aifactory.components.problems import Path as TreePath
from aifactory.components.problems import Problem, Refused


class LoadedPrices(Struct, frozen=True):
    """A price file, and where it was read."""

    file: PriceFile
    document: Document
    name: str
    """Its path from the project root."""


Validate = Callable[[Document], PriceFile]


def price_files(
    names: Iterable[str], at: TreePath, document: Document, root: Path, validate: Validate, catalog: Catalog
) -> list[LoadedPrices]:
    """The files by `names`, which stand below `at` of a document, and all that they extend, in the order in which they
    hold. Names are paths from the folder of the file that they stand in.

    Raises `Refused` for one that is missing, leads out of the project, extends itself, or has rows that nothing uses.
    """
    found: list[LoadedPrices] = []
    for index, name in enumerate(names):
        place = (*at, index)
        beside = PurePosixPath(document.at(place).file).parent
        _take((beside / name).as_posix(), place, document, (), found, root, validate, catalog)
    return found


def _take(
    name: str,
    at: TreePath,
    named_in: Document,
    chain: tuple[str, ...],
    found: list[LoadedPrices],
    root: Path,
    validate: Validate,
    catalog: Catalog,
) -> None:
    if name in chain:
        circle = " -> ".join((*chain[chain.index(name) :], name))
        says = f"price files extend each other in a circle: {circle}"
        raise Refused([Problem(says, at, "drop one of these lines", named_in.at(at))])
    if any(each.name == name for each in found):
        return
    path = root / name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise Refused([Problem(f'"{name}" leads out of the project', at, "copy it into the project", named_in.at(at))])
    if not path.is_file():
        hint = "write its path from the folder of this file, such as prices/contract.yaml"
        raise Refused([Problem(f'there is no price file "{name}"', at, hint, named_in.at(at))])
    document = compose(path, root)
    file = validate(document)
    if file.prices != path.stem:
        says = f'"{file.prices}" is not the name of this file, {path.stem}'
        raise Refused([Problem(says, ("prices",), f"write prices: {path.stem}", document.at(("prices",)))])
    if problems := [each.located(document.at(each.path)) for each in unusable(file, catalog)]:
        raise Refused(problems)
    found.append(LoadedPrices(file, document, name))
    for index, other in enumerate(file.extends):
        beside = PurePosixPath(name).parent
        place = ("extends", index)
        _take((beside / other).as_posix(), place, document, (*chain, name), found, root, validate, catalog)
