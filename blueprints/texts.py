"""The texts that stand below fields and forms in the source: what schemas and messages say about them.

They are read from the source at need, and not by pydantic, which would parse every module at every start.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aifactory.components.spec import Spec


@cache
def field_texts(model: type[BaseModel]) -> dict[str, str]:
    """The texts below the fields of a model, by field, those of base classes first."""
    texts: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, Spec) and each is not Spec:
            texts.update(_texts(_class(each).body))
    return texts


def form_text(model: type[BaseModel] | None, field: str, pattern: str = "") -> str:
    """The text below the form (`Name`, `Version`) whose pattern a value of a field doesn't have.

    The first sentence of the field where the pattern is its own. Without a pattern the text of the first form.
    """
    for each in model.__mro__ if model is not None else ():
        if not issubclass(each, Spec) or each is Spec:
            continue
        for node in _class(each).body:
            if isinstance(node, ast.AnnAssign) and _target(node) == field:
                found = _form(each.__module__, node.annotation, pattern)
                return found or (first_sentence(field_texts(each).get(field, "")) if pattern else "")
    return ""


def first_sentence(text: str) -> str:
    """A text up to its first full stop, on one line."""
    flat = " ".join(text.split())
    return re.split(r"(?<=[^.]\.)\s", flat, maxsplit=1)[0].removesuffix(".")


def unit_of(text: str) -> str:
    """The unit that the text of a field names: `Unit: kW, after the breaker margin.` is `kW`."""
    found = re.search(r"\bUnit: ([^.,;]+)", " ".join(text.split()))
    return found[1] if found else ""


def _form(module: str, expression: ast.expr, pattern: str) -> str:
    """The text of the first form below an annotation that has the pattern, forms inside forms too."""
    for node in ast.walk(expression):
        if not isinstance(node, ast.Name):
            continue
        form = getattr(sys.modules[module], node.id, None)
        if pattern in _patterns(form) or (not pattern and hasattr(form, "__metadata__")):
            return " ".join(_form_texts(module, node.id).split()).removesuffix(".")
        place, definition = _definition(module, node.id)
        found = _form(place, definition, pattern) if definition is not None else ""
        if found:
            return found
    return ""


def _patterns(form: Any) -> Iterator[str]:
    for meta in getattr(form, "__metadata__", ()):
        for each in (meta, *(meta.metadata if isinstance(meta, FieldInfo) else ())):
            pattern = getattr(each, "pattern", None)
            if isinstance(pattern, str):
                yield pattern


def _form_texts(module: str, name: str) -> str:
    place, _ = _definition(module, name)
    return dict(_texts(_tree(place).body)).get(name, "")


def _definition(module: str, name: str) -> tuple[str, ast.expr | None]:
    """The module that defines a form, and the expression; None for what is no form of ours."""
    for node in _tree(module).body:
        if isinstance(node, ast.Assign) and _target(node) == name:
            return module, node.value if get_args(getattr(sys.modules[module], name)) else None
        if isinstance(node, ast.ImportFrom) and node.module and any(each.name == name for each in node.names):
            ours = node.module.startswith("aifactory.") and node.module in sys.modules
            return _definition(node.module, name) if ours else (module, None)
    return module, None


def _texts(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for node, text in pairwise(body):
        name = _target(node)
        if name and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield name, inspect.cleandoc(str(text.value.value))


def _target(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _class(model: type[BaseModel]) -> ast.ClassDef:
    nodes = (node for node in _tree(model.__module__).body if isinstance(node, ast.ClassDef))
    return next(node for node in nodes if node.name == model.__name__)


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))
