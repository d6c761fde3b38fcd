"""Evaluates the CEL rules of CRDs (`x-kubernetes-validations`) on an object that is being created.

Needs the package `common-expression-language`; without it, and where it can't run a rule, that is skipped.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module, util
from typing import Any

Json = Any
"""A JSON value."""

_ESCAPED = re.compile(r"\b__(\w+?)__\b")
_RESERVED = frozenset(
    {
        "break",
        "const",
        "else",
        "for",
        "function",
        "if",
        "import",
        "in",
        "namespace",
        "package",
        "return",
        "var",
    }
)
_SYMBOLS = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}


AVAILABLE = util.find_spec("cel") is not None
"""Whether the CEL engine is installed."""


class Rules:
    """Runs rules and counts: `passed`, `failed`, `transition` (about updates only), or `skipped: reason`."""

    def __init__(self) -> None:
        """Use the engine if it is installed."""
        self.counts: Counter[str] = Counter()
        self._engine = import_module("cel") if AVAILABLE else None

    def problems(self, ruled: Iterable[tuple[str, Json, Json]]) -> Iterator[str]:
        """What the rules refuse, each with the rule's own message. Takes path, value and rule."""
        for path, value, rule in ruled:
            outcome, message = self._run(value, rule)
            self.counts[outcome] += 1
            if outcome == "failed":
                yield f"{path}: {message}" if path else message

    def _run(self, value: Json, rule: Json) -> tuple[str, str]:
        source = str(rule["rule"])
        if self._engine is None:
            return "skipped: no CEL engine", ""
        if re.search(r"\boldSelf\b", source):
            return "transition", ""
        if _ESCAPED.search(source):
            value = _escaped(value)
        try:
            right = _program(source).execute(_context(value))
        except LookupError as error:  # the server refuses too: no such key
            return "failed", f"rule {source!r} fails: no such key {error}"
        except (RuntimeError, TypeError, ValueError) as error:
            return f"skipped: {str(error).splitlines()[0][:80]}", ""
        return ("passed", "") if right is True else ("failed", rule.get("message") or f"failed rule: {source}")


@lru_cache(maxsize=4096)
def _program(source: str) -> Any:
    return import_module("cel").compile(source)


def _context(value: Json) -> Any:
    context = import_module("cel").Context({"self": value})
    for name, function in _functions().items():
        context.add_function(name, function)
    return context


@lru_cache(maxsize=1)
def _functions() -> dict[str, Any]:
    """Functions of Kubernetes and of the CEL string library that the engine lacks."""
    return {
        "find": lambda text, pattern: found[0] if (found := re.search(pattern, text)) else "",
        "lowerAscii": lambda text: text.lower(),
        "upperAscii": lambda text: text.upper(),
        "split": lambda text, mark: text.split(mark),
        "indexOf": lambda text, part: text.find(part),
        "lastIndexOf": lambda text, part: text.rfind(part),
    }


def _escaped(value: Json) -> Json:
    """The value with a second name for each field that CEL can't name: `__namespace__` for `namespace`."""
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if not isinstance(value, dict):
        return value
    safe = {key: _escaped(item) for key, item in value.items()}
    return safe | {_safe_name(key): item for key, item in safe.items()}


def _safe_name(key: str) -> str:
    if key in _RESERVED:
        return f"__{key}__"
    for name, symbol in _SYMBOLS.items():
        key = key.replace(symbol, f"__{name}__")
    return key
