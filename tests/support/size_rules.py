"""How long a file and a function may be: what one can hold in mind at once."""

import ast
from collections.abc import Iterator

from support.source_tree import ROOMS, Module, SourceTree

FILE_LINES = 500
FUNCTION_LINES = 50
CONSTRUCTOR_LINES = 40
"""Of a component class: it registers children, and decides nothing."""

ALLOWED: dict[str, str] = {}
"""`path` or `path:function` that may be longer, with the reason."""


def too_long(tree: SourceTree, allowed: dict[str, str] = ALLOWED) -> list[str]:
    """Files and functions over their limit that are not allowed to be."""
    found = dict(_found(tree))
    return [text for key, text in found.items() if key not in allowed]


def _found(tree: SourceTree) -> Iterator[tuple[str, str]]:
    for path in tree.files("*.py", "*.rego", "*.md", "*.j2", "Makefile", ".ci/*"):
        name = path.relative_to(tree.root).as_posix()
        lines = len(path.read_bytes().splitlines())
        if lines > FILE_LINES and not name.startswith("docs/reference/"):
            yield name, f"{name}: {lines} lines; split it by meaning at {FILE_LINES}"
    for module in tree.modules(*ROOMS, "tests"):
        yield from _functions(module)


def _functions(module: Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        limit = CONSTRUCTOR_LINES if node.name == "__init__" else FUNCTION_LINES
        if lines > limit:
            key = f"{module.path.as_posix()}:{node.name}"
            yield key, f"{key}: {lines} lines; split it at {limit}"
