"""Words of commands and variables, written so that Kubernetes hands them on unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable

_EXPANDABLE = re.compile(r"\$+(?=\()|\${2,}")
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


def literal(word: str) -> str:
    """The word as it must stand in `command`, `args` or `env`, where Kubernetes replaces `$(NAME)` and
    makes `$$` one `$`. Source: kubernetes/kubernetes third_party/forked/golang/expansion."""
    return _EXPANDABLE.sub(lambda run: run[0] * 2, word)


def references(words: Iterable[str]) -> set[str]:
    """Names in `$(NAME)`: what a person who knows Kubernetes expects to be replaced."""
    return {name for word in words for name in _REFERENCE.findall(word)}
