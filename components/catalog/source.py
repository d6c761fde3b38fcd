"""Reads one catalog file: a small, strict part of YAML 1.2.

A country code `NO` stays text, a date stays text, and nothing but text, numbers, `true`, `false`, `null`,
lists and mappings exists. Anchors, tags, duplicate keys and deep nesting are refused.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

MAX_BYTES = 8_000_000
MAX_DEPTH = 24

_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


class ReadError(ValueError):
    """The text is not a catalog file."""

    def __init__(self, says: str, line: int = 0) -> None:
        """`line` counts from 1; 0 when it is not known."""
        self.line = line
        super().__init__(f"line {line}: {says}" if line else says)


def read(text: bytes) -> dict[str, Any]:
    """The mapping that a catalog file holds, as plain dict, list and scalars. Raises ReadError."""
    if len(text) > MAX_BYTES:
        raise ReadError(f"{len(text)} bytes, more than the {MAX_BYTES} a catalog file may have")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _refuse_what_is_hostile(text, loader)
        node = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ReadError(
            f"not YAML: {getattr(error, 'problem', None) or error}", mark.line + 1 if mark else 0
        ) from error
    value = _value(node) if node is not None else None
    if not isinstance(value, dict):
        raise ReadError("a catalog file holds one mapping")
    return value


def _refuse_what_is_hostile(text: bytes, loader: Any) -> None:
    """Looks at the stream of events before a tree is built, so that a hostile file costs nothing."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if getattr(event, "anchor", None) is not None:
            raise ReadError("a catalog file has no anchors or aliases", line)
        if getattr(event, "tag", None) is not None:
            raise ReadError("a catalog file has no tags", line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ReadError(f"nested deeper than {MAX_DEPTH} levels", line)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    fields: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = key_node.value, key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ReadError("a key is one word or text", line)
        if key in fields:
            raise ReadError(f'key "{key}" is given twice', line)
        fields[key] = _value(value_node)
    return fields


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.style:  # quoted or block: text, whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text) and len(text) < 20:
        return int(text)
    if _FLOAT.match(text):
        number = float(text)
        if not math.isfinite(number):
            raise ReadError(f"{text} is not a finite number", node.start_mark.line + 1)
        return number
    return text
